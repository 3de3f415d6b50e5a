"""Which of the words heard over a reply are the reply's own, from the caller's loudspeaker. Pure.

A browser cancels the echo of what it plays, more or less; a speakerphone or a program may not. Then
the agent hears itself, and would fall silent for its own words, or answer them. Words give it away:
they are those of the reply that sounded at that time, and speech that is an echo begins after the
reply did and ends with it. Words need not be heard as they were said: see `mirror.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from math import inf
from typing import Final

from sayso.talk.wording import words_of

TAIL_S: Final = 0.6
"""An echo is over so long after the reply is, in seconds: the way there and back."""

LEAST_WORDS: Final = 2
"""A single word may be an answer, though the agent said it, too."""

SAME: Final = 0.75
"""Share of the words that must be the reply's; the rest was misheard."""

RUN_WORDS: Final = 4
"""So many words of the reply in a row are no coincidence, whatever else is said."""


@dataclass(frozen=True, slots=True)
class Over:
    """What the agent said during a stretch of speech.

    Attributes:
        text: its words; "" if it was silent.
        shown: the stretch sounds as if it were the agent's, too.
    """

    text: str
    shown: bool = False

    def leaves(self, heard: str) -> str:
        """The words of `heard` that are the caller's own."""
        return "" if self.shown else without_echo(heard, self.text)


class Echo:
    """Knows what sounded while the caller's line was loud."""

    def __init__(self) -> None:
        self._sounds = False
        self._ended_s = -inf
        self._said = ""
        self._overlaps = False

    def reply_began(self) -> None:
        """A reply sounds."""
        self._sounds = True

    def reply_ended(self, text: str, at_s: float) -> None:
        """It is over at audio time `at_s`; `text` is all of it that was made."""
        self._sounds, self._said, self._ended_s = False, text, at_s

    def speech_started(self) -> None:
        """Speech-like sound comes from the caller."""
        self._overlaps = self._sounds

    def said_over(self, since_s: float, text: str) -> str:
        """What the agent said during the speech that ended at `since_s`; "" if it was silent.

        `text` is that of the reply under way.
        """
        if not self._overlaps:
            return ""
        if self._sounds:
            return text
        return self._said if since_s <= self._ended_s + TAIL_S else ""


def without_echo(heard: str, said: str) -> str:
    """The words of `heard` that are the caller's own; "" if all of it was an echo of `said`."""
    if not said:
        return heard
    words = heard.split()
    bare = [" ".join(words_of(word)) for word in words]
    matcher = SequenceMatcher(None, words_of(said), bare, autojunk=False)
    runs = [(match.b, match.b + match.size) for match in matcher.get_matching_blocks()]
    same = sum(end - begin for begin, end in runs)
    if len(words) >= LEAST_WORDS and same >= SAME * len(words):
        return ""
    echoed = {at for begin, end in runs if end - begin >= RUN_WORDS for at in range(begin, end)}
    if not echoed:
        return heard
    return " ".join(word for at, word in enumerate(words) if at not in echoed)
