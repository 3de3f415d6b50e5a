"""Who may ask: accounts and their API keys."""
