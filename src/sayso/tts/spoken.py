"""Makes a clause speakable: what was written for the eye becomes what a person would say. Pure.

    text ─► markup, code, emoji off ─► addresses ─► dates ─► money, measures ─► numbers ─► tidy

The bundled voice reads much of this by itself (hibari 0.2.1), other engines read less; here
everything becomes plain words, so that all say the same. Words are English: for agents of other
languages only markup goes, and their voice reads the numbers.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from sayso.tts.addresses import ADDRESSES, CODES, host_of
from sayso.tts.amounts import AMOUNT_RANGES, AMOUNTS, UNIT, name_unit
from sayso.tts.dates import DATES, WEEKDAYS
from sayso.tts.markup import drop_signs, strip_markup
from sayso.tts.numerals import say_cardinal, say_number, say_ordinal, say_plain
from sayso.tts.rules import NOT_AFTER, NOT_BEFORE, NUMBER, Rule, obey, rule

Reading: TypeAlias = Literal["auto", "on", "off"]
"""How much is done: `auto` asks the language, `on` reads everything in English, `off` nothing."""

MOST_CHARS = 12_000
"""What of one clause is read at all; `sentences.py` cuts them shorter."""

SETTLED_WITHIN = 4
"""Rounds in which a text stops changing; most need one."""

FEW_LETTERS = 2
"""Of another script: "π ≈ 3" is English."""

LAST_LATIN = "\u0250"
"""The first letter after the Latin ones, in the order of Unicode."""

FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8",
    "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5", "⅙": "1/6",
}  # fmt: skip
PARTS = {"2": "half", "4": "quarter"}
COMMON_PARTS = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 20, 32})
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}
ROMAN_NUMERAL = r"(?=[IVX])(X{0,3}(?:IX|IV|V?I{0,3}))\b"
KINGS = (
    "Henry|Louis|Charles|George|Elizabeth|Edward|James|William|Philip|Richard|Paul|Pius|"
    "Benedict|Frederick|Peter|Alexander|Nicholas|Napoleon|Catherine|John|Francis|Leo"
)
PARTS_OF_WORKS = (
    "War|Chapter|Part|Act|Type|Phase|Volume|Vol\\.|Section|Article|Bowl|Class|Title|Level|Stage|"
    "Grade|Book|Scene|Episode|Appendix|Figure|Table|Mark|Step|Unit|Tier"
)
PLAIN = re.compile(
    r"[^\W\d_]+(?:['’][^\W\d_]+)*(?:(?:[,;] | |-)[^\W\d_]+(?:['’][^\W\d_]+)*)*[.!?…]?"
)
SHORTENED = re.compile(
    r"\b(?:[IVX]{2,}|[VX]|St|etc|(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)-|"
    rf"(?:{PARTS_OF_WORKS}) I)\b|\b(?:[Nn]o|[Vv]ol|Dept|dept|[Aa]pprox|Ave|Blvd|Rd|St)\.$"
)
"""What in words and commas is still not a word."""
FIGURE = re.compile(r"[0-9×²³]")
FOREIGN_SIGNS = "$€£¥₹₩₽₺₴₫₦฿₪₱¢%‰+=<>×÷±°@&#/§№·"
"""Signs a voice of another language is left to read."""

POWERS = {"2": "squared", "3": "cubed"}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
GREEK = {"π": "pi", "θ": "theta", "λ": "lambda", "Δ": "delta", "Σ": "sigma", "Ω": "ohm"}


def speakable(text: str, language: str = "english", reading: Reading = "auto") -> str:
    """What to say for `text`; "" when there is nothing to say.

    `language` is the contract's name of the agent's language. Saying it again changes nothing.
    """
    text = text[:MOST_CHARS]
    if reading == "off":
        said = " ".join(text.split())
    else:
        said = _settle(text, english=reading == "on" or (language == "english" and is_latin(text)))
    return said if any(character.isalnum() for character in said) else ""


def _settle(text: str, *, english: bool) -> str:
    for _ in range(SETTLED_WITHIN):
        if is_plain(text):
            break
        before, text = text, read_english(text) if english else read_any(text)
        if text == before:
            break
    return text


def is_plain(text: str) -> bool:
    """Whether `text` is words and commas only: most clauses are, and need no reading."""
    return PLAIN.fullmatch(text) is not None and not SHORTENED.search(text)


def is_latin(text: str) -> bool:
    """Whether the letters of `text` are mostly those that English is written with."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(letter >= LAST_LATIN for letter in letters)
    return foreign <= FEW_LETTERS or 2 * foreign <= len(letters)


