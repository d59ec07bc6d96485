"""A Milvus collection in place of an index directory."""
