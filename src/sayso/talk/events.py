"""What happens in a conversation, and what is to be done about it: the core's only vocabulary.

Every event carries `at_s`: audio time, the seconds of the caller's sound since the conversation
opened (docs/decisions/0004-audio-time.md). Commands carry the number of the reply they mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class EndedBy(StrEnum):
    """Who ended a conversation (contract §2.5)."""

    USER = "user"
    AGENT = "agent"
    ERROR = "error"
    SYSTEM = "system"


class Author(StrEnum):
    """Whose text it was: the caller's, or the program's around the caller."""

    CALLER = "caller"
    PROGRAM = "program"


class FixedLine(StrEnum):
    """Replies that need no LLM."""

    GREETING = "greeting"
    NOT_HEARD = "not heard"
    FAREWELL = "farewell"
    NUDGE = "nudge"
    WARNING = "warning"
    GIVING_UP = "giving up"


class Parting(StrEnum):
    """Why a conversation ended without anybody hanging up."""

    TIME_UP = "time_up"
    SILENCE = "silence"
    AGENT_DONE = "agent_done"
    TRANSFERRED = "transferred"


# Events ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """The conversation begins; `greeting` says whether the agent speaks first."""

    at_s: float
    greeting: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller makes speech-like sound, since `since_s` if that is known."""

    at_s: float
    since_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechCut:
    """The caller talks on, and what was said so far has gone to be transcribed."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller fell silent at `since_s`; a transcript of it will be `Heard`, if only as ""."""

    at_s: float
    since_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The transcript of one stretch of speech; "" when it held no words.

    `spoken_s` is how long the speech was, in seconds; None where nobody measured it. `echoed` says
    that the words, or all but these, were the agent's own. `confidence` is how sure the engine is,
    from 0 to 1, `nod` how likely it was only a sign of listening, against the text; None where it
    has not said.
    """

    at_s: float
    text: str
    spoken_s: float | None = None
    echoed: bool = False
    confidence: float | None = None
    nod: float | None = None


@dataclass(frozen=True, slots=True)
class Glimpsed:
    """What the caller has said so far of what they are saying; "" for no words, or no telling.

    The words come again, with `Heard`. The rest is as there.
    """

    at_s: float
    text: str
    spoken_s: float | None = None
    confidence: float | None = None
    nod: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely the sound up to the pause that began at `since_s` is that of a turn's end."""

    at_s: float
    since_s: float
    sounds_done: float


@dataclass(frozen=True, slots=True)
class Missed:
    """One stretch of speech could not be transcribed: the engine failed, not the caller."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that came as text: from the caller, or from the program around them."""

    at_s: float
    text: str
    author: Author = Author.CALLER


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The first sound of reply `number` left for the caller."""

    at_s: float
    number: int


@dataclass(frozen=True, slots=True)
class ReplyPlayed:
    """Reply `number` was heard to its end, or had nothing to say.

    `asks` if it ends in a question; `last` if the agent ends the conversation by it; `transfers` if
    it told the caller that they are handed on.
    """

    at_s: float
    number: int
    asks: bool = False
    last: bool = False
    transfers: bool = False


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The caller could not be handed on, and is still here; `told` says so to the LLM."""

    at_s: float
    told: str


@dataclass(frozen=True, slots=True)
class TimeNear:
    """The conversation will soon have taken the longest time it may."""

    at_s: float


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The conversation reached the longest time it may take."""

    at_s: float


@dataclass(frozen=True, slots=True)
class HungUp:
    """The line is gone, or must go now."""

    at_s: float
    by: EndedBy


@dataclass(frozen=True, slots=True)
class Tick:
    """Audio time passed the deadline."""

    at_s: float


Event: TypeAlias = (
    Opened
    | SpeechStarted
    | SpeechCut
    | SpeechStopped
    | Heard
    | Glimpsed
    | Judged
    | Missed
    | Typed
    | ReplyStarted
    | ReplyPlayed
    | TransferFailed
    | TimeNear
    | TimeUp
    | HungUp
    | Tick
)


# Commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attend:
    """The caller has the floor: tell the client so."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Begin to make reply `number`, silently: the caller may have finished.

    A later `Draft`, or an `Answer` to other words, replaces it.
    """

    number: int
    words: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """Throw the draft of reply `number` away: the caller goes on."""

    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Make and speak reply `number` to the caller's `words` and the program's `notes`.

    At most one of the two is "".
    """

    number: int
    words: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a fixed line as reply `number`."""

    number: int
    line: FixedLine


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop the sound of reply `number`, but keep it."""

    number: int


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Have written down what the caller has said so far over reply `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the held reply `number` where it stopped."""

    number: int


@dataclass(frozen=True, slots=True)
class Hush:
    """Drop what is left of reply `number`; the record keeps what was heard of it."""

    number: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller on to whom reply `number` announced; it was heard to its end."""

    number: int


@dataclass(frozen=True, slots=True)
class End:
    """The conversation is over."""

    by: EndedBy


Command: TypeAlias = (
    Attend | Draft | Drop | Answer | Say | Hold | Glimpse | Resume | Hush | Transfer | End
)
