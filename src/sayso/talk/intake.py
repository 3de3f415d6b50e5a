"""The caller's sound between the line and the ears.

    put ─► waits, encoded ─► decoder ─► take

Nothing is decoded before somebody listens, and then all that came at once: on a telephone line
that sends fifty messages a second, each step costs more than the sound in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np

from sayso.audio.decode import SEAMLESS, Decoder, open_decoder
from sayso.audio.formats import EAR_RATE_HZ, InputAudio, Samples
from sayso.clock import Clock
from sayso.errors import LESS_WORK, AudioError, SilentMicrophoneError, SpeechError
from sayso.talk.reel import UNRECORDED, Reel
from sayso.talk.silence import Complaint, GapFiller, Microphone

MAX_PIECES: Final = 256
"""Pieces of sound that may wait, encoded or decoded; a client that sends faster is refused."""
STARVED_S: Final = 2.0
"""Who has not listened for so long, in seconds, does not say that the client is too fast."""

GAP_CHECK_S: Final = 0.1
"""How often a silent client is looked after, in seconds."""

_COMPLAINTS: Final[dict[Complaint, str]] = {
    "nothing": "no sound comes from the client: is its microphone allowed and not muted?",
    "silence": "only silence comes from the client: is its microphone muted, or the wrong one?",
}

TOO_FAST: Final = "sound comes faster than it can be listened to"


class Intake:
    """One caller's sound.

    Args:
        hears: how it is encoded.
        clock: tells the time.
        on_deaf: is told, once, when it cannot be read any more.
        reel: records it.

    Attributes:
        microphone: notices a client that sends no sound.
    """

    def __init__(
        self,
        hears: InputAudio,
        clock: Clock,
        on_deaf: Callable[[AudioError | SpeechError], None],
        reel: Reel = UNRECORDED,
    ) -> None:
        self.microphone = Microphone()
        self._decoder: Decoder | None = open_decoder(hears, self._add, on_error=self._go_deaf)
        self._seamless = hears.encoding in SEAMLESS
        self._clock = clock
        self._on_deaf = on_deaf
        self._reel = reel
        self._gaps = GapFiller(clock.now_s())
        self._listened_s = clock.now_s()
        self._encoded: list[bytes] = []
        self._decoded: list[Samples] = []
        self._some = asyncio.Event()
        self._deaf = False

    def put(self, data: bytes) -> None:
        """Take a message's sound; "" is a keep-alive."""
        if not data or self._deaf:
            return
        if len(self._encoded) == MAX_PIECES:
            self._go_deaf(self._too_much())
            return
        self._encoded.append(data)
        self._some.set()

    async def take(self) -> Samples:
        """All that came, at 16 kHz, as soon as there is some."""
        while not self._decoded:
            await self._some.wait()
            self._some.clear()
            self._decode()
        self._listened_s = self._clock.now_s()
        pieces, self._decoded = self._decoded, []
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    async def mind_gaps(self, complain: Callable[[SilentMicrophoneError], None]) -> None:
        """Audio time goes on while the client sends nothing: its caller is silent."""
        while True:
            await asyncio.sleep(GAP_CHECK_S)
            if complaint := self.mind_gap():
                complain(SilentMicrophoneError(_COMPLAINTS[complaint]))

    def mind_gap(self) -> Complaint | None:
        """Let silence take the place of sound that does not come; what is wrong, said once."""
        now_s = self._clock.now_s()
        silence = None if self._encoded else self._gaps.fill(now_s)
        if silence is not None and len(self._decoded) < MAX_PIECES:
            self._decoded.append(silence)
            self._some.set()
        return self.microphone.complaint(now_s)

    def close(self) -> None:
        """Decode nothing any more. Lets go of what refers to it: nobody waits for the collector."""
        if self._decoder is not None:
            self._decoder.close()
        self._decoder, self._on_deaf = None, _tell_nobody

    def _decode(self) -> None:
        encoded, self._encoded = self._encoded, []
        if self._decoder is None:
            return
        if self._seamless:
            encoded = [b"".join(encoded)]
        try:
            for data in encoded:
                self._decoder.feed(data)
        except AudioError as error:
            self._go_deaf(error)

    def _add(self, samples: Samples) -> None:
        now_s = self._clock.now_s()
        self._gaps.received(len(samples) / EAR_RATE_HZ, now_s)
        self._reel.heard(samples, now_s)
        self.microphone.received(samples)
        if len(self._decoded) == MAX_PIECES:
            self._go_deaf(self._too_much())
            return
        self._decoded.append(samples)
        self._some.set()

    def _too_much(self) -> AudioError | SpeechError:
        """More sound waits than may: is it the client who hurries, or are we who do not listen?"""
        waited_s = self._clock.now_s() - self._listened_s
        if waited_s < STARVED_S:
            return AudioError(TOO_FAST)
        return SpeechError(
            f"nobody has listened for {waited_s:.0f} s; this machine is too busy",
            hint=f"{LESS_WORK}.",
        )

    def _go_deaf(self, error: AudioError | SpeechError) -> None:
        """The sound cannot be read: say so once; text still works."""
        if not self._deaf:
            self._deaf = True
            self._encoded.clear()
            self._on_deaf(error)


def _tell_nobody(_: AudioError | SpeechError) -> None:
    """Nobody listens any more."""
