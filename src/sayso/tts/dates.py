"""Dates, times and durations in English. Pure."""

from __future__ import annotations

import re

from sayso.tts.numerals import TENS, say_number, say_ordinal, say_plain, say_year
from sayso.tts.rules import Rule, rule

MONTHS = (
    "January February March April May June July August September October November December".split()
)
MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b(?:\.(?=\s[a-z0-9]|,))?"
)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
DAY = r"(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
NUMBERED_DAY = r"([0-3]?[0-9])(?:st|nd|rd|th)?"
MORNING = r"\s?([aApP])\.?\s?[mM]\b(?:\.(?=\s+(?:[a-z]|Mon|Tue|Wed|Thu|Fri|Sat|Sun)|[,;]))?"
TO = r"\s?[-–—]\s?"


def say_iso(match: re.Match[str]) -> str:
    """A date of numbers, year first: "2024-05-01"."""
    said = _say_date(match[0], match[1], match[2], match[3])
    return f"{said}, " if match[0].endswith("T") else said


def say_slashed(match: re.Match[str]) -> str:
    """A date of numbers, as Americans order it, unless it can only be the other order."""
    first, second, year = match[1], match[2], match[3]
    if int(first) > 12:
        first, second = second, first
    return _say_date(match[0], year, first, second)


def say_dotted(match: re.Match[str]) -> str:
    """A date of numbers with dots, as Europeans order it: "31.12.2024"."""
    return _say_date(match[0], match[3], match[2], match[1])


def _say_date(written: str, year: str, month: str, day: str) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return written
    year = f"20{year}" if len(year) == 2 else year
    return f"{MONTHS[int(month) - 1]} {say_ordinal(str(int(day)))}, {say_year(year)}"


def say_month_day(match: re.Match[str]) -> str:
    """A day of a month: "Jan. 5, 2024" -> "January fifth, twenty twenty-four"."""
    if not 1 <= int(match[2]) <= 31:
        return match[0]
    until = f" to {say_ordinal(str(int(match[3])))}" if match[3] else ""
    year = f", {say_year(match[4])}" if match[4] else ""
    return f"{_month(match[1])} {say_ordinal(str(int(match[2])))}{until}{year}"


def say_day_month(match: re.Match[str]) -> str:
    """A day in front: "4 July 1999" -> "the fourth of July, nineteen ninety-nine"."""
    if not 1 <= int(match[2]) <= 31:
        return match[0]
    the = match[1] or ("" if match[0].lstrip("0123456789")[:1].isalpha() else "the ")
    year = f", {say_year(match[4])}" if match[4] else ""
    return f"{the}{say_ordinal(str(int(match[2])))} of {_month(match[3])}{year}"


def say_month_year(match: re.Match[str]) -> str:
    """No day: "Sept. 2024" -> "September twenty twenty-four"."""
    return f"{_month(match[1])} {say_year(match[2])}"


def _month(written: str) -> str:
    return next(month for month in MONTHS if month.startswith(written[:3]))


def _day(written: str) -> str:
    return next(day for day in DAYS if day.startswith(written[:3]))


def say_time(match: re.Match[str]) -> str:
    """A time of day: "9:05 am" -> "nine oh five AM", "14:30" -> "fourteen thirty"."""
    hour, minute = int(match[1]), int(match[2] or 0)
    half = f" {match[4].upper()}M" if match[4] else ""
    said = say_plain(str(hour))
    if minute:
        said += " oh" if minute < 10 else ""
        said += f" {say_plain(str(minute))}"
    elif match[2] and not half:
        said = "midnight" if not hour else f"{said} o'clock" if hour < 13 else f"{said} hundred"
    seconds = f" and {say_plain(str(int(match[3])))} seconds" if int(match[3] or 0) else ""
    return said + seconds + half


def say_decade(match: re.Match[str]) -> str:
    """Ten years: "1990s" -> "nineteen nineties", "'80s" -> "eighties"."""
    century, tens = match[1] or "", int(match[2])
    if tens:
        decade = f"{TENS[tens][:-1]}ies" if tens > 1 else "tens"
        return f"{say_plain(century)} {decade}" if century else decade
    return f"{say_year(f'{century}00')}s" if century else match[0]


