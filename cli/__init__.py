"""Arguments to API calls to text, JSON or a page."""
