"""Numbers as English words. Pure.

Every function takes what was written, as text, and gives what a person would say.
"""

from __future__ import annotations

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen".split()
)
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LONGEST_DIGITS = 15
"""A longer number names something; it is said digit by digit."""


def say_number(written: str) -> str:
    """A number that counts or measures: "1,200.5" -> "one thousand two hundred point five"."""
    whole, _, part = written.replace(",", "").partition(".")
    said = say_cardinal(whole or "0")
    return f"{said} point {say_digits(part)}" if part else said


def say_cardinal(digits: str) -> str:
    """A whole number: "42" -> "forty-two"; one that begins with 0 digit by digit."""
    if len(digits) > LONGEST_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return say_digits(digits)
    return _cardinal(int(digits))


def say_ordinal(digits: str) -> str:
    """A place in a row: "21" -> "twenty-first"."""
    said = say_cardinal(digits)
    head, mark, last = said[: said.rfind("-") + 1], "-", said[said.rfind("-") + 1 :]
    if mark not in said or " " in last:
        head, last = said[: said.rfind(" ") + 1], said[said.rfind(" ") + 1 :]
    if last in ORDINALS:
        return head + ORDINALS[last]
    return head + (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def say_year(digits: str) -> str:
    """A year of four digits: "1984" -> "nineteen eighty-four", "2005" -> "two thousand five"."""
    century, rest = int(digits[:2]), int(digits[2:])
    if century % 10 == 0:
        return _cardinal(int(digits)) if rest < 10 else f"{_cardinal(century)} {_cardinal(rest)}"
    if not rest:
        return f"{_cardinal(century)} hundred"
    oh = "oh " if rest < 10 else ""
    return f"{_cardinal(century)} {oh}{_cardinal(rest)}"


def say_digits(digits: str) -> str:
    """One after the other: "407" -> "four zero seven"."""
    return " ".join(ONES[int(digit)] for digit in digits)


def say_plain(written: str) -> str:
    """A number nothing is known about: 1100 to 2099 as years are said, the rest counted."""
    if len(written) == 4 and written.isdigit() and "1100" <= written <= "2099":
        return say_year(written)
    return say_number(written)


def _cardinal(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f"-{ONES[ones]}" if ones else "")
    if number < 1000:
        return _join(f"{ONES[number // 100]} hundred", number % 100)
    scale = (len(str(number)) - 1) // 3
    count, rest = divmod(number, 1000**scale)
    return _join(f"{_cardinal(count)} {SCALES[scale]}", rest)


def _join(said: str, rest: int) -> str:
    return f"{said} {_cardinal(rest)}" if rest else said
