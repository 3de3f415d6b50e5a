"""Where each piece of sound stands in the recording of a conversation. Pure.

    caller ─► heard ─► left track     placed by when it came
    agent  ─► said  ─► right track    placed by when it plays, cut where it was hushed

Zero of both tracks is the start of the conversation. Sound that follows the sound before it closely
is put right behind it, so that no jitter of a network is heard; only a longer gap becomes silence.
What a client sends faster than anybody speaks is left away.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol, TypeAlias

from sayso.audio.formats import EAR_RATE_HZ, Samples

SLACK_S: Final = 0.3
"""A gap up to this is no silence but jitter, in seconds."""

MOST_AHEAD_S: Final = 5.0
"""How far a track may be ahead of the time, in seconds: no clock of a client is so fast."""

Side: TypeAlias = Literal["left", "right"]


class Sink(Protocol):
    """Takes pieces of one recording; never waits, and never fails."""

    def put(self, side: Side, at: int, samples: Samples, /) -> None:
        """Sound that begins at sample `at` of a track, at the end of it or behind that."""
        ...

    def cut(self, side: Side, at: int, /) -> None:
        """The track ends at sample `at`: what was put behind it was not heard."""
        ...


class Reel(Protocol):
    """Records one conversation; all times are seconds on the conversation's clock."""

    def heard(self, samples: Samples, now_s: float) -> None:
        """Sound of the caller, at 16 kHz, has come."""
        ...

    def said(self, samples: Samples, ends_s: float) -> None:
        """Sound of the agent is on its way, and will have been played at `ends_s`."""
        ...

    def hushed(self, unheard_s: float) -> None:
        """The last `unheard_s` seconds of what was said are not played."""
        ...


class Unrecorded:
    """Records nothing."""

    def heard(self, samples: Samples, now_s: float) -> None:
        """Forget it."""

    def said(self, samples: Samples, ends_s: float) -> None:
        """Forget it."""

    def hushed(self, unheard_s: float) -> None:
        """Nothing was kept of it."""


UNRECORDED: Final = Unrecorded()


class Track:
    """How far one side is recorded.

    Attributes:
        ends: its length so far, in samples.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.ends = 0

    def is_ahead(self, ends_s: float) -> bool:
        """Whether it is further than what sounds until `ends_s` can have brought it."""
        return self.ends > (ends_s + MOST_AHEAD_S) * self.rate_hz

    def place(self, count: int, ends_s: float) -> int:
        """Where `count` samples begin whose last one sounds at `ends_s`, from the start."""
        due = round(ends_s * self.rate_hz) - count
        begins = due if due - self.ends > SLACK_S * self.rate_hz else self.ends
        self.ends = begins + count
        return begins

    def cut(self, unheard_s: float) -> int:
        """Take back the last `unheard_s` seconds; where the track ends now."""
        self.ends = max(0, self.ends - round(unheard_s * self.rate_hz))
        return self.ends


class TwoTracks:
    """The recording of one conversation.

    Args:
        sink: takes the sound.
        zero_s: when the conversation began, on its clock.
        agent_rate_hz: the rate of the agent's sound.
        longest_s: what comes later than this after its start, in seconds, is not recorded.
    """

    def __init__(self, sink: Sink, zero_s: float, agent_rate_hz: int, longest_s: float) -> None:
        self._sink = sink
        self._zero_s = zero_s
        self._longest_s = longest_s
        self._left, self._right = Track(EAR_RATE_HZ), Track(agent_rate_hz)

    def heard(self, samples: Samples, now_s: float) -> None:
        """See `Reel`."""
        self._put("left", self._left, samples, now_s)

    def said(self, samples: Samples, ends_s: float) -> None:
        """See `Reel`."""
        self._put("right", self._right, samples, ends_s)

    def hushed(self, unheard_s: float) -> None:
        """See `Reel`."""
        if unheard_s > 0:
            self._sink.cut("right", self._right.cut(unheard_s))

    def _put(self, side: Side, track: Track, samples: Samples, ends_s: float) -> None:
        since_s = ends_s - self._zero_s
        if since_s <= self._longest_s and len(samples) and not track.is_ahead(since_s):
            self._sink.put(side, track.place(len(samples), since_s), samples)
