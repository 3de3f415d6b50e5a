"""Which functions the fake calls, and with what: by a rule, or by the words of the caller. Pure.

It is offered functions in `tools`, or in words, as `llm/prompted.py` tells them to LLMs whose
servers take none. It calls one when the caller's last words share a word with its name or its
description, fills its arguments from those words, and then says what it returned. What was found
for the caller and what the application tells are none of the caller's words; only a rule may mean
them. A value that is not in them is left away, required or not: whoever carries out the call says
what is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sayso.llm.excerpts import BELOW
from sayso.llm.fake.said import Said, stems

_RESULT = re.compile(r"<tool_result[^>]*>(.*?)</tool_result>", re.DOTALL)
_TOLD = re.compile(
    r"\[Message from the application, not spoken by the caller: (?:[^\[\]]|\[[^\]]*\])*\]\s*"
)
"""What the program around the caller tells; nobody asks for anything by it."""
_DIGITS = re.compile(r"\b(?:numbers?|digits?|ids?|phone|telephone)\b", re.IGNORECASE)
_WHERE = re.compile(r"\b(?:time ?zone|zone|place|city|town|country|location)\b", re.IGNORECASE)
_DAY = re.compile(r"\b(?:days?|dates?|weekdays?)\b", re.IGNORECASE)
_TIME = re.compile(r"\b(?:times?|hours?|o'clock)\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:name|customer|person|guest|caller)\b", re.IGNORECASE)
_WORDS = re.compile(
    r"\b(?:text|message|question|query|notes?|comments?|reason|request|words?|sentences?|summary|"
    r"content|prompt|search|farewell|details?|topic|subject)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function the fake calls, with its arguments."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    r"""Calls `name` where `pattern` is found in the last message, in whatever case.

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
    content = str(last.get("content") or "")
    words = read_words(content)
    names = [str(offer["name"]) for offer in offers]
    ruled = [call for rule in rules if rule.name in names and (call := _follow(rule, content))]
    if ruled or rules:
        return ruled
    best = max(offers, key=lambda offer: _score(offer, words))
    if not _score(best, words):
        return []
    about = _describe(best)
    return [FunctionCall(str(best["name"]), fill(best.get("parameters"), words, about))]


def read_words(content: str) -> str:
    """What the caller said in a message, which may hold more."""
    return _TOLD.sub("", content.rpartition(BELOW)[2]).strip()


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
    said = stems(words)
    named = len(said & stems(_name(offer)))
    return 2 * named + len(said & stems(str(offer.get("description") or "")))


def _name(offer: Offer) -> str:
    return _part(str(offer.get("name")))


def _describe(offer: Offer) -> str:
    return f"{_name(offer)} {offer.get('description') or ''}"


def _part(name: str) -> str:
    """The words that a name is written of: `orderId` is `order Id`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)


# Arguments -----------------------------------------------------------------------------------


def fill(schema: object, words: str, about: str = "") -> dict[str, object]:
    """Arguments that fit `schema`, out of what the caller said.

    Args:
        schema: the parameters of a function.
        words: what the caller said.
        about: the function's name and description; its words tell nothing of one parameter.
    """
    return _fill(schema, Said(words), stems(about))


def _fill(schema: object, said: Said, about: set[str]) -> dict[str, object]:
    wanted = schema if isinstance(schema, dict) else {}
    known, required = wanted.get("properties"), wanted.get("required")
    needed = required if isinstance(required, list) else []
    filled: dict[str, object] = {}
    for name, property_ in (known if isinstance(known, dict) else {}).items():
        one = _Wanted(str(name), property_ if isinstance(property_, dict) else {}, about)
        value = one.find(said, needed=name in needed)
        if value is not None:
            filled[str(name)] = value
    return filled


class _Wanted:
    """One parameter, and what the caller said for it."""

    def __init__(self, name: str, schema: Mapping[str, object], about: set[str]) -> None:
        self._name = _part(name)
        self._schema = schema
        self._description = str(schema.get("description") or "")
        self._about = about

    def find(self, said: Said, *, needed: bool) -> object:
        """Its value; None if the words have none. One that is `needed` is guessed from them."""
        kind, values = self._schema.get("type"), self._schema.get("enum")
        if isinstance(values, list):
            return said.choose(values)
        if kind in ("number", "integer"):
            number = said.number(self._stems())
            return None if number is None else _count(kind, number)
        if kind == "boolean":
            return said.agrees(self._stems())
        if kind == "object":
            return _fill(self._schema, said, self._about) or None
        if kind == "array":
            return self._list(said, needed=needed)
        return self._find_text(said, needed=needed)

    def _list(self, said: Said, *, needed: bool) -> object:
        items = self._schema.get("items")
        one = _Wanted(self._name, items if isinstance(items, dict) else {}, self._about)
        found = one.find(said, needed=needed)
        return None if found is None else [found]

    def _find_text(self, said: Said, *, needed: bool) -> str | None:
        meant = self._meant()
        if meant in (_DIGITS, _DAY, _TIME):
            found = {_DIGITS: said.digits, _DAY: said.day, _TIME: said.time}[meant]()
            return found or (said.named(self._name) if meant is not _DIGITS else None)
        place = said.place() if meant is _WHERE else None
        last = self._name.split()[-1:] or [""]
        if found := place or said.named(self._name) or said.named(last[0]):
            return found
        if meant is _WHO:
            return said.person()
        if not needed:
            return None
        return said.words if meant is _WORDS else said.text()

    def _meant(self) -> re.Pattern[str] | None:
        """What a text is of: by the parameter's name, else by its description."""
        kinds = (_WHERE, _DIGITS, _DAY, _TIME, _WORDS, _WHO)
        texts = (self._name, self._description)
        return next((kind for text in texts for kind in kinds if kind.search(text)), None)

    def _stems(self) -> set[str]:
        """What the parameter is called, and how it is told from the others."""
        return stems(self._name) | (stems(self._description) - self._about)


def _count(kind: object, number: str) -> object:
    value = float(number)
    return int(value) if kind == "integer" or value.is_integer() else value
