"""What agents know: files, web pages and long texts, kept and made searchable."""
