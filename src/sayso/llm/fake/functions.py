"""Which functions the fake calls, and with what: by a rule, or by the words of the caller. Pure.

It is offered functions in `tools`, or in words, as `llm/prompted.py` tells them to LLMs whose
servers take none. It calls one when the caller's last words share a word with its name or its
description, fills its arguments from those words, and then says what it returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MIN_WORD_CHARS = 4
"""Shorter words of a description ("the", "of") are in everything; of longer ones, so much counts:
"open" is in "opening"."""

_EMPTY = frozenset(
    "this that what when where which with from into your they them then than call says tell".split()
)
_RESULT = re.compile(r"<tool_result[^>]*>(.*?)</tool_result>", re.DOTALL)
_BEHIND = re.compile(
    r"\b(?:for|in|on|to|at|about|called|named|by)\s+(?:the\s+)?([\w'-]+)", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:(?<!\w)[-+])?\d+(?:,\d{3})*(?:\.\d+)?")
_PHONE = re.compile(r"\+?\d[\d ()/-]{4,}\d")
_PLACE = re.compile(r"\b[Ii]n\s+(?:the\s+)?([\w'/-]+(?:\s+[A-Z][\w'/-]*)*)")
"""A place may be several words: "in New York"."""
_DIGITS = re.compile(r"\b(?:numbers?|digits?|ids?|phone|telephone)\b", re.IGNORECASE)
_WHERE = re.compile(r"\b(?:time ?zone|zone|place|city|town|country|location)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function the fake calls, with its arguments."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    r"""Calls `name` where `pattern` is found in what the caller said, in whatever case.

    Texts in `arguments` may name the pattern's groups: `{"day": "\\g<day>"}`.
    """

    pattern: str
    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


Offer = Mapping[str, object]
"""One function as it is offered: `name`, `description`, `parameters`."""


def list_offers(body: Mapping[str, object]) -> list[Offer]:
    """The functions in `tools` of a request."""
    offered = body.get("tools")
    entries = offered if isinstance(offered, list) else []
    functions = [entry.get("function") for entry in entries if isinstance(entry, dict)]
    return [one for one in functions if isinstance(one, dict) and one.get("name")]


def list_told(messages: Sequence[Mapping[str, object]]) -> list[Offer]:
    """The functions that `messages` tell of in words, one a line."""
    text = "\n".join(str(message.get("content") or "") for message in messages[:2])
    if "<tool_call>" not in text:
        return []
    lines = [_read_line(line) for line in text.splitlines() if line.startswith('{"name"')]
    return [line for line in lines if line.get("parameters") is not None]


def _read_line(line: str) -> Offer:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def read_results(messages: Sequence[Mapping[str, object]]) -> list[str]:
    """What functions returned, if `messages` end in that; as messages or in words."""
    results: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        results.insert(0, str(message.get("content") or ""))
    last = str(messages[-1].get("content") or "") if messages else ""
    return results or _RESULT.findall(last)


def choose_calls(
    offers: Sequence[Offer], messages: Sequence[Mapping[str, object]], rules: Sequence[Rule] = ()
) -> list[FunctionCall]:
    """The calls that the last of `messages` asks for; none if it is no caller's."""
    last = messages[-1] if messages else {}
    if not offers or last.get("role") != "user" or read_results(messages):
        return []
    words = str(last.get("content") or "")
    names = [str(offer["name"]) for offer in offers]
    ruled = [call for rule in rules if rule.name in names and (call := _follow(rule, words))]
    if ruled or rules:
        return ruled
    best = max(offers, key=lambda offer: _score(offer, words))
    if not _score(best, words):
        return []
    return [FunctionCall(str(best["name"]), fill(best.get("parameters"), words))]


def _follow(rule: Rule, words: str) -> FunctionCall | None:
    match = re.search(rule.pattern, words, re.IGNORECASE)
    if match is None:
        return None
    filled = {
        name: match.expand(value) if isinstance(value, str) else value
        for name, value in rule.arguments.items()
    }
    return FunctionCall(rule.name, filled)


