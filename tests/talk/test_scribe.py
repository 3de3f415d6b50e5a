from __future__ import annotations

import asyncio

import numpy as np

from sayso.audio.formats import Samples
from sayso.errors import SpeechError
from sayso.stt import Transcript
from sayso.talk.scribe import Scribe

SOUND = np.zeros(1600, np.float32)


class Ears:
    """Writes down how often it was asked; waits where it is told to, and fails."""

    def __init__(self, *, error: SpeechError | None = None) -> None:
        self.asked = 0
        self.given_up = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._error = error

    async def open(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def transcribe(self, samples: Samples, language: str) -> str:
        self.asked += 1
        number = self.asked
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self._error:
            raise self._error
        return f" {language} {number} "


def make_scribe(ears: Ears, timeout_s: float = 10.0) -> Scribe:
    return Scribe(ears, "english", timeout_s)


async def test_a_stretch_is_written_down() -> None:
    ears = Ears()
    assert await make_scribe(ears).finish(SOUND, lulled=True) == "english 1"


async def test_a_glimpse_takes_nothing_from_the_transcript() -> None:
    ears = Ears()
    scribe = make_scribe(ears)
    scribe.begin(SOUND, asyncio.create_task)
    assert await scribe.glimpse(SOUND) in {"english 1", "english 2"}
    await scribe.finish(SOUND, lulled=True)
    assert (ears.asked, scribe.dropped) == (2, 0)


async def test_an_engine_may_say_how_sure_it_is() -> None:
    class Sure(Ears):
        async def transcribe(self, samples: Samples, language: str) -> str:
            return Transcript(" Yes. ", 0.9, 0.1)

    for ears, told in ((Sure(), (0.9, 0.1)), (Ears(), (None, None))):
        written = await make_scribe(ears).finish(SOUND, lulled=True)
        assert isinstance(written, Transcript)
        assert written == written.strip()
        assert (written.confidence, written.nod) == told


async def test_what_was_begun_at_a_lull_is_the_transcript() -> None:
    ears = Ears()
    scribe = make_scribe(ears)
    scribe.begin(SOUND, asyncio.create_task)
    assert await scribe.finish(SOUND, lulled=True) == "english 1"
    assert (ears.asked, scribe.dropped) == (1, 0)


async def test_it_is_not_that_of_the_next_stretch() -> None:
    ears = Ears()
    scribe = make_scribe(ears)
    scribe.begin(SOUND, asyncio.create_task)
    await scribe.finish(SOUND, lulled=True)
    assert await scribe.finish(SOUND, lulled=True) == "english 2"


async def test_a_later_lull_drops_the_earlier() -> None:
    ears = Ears()
    ears.go_on.clear()
    scribe = make_scribe(ears)
    scribe.begin(SOUND, asyncio.create_task)
    await asyncio.sleep(0)
    scribe.begin(SOUND, asyncio.create_task)
    ears.go_on.set()
    assert await scribe.finish(SOUND, lulled=True) == "english 2"
    assert (ears.given_up, scribe.dropped) == (1, 1)


async def test_speech_that_is_cut_off_has_no_lull() -> None:
    ears = Ears()
    scribe = make_scribe(ears)
    scribe.begin(SOUND, asyncio.create_task)
    await asyncio.sleep(0)
    assert await scribe.finish(SOUND, lulled=False) == "english 2"
    assert scribe.dropped == 1


async def test_a_failure_is_an_answer_early_or_not() -> None:
    error = SpeechError("no ears")
    scribe = make_scribe(Ears(error=error))
    assert await scribe.finish(SOUND, lulled=True) is error
    scribe.begin(SOUND, asyncio.create_task)
    assert await scribe.finish(SOUND, lulled=True) is error


async def test_a_transcript_that_takes_too_long_is_a_failure() -> None:
    ears = Ears()
    ears.go_on.clear()
    written = await make_scribe(ears, timeout_s=0.01).finish(SOUND, lulled=True)
    assert isinstance(written, SpeechError)
    assert written.message == "no transcript came within 0.01 s"
    assert "SAYSO_STT_TIMEOUT_S" in str(written.hint)