def say_hours(match: re.Match[str]) -> str:
    """How long: "1h 30m" -> "one hour thirty minutes"."""
    parts = (("hour", match[1]), ("minute", match[2]), ("second", match[3]))
    return " ".join(say_count(count, unit) for unit, count in parts if count)


def say_count(count: str, unit: str, units: str = "") -> str:
    """So many of something: ("1", "mile") -> "one mile"."""
    return f"{say_number(count)} {unit if count == '1' else units or unit + 's'}"


WEEKDAYS: tuple[Rule, ...] = (
    rule(rf"\b{DAY}\.?{TO}{DAY}\b\.?", lambda match: f"{_day(match[1])} to {_day(match[2])}"),
    rule(rf"\b{DAY}\b\.?(?=,?\s(?:[0-9]|{'|'.join(MONTHS)}\b))", lambda match: _day(match[1])),
)

DATES: tuple[Rule, ...] = (
    *WEEKDAYS,
    rule(
        r"(?<![\w.-])([12][0-9]{3})-([01][0-9])-([0-3][0-9])(?![0-9-])(?:T(?=[0-9]{2}:))?",
        say_iso,
    ),
    rule(r"(?<![\w./])([12][0-9]{3})/([01]?[0-9])/([0-3]?[0-9])(?![\w/])", say_iso),
    rule(
        r"(?<![\w./])([0-3]?[0-9])/([0-3]?[0-9])/([12][0-9]{3}|[0-9]{2})(?![\w/])", say_slashed
    ),
    rule(r"(?<![\w.])([0-3]?[0-9])\.([01]?[0-9])\.([12][0-9]{3})(?!\w|\.[0-9])", say_dotted),
    rule(
        rf"\b{MONTH}\s{NUMBERED_DAY}(?:{TO}{NUMBERED_DAY})?(?!\w|[.:][0-9])"
        r"(?:,?\s([12][0-9]{3})(?![\w-]))?",
        say_month_day,
    ),
    rule(
        rf"(?<![\w.,:/-])([Tt]he )?{NUMBERED_DAY}(?: of)? {MONTH}(?!\w)"
        r"(?:,?\s([12][0-9]{3})(?![\w-]))?",
        say_day_month,
    ),
    rule(rf"\b{MONTH},?\s([12][0-9]{{3}})(?![\w-])", say_month_year),
    rule(
        rf"(?<=st|nd|rd|th)\s?[-–]\s?(?=(?:{'|'.join(MONTHS)}) )", " to "
    ),
    # Times
    rule(r"(:[0-5][0-9])(?:\.[0-9]{1,9})?Z\b", r"\1 UTC"),
    rule(rf"([0-9])({MORNING}){TO}(?=[0-9])", r"\1\2 to "),
    rule(rf"(?<![\w.,:])([0-9]{{1,2}}(?::[0-5][0-9])?){TO}"
         rf"(?=[0-9]{{1,2}}:[0-5][0-9]|[0-9]{{1,2}}{MORNING})", r"\1 to "),
    rule(rf"(?<![\w.,:])([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![:\w])(?:{MORNING})?",
         say_time),
    rule(rf"(?<![\w.,:])([0-9]|1[0-2]):([0-5][0-9])()(?={MORNING}){MORNING}", say_time),
    rule(rf"(?<![\w.,:])([0-9]|1[0-2])()(){MORNING}", say_time),
    rule(r"\b24/7\b", "twenty-four seven"),
    rule(r"(?i)(?<!\w)([0-9]{1,3})\s?h(?:rs?|ours?)?,?\s?([0-9]{1,2})\s?m(?:ins?)?\b"
         r"(?:\s?([0-9]{1,2})\s?s(?:ecs?)?\b)?", say_hours),
    rule(r"(?i)(?<!\w)()([0-9]{1,3})\s?m(?:in)?\s?([0-9]{1,2})\s?s(?:ecs?)?\b", say_hours),
    # Decades
    rule(r"(?<!\w)(1[1-9]|20)([0-9])0['’]?s\b", say_decade),
    rule(r"(?:(?<=\b[Tt]he )|(?<=\b[Mm]id-)|(?<=\b(?:his|her) )|(?<=early )|(?<=late )|(?<!\w)['’])"
         r"()([1-9])0['’]?s\b", say_decade),
)  # fmt: skip