def read_english(text: str) -> str:
    """`text` in words; a number among letters of another script is that script's own."""
    text = obey(LINKED, strip_markup(text))
    if FIGURE.search(text):
        text = obey(FIGURES, text)
    return drop_signs(obey(ENGLISH, text))


def read_any(text: str) -> str:
    """`text` without what is wrong in every language; its numbers and signs are left alone."""
    return drop_signs(obey(LINKS, strip_markup(text)), spare=FOREIGN_SIGNS)


def say_fraction(match: re.Match[str]) -> str:
    """Parts of a whole: "3/4" -> "three quarters", "2 1/2" -> "two and a half"."""
    whole, over, under = match[1], match[2], match[3]
    if int(under) not in COMMON_PARTS or int(over) >= int(under):
        return match[0]
    part = PARTS.get(under) or say_ordinal(under)
    one, unit = over == "1", match[4]
    parts = part if one else "halves" if part == "half" else f"{part}s"
    if not whole:
        return f"{say_cardinal(over)} {parts}" + (f" {name_unit(unit, '1')}" if unit else "")
    count = ("an" if part[0] in "aeiou" else "a") if one else say_cardinal(over)
    said = f"{say_cardinal(whole.strip())} and {count} {parts}"
    return said + (f" {name_unit(unit, '2')}" if unit else "")


def say_reign(match: re.Match[str]) -> str:
    """A king: "Henry VIII" -> "Henry the eighth"."""
    return f"{match[1]} the {say_ordinal(str(value_of(match[2])))}"


def say_part(match: re.Match[str]) -> str:
    """A part of many: "World War II" -> "World War two"."""
    return f"{match[1]} {say_cardinal(str(value_of(match[2])))}"


def value_of(roman: str) -> int:
    """A Roman numeral: "IX" -> 9."""
    values = [ROMAN[letter] for letter in roman]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def say_power(match: re.Match[str]) -> str:
    """A power: "x²" -> "x squared", "10^6" -> "10 to the power of six"."""
    sign, power = match[1], match[2].translate(SUPERSCRIPTS)
    if not sign and power in POWERS:
        return f" {POWERS[power]}"
    minus = "minus " if sign else ""
    return f" to the power of {minus}{say_number(power)}"


def _words(text: str) -> str:
    return f" {text} "


LINKS: tuple[Rule, ...] = (
    rule(
        r"(?i)\b(?:https?|ftp|wss?)://[^\s<>()]{1,2000}|(?<![\w.])www\.[^\s<>()]{1,2000}",
        lambda match: host_of(match[0]) + match[0][len(match[0].rstrip(".,;:!?'\"")) :],
    ),
)

COMPARISONS: tuple[Rule, ...] = (
    rule(r"\s{0,9}(?:-{1,2}>|→|⇒|=>|➔)\s{0,9}", " to "),
    rule(r"\s{0,3}(?:!=|≠)\s{0,3}", " is not equal to "),
    rule(r"\s{0,3}(?:<=|≤)\s{0,3}(?=\S)", " is at most "),
    rule(r"\s{0,3}(?:>=|≥)\s{0,3}(?=\S)", " is at least "),
    rule(r"(?<=[\w)])\s?={1,3}\s?(?=[\w(.√±+−$€£-])", " equals "),
    rule(r"(?<=[\w)])\s?<\s?(?=[0-9])|(?<=\w)\s<\s(?=\w)", " less than "),
    rule(r"(?<=[\w)])\s?>\s?(?=[0-9])|(?<=\w)\s>\s(?=\w)", " greater than "),
    rule(r"(?<!\w)<\s?(?=[$€£]?[0-9])", " less than "),
    rule(r"(?<!\w)>\s?(?=[$€£]?[0-9])", " more than "),
)

