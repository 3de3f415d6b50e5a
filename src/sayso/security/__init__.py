"""Secrets at rest, and limits on how often."""
