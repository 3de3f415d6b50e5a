"""Cuts pages into passages: short enough for the embedder, whole enough to be understood.

A passage never leaves its page, so that its page number is true. Lines (a paragraph, a list item, a
row of a table) stay whole up to `MAX_WORDS`, longer ones are cut between sentences, and a sentence
only when it alone is longer. Where a paragraph is cut, its last sentence may begin the next
passage, too.

Length is counted in half words, each about a token of the embedder, which reads 256. A word is two,
or a quarter of its letters where it is long. A mark is one, and so is a letter of another script
than Latin, which the embedder spells out; a Korean one, which it takes apart, is one and a half.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from sayso.knowledge.passages import BETWEEN, Page, text_to_embed

MAX_WORDS = 120
OVERLAP_WORDS = 20
"""The longest sentence that is said twice."""
SHORT_WORDS = 10
"""A sentence shorter than this is read with its neighbour: "Yes." means nothing alone."""

_LETTERS, _FIGURES = 4, 2
"""How many of them are half a word where there are many."""
_OTHER_SCRIPTS = "\u0300"
_KOREAN = "\uac00", "\ud7a3"
_UNSPACED_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"  # Thai, Lao, Burmese, Khmer, Japanese, Chinese
)
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_RUNS = re.compile(r"[A-Za-z']+|\d+")
_MARKS = re.compile(r"[^\w\s']|_")
_PIECES = re.compile(
    rf"[A-Za-z'\u00c0-\u02ff]+|\d+|[{_UNSPACED_RANGES}]|[^\W\d_{_UNSPACED_RANGES}]+|\S"
)
_ENDING = re.compile(
    r"[.!?…]+[\"'”’»)\]]*\s+(?=\S)"  # Latin and its like: an ending needs a space
    r"|[。！？｡]+[」』”’）]*\s*"
    r"|[।॥؟۔]+\s+"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|cf|ca|approx|No|Nos|Fig"
    r"|Figs|Vol|pp|Art|Sec|Inc|Ltd|Co|Corp|Dept|est|incl|max|min|tel|bzw|z\.B|d\.h|Nr|Abs|usw"
    r"|(?:[A-Za-z]\.)+[A-Za-z])\.\s+$"
)
_LOOK_BACK = 16
_SPACES = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"\S+\s*")
_CLAUSE_END = re.compile(r"[,;:、，；：)\]]\s*$")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch that is not cut: `start` and `end` in the page's text, `half` words long."""

    start: int
    end: int
    half: int
    runs_on: bool
    """Whether the line it is from began before it."""


def split(pages: Iterable[Page], max_words: int = MAX_WORDS) -> list[Page]:
    """Passages of at most `max_words`, in order; a page without words gives none."""
    return [
        replace(page, text=stretch)
        for page in pages
        for stretch in _stretches(_tidy(page.text), max_words * 2)
    ]


def split_sentences(title: str, text: str) -> list[str]:
    """What the meanings of a passage's sentences are taken from; nothing if it is only one.

    Each stands under the innermost heading: "It costs 14 euros" alone could be about anything.
    """
    lines = text.splitlines(keepends=True)
    cut = [line[at:end] for line in lines for at, end in pairwise([0, *_endings(line)])]
    joined = _join_short(filter(None, map(str.strip, cut)))
    heading = title.rpartition(BETWEEN)[2]
    return [text_to_embed(heading, one) for one in joined] if len(joined) > 1 else []


def _join_short(sentences: Iterable[str]) -> list[str]:
    """Short ones go with those behind them, and the last with those before."""
    joined: list[str] = []
    held = ""
    for sentence in sentences:
        held = f"{held} {sentence}".lstrip()
        if weigh(held) >= SHORT_WORDS * 2:
            joined.append(held)
            held = ""
    if held:
        joined[-1:] = [" ".join([*joined[-1:], held])]
    return joined


