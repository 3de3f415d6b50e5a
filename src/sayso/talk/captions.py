"""What the client is shown of the caller: words while they are said, and once the turn is over."""

from __future__ import annotations

from sayso.transport.line import CallerStopped, CallerText, CallerTextSoFar, Line


class Captions:
    """Tells the `line` each word once, although a turn is answered anew when more of it comes."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told = ""

    def follow(self, said: str) -> None:
        """Show what the caller has `said` this turn so far."""
        if fresh := said.removeprefix(self._told).strip():
            self._line.post(CallerTextSoFar(fresh))

    def settle(self, words: str) -> None:
        """A reply is made to all these `words` of the turn; "" if it is to none."""
        if words:
            self._line.post(CallerText(words.removeprefix(self._told).strip() or words))
            self._line.post(CallerStopped())
        self._told = words

    def clear(self) -> None:
        """What comes next is a new turn."""
        self._told = ""
