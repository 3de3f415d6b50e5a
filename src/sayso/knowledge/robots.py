"""What a site's `robots.txt` allows (RFC 9309): the longest rule that fits a path decides.

Python's own parser takes the first rule that fits and knows no `*` and `$`, so it reads what most
sites write as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

OUR_NAME = "sayso"
MAX_CHARS = 512_000
"""What is read of the file; RFC 9309 asks for at least 500 KiB."""
MAX_RULES = 2000
MAX_RULE_CHARS = 2048
MAX_STARS = 20
MAX_DELAY_S = 5.0
"""The longest pause between two pages that is kept, in seconds, whatever is asked."""

_GROUP_LINES = {"user-agent", "allow", "disallow", "crawl-delay"}


@dataclass(frozen=True, slots=True)
class Rule:
    """Paths that begin so are allowed, or not; `*` is anything, `$` the end."""

    pattern: str
    allows: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for us, and the pause wanted between two pages, in seconds."""

    rules: Sequence[Rule] = ()
    delay_s: float = 0.0

    def allow(self, path: str) -> bool:
        """Whether `path`, with its query, may be fetched."""
        path = _canonical(path)
        fitting = [rule for rule in self.rules if _fits(rule.pattern, path)]
        if not fitting:
            return True
        best = max(fitting, key=lambda rule: (len(rule.pattern), rule.allows))
        return best.allows


EVERYTHING = Robots()


def parse_robots(text: str) -> Robots:
    """The rules for us: the groups that name us, else those for everybody."""
    ours: list[tuple[str, str]] = []
    everybodys: list[tuple[str, str]] = []
    named = False
    for agents, lines in _groups(text[:MAX_CHARS]):
        if OUR_NAME in agents:
            named = True
            ours += lines
        elif "*" in agents:
            everybodys += lines
    return _make(ours if named else everybodys)


def _groups(text: str) -> Iterator[tuple[set[str], list[tuple[str, str]]]]:
    """Agents, in lower case and without versions, and the lines for them."""
    agents: set[str] = set()
    lines: list[tuple[str, str]] = []
    for name, value in _lines(text):
        if name == "user-agent":
            if lines:
                yield agents, lines
                agents, lines = set(), []
            agents.add(value.partition("/")[0].strip().lower())
        elif agents:
            lines.append((name, value))
    yield agents, lines


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.removeprefix("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        name = name.strip().lower()
        if colon and name in _GROUP_LINES:
            yield name, value.strip()


def _make(lines: Sequence[tuple[str, str]]) -> Robots:
    rules = [
        Rule(_canonical(value), name == "allow")
        for name, value in lines
        if name in {"allow", "disallow"}
        and value.startswith(("/", "*"))
        and len(value) <= MAX_RULE_CHARS
        and value.count("*") <= MAX_STARS
    ]
    delays = [_seconds(value) for name, value in lines if name == "crawl-delay"]
    return Robots(tuple(rules[:MAX_RULES]), max(delays, default=0.0))


def _seconds(text: str) -> float:
    return min(float(text), MAX_DELAY_S) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else 0.0


def _canonical(path: str) -> str:
    """The same letters escaped in the same way."""
    return quote(
        unquote_to_bytes(path.replace("%2F", "%252F").replace("%2f", "%252F")),
        safe="/?&=*$%:@!'()+,;~",
    )


def _fits(pattern: str, path: str) -> bool:
    """Whether a path begins like a pattern; each step looks for the next piece, and never back."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not rest:
        return not ends or at == len(path)
    last = rest.pop() if ends else ""
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not ends or (path.endswith(last) and len(path) - len(last) >= at)
