"""Sayso: a self-hosted home for voice agents that speak with your LLM."""

__version__ = "0.1.0"
