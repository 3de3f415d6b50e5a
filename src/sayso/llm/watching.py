"""Lets whoever speaks a reply see what LLMs were asked for it, and what they answered.

The watcher stands in the context of the task that makes the reply, for between that task and a
request there may be a failover, a race and a mind that holds the agent to its notes, none of which
needs to know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from sayso.llm import Exchanged

Watcher: TypeAlias = Callable[[Exchanged], None]

_watcher: ContextVar[Watcher | None] = ContextVar("sayso_llm_watcher", default=None)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tasks that are created in this block tell `watcher` of each exchange, once it is over."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def unwatch() -> None:
    """What this task does from now on is for no reply."""
    _watcher.set(None)


def find_watcher() -> Watcher | None:
    """Who is to be told here, if anybody is."""
    return _watcher.get()
