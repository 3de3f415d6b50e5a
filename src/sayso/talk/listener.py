"""What one caller says, from their sound to the events of the turn core.

    intake ─► detector ─► ears ─┬─► speech starts, stops, is cut; a deadline is due ─► tell
                                ├─► scribe: words, without the agent's own           ─► tell
                                └─► judge: does the pause sound like an ending?      ─► tell

It decides nothing, and knows of the conversation only what it is handed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.clock import Clock
from sayso.eot import Eot
from sayso.errors import SaysoError, SpeechError
from sayso.stt import Stt
from sayso.talk.ears import BREATH_S, PRE_ROLL_S, Ears, Lull, Utterance
from sayso.talk.echo import Echo, Over
from sayso.talk.events import (
    Event,
    Glimpsed,
    Heard,
    Judged,
    Missed,
    SpeechStarted,
    SpeechStopped,
)
from sayso.talk.intake import Intake
from sayso.talk.melody import Melody, spoken_s
from sayso.talk.mirror import Mirror
from sayso.talk.scribe import Scribe, Written
from sayso.transport.line import Line
from sayso.vad import Vad
from sayso.vad.gate import Gate

BITE_SAMPLES: Final = EAR_RATE_HZ // 2
"""Most sound listened to before other conversations get their turn: half a second."""

FOLLOW_EVERY_S: Final = 0.7
"""How often words are written down for whoever looks on, at most, in seconds of speech."""

FOLLOW_SHARE: Final = 0.1
"""The share of the time that this may take: under load it comes less often."""

Result = TypeVar("Result")


class Start(Protocol):
    """Runs work as a part of the conversation: it ends with it at the latest."""

    def __call__(self, work: Coroutine[Any, Any, Result], /) -> asyncio.Task[Result]:
        """Begin `work`."""
        ...


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one caller is listened to.

    Attributes:
        vad, stt, eot: the shared engines.
        language: what the caller speaks, by the contract's name.
        utterance_s: longer speech is cut, in seconds.
        stt_timeout_s: how long a transcript may take, in seconds.
        ahead: have speech written down as soon as it may have ended.
    """

    vad: Vad
    stt: Stt
    eot: Eot
    language: str
    utterance_s: float
    stt_timeout_s: float
    ahead: bool


@dataclass(frozen=True, slots=True)
class Around:
    """The conversation around a listener, as far as it needs one.

    Attributes:
        tell: takes each event, in order.
        start: runs work as a part of the conversation.
        is_over: whether it has ended.
        saying: all that was made so far of the reply under way.
        report: takes a transcript's failure: the caller is to know.
        note: takes a failure that the caller does not notice, after its name in the log.
        follow: takes what is being said, while it is said; None if nobody looks.
    """

    tell: Callable[[Event], None]
    start: Start
    is_over: Callable[[], bool]
    saying: Callable[[], str]
    report: Callable[[SpeechError], None]
    note: Callable[[str, SaysoError], None]
    follow: Callable[[str], None] | None = None