SIGNS: tuple[Rule, ...] = (
    rule(r"(?i)\b(page|slide|step|question|part|day|week|item)\s([0-9]{1,4})/(?=[0-9]{1,4}\b)",
         r"\1 \2 of "),
    rule(r"(?<![\w./])([0-9]{1,3}(?:\.[0-9])?)/(?=100?(?![\w/.]))(?!0)", r"\1 out of "),
    rule(r"(?<=[0-9])/(?=[0-9]{1,6}\s?=)", " divided by "),
    rule(r"(?<=[0-9])-(?=[0-9]{1,6}\s?=)", " minus "),
    rule(rf"(?<![\w./])([0-9]{{1,4}} )?([0-9]{{1,2}})/([0-9]{{1,2}})(?![\w/]|\.[0-9])"
         rf"(?:\s?({UNIT})(?![\w'’/]))?", say_fraction),
    rule(r"(?<=[\w)])\^\{?(-?)([0-9]{1,4})\}?", say_power),
    rule(r"(?<=[0-9)])\s?x\s?(?=[0-9(])|(?<=[0-9])\s?×\s?(?=[0-9]{3})", " by "),
    rule(r"(?<=[0-9)])\s?X\s?(?=[0-9(])|\s{0,3}×\s{0,3}", " times "),
    rule(r"(?<![\w.,])([0-9]{1,4})x(?!\w)(?!\s?[+=^<>−-])", r"\1 times"),
    rule(r"(?<![\w.,])([0-9]{1,4})([a-z])(?=\s?[+=^<>−-])", r"\1 \2"),
)  # fmt: skip

RANGES: tuple[Rule, ...] = (
    rule(r"(?<=[0-9a-z)])\s[-−]\s(?=[0-9a-z(][\w )(+×÷*/-]{0,40}=)", " minus "),
    *COMPARISONS,
    *AMOUNT_RANGES,
    rule(rf"(?<![\w.,])({NUMBER})\s?[-–—]\s?(?={NUMBER}(?![0-9]))", r"\1 to "),
)

ARITHMETIC: tuple[Rule, ...] = (
    rule(r"(?<=[a-z0-9)])()([²³⁴⁵⁶⁷⁸⁹]|[⁰¹²³⁴⁵⁶⁷⁸⁹]{2,4})(?!\w)", say_power),
    rule(r"[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]+", lambda match: _words(match[0].translate(SUPERSCRIPTS))),
    rule(r"(?<=[0-9)])\s−\s(?=[0-9(])", " minus "),
    rule(r"(?<=[0-9)])\s/\s(?=[0-9(])|\s?÷\s?", " divided by "),
    rule(r"(?<=\w)\s/\s(?=\w)", " over "),
    rule(r"(?<=\w)\+\+(?!\w)", " plus plus"),
    rule(r"\+/-|±", " plus or minus "),
    rule(r"(?<=\w)\+(?=\s|[.,;!?)]|$)", " plus"),
    rule(r"(?<=[\w)])\s?\+\s?(?=[\w(])|(?<!\w)\+(?=[0-9.])", " plus "),
    rule(r"\s?[≈≃]\s?|(?<!\w)~(?=\.?[0-9])", " about "),
    rule(r"√\s?", " the square root of "),
    rule(r"∞", " infinity "),
    rule(r"(?<![^\W_])([πθλΔΣΩ])(?![^\W_])", lambda match: _words(GREEK[match[1]])),
)

