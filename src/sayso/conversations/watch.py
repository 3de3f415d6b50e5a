"""Keeps the conversations of a running server alive, and closes those of servers that died.

Several servers may share a database: none of them may close what another one holds.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sayso.clock import Clock
from sayso.conversations.recorder import Recorder
from sayso.conversations.service import Conversations

BEAT_S = 10.0
"""Between two signs of life of the conversations of a server, in seconds."""

_log = structlog.get_logger(__name__)


async def keep_watch(
    recorder: Recorder, conversations: Conversations, clock: Clock, *, beat_s: float = BEAT_S
) -> None:
    """Beat until cancelled; a database that fails is tried again at the next beat."""
    while True:
        await asyncio.sleep(beat_s)
        try:
            await recorder.beat(clock.utc())
            await conversations.close_abandoned(clock.utc())
        except SQLAlchemyError as error:
            _log.error("signs_of_life_not_stored", reason=type(error).__name__)
