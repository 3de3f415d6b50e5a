"""What a conversation needs of whoever carries it: values in, values out, whatever the wire.

A `Line` is one caller's connection after its greeting formalities. Each protocol (`playai`, later
others) turns its own messages into `Incoming` values and `Outgoing` values into its messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sayso.audio.formats import InputAudio, OutputAudio
from sayso.transport.page import Declared

# From the caller ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sound:
    """Encoded sound, as the client said it would send it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """The caller typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """The program around the caller tells the agent something (`customInput`)."""

    text: str


@dataclass(frozen=True, slots=True)
class PlayedOut:
    """The client's player ran dry: all that was sent has been heard (`bufferEmpty`)."""


@dataclass(frozen=True, slots=True)
class Played:
    """The client's player has played so many seconds of reply `number`, and none of a later one."""

    number: int
    up_to_s: float


@dataclass(frozen=True, slots=True)
class Left:
    """The client is gone; `cleanly` tells a hang-up from a lost connection."""

    cleanly: bool


@dataclass(frozen=True, slots=True)
class NotHandedOn:
    """The client could not do what `HandOn` asked for; the caller is still here."""

    reason: str


Incoming: TypeAlias = Sound | Text | Note | Declared | PlayedOut | Played | NotHandedOn | Left


# To the caller -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GreetingBegan:
    """The agent is about to say its greeting; "" when it has none."""

    text: str


@dataclass(frozen=True, slots=True)
class GreetingEnded:
    """The greeting was said, cut off, or empty: the caller's microphone may open."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerStarted:
    """The caller has the floor."""


@dataclass(frozen=True, slots=True)
class CallerStopped:
    """The caller's turn is over: the agent will answer."""


@dataclass(frozen=True, slots=True)
class CallerText:
    """What the caller was heard to say this turn."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerTextSoFar:
    """What the caller was heard to say up to now; more or other words may follow. A detail."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyHeld:
    """The caller may be interrupting: the client falls silent, and keeps what it has. A detail."""


@dataclass(frozen=True, slots=True)
class ReplyResumed:
    """They were not: the reply goes on where it was held. A detail."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """Sound of reply `number` follows; whatever the client still had queued is stale."""

    number: int


@dataclass(frozen=True, slots=True)
class ReplySound:
    """Encoded sound of reply `number`."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AgentText:
    """All text of reply `number`."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """All sound of reply `number` was sent."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller cut reply `number` off; `heard` is what got through to them."""

    number: int
    heard: str


@dataclass(frozen=True, slots=True)
class CustomEvent:
    """The page around the caller is to do something it declared (`Declared`)."""

    name: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class HandOn:
    """The client is to connect the caller to somebody else: `to` a name, at a number or address."""

    to: str
    phone_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong; the conversation goes on unless `fatal`."""

    code: int
    message: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The conversation is over; nothing follows but the close of the line."""

    by: str


Outgoing: TypeAlias = (
    GreetingBegan
    | GreetingEnded
    | CallerStarted
    | CallerStopped
    | CallerText
    | CallerTextSoFar
    | ReplyHeld
    | ReplyResumed
    | ReplyBegan
    | ReplySound
    | AgentText
    | ReplyEnded
    | Interrupted
    | CustomEvent
    | HandOn
    | Fault
    | Goodbye
)


class Line(Protocol):
    """One caller's connection."""

    @property
    def hears(self) -> InputAudio:
        """The sound that comes in."""
        ...

    @property
    def speaks(self) -> OutputAudio:
        """The sound that goes out."""
        ...

    @property
    def hands_on(self) -> bool:
        """Whether it can connect the caller to somebody else (`HandOn`)."""
        ...

    @property
    def details(self) -> bool:
        """The client wants to know more while it goes on; others are not sent details."""
        ...

    async def receive(self) -> Incoming:
        """Wait for what the caller does next; `Left` is the last thing they do.

        Raises TalkError for a message that cannot be understood; the line stays usable unless
        the error is fatal.
        """
        ...

    def post(self, out: Outgoing) -> None:
        """Queue something small, in order. Never waits.

        A client that lets too much pile up is hung up on: `receive` gives `Left` next.
        """
        ...

    async def send(self, sound: ReplySound) -> None:
        """Queue sound, in order; waits while the client takes it too slowly."""
        ...

    def breathe(self, seconds: float) -> None:
        """What comes next may be handed over so much later, more of it at once; 0: at once."""
        ...

    def hush(self, number: int) -> None:
        """Drop queued sound of replies up to `number`: it is stale."""
        ...
