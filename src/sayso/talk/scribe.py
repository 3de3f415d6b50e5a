"""Has a caller's speech written down, ahead of time where it may turn out to be whole.

The detector takes a fifth of a second to be sure that speech has stopped. A lull half as long is
likely to be the end: what was said so far is transcribed then, and if nothing more is said, that is
the transcript. If the caller goes on, it is dropped, and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from sayso.audio.formats import Samples
from sayso.errors import LESS_WORK, SpeechError
from sayso.stt import Stt, Transcript, as_transcript

Written: TypeAlias = Transcript | SpeechError
"""The words, none if there are none, or why there is no telling."""


Start: TypeAlias = Callable[[Coroutine[Any, Any, Written]], asyncio.Task[Written]]
"""Runs work as a part of the conversation."""


class Scribe:
    """Writes down one caller.

    Args:
        stt: the shared engine.
        language: what the caller speaks.
        timeout_s: how long a transcript may take, in seconds.

    Attributes:
        dropped: transcripts begun and not needed since `dropped` was last set.
    """

    def __init__(self, stt: Stt, language: str, timeout_s: float) -> None:
        self.dropped = 0
        self._stt = stt
        self.language = language
        self._timeout_s = timeout_s
        self._early: asyncio.Task[Written] | None = None

    def begin(self, samples: Samples, start: Start) -> None:
        """There is a lull: these may be all of the stretch of speech."""
        self.drop()
        self._early = start(self._write(samples))

    def glimpse(self, samples: Samples) -> Coroutine[Any, Any, Written]:
        """The transcript of what was said so far; it is part of what `finish` gives later."""
        return self._write(samples)

    def drop(self) -> None:
        """They were not."""
        if self._early is not None:
            self.dropped += 1
            self._early.cancel()
            self._early = None

    def finish(self, samples: Samples, *, lulled: bool) -> Coroutine[Any, Any, Written]:
        """The transcript of a whole stretch; one that ended in a lull was begun there."""
        if self._early is None or not lulled:
            self.drop()
            return self._write(samples)
        early, self._early = self._early, None
        return _result(early)

    async def _write(self, samples: Samples) -> Written:
        try:
            async with asyncio.timeout(self._timeout_s):
                return as_transcript(await self._stt.transcribe(samples, self.language))
        except SpeechError as error:
            return error
        except TimeoutError:
            return SpeechError(
                f"no transcript came within {self._timeout_s:g} s",
                hint=f"{LESS_WORK}; SAYSO_STT_TIMEOUT_S is the longest wait.",
            )


async def _result(early: asyncio.Task[Written]) -> Written:
    return await early
