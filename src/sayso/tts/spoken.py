"""Makes a clause speakable: what was written for the eye becomes what a person would say. Pure.

Models answer in Markdown, emoji and links however they are asked not to. The bundled voice reads
numbers, times, dates, most units and money by itself (hibari 0.2.1's own normaliser); here is
done what it does not, so that other engines, too, get plain words. Code is left out: read aloud
it helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

TOP_DOMAINS = "com|org|net|edu|gov|io|ai|app|dev|co|uk|de|fr|es|it|nl|eu|us|ca|au|info|biz|me|tv"
MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
SUFFIX_MONEY = {
    "€": "euros",
    "£": "pounds",
    "$": "dollars",
    "USD": "dollars",
    "EUR": "euros",
    "GBP": "pounds",
}
FRACTIONS = {"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third"}
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
MONEY = "[$£€]"


def speakable(text: str) -> str:
    """What to say for `text`; "" when there is nothing to say."""
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    text = _join_lines(text)
    for pattern, replacement in TIDYING:
        text = pattern.sub(replacement, text)
    text = text.strip()
    return text if any(character.isalnum() for character in text) else ""


def say_url(match: re.Match[str]) -> str:
    """A web address as its host only: "https://www.example.com/a?b." -> "example dot com."."""
    url = match[0]
    bare = url.rstrip(".,;:!?'\"")
    host = re.sub(r"^(?:[a-z]+://)?(?:[^/@]*@)?(?:www\.)?", "", bare, flags=re.IGNORECASE)
    return _say_dots(re.split(r"[/?#:]", host)[0]) + url[len(bare) :]


def say_email(match: re.Match[str]) -> str:
    """An address: "jo.doe@example.com" -> "jo dot doe at example dot com"."""
    name, host = match[1], match[2]
    name = name.replace("_", " underscore ").replace("-", " dash ").replace("+", " plus ")
    return f"{_say_dots(name)} at {_say_dots(host)}"


def say_phone(match: re.Match[str]) -> str:
    """A telephone number digit by digit, with a breath between its groups."""
    groups = re.findall(r"\d+", match[0])
    if sum(map(len, groups)) < 7:
        return match[0]
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(" ".join(group) for group in groups)


def say_digits(match: re.Match[str]) -> str:
    """A long number that counts nothing (an order, an account), in breaths of three or four."""
    groups = re.findall(r"\d{4}" if len(match[0]) % 4 == 0 else r"\d{3}(?!\d$)|\d+", match[0])
    return ", ".join(" ".join(group) for group in groups)


def say_magnitude(match: re.Match[str]) -> str:
    """A shortened number: "100k" -> "100 thousand"."""
    return f"{match[1]} {MAGNITUDES[match[2].lower()]}"


def say_money_after(match: re.Match[str]) -> str:
    """An amount with its currency behind it: "20 €" -> "€20", which voices read."""
    amount, currency = match[1], match[2]
    sign = {"euros": "€", "pounds": "£", "dollars": "$"}[SUFFIX_MONEY[currency]]
    return sign + amount


def say_money_range(match: re.Match[str]) -> str:
    """Two amounts: "$5–$10" -> "5 to 10 dollars"."""
    return f"{match[2]} to {match[3]} {SUFFIX_MONEY[match[1]]}"


def say_table_row(match: re.Match[str]) -> str:
    """A table's row as a list: "| Monday | 9-5 |" -> "Monday, 9-5"."""
    cells = [cell.strip() for cell in match[0].strip().strip("|").split("|")]
    return ", ".join(cell for cell in cells if cell)


def _say_dots(host: str) -> str:
    return host.strip(".").replace(".", " dot ")


