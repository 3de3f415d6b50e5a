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
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


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
    """Arguments that fit `schema`, out of what the caller said."""
    wanted = schema.get("properties") if isinstance(schema, dict) else None
    known = wanted if isinstance(wanted, dict) else {}
    texts, numbers = _BEHIND.findall(words), _NUMBER.findall(words)
    return {name: _take(property_, words, texts, numbers) for name, property_ in known.items()}


def _take(schema: object, words: str, texts: list[str], numbers: list[str]) -> object:
    """A value for one parameter; `texts` and `numbers` are used up in their order."""
    wanted = schema if isinstance(schema, dict) else {}
    if values := wanted.get("enum"):
        return next((one for one in values if str(one).lower() in words.lower()), values[0])
    kind = wanted.get("type")
    if kind in ("number", "integer"):
        found = float(numbers.pop(0)) if numbers else 4.5
        return int(found) if kind == "integer" else found
    made: Mapping[object, object] = {"boolean": True, "array": [], "object": {}}
    if kind in made:
        return made[kind]
    return texts.pop(0) if texts else words