def _tidy(text: str) -> str:
    """Single spaces, no empty lines."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _stretches(text: str, most: int) -> Iterator[str]:
    units = list(_units(text, most))
    for first, last in _pack(units, most):
        yield text[units[first].start : units[last].end].strip()


def _pack(units: list[_Unit], most: int) -> Iterator[tuple[int, int]]:
    """First and last unit of each passage, of about the same length."""
    left = sum(unit.half for unit in units)
    at = 0
    while at < len(units):
        size = _overlap(units, at, most) if at else 0
        first = at - 1 if size else at
        goal = size + left / -(-left // (most - size))
        while at < len(units) and size + units[at].half <= most:
            size += units[at].half
            left -= units[at].half
            at += 1
            if size >= goal:
                break
        yield first, at - 1


def _overlap(units: list[_Unit], at: int, most: int) -> int:
    """How long the sentence before `at` is, if it is to be said again; else 0."""
    before, here = units[at - 1], units[at]
    fits = before.half <= OVERLAP_WORDS * 2 and before.half + here.half <= most
    return before.half if here.runs_on and fits else 0


def _units(text: str, most: int) -> Iterator[_Unit]:
    start = 0
    for line in text.splitlines(keepends=True):
        half = weigh(line)
        if half <= most:
            yield _Unit(start, start + len(line), half, runs_on=False)
        else:
            yield from _sentences(line, start, most)
        start += len(line)


def _sentences(line: str, start: int, most: int) -> Iterator[_Unit]:
    at = 0
    for end in _endings(line):
        sentence = line[at:end]
        half = weigh(sentence)
        if half <= most:
            yield _Unit(start + at, start + end, half, runs_on=at > 0)
        else:
            yield from _cuts(sentence, start + at, most, runs_on=at > 0)
        at = end


def _endings(line: str) -> Iterator[int]:
    """Where sentences end; the last is the end of the line."""
    for found in _ENDING.finditer(line):
        end = found.end()
        if end == len(line):
            break
        before = line[max(0, end - _LOOK_BACK) : end]
        if not (line[end].islower() or _ABBREVIATION.search(before)):
            yield end
    yield len(line)


def _cuts(sentence: str, start: int, most: int, *, runs_on: bool) -> Iterator[_Unit]:
    """A sentence that is too long, cut after a clause if one ends in its second half."""
    begin, at, size = 0, 0, 0
    clause: tuple[int, int] | None = None  # where one ended, and how much was before it
    for atom in _atoms(sentence, most):
        half = weigh(atom)
        if size + half > most:
            cut, before = clause or (at, size)
            yield _Unit(start + begin, start + cut, before, runs_on=runs_on or begin > 0)
            begin, size, clause = cut, size - before, None
        at += len(atom)
        size += half
        if size > most // 2 and _CLAUSE_END.search(atom):
            clause = at, size
    yield _Unit(start + begin, start + at, size, runs_on=runs_on or begin > 0)


def _atoms(sentence: str, most: int) -> Iterator[str]:
    """Words, and pieces of words too long for a passage; characters where there are no words."""
    for word in _WORD.findall(sentence):
        if _UNSPACED.search(word):
            yield from word
        elif weigh(word) > most:
            step = most // 2  # a letter between marks is a word
            yield from (word[at : at + step] for at in range(0, len(word), step))
        else:
            yield word


def weigh(text: str) -> int:
    """How long a text is, in half words."""
    if text.isascii():
        runs = _RUNS.findall(text)
        return 2 * len(runs) + len(_MARKS.findall(text)) + sum(map(_beyond, runs))
    return sum(map(_weigh_piece, _PIECES.findall(text)))


def _beyond(run: str) -> int:
    """What a long run of letters or figures weighs beyond a word."""
    per_half = _FIGURES if run[0].isdecimal() else _LETTERS
    return max(0, -(-len(run) // per_half) - 2)


def _weigh_piece(piece: str) -> int:
    if piece.isascii() or piece[0] < _OTHER_SCRIPTS:
        return 2 + _beyond(piece) if piece[-1].isalnum() else 1
    korean = _KOREAN[0] <= piece[0] <= _KOREAN[1]
    return -(-3 * len(piece) // 2) if korean else len(piece)
