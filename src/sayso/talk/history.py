"""What was said, and how far it was heard. Pure.

An answer enters the record, and the next prompt, only as far as it was played to the caller
(pipecat-ai/pipecat#4996, livekit/agents PR#5798). `Ledger` keeps, for each reply, every clause
with its place in the reply's sound; `heard` cuts that at a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Literal, TypeAlias
from unicodedata import combining

MAX_LATE_LINES = 100
"""How far back, in lines, a deed is looked for whose end comes late."""

Role: TypeAlias = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Deed:
    """A function the LLM called while it made a reply, and what came of it.

    Attributes:
        id: names the call within its conversation.
        name: the function.
        arguments: JSON; what no record may show is left out.
        result: what the LLM was told.
        nth: calls with the same number were made side by side.
    """

    id: str
    name: str
    arguments: str = "{}"
    result: str = ""
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One settled line of a conversation; the `deeds` of a reply came before its words."""

    role: Role
    content: str
    deeds: tuple[Deed, ...] = ()


@dataclass(slots=True)
class Clause:
    """A stretch of a reply's text and the sound it became, in seconds of that sound.

    `said` are the words that were spoken for `text`: "$5" takes as long as "five dollars". An
    `aside` is ours, not the LLM's.
    """

    text: str
    begins_s: float
    lasts_s: float = 0.0
    whole: bool = False
    said: str = ""
    aside: bool = False

    def heard(self, up_to_s: float) -> str:
        """The words of this clause that were played by `up_to_s` seconds of the reply's sound.

        Words are taken to be spoken evenly, by length; one that is only half heard is left out,
        and so is a number of which not all is heard.
        """
        into_s = up_to_s - self.begins_s
        if into_s <= 0 or not self.lasts_s:
            return ""
        if into_s >= self.lasts_s - _ROUNDING_S and self.whole:
            return self.text
        said = self.said or self.text
        heard = cut_at_word(said, int(len(said) * min(1.0, into_s / self.lasts_s)))
        return heard if said == self.text else find_written(self.text, said, heard)


_ROUNDING_S = 1e-6

UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\uffef]")
"""Letters of scripts that put no space between words: Thai, Lao, Burmese, Khmer, Chinese, kana."""


def cut_at_word(text: str, reach: int) -> str:
    """The longest run of whole words of `text` within its first `reach` characters."""
    while 0 < reach < len(text) and not _is_word_end(text, reach):
        reach -= 1
    return text[:reach].rstrip()


def _is_word_end(text: str, at: int) -> bool:
    """Whether a word of `text` may end in front of character `at`."""
    if text[at].isspace() or text[at - 1].isspace():
        return True
    return UNSPACED.match(text, at) is not None and not combining(text[at])


def find_written(text: str, said: str, heard: str) -> str:
    """The words of `text` of which all that was `said` for them is `heard`.

    Words that stand in both hold them together; what lies between, such as a price and its words,
    counts as one.
    """
    written = list(re.finditer(r"\S+", text))
    spoken, reach = said.split(), len(heard.split())
    match = SequenceMatcher(
        None, [_bare(word[0]) for word in written], [_bare(word) for word in spoken], autojunk=False
    )
    count = 0
    for kind, begin, end, first, last in match.get_opcodes():
        if last > reach:
            count += max(0, reach - first) if kind == "equal" else 0
            break
        count += end - begin
    return text[: written[count - 1].end()] if count else ""


