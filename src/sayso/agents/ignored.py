"""Names what a client sent in vain: keys of an agent or its LLM that nobody reads. Pure.

They are not refused, for clients of the contract send keys of their own; but a misspelled
`greeting` that is answered as if it had been kept costs its author an afternoon.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from sayso.agents.llm_schema import BuiltIn, LlmServer, LlmView
from sayso.agents.schema import NewAgent
from sayso.agents.views import AgentView
from sayso.bodies import MAX_NAMED, FieldWarning, find_ignored


def list_ignored(body: NewAgent) -> list[FieldWarning]:
    """The keys of `body` that nobody reads, at most MAX_NAMED.

    Those of an answer are not among them: what was read can be written back.
    """
    return list(_find_ignored(body))[:MAX_NAMED]


def _find_ignored(body: NewAgent) -> Iterator[FieldWarning]:
    for at, shape, view in _shapes(body):
        yield from find_ignored(at, shape, view)


def _shapes(
    body: NewAgent,
) -> Iterator[tuple[str, NewAgent | LlmServer | BuiltIn, type[BaseModel]]]:
    """The objects in `body` that may hold unknown keys: their paths, and how they are answered."""
    yield "", body, AgentView
    if body.llm is not None:
        yield "llm.", body.llm, LlmView
        for n, fallback in enumerate(getattr(body.llm, "fallbacks", None) or ()):
            yield f"llm.fallbacks.{n}.", fallback, LlmView
