"""What agents know: passages of text, found by meaning."""