class Listener:
    """Listens to whoever is on the `line`; `listen` never returns.

    Args:
        hearing: how.
        line: the caller; is told how soon more of their sound is wanted.
        intake: their sound.
        mirror: the sound that was sent to them.
        clock: tells the time.
        around: the conversation.

    Attributes:
        spoke_s: when the caller last fell silent, by the clock.
        transcript_s: when the last transcript came, by the clock; None before the first.
    """

    def __init__(
        self,
        hearing: Hearing,
        line: Line,
        intake: Intake,
        mirror: Mirror,
        clock: Clock,
        around: Around,
    ) -> None:
        self.spoke_s = clock.now_s()
        self.transcript_s: float | None = None
        self._eot = hearing.eot
        self._line = line
        self._intake = intake
        self._mirror = mirror
        self._clock = clock
        self._around = around
        self._detector = hearing.vad.stream()
        self._ears = Ears(Gate(), hearing.utterance_s, lulls=hearing.ahead)
        self._scribe = Scribe(hearing.stt, hearing.language, hearing.stt_timeout_s)
        self._melody = Melody()
        self._echo = Echo()
        self._telling: asyncio.Task[None] | None = None
        self._judging: asyncio.Task[None] | None = None
        self._glimpsing: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._follow_at_s = 0.0

    @property
    def now_s(self) -> float:
        """Audio time: seconds of sound listened to."""
        return self._ears.now_s

    # What the conversation tells it ------------------------------------------------------------

    def wake_at(self, deadline_s: float | None) -> None:
        """Tell a `Tick` once audio time has passed the deadline; None for never."""
        self._ears.deadline_s = deadline_s
        if self._ears.is_tense():
            self._line.breathe(0.0)

    def switch(self, language: str) -> None:
        """From now on the caller is expected to speak `language`."""
        self._scribe.language = language

    def take_text(self) -> None:
        """The caller, or the program around them, has typed: that is when they last spoke."""
        self.spoke_s = self._clock.now_s()

    def reply_began(self) -> None:
        """A reply sounds: what is said from now on is a new turn, or an echo."""
        self._melody.clear()
        self._echo.reply_began()

    def reply_ended(self, text: str) -> None:
        """It is over; `text` is all of it that was made."""
        self._echo.reply_ended(text, self.now_s)

    def take_dropped(self) -> int:
        """How many transcripts were begun in vain since this was last asked."""
        dropped, self._scribe.dropped = self._scribe.dropped, 0
        return dropped

    def glimpse(self) -> None:
        """Tell what the caller has said so far, if they do not fall silent before."""
        samples = self._ears.so_far()
        over = self._said_over(self.now_s, samples)
        self._glimpsing = self._around.start(self._glimpse(samples, over))

    def close(self) -> None:
        """Let go of the conversation, whose tasks are over: nobody waits for the collector."""
        self._telling = self._judging = self._glimpsing = self._following = None
        del self._around

    # Sound -------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Tell all that happens, until cancelled."""
        while True:
            samples = await self._intake.take()
            for begin in range(0, len(samples), BITE_SAMPLES):
                bite = samples[begin : begin + BITE_SAMPLES]
                urgent = self._ears.is_tense(len(bite))
                probabilities = await self._detector.judge(bite, urgent=urgent)
                for happening in self._ears.hear(bite, probabilities):
                    self._notice(happening)
                self._follow()
                self._line.breathe(0.0 if self._ears.is_tense() else BREATH_S)
                if begin:
                    await asyncio.sleep(0)

    def _notice(self, happening: Event | Lull | Utterance) -> None:
        match happening:
            case Lull(samples):
                self._scribe.begin(samples, self._around.start)
            case Utterance():
                self._take_stretch(happening)
            case SpeechStarted():
                self._stop_judging()
                self._echo.speech_started()
                self._around.tell(happening)
            case _:
                self._around.tell(happening)

    def _take_stretch(self, utterance: Utterance) -> None:
        """Speech has stopped, or was cut: it becomes words, and its end is judged."""
        event = utterance.event
        self._stop_glimpsing()
        self._melody.add(utterance)
        if isinstance(event, SpeechStopped):
            self.spoke_s = self._clock.now_s() - (event.at_s - event.since_s)
        self._around.tell(event)
        if self._around.is_over():
            return
        writing = self._scribe.finish(utterance.samples, lulled=isinstance(event, SpeechStopped))
        until_s = event.since_s if isinstance(event, SpeechStopped) else event.at_s
        over = self._said_over(until_s, utterance.samples)
        taken = self._take_down(writing, spoken_s(utterance), over, self._telling)
        self._telling = self._around.start(taken)
        if isinstance(event, SpeechStopped):
            self._stop_judging()
            self._judging = self._around.start(self._judge(event.since_s))

    # Words and endings -------------------------------------------------------------------------

    async def _judge(self, since_s: float) -> None:
        """Ask whether the pause that began at `since_s` sounds like an ending."""
        try:
            sounds_done = await self._eot.judge(self._melody.sound())
        except SpeechError as error:
            self._around.note("judge_failed", error)  # the words decide alone
            return
        if sounds_done is not None:
            self._around.tell(Judged(self.now_s, since_s, sounds_done))

    def _stop_judging(self) -> None:
        """Nobody needs to know any more whether the last pause was an ending."""
        if self._judging is not None:
            self._judging.cancel()
            self._judging = None

    def _stop_glimpsing(self) -> None:
        """All the words are about to come."""
        if self._glimpsing is not None:
            self._glimpsing.cancel()
            self._glimpsing = None
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def _said_over(self, until_s: float, samples: Samples) -> Over:
        """What the agent said while the caller made this sound, which ended at `until_s`."""
        text = self._echo.said_over(until_s, self._around.saying())
        return Over(text, bool(text) and self._mirror.shows(samples))

    async def _take_down(
        self,
        writing: Coroutine[Any, Any, Written],
        lasted_s: float | None,
        over: Over,
        before: asyncio.Task[None] | None,
    ) -> None:
        """Every stretch of speech becomes words, if only none, or is known to be missed.

        It is told after what was said `before` it, however long that takes to be written down.
        """
        written = await writing
        if before is not None and not before.done():
            await asyncio.wait([before])
        if isinstance(written, SpeechError):
            self._around.report(written)
            self._around.tell(Missed(self.now_s))
            return
        self.transcript_s = self._clock.now_s()
        words = over.leaves(written)
        echoed, sure, nod = words != written, written.confidence, written.nod
        self._around.tell(Heard(self.now_s, words, lasted_s, echoed, sure, nod))

    def _follow(self) -> None:
        """Have written down what is being said, if somebody looks on and it is time to."""
        look = self._around.follow
        if look is None or self._following is not None or self.now_s < self._follow_at_s:
            return
        samples = self._ears.so_far()
        if len(samples) >= FOLLOW_EVERY_S * EAR_RATE_HZ:
            over = self._said_over(self.now_s, samples)
            self._following = self._around.start(self._show(samples, over, look))

    async def _show(self, samples: Samples, over: Over, look: Callable[[str], None]) -> None:
        began_s = self._clock.now_s()
        written = await self._scribe.glimpse(samples)
        self._following = None
        took_s = self._clock.now_s() - began_s
        self._follow_at_s = self.now_s + max(FOLLOW_EVERY_S, took_s / FOLLOW_SHARE)
        if not isinstance(written, SpeechError):
            look(over.leaves(written))

    async def _glimpse(self, samples: Samples, over: Over) -> None:
        """What the caller says is not over: a failure to write it down is none yet."""
        lasts_s = max(0.0, len(samples) / EAR_RATE_HZ - PRE_ROLL_S)
        written = await self._scribe.glimpse(samples)
        if isinstance(written, SpeechError):
            return
        words = over.leaves(written)
        self._around.tell(Glimpsed(self.now_s, words, lasts_s, written.confidence, written.nod))
