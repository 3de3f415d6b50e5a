"""Numbers that were spoken, in digits: "Twenty five guests" becomes "25 guests". Pure.

Some ears write numbers as words. Digits that were said one by one are one number, as people say
them: "one zero zero one" is 1001.
"""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: value * 10
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}

_WORD: Final = rf"(?:{'|'.join([*_SCALES, *_TENS, *_UNITS])})\b"
_SCALE: Final = rf"(?:{'|'.join(_SCALES)})\b"
_DIGIT: Final = rf"(?:{'|'.join(list(_UNITS)[:10])})\b"
_NUMBER: Final = re.compile(
    rf"\b(?:a[ -]+(?={_SCALE}))?{_WORD}"
    rf"(?:(?:(?<=hundred)|(?<=thousand)|(?<=million))[ -]+and[ -]+{_WORD}|[ -]+{_WORD}|[ -]+oh\b)*"
    rf"(?P<half>[ ]and[ ]a[ ]half\b)?(?P<point>[ ]point(?:[ ]{_DIGIT})+)?",
    re.IGNORECASE,
)
_NO_NUMBER: Final = re.compile(
    r"\b(?:the|this|that|which|no|any|some|every|each|another|other|only|right|wrong)\s+$",
    re.IGNORECASE,
)
"""Before a "one" that counts nothing."""
_NO_COUNT: Final = re.compile(r"\s+(?:moment|second|of|more|thing)\b", re.IGNORECASE)
"""Behind such a one."""


def write_digits(text: str) -> str:
    """`text` with its spoken numbers in digits."""
    return _NUMBER.sub(_write, text)


def _write(found: re.Match[str]) -> str:
    if found[0].lower() == "one" and _counts_nothing(found):
        return found[0]
    point, half = found["point"] or "", found["half"] or ""
    whole = found[0].removesuffix(point).removesuffix(half)
    decimals = "".join(str(_UNITS[word]) for word in point.lower().split()[1:])
    return (
        _count(re.split(r"[ -]+", whole.lower()))
        + (f".{decimals}" if decimals else "")
        + (".5" if half and not decimals else "")
    )


def _counts_nothing(one: re.Match[str]) -> bool:
    before, behind = one.string[: one.start()], one.string[one.end() :]
    return bool(_NO_NUMBER.search(before) or _NO_COUNT.match(behind))


def _count(words: list[str]) -> str:
    """The digits of a number's words; where they do not make one number, its parts in a row."""
    parts: list[int] = []
    total, room = 0, 0  # `room`: a smaller number may follow and belong to it
    now: int | None = None
    for word in words:
        if word in {"and", "a"}:
            continue
        if word in _SCALES:
            now, total, room = _scale(_SCALES[word], now, total)
            continue
        value = 0 if word == "oh" else (_UNITS | _TENS)[word]
        if now is not None and not 0 < value < room:
            parts.append(total + now)
            total, now = 0, None
        now = (now or 0) + value
        room = 10 if word in _TENS else 0
    return "".join(map(str, [*parts, total + (now or 0)]))


def _scale(scale: int, now: int | None, total: int) -> tuple[int, int, int]:
    """The number under way, its finished thousands, and the room behind it."""
    if scale == _SCALES["hundred"]:
        return (now or 1) * scale, total, scale
    return 0, total + (now or 1) * scale, scale
