"""Agents: how one speaks, what it knows, and which LLM answers for it."""
