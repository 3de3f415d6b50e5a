"""The events of the page around a caller, as it declares them (contract §6.4). Pure.

    {"name": "change-text", "when": "the user asks to change the text",
     "data": {"text": {"type": "string", "description": "..."}}}

A declaration that means nothing is left out and said in a sentence; the others count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

MAX_EVENTS: Final = 64
"""Of one message; and so many a conversation offers."""
MAX_NAME_CHARS: Final = 250
MAX_TEXT_CHARS: Final = 1_000
"""Longest `when`, `description` or fixed value."""
MAX_FIELDS: Final = 50
"""Of one event, those inside of others included."""
MAX_DEPTH: Final = 4
"""How deep fields may be inside of each other."""
MAX_CHOICES: Final = 100
MAX_PROBLEMS: Final = 5
"""So many are said; the others are counted."""

Single: TypeAlias = str | int | float | bool


class Kind(StrEnum):
    """What a field holds."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ENUM = "enum"
    CONST = "const"
    OBJECT = "object"
    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's data.

    Attributes:
        kind: what it holds.
        description: what it is, for the LLM.
        required: whether the LLM must give it.
        choices: of an enum, what it may be.
        value: of a const, what it is.
        fields: of an object, its own ones.
        items: of an array, what each of it is.
    """

    kind: Kind
    description: str = ""
    required: bool = True
    choices: tuple[Single, ...] = ()
    value: Single = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    items: Field | None = None


@dataclass(frozen=True, slots=True)
class PageEvent:
    """Something the page does when the agent asks for it: its name, when it is to, and its data."""

    name: str
    when: str
    data: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a page declared: the events, and what was wrong with others, in a sentence or ""."""

    events: tuple[PageEvent, ...]
    problem: str = ""


class _OddError(ValueError):
    """A declaration that means nothing; the text says where and why."""


def read_events(sent: Sequence[object]) -> Declared:
    """The events that `setup` or `extendConversationSetup` name; of two of a name, the last."""
    found: dict[str, PageEvent] = {}
    problems: list[str] = []
    for n, one in enumerate(sent[:MAX_EVENTS]):
        try:
            event = _read_event(one)
            found[event.name] = event
        except _OddError as odd:
            problems.append(f"events.{n}{odd}")
    if len(sent) > MAX_EVENTS:
        problems.append(f"events has {len(sent)}, and {MAX_EVENTS} are read")
    return Declared(tuple(found.values()), _tell(problems))


def _tell(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    more = len(problems) - MAX_PROBLEMS
    end = f"; and {more} more" if more > 0 else ""
    return f"some events are left out: {'; '.join(problems[:MAX_PROBLEMS])}{end}"


def _read_event(sent: object) -> PageEvent:
    if not isinstance(sent, dict):
        raise _OddError(" must be an object with a name")
    name, data = sent.get("name"), sent.get("data") or {}
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_CHARS:
        raise _OddError(f".name must be a text of at most {MAX_NAME_CHARS} characters")
    if not isinstance(data, dict):
        raise _OddError(".data must be an object with a field for each value")
    fields = _read_fields(data, ".data", 1)
    if sum(1 for _ in _walk(fields)) > MAX_FIELDS:
        raise _OddError(f".data has more than {MAX_FIELDS} fields")
    return PageEvent(name, _read_text(sent, "when", ""), fields)


def _walk(fields: Mapping[str, Field]) -> Iterator[Field]:
    for one in fields.values():
        yield one
        yield from _walk(one.fields)
        yield from _walk({"": one.items} if one.items else {})


def _read_fields(sent: dict[object, object], at: str, depth: int) -> dict[str, Field]:
    if len(sent) > MAX_FIELDS:
        raise _OddError(f"{at} has more than {MAX_FIELDS} fields")
    names = {name: str(name)[:MAX_NAME_CHARS] for name in sent}
    return {name: _read_field(sent[key], f"{at}.{name}", depth) for key, name in names.items()}


def _read_field(sent: object, at: str, depth: int) -> Field:
    if not isinstance(sent, dict):
        raise _OddError(f"{at} must be an object with a type")
    if depth > MAX_DEPTH:
        raise _OddError(f"{at} is deeper than {MAX_DEPTH} levels")
    kind = str(sent.get("type"))
    described, required = _read_text(sent, "description", at), sent.get("required") is not False
    if kind in {"string", "number", "boolean"}:
        return Field(Kind(kind), described, required)
    if kind == "enum":
        return Field(Kind.ENUM, described, required, _read_choices(sent.get("values"), at))
    if kind.startswith("const-"):
        value = _read_const(kind.removeprefix("const-"), sent.get("value"), at)
        return Field(Kind.CONST, described, required=False, value=value)
    if kind == "object":
        inner = sent.get("properties") or {}
        if not isinstance(inner, dict):
            raise _OddError(f"{at}.properties must be an object")
        fields = _read_fields(inner, at, depth + 1)
        return Field(Kind.OBJECT, described, required, fields=fields)
    if kind == "array":
        items = _read_field(sent.get("items"), f"{at}.items", depth + 1)
        return Field(Kind.ARRAY, described, required, items=items)
    raise _OddError(
        f"{at}.type is none of string, number, boolean, enum, const-string, const-number, "
        "const-boolean, object, array"
    )


def _read_text(sent: dict[str, object], key: str, at: str) -> str:
    text = sent.get(key)
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS:
        raise _OddError(f"{at}.{key} must be a text of at most {MAX_TEXT_CHARS} characters")
    return " ".join(text.split())


def _read_choices(sent: object, at: str) -> tuple[Single, ...]:
    choices = sent if isinstance(sent, list) else []
    if not 0 < len(choices) <= MAX_CHOICES or not all(map(_is_single, choices)):
        raise _OddError(f"{at}.values must be a list of 1 to {MAX_CHOICES} texts")
    return tuple(choices)


def _is_single(value: object) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, str | int | float) and len(str(value)) <= MAX_NAME_CHARS


def _read_const(kind: str, sent: object, at: str) -> Single:
    """A fixed value; clients write each kind as text."""
    if _is_single(sent) or (isinstance(sent, str) and len(sent) <= MAX_TEXT_CHARS):
        text = str(sent).strip()
        if kind == "string":
            return str(sent)
        if kind == "boolean" and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        if kind == "number" and (number := _parse_number(text)) is not None:
            return number
    raise _OddError(f"{at}.value does not fit its type")


def _parse_number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(text) if text.lstrip("+-").isdigit() else number
