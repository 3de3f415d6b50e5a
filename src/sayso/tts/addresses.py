"""Addresses and numbers that are names, in English: links, mail, telephones, order codes. Pure."""

from __future__ import annotations

import re

from sayso.tts.numerals import say_digits, say_plain
from sayso.tts.rules import Rule, rule

UNIT = "(?:[KMGTP]i?B|B|[KMG]?W|[KMG]?Hz|V|L|[KMBT]N?|[AP]M|ST|ND|RD|TH|[A-Z]{3})"
"""What behind digits is a unit, a currency or an ending, and no code."""

TOP_DOMAINS = (
    "com|org|net|edu|gov|io|ai|app|dev|co|uk|de|fr|es|it|nl|eu|us|ca|au|info|biz|me|tv|ch|at|be|"
    "se|no|dk|fi|pl|jp|in|br|ie|nz|xyz|shop|online|site|tech"
)
FEWEST_PHONE_DIGITS = 7


def say_url(match: re.Match[str]) -> str:
    """A web address as its host only: "https://www.example.com/a?b." -> "example dot com."."""
    url = match[0]
    bare = url.rstrip(".,;:!?'\"")
    return say_host(host_of(bare)) + url[len(bare) :]


def host_of(url: str) -> str:
    """The host a person would name: without scheme, user, www., port and path."""
    host = re.sub(r"^(?:[a-z]+://)?(?:[^/@]*@)?(?:www\.)?", "", url, flags=re.IGNORECASE)
    return re.split(r"[/?#:]", host)[0]


def say_host(host: str) -> str:
    """A host: "my-shop.co.uk" -> "my dash shop dot co dot uk"."""
    return " ".join(_say_part(part) for part in re.split(r"([.-])", host.strip(".")) if part)


def say_email(match: re.Match[str]) -> str:
    """An address: "jo.doe@example.com" -> "jo dot doe at example dot com"."""
    parts = re.split(r"([._+-])", match[1])
    name = " ".join(_say_part(part) for part in parts if part)
    return f"{name} at {say_host(match[2])}"


def _say_part(part: str) -> str:
    marks = {".": "dot", "-": "dash", "_": "underscore", "+": "plus"}
    if part in marks:
        return marks[part]
    pieces = re.findall(r"[0-9]+|[^0-9]+", part)
    return " ".join(say_plain(one) if one[0] in "0123456789" else one for one in pieces)


def say_phone(match: re.Match[str]) -> str:
    """A telephone number digit by digit, with a breath between its groups."""
    groups = re.findall(r"[0-9]+", match[0])
    if sum(map(len, groups)) < FEWEST_PHONE_DIGITS:
        return match[0]
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(say_digits(group) for group in groups)


def say_long(match: re.Match[str]) -> str:
    """A long number that counts nothing (an order, an account), in breaths of three or four."""
    return ", ".join(map(say_digits, _breaths(match[0])))


def say_code(match: re.Match[str]) -> str:
    """Letters and digits that stand for something: "AB-1234" -> "A B, one two three four"."""
    groups = re.findall(r"[A-Z]+|[0-9]+|[ -]", match[0])
    said = "".join(", " if one in " -" else f" {_say_group(one)}" for one in groups)
    return said.replace(" , ", ", ").replace(",  ", ", ").strip()


def say_label(match: re.Match[str]) -> str:
    """The number of an order or ticket; a long one digit by digit: "#48213", "#5"."""
    return f"number {_say_name(match[1])}"


def say_quad(match: re.Match[str]) -> str:
    """An internet address: "10.0.0.1" -> "one zero dot zero dot zero dot one"."""
    return " dot ".join(say_digits(part) for part in match[0].split("."))


def say_version(match: re.Match[str]) -> str:
    """A version: "v1.2.3" -> "version one point two point three"."""
    said = " point ".join(say_plain(part) for part in match[2].split("."))
    said += " ".join(["", *filter(None, re.split(r"[-.]", match[3] or ""))])
    return f"version {said}" if match[1] else said


def _say_group(group: str) -> str:
    return " ".join(group) if group.isalpha() else ", ".join(map(say_digits, _breaths(group)))


def _say_name(digits: str) -> str:
    return say_plain(digits) if len(digits) < 4 else ", ".join(map(say_digits, _breaths(digits)))


