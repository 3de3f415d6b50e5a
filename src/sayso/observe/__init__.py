"""Watching a server from outside: logs and health."""
