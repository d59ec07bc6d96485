"""What is stored and how a query is answered. Knows no video, no model, no terminal."""