def _score(offer: Offer, words: str) -> float:
    """How many words a function shares with the caller's; those of its name count double."""
    said = _stems(words)
    named = len(said & _stems(str(offer.get("name")).replace("_", " ").replace("-", " ")))
    return 2 * named + len(said & _stems(str(offer.get("description") or "")))


def _stems(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {
        word[:MIN_WORD_CHARS]
        for word in words
        if len(word) >= MIN_WORD_CHARS and word not in _EMPTY
    }


def fill(schema: object, words: str) -> dict[str, object]:
    """Arguments that fit `schema`, out of what the caller said; optional ones only if one does."""
    wanted = schema if isinstance(schema, dict) else {}
    known, required = wanted.get("properties"), wanted.get("required")
    needed = required if isinstance(required, list) else []
    said = _Said(words)
    filled: dict[str, object] = {}
    for name, property_ in (known if isinstance(known, dict) else {}).items():
        one = property_ if isinstance(property_, dict) else {}
        value = _find(str(name), one, said)
        if value is None and name in needed:
            value = _need(str(name), one, said)
        if value is not None:
            filled[str(name)] = value
    return filled


class _Said:
    """What the caller said, and what is in it; texts and numbers are used up in their order."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.places = _PLACE.findall(words)
        self.texts = _BEHIND.findall(words)
        self.numbers = [one.replace(",", "") for one in _NUMBER.findall(words)]

    def place(self) -> str | None:
        """The words behind "in"; what they are taken for is taken."""
        found = self.places.pop(0) if self.places else None
        self.texts = [text for text in self.texts if not (found or "").startswith(text)]
        return found

    def named(self, name: str) -> str | None:
        """The word behind the parameter's own name: "the name is Ada"."""
        said = re.search(rf"\b{re.escape(name)}\s+(?:is\s+)?([\w'-]+)", self.words, re.IGNORECASE)
        return said[1] if said else None

    def digits(self) -> str | None:
        """A telephone number, or the next number as it was said."""
        if phone := _PHONE.search(self.words):
            self.numbers = _NUMBER.findall(self.words[phone.end() :])
            return re.sub(r"[^+\d]", "", phone[0])
        return self.numbers.pop(0) if self.numbers else None


def _find(name: str, schema: Mapping[str, object], said: _Said) -> object:
    """A value that the words plainly have for one parameter; None if they have none."""
    kind, values = schema.get("type"), schema.get("enum")
    if isinstance(values, list):
        return next((one for one in values if str(one).lower() in said.words.lower()), None)
    if kind in ("number", "integer"):
        return _count(kind, said.numbers.pop(0)) if said.numbers else None
    if kind in ("boolean", "array", "object"):
        return None
    if _wants(_DIGITS, name, schema):
        return said.digits()
    place = said.place() if _wants(_WHERE, name, schema) else None
    return place or said.named(name)


def _count(kind: object, number: str) -> object:
    return int(float(number)) if kind == "integer" else float(number)


def _wants(meant: re.Pattern[str], name: str, schema: Mapping[str, object]) -> bool:
    """Whether a parameter's name or description speaks of what is `meant`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return meant.search(f"{apart} {schema.get('description') or ''}") is not None


def _need(name: str, schema: Mapping[str, object], said: _Said) -> object:
    """A value of the right kind for a required parameter that nothing plainly fits."""
    values = schema.get("enum")
    if isinstance(values, list):
        return values[0] if values else None
    kind = schema.get("type")
    made: Mapping[object, object] = {
        "number": 4.5,
        "integer": 4,
        "boolean": True,
        "array": [],
        "object": {},
    }
    if kind in made:
        return made[kind]
    # An LLM that is told "still missing" asks; a sentence in place of digits would be looked up.
    if _wants(_DIGITS, name, schema):
        return None
    return said.texts.pop(0) if said.texts else said.words