def _join_lines(text: str) -> str:
    """One line of text; what stood on lines of its own ends like a sentence."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line]
    ended = [line if line[-1] in ".!?…:;,—。！？" else line + "." for line in kept[:-1]]
    return " ".join([*ended, *kept[-1:]])


def _rule(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Rule:
    return re.compile(pattern, re.MULTILINE), replacement


RULES: tuple[Rule, ...] = (
    # Code, and what is not text at all
    _rule(r"(?s:```.*?(?:```|\Z))", " "),
    _rule(r"`([^`\n]*)`", r"\1"),
    _rule(r"(?s:<!--.*?-->)", " "),
    _rule(r"(?i)<br\s*/?>", "\n"),
    _rule(r"<((?:https?|mailto):[^\s<>]*)>", r"\1"),
    _rule(r"</?[a-zA-Z][^<>\n]{0,200}>", ""),
    # Links keep their words
    _rule(r"!?\[([^\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)", r"\1"),
    _rule(r"\[\^[^\]\n]{1,20}\]:?", ""),
    _rule(r"\[([^\]\n]+)\]\[[^\]\n]*\]", r"\1"),
    _rule(r"\]\([^()\s]*\)", ""),
    # The shapes of Markdown at the beginning of a line
    _rule(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$", ""),
    _rule(r"^[ \t]*(?:[-*_][ \t]*){3,}$", ""),
    _rule(r"^[ \t]*\|.*\|[ \t]*$", say_table_row),
    _rule(r"^[ \t]*(?:>[ \t]*)+", ""),
    _rule(r"^[ \t]*#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", r"\1"),
    _rule(r"^[ \t]*[-*+•▪◦–][ \t]+(?:\[[ xX]\][ \t]*)?", ""),
    _rule(r"^[ \t]*(\d{1,3})\)[ \t]+", r"\1. "),
    _rule(r"[\[\]]", " "),
    # Arithmetic, before its stars are taken for emphasis
    _rule(r"(?<=\d)\s*\*\s*(?=\d)", " times "),
    _rule(r"(?<=\d)\s+/\s+(?=\d)", " divided by "),
    # Emphasis
    _rule(r"(\*{1,3})(?=\S)([^*\n]+?)(?<=\S)\1", r"\2"),
    _rule(r"(?<!\w)(_{1,3})(?=\S)([^_\n]+?)(?<=\S)\1(?!\w)", r"\2"),
    _rule(r"~~([^~\n]+)~~", r"\1"),
    # Emoji and arrows
    _rule(r"\s*(?:->|→|⇒|=>)\s*", " to "),
    _rule(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\u2300-\u23FF\u2190-\u21FF]", ""),
    _rule(r"[\uFE0F\u200D\u20E3\u200B\u2060\uFEFF\U000E0020-\U000E007F]", ""),
    # Addresses
    _rule(r"(?:mailto:)?([\w.+-]+)@((?:[\w-]+\.)+[a-zA-Z]{2,})", say_email),
    _rule(r"(?i)\b(?:https?|ftp|wss?)://[^\s<>()]+|\bwww\.[^\s<>()]+", say_url),
    _rule(rf"(?i)(?<![\w@.])(?:[a-z0-9-]+\.)+(?:{TOP_DOMAINS})\b(?:/[^\s<>()]*)?(?!\.\w)", say_url),
    # Numbers that are names
    _rule(r"(?<![\w.,])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?!\w)", say_phone),
    _rule(r"(?<![\w.,])(?:1[ -])?\(\d{3}\)\s?\d{3}[ .-]\d{4}(?!\w)", say_phone),
    _rule(r"(?<![\w.,-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}(?![\w-])", say_phone),
    _rule(r"(?<![\w.,$£€-])\d{7,24}(?![\w,.-]*\d)", say_digits),
    _rule(r"(?<![\w.,:/$£€-])0\d+(?![\w:/-]|[.,]\d)", lambda m: " ".join(m[0])),
    # Money, magnitudes, fractions, ranges
    _rule(rf"({MONEY})({NUMBER})\s?[-–—]\s?{MONEY}?({NUMBER})(?!\w)", say_money_range),
    _rule(rf"(?<![\w.])({NUMBER})\s?([€£$]|USD\b|EUR\b|GBP\b)(?!\d)", say_money_after),
    _rule(rf"(?<![\w.$£€])({NUMBER})([kK]|bn)\b", say_magnitude),
    _rule(r"(?<=\d)\s?([½¼¾⅓])", lambda m: f" and {FRACTIONS[m[1]]}"),
    _rule(r"[½¼¾⅓]", lambda m: FRACTIONS[m[0]]),
    _rule(r"(?<=\d[aApP][mM])\s?[-–—]\s?(?=\d)", " to "),
    _rule(r"\b24/7\b", "twenty-four seven"),
    # Shorthand
    _rule(r"\b[Ee]\.g\.,?", "for example,"),
    _rule(r"\b[Ii]\.e\.,?", "that is,"),
    _rule(r"\b([Nn])o\.\s?(?=\d)", r"\1umber "),
    _rule(r"\band/or\b", "and or"),
    _rule(r"(?<=\s)&(?=\s)", "and"),
    _rule(r"(?<=\s)@(?=\s)", "at"),
    _rule(r"(?<=\w)_(?=\w)", " "),
    _rule(r"\s+--+\s+|(?<=\w)--+(?=\w)", " — "),
    # What is left of Markdown
    _rule(r"(?<=\b[A-G])#(?!\w)", " sharp"),
    _rule(r"#(?!\d)", " "),
    _rule(r"[*`~_^\\|]+", " "),
)

TIDYING: tuple[Rule, ...] = (
    _rule(r"\(\s*\)", ""),
    _rule(r"\s+", " "),
    _rule(r" +([,.;:!?])", r"\1"),
    _rule(r"^(?:[\s,.;:!?—–]|-(?!\d))+(?=\w|-\d)", ""),
)
