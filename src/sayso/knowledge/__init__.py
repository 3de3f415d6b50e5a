"""What agents know: passages of text, found by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sayso.knowledge.passages import Found


class Retriever(Protocol):
    """Finds what one agent knows about something."""

    async def find(self, asked: str, context: Sequence[str], limit: int) -> Sequence[Found]:
        """At most `limit` passages about what was `asked`, best first. Raises KnowledgeError.

        `context` is what was said before, oldest first.
        """
        ...
