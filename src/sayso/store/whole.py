"""What the database was asked is never given up half-way, whoever is cancelled meanwhile.

A driver that is cancelled in the middle of a statement throws its connection away; one that is
cancelled again while it does so leaves it open, and with it SQLite locked, for as long as nobody
collects the garbage. So a cancellation waits for the statement, which is over in milliseconds, and
is raised then: the transaction is undone in good order, and its connection is used again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession

from sayso.store.hidden import HidingSession

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Do `work` to its end; whoever is cancelled meanwhile is cancelled once it is done."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # seen: who was cancelled wants nothing of it any more
    raise cancelled


def _wholly(method: Method) -> Method:
    @wraps(method)
    async def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 the signature is `method`'s
        return await whole(cast("Coroutine[Any, Any, Any]", method(*args, **kwargs)))

    return cast("Method", run)


class WholeSession(AsyncSession):
    """A session that sees no deleted agents, and whose statements are done whole."""

    sync_session_class = HidingSession

    commit = _wholly(AsyncSession.commit)
    connection = _wholly(AsyncSession.connection)
    delete = _wholly(AsyncSession.delete)
    execute = _wholly(AsyncSession.execute)
    flush = _wholly(AsyncSession.flush)
    get = _wholly(AsyncSession.get)
    get_one = _wholly(AsyncSession.get_one)
    merge = _wholly(AsyncSession.merge)
    refresh = _wholly(AsyncSession.refresh)
    rollback = _wholly(AsyncSession.rollback)
    # mypy does not find its overloads alike to themselves.
    scalar = _wholly(AsyncSession.scalar)  # type: ignore[assignment, arg-type]
    scalars = _wholly(AsyncSession.scalars)
    stream = _wholly(AsyncSession.stream)
    close = _wholly(AsyncSession.close)