def _breaths(digits: str) -> list[str]:
    if len(digits) < 7:
        return [digits]
    return re.findall(r"[0-9]{4}" if len(digits) % 4 == 0 else r"[0-9]{3}(?![0-9]$)|[0-9]+", digits)


ADDRESSES: tuple[Rule, ...] = (
    rule(
        r"(?:mailto:)?(?<![\w.+-])([\w+-][\w.+-]{0,63})@((?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24})",
        say_email,
    ),
    rule(
        r"(?i)\b(?:https?|ftp|wss?)://[^\s<>()]{1,2000}|(?<![\w.])www\.[^\s<>()]{1,2000}", say_url
    ),
    rule(
        rf"(?i)(?<![\w@.-])(?:[a-z0-9-]{{1,63}}\.){{1,8}}(?:{TOP_DOMAINS})\b"
        r"(?::[0-9]{1,5})?(?:/[^\s<>()]{0,2000})?(?!\.\w)",
        say_url,
    ),
    rule(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.]*[0-9])", say_quad),
    rule(r"\b[A-Z]{2}[0-9]{2}(?: [0-9A-Z]{4}){3,7}(?: [0-9]{1,4})?\b", say_code),
    # Telephones
    rule(r"(?<![\w.,])\+[0-9]{1,3}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}(?!\w)", say_phone),
    rule(r"(?<![\w.,])(?:1[ -])?\([0-9]{3,4}\)\s?[0-9]{3}[ .-][0-9]{3,4}(?!\w)", say_phone),
    rule(r"(?<![\w.,-])(?:1[.-])?[0-9]{3}([.-])[0-9]{3}\1[0-9]{4}(?![\w-])", say_phone),
    rule(r"(?<![\w.,$£€-])[0-9]{3}-[0-9]{4}(?![\w-])", say_phone),
    rule(r"(?<![\w.,])0[0-9]{2,4}([ -])[0-9]{3,4}\1[0-9]{3,4}(?![\w-])", say_phone),
    rule(r"(?<![\w.,])[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![\w-])", say_phone),
)

CODES: tuple[Rule, ...] = (
    rule(r"\b1-(8[0-9]{2})-(?=[A-Z]{4,12}\b)", lambda match: f"one, {say_digits(match[1])}, "),
    rule(r"\bFY\s?(?=20[0-9]{2}\b)", "fiscal year "),
    rule(r"(?i)\b(version|release)\s+v\.?(?=[0-9])", r"\1 "),
    rule(r"(?<![\w-])[vV]\.?\s?([0-9])(?=[0-9.]*\b)", r"v\1"),
    rule(r"(?<![\w.])(v)([0-9]+(?:\.[0-9]+){0,5})(-[a-z]+[.0-9]*)?(?!\w)", say_version),
    rule(r"(?<![\w.])()([0-9]+(?:\.[0-9]+){2})(-[a-z]+[.0-9]*)?(?!\w)(?!\.[0-9])", say_version),
    rule(r"(?<![\w-])(?=[A-Z0-9-]{0,30}[A-Z])(?=[A-Z0-9-]{0,30}[0-9]{3})"
        rf"(?![0-9]+-?{UNIT}\b)"
         r"[A-Z0-9]{1,20}(?:-[A-Z0-9]{1,20}){0,5}(?![\w-])", say_code),
    rule(r"(?<![\w-])(?=[A-Z0-9-]{0,30}[0-9])(?=[A-Z0-9-]{0,30}[A-Z])"
         r"[A-Z0-9]{3,6}(?:-[A-Z0-9]{3,6}){2,5}(?![\w-])", say_code),
    rule(r"(?<![\w-])(?=[A-Z0-9]{0,20}[A-Z][0-9]{1,20}[A-Z])[A-Z0-9]{5,20}(?![\w-])", say_code),
    rule(r"\b([Nn]umber )#\s?(?=[0-9])", r"\1"),
    rule(r"(?<!\w)#\s?([0-9]{1,20})(?!\w)", say_label),
    rule(r"(?<![\w.,$£€¥₹-])(?!(?:[0-9]{3}){0,4}[0-9]{1,6}000(?![0-9]))[0-9]{7,24}(?![\w-]|[,.][0-9])",
         say_long),
    rule(r"(?<![\w.,:/$£€-])0[0-9]+(?![\w:/-]|[.,][0-9])", lambda match: say_digits(match[0])),
)  # fmt: skip
