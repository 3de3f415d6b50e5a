"""What is kept: accounts, agents, conversations; SQLite by default, Postgres by URL."""