def _bare(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold() or word


@dataclass(slots=True)
class ReplyRecord:
    """One reply: what was asked, what was made of it, how far it was heard.

    Attributes:
        number: the reply's number.
        asked: the caller's words it answers.
        notes: what the program around the caller told.
        clauses: its text in the order it was spoken.
        deeds: what was done for it.
    """

    number: int
    asked: str = ""
    notes: str = ""
    clauses: list[Clause] = field(default_factory=list)
    deeds: tuple[Deed, ...] = ()

    @property
    def sound_s(self) -> float:
        """Seconds of sound made of this reply so far."""
        return self.clauses[-1].begins_s + self.clauses[-1].lasts_s if self.clauses else 0.0

    def question(self) -> tuple[Line, ...]:
        """What it answers, as lines."""
        notes = _note_line(self.notes) if self.notes else ""
        return tuple(Line("user", text) for text in (notes, self.asked) if text)

    def take_question(self) -> tuple[Line, ...]:
        """What it answers, once: it is settled now."""
        question = self.question()
        self.asked = self.notes = ""
        return question

    def text(self) -> str:
        """All of its text, as it was to be said."""
        return " ".join(clause.text for clause in self.clauses)

    def heard(self, up_to_s: float, *, asides: bool = True) -> str:
        """Its text as far as `up_to_s` seconds of its sound reach."""
        told = (clause for clause in self.clauses if asides or not clause.aside)
        words = (clause.heard(up_to_s) for clause in told)
        return " ".join(part for part in words if part)


class Ledger:
    """The record of one conversation: settled lines, and the reply under way.

    A reply is `open`ed with the words it answers. They are settled when it first sounds
    (`begin`); until then `retract` takes both back, because the turn core hands all the words
    of the turn to the next reply. `close` settles what was heard. Each of these returns the
    lines it settled, for whoever writes them down.

    An aside is what we say of a reply whose text broke off, or while a function takes long. The
    caller hears it, so it is written down; the LLM is not told of it. Read back as its own words,
    it is an example to follow, and hides what a "please go on" needs: how far the answer had come.
    That stays, up to its "…".

    What was done cannot be taken back: the deeds of a retracted reply pass to the next one.
    """

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        self._lines: list[Line] = []
        self._reply: ReplyRecord | None = None
        self._left: tuple[Deed, ...] = ()  # of retracted replies
        for line in lines:
            self._take_back(line)

    def open(self, number: int, asked: str = "", notes: str = "") -> None:
        """Begin reply `number` to the caller's words `asked` and the program's `notes`."""
        self._reply = ReplyRecord(number, asked, notes, deeds=self._left)
        self._left = ()

    def clause(self, number: int, text: str, said: str = "", *, aside: bool = False) -> None:
        """Reply `number` goes on with `text`, spoken as `said`; its sound follows."""
        if (reply := self._current(number)) is not None:
            self.finish(number)
            reply.clauses.append(Clause(text, reply.sound_s, said=said, aside=aside))

    def sound(self, number: int, seconds: float) -> None:
        """`seconds` more of sound were made of the last clause of reply `number`."""
        if (reply := self._current(number)) is not None and reply.clauses:
            reply.clauses[-1].lasts_s += seconds

    def finish(self, number: int) -> None:
        """The last clause of reply `number` has all its sound."""
        if (reply := self._current(number)) is not None and reply.clauses:
            reply.clauses[-1].whole = True

    def begin(self, number: int) -> tuple[Line, ...]:
        """Reply `number` sounds: what it answers is settled."""
        reply = self._current(number)
        return self._settle(*reply.take_question()) if reply else ()

    def retract(self, number: int) -> None:
        """Reply `number` was dropped before it sounded: as if it had never been opened."""
        if (reply := self._current(number)) is not None:
            self._left, self._reply = reply.deeds, None

    def close(self, number: int, heard_s: float) -> tuple[Line, ...]:
        """Reply `number` is over; the caller heard `heard_s` seconds of its sound."""
        reply = self._current(number)
        if reply is None:
            return ()
        self._reply = None
        own = Line("assistant", reply.heard(heard_s, asides=False), reply.deeds)
        told = Line("assistant", reply.heard(heard_s), reply.deeds)
        question = self._settle(*reply.take_question())
        self._settle(own)
        return (*question, told) if told.content or told.deeds else question

    def deed(self, number: int, deed: Deed) -> tuple[Line, ...]:
        """Something was done for reply `number`, or what came of it is known now.

        A deed of a reply that is over is settled at once, behind it.
        """
        if (reply := self._current(number)) is not None:
            reply.deeds = _keep(reply.deeds, deed)
        elif self._reply is not None and _knows(self._reply.deeds, deed):
            self._reply.deeds = _keep(self._reply.deeds, deed)
        elif _knows(self._left, deed):
            self._left = _keep(self._left, deed)
        else:
            line = Line("assistant", "", (deed,))
            self._take_back(line)
            return (line,)
        return ()

    def conclude(self, words: str) -> tuple[Line, ...]:
        """The conversation is over; `words` of the caller stay without an answer."""
        left = self._left + (self._reply.deeds if self._reply else ())
        self._reply, self._left = None, ()
        return self._settle(Line("user", words), Line("assistant", "", left))

    def text(self, number: int) -> str:
        """All text of reply `number`, as far as it is made; "" if it is not under way."""
        reply = self._current(number)
        return reply.text() if reply else ""

    def made_s(self, number: int) -> float:
        """Seconds of sound made of reply `number`; 0 if it is not under way."""
        reply = self._current(number)
        return reply.sound_s if reply else 0.0

    def heard(self, number: int, up_to_s: float) -> str:
        """What was heard of reply `number`; "" if it is not under way."""
        reply = self._current(number)
        return reply.heard(up_to_s) if reply else ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everything settled, oldest first, as the LLM is told it."""
        return tuple(self._lines)

    @property
    def prompt(self) -> tuple[Line, ...]:
        """Everything settled, and the question under way: what the LLM is to answer."""
        if self._reply is None:
            return tuple(self._lines)
        done = (Line("assistant", "", self._reply.deeds),) if self._reply.deeds else ()
        return (*self._lines, *self._reply.question(), *done)

    def _current(self, number: int) -> ReplyRecord | None:
        return self._reply if self._reply is not None and self._reply.number == number else None

    def _settle(self, *lines: Line) -> tuple[Line, ...]:
        settled = tuple(line for line in lines if line.content or line.deeds)
        self._lines += settled
        return settled

    def _take_back(self, line: Line) -> None:
        """Add an earlier line; deeds that are known already only come to their end by it."""
        new = tuple(deed for deed in line.deeds if not self._update(deed))
        if line.content or new:
            self._lines.append(replace(line, deeds=new))

    def _update(self, deed: Deed) -> bool:
        """Bring a settled deed up to date; whether there is one."""
        for n in reversed(range(max(0, len(self._lines) - MAX_LATE_LINES), len(self._lines))):
            line = self._lines[n]
            if _knows(line.deeds, deed):
                self._lines[n] = replace(line, deeds=_keep(line.deeds, deed))
                return True
        return False


def _knows(deeds: tuple[Deed, ...], deed: Deed) -> bool:
    return any(one.id == deed.id for one in deeds)


def _keep(deeds: tuple[Deed, ...], deed: Deed) -> tuple[Deed, ...]:
    """`deeds` with `deed`, in place of an earlier state of it."""
    if _knows(deeds, deed):
        return tuple(deed if one.id == deed.id else one for one in deeds)
    return (*deeds, deed)


def _note_line(text: str) -> str:
    return f"[Message from the application, not spoken by the caller: {text}]"