NUMBERS: tuple[Rule, ...] = (
    rule(rf"\b({KINGS}) (?=[IVX]{{2}}|[VX]\b){ROMAN_NUMERAL}", say_reign),
    rule(rf"\b({PARTS_OF_WORKS}) {ROMAN_NUMERAL}", say_part),
    rule(r"(?i)(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?:st|nd|rd|th)\b",
         lambda match: say_ordinal(match[1].replace(",", ""))),
    rule(r"(?<![\w.,:])([0-9]{1,4}):(?=[0-9]{1,4}(?![\w:]))", r"\1 to "),
    rule(r"(?<=[A-Za-z])[-–](?=[0-9]+(?!\w))", " "),
    rule(r"(?<![\w.])\.([0-9]{1,15})(?!\w)", r"0.\1"),
    rule(rf"{NOT_BEFORE}({NUMBER}){NOT_AFTER}", lambda match: say_plain(match[1])),
    rule(r"(?<![\w])([0-9]{1,15})(?![\w.,])", lambda match: say_plain(match[1])),
)  # fmt: skip

LATIN: tuple[Rule, ...] = (
    rule(r"\b[Ee]\.\s?g\.,?", "for example,"),
    rule(r"\b[Ii]\.\s?e\.,?", "that is,"),
    rule(r"\b([Nn])[o°]s?\.\s?(?=[0-9])|№\s?(?=[0-9])", lambda match: f"{match[1] or 'n'}umber "),
)

SHORTHAND: tuple[Rule, ...] = (
    *WEEKDAYS,
    rule(r"\b[Vv]s\.(?=\s)", "versus"),
    rule(r"\betc\.(?=\s+[a-z]|[,;)])", "et cetera"),
    rule(r"\betc\b", "et cetera"),
    rule(r"\b[Aa]pprox\.", "approximately"),
    rule(r"\b[Ee]st\.(?=\s[0-9])", "established"),
    rule(r"\b[Dd]ept\.", "department"),
    rule(r"\b[Ff]ig\.\s?(?=[0-9])", "figure "),
    rule(r"\bpp?\.\s?(?=[0-9])", "page "),
    rule(r"\b[Vv]ol\.\s?(?=[0-9])", "volume "),
    rule(r"\bDr\.(?=\s[A-Z])", "Doctor"),
    rule(r"\bProf\.(?=\s[A-Z])", "Professor"),
    rule(r"([a-z0-9]\W{1,3}[A-Z][a-z]{1,20}) St\.", r"\1 Street"),
    rule(r"\bSt\.?(?=\s[A-Z][a-z])", "Saint"),
    rule(r"\bSt\.", "Street"),
    rule(r"\bAve\.", "Avenue"),
    rule(r"\bBlvd\.", "Boulevard"),
    rule(r"\bRd\.(?=\W|$)", "Road"),
    rule(r"(?<=[A-Z]{2}) ?& ?(?=[A-Z])|(?<=\w)&(?=\w)|\s?&+\s?", " and "),
    rule(r"\bw/o\b", "without"),
    rule(r"\bw/(?=\s)", "with"),
    rule(r"\bc/o\b", "care of"),
    rule(r"\bn/a\b|\bN/A\b", "not available"),
    rule(r"\band/or\b", "and or"),
    rule(r"@", " at "),
    rule(r"\b([A-G])#(?!\w)", r"\1 sharp"),
    rule(r"§\s?(?=[0-9])", "section "),
    rule(r"(?i)\b(section|paragraph) section\b", r"\1"),
    rule(r"°(?!\w)", " degrees "),
    rule(r"%", " percent "),
    rule(r"\s+--+\s+|(?<=\w)--+(?=\w)", " — "),
)

LINKED: tuple[Rule, ...] = (
    rule(r"\s?([½⅓⅔¼¾⅕⅛⅜⅝⅞⅖⅗⅘⅙])", lambda match: f" {FRACTIONS[match[1]]}"),
    *ADDRESSES,
    *LATIN,
)

FIGURES: tuple[Rule, ...] = (*DATES, *CODES, *SIGNS, *RANGES, *AMOUNTS)
"""What only text with digits needs."""

ENGLISH: tuple[Rule, ...] = (*COMPARISONS, *ARITHMETIC, *SHORTHAND, *NUMBERS)
