"""Conversations: what was said, when, and how long each turn took."""
