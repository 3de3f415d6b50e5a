"""What a caller said, and the values that plainly are in it: numbers, days, places, a yes. Pure.

What is not in it, is not made up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from sayso.llm.fake.numerals import write_digits

MIN_WORD_CHARS: Final = 4
"""Shorter words of a description ("the", "of") are in everything; of longer ones, so much counts:
"open" is in "opening"."""
NEGATED_WORDS: Final = 3
"""So far before a word a "not" still means it: "not on the terrace"."""

_EMPTY = frozenset(
    "this that what when where whether which with from into your they them then than call says "
    "tell".split()
)
_YES = frozenset("yes yeah yep yup sure certainly absolutely definitely okay ok".split())
_NOT = frozenset("not without never neither nor don't dont isn't".split())
_NO = _NOT | {"no", "nope", "nah"}
_BUT = frozenset("but rather instead".split())
"""What was denied before these, was denied of something else: "not red but blue"."""
_ARTICLES = frozenset({"the", "a", "an"})
_NOBODY = frozenset(
    "me you us it him her them my your our that this these those now once all least most be have "
    "do what whom how please home behalf".split()
)
"""Behind a preposition, these name nothing."""

_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
)
_ORDINAL = (
    r"(?:(?:20|30|twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|"
    r"ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|"
    r"eighteenth|nineteenth|twentieth|thirtieth)"
)
_NTH = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL})"
_DAY = re.compile(
    rf"\b(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
    rf"|{_NTH} (?:of )?{_MONTH}\b|{_MONTH} (?:the )?{_NTH}\b"
    r"|the day after tomorrow|today|tonight|tomorrow|yesterday"
    r"|(?:next |this )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend)\b)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:half past \d{1,2}|(?:a )?quarter (?:past|to) \d{1,2}|\d{1,2}:\d{2}(?: ?[ap]\.?m\b\.?)?"
    r"|\d{1,2} ?[ap]\.?m\b\.?|\d{1,2} o'?clock|noon|midnight"
    r"|(?<=at )\d{1,2}(?= *(?:$|[.,;!?]|(?:for|on|in|with|and|please|today|to|tonight|this|next)"
    r"\b)))",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\b(?:for|in|on|at|about|called|named|by|(?P<to>(?:\w+ )?to))\s+(?:(?:the|a|an|my|our)\s+)?"
    r"(?P<text>[\w'-]+(?:\s+[A-Z][\w'-]*)*)",
)
_WANTING = frozenset(
    "want wants like need have going try able wish love hope how order used ready got has".split()
)
"""Before a "to" that begins no name: "I want to leave"."""
_NUMBER = re.compile(r"(?:(?<!\w)[-+])?\d+(?:,\d{3})*(?:\.\d+)?")
_PHONE = re.compile(r"\+?\d[\d ()/-]{4,}\d")
_PLACE = re.compile(r"\b[Ii]n\s+(?:the\s+)?([\w'/-]+(?:\s+[A-Z][\w'/-]*)*)")
"""A place may be several words: "in New York"."""
_WHO = re.compile(
    r"\b(?:[Tt]his is|I am|I'm|[Cc]all(?:ed)?|[Nn]amed|[Uu]nder|[Ff]or) ([A-Z][\w'-]+)"
)


def stems(text: str) -> set[str]:
    """The beginnings of the words of `text` that mean something."""
    words = re.findall(r"\w+", text.lower())
    return {
        word[:MIN_WORD_CHARS]
        for word in words
        if len(word) >= MIN_WORD_CHARS and word not in _EMPTY
    }


class Said:
    """What the caller said; texts, places and numbers are used up in their order."""

    def __init__(self, words: str) -> None:
        self.words = words
        self._digits = write_digits(words)
        self._tokens = re.findall(r"[\w']+", self._digits.lower())
        self._places = [one for one in _PLACE.findall(words) if not _is_day(one)]
        self._texts = [text for found in _BEHIND.finditer(self._digits) if (text := _name(found))]
        dated = [*_DAY.finditer(self._digits), *_TIME.finditer(self._digits)]
        self._phone = _PHONE.search(self._digits)
        self._numbers = [
            found
            for found in _NUMBER.finditer(self._digits)
            if not any(map(partial(_is_in, found), dated))
        ]

    def place(self) -> str | None:
        """The words behind "in"; what they are taken for is taken."""
        found = self._places.pop(0) if self._places else None
        self._texts = [text for text in self._texts if not (found or "").startswith(text)]
        return found

    def text(self) -> str | None:
        """The next words behind a preposition."""
        return self._texts.pop(0) if self._texts else None

    def named(self, name: str) -> str | None:
        """The word behind the parameter's own name: "the name is Ada"."""
        said = re.search(
            rf"\b{re.escape(name)}\s+(?:(?:is|to|of)\s+)?([\w'-]+)", self.words, re.IGNORECASE
        )
        return said[1] if said and said[1].lower() not in _NOBODY | {"is", "to", "of"} else None

    def person(self) -> str | None:
        """Who somebody says they are, or whom it is for."""
        found = [one for one in _WHO.findall(self.words) if not _is_day(one)]
        return found[0] if found else None

    def day(self) -> str | None:
        """A day by its name or its date, as it was said."""
        found = _DAY.search(self.words)
        return found[0] if found else None

    def time(self) -> str | None:
        """A time of the day, its numbers in digits."""
        found = _TIME.search(self._digits)
        return found[0] if found else None

    def digits(self) -> str | None:
        """A telephone number, or the next number as it was said."""
        phone, self._phone = self._phone, None
        if phone is None:
            return self.number(())
        self._numbers = [one for one in self._numbers if not _is_in(one, phone)]
        return re.sub(r"[^+\d]", "", phone[0])

    def number(self, about: Collection[str]) -> str | None:
        """The number before a word of `about` ("4 guests"), else the next one."""
        if not self._numbers:
            return None
        behind = [self._digits[one.end() :] for one in self._numbers]
        fits = (n for n, text in enumerate(behind) if _begins(text, about))
        return self._numbers.pop(next(fits, 0))[0].replace(",", "")

    def choose(self, values: Sequence[object]) -> object:
        """The one of `values` that was said; the longest, the first; None if none was."""
        found = [
            (-len(tokens), at, n)
            for n, value in enumerate(values)
            if (tokens := _tokens_of(value)) and (at := self._find(tokens)) is not None
        ]
        return values[min(found)[2]] if found else None

    def agrees(self, named: Collection[str]) -> bool | None:
        """Whether what has these stems is wanted: by its own "not", else by a yes or a no."""
        for n, token in enumerate(self._tokens):
            if token[:MIN_WORD_CHARS] in named:
                return not self._negated(n)
        answers = [token in _YES for token in self._tokens if token in _YES | _NO]
        return answers[0] if answers else None

    def _find(self, tokens: list[str]) -> int | None:
        said = [_plain(token) for token in self._tokens]
        places = range(len(said) - len(tokens) + 1)
        return next(
            (n for n in places if said[n : n + len(tokens)] == tokens and not self._negated(n)),
            None,
        )

    def _negated(self, place: int) -> bool:
        before = self._tokens[max(0, place - NEGATED_WORDS) : place]
        for n, word in enumerate(reversed(before)):
            if word in _BUT:
                return False
            if word in _NOT or (word == "no" and n == 0):
                return True
        return False


def _is_in(found: re.Match[str], span: re.Match[str]) -> bool:
    return span.start() <= found.start() < span.end()


def _is_day(text: str) -> bool:
    return _DAY.match(text) is not None


def _name(found: re.Match[str]) -> str:
    """What stands behind a preposition, if it may be a name or a thing; else ""."""
    text, to = found["text"], (found["to"] or "").lower().split()
    infinitive = len(to) == 2 and to[0] in _WANTING
    if infinitive or text.lower() in _NOBODY or text[0].isdigit() or _is_day(text):
        return ""
    return text


def _begins(text: str, about: Collection[str]) -> bool:
    word = re.match(r"\W*(\w+)", text)
    return word is not None and word[1].lower()[:MIN_WORD_CHARS] in about


def _tokens_of(value: object) -> list[str]:
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", write_digits(str(value)).lower())
    return [_plain(word) for word in words if word not in _ARTICLES] or words


def _plain(word: str) -> str:
    """A word without its plural, and without what England and America spell differently."""
    word = word.removesuffix("'s").replace("our", "or")
    return word.removesuffix("s") if len(word) > MIN_WORD_CHARS else word
