"""What the client sends, brought to whom it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from sayso.errors import TalkCode, TalkError
from sayso.talk.events import Author, EndedBy, Event, Typed
from sayso.talk.intake import Intake
from sayso.talk.listener import Listener
from sayso.talk.page import PageTools
from sayso.talk.speaker import Speaker
from sayso.talk.troubles import Troubles
from sayso.transport.line import (
    Incoming,
    Left,
    Line,
    Note,
    NotHandedOn,
    Played,
    PlayedOut,
    Sound,
    Text,
)
from sayso.transport.page import Declared


@dataclass(frozen=True, slots=True)
class Around:
    """The conversation around a reception, as far as it needs one.

    Attributes:
        tell: takes each event, in order.
        hang_up: ends the conversation.
        take_back: is told why the caller could not be handed on.
    """

    tell: Callable[[Event], None]
    hang_up: Callable[[EndedBy], None]
    take_back: Callable[[str], None]


class Reception:
    """Takes in what comes from the `line`, and keeps nothing of it.

    Args:
        line: the client.
        intake: takes the caller's sound.
        listener: knows audio time, and is told of what is typed.
        speaker: is told what was played.
        page: offers the LLM what the page around the caller can do.
        troubles: tells of what could not be read.
    """

    def __init__(
        self,
        line: Line,
        intake: Intake,
        listener: Listener,
        speaker: Speaker,
        page: PageTools,
        troubles: Troubles,
    ) -> None:
        self._line = line
        self._intake = intake
        self._listener = listener
        self._speaker = speaker
        self._page = page
        self._troubles = troubles

    async def receive(self, around: Around) -> None:
        """Take in all that comes, until the client has left.

        Raises:
            TalkError: the line cannot go on.
        """
        while True:
            try:
                incoming = await self._line.receive()
            except TalkError as error:
                if error.fatal:
                    raise
                self._troubles.report(error, error.code)
                continue
            self._take(incoming, around)
            if isinstance(incoming, Left):
                return

    def _take(self, incoming: Incoming, around: Around) -> None:
        match incoming:
            case Sound(data):
                self._intake.put(data)
            case Text(text):
                self._intake.microphone.excuse()
                self._listener.take_text()
                around.tell(Typed(self._listener.now_s, text))
            case Note(text):
                self._listener.take_text()
                around.tell(Typed(self._listener.now_s, text, Author.PROGRAM))
            case Declared():
                self._offer(incoming)
            case PlayedOut():
                self._speaker.played_out()
            case Played(number, up_to_s):
                self._speaker.played(number, up_to_s)
            case NotHandedOn(reason):
                around.take_back(reason)
            case Left(cleanly):
                around.hang_up(EndedBy.USER if cleanly else EndedBy.ERROR)
            case _:
                assert_never(incoming)

    def _offer(self, declared: Declared) -> None:
        """The LLM may use what the page can do."""
        for wrong in filter(None, (declared.problem, self._page.offer(declared.events))):
            odd = TalkError(wrong, code=TalkCode.INVALID_MESSAGE, fatal=False)
            self._troubles.report(odd, odd.code)
