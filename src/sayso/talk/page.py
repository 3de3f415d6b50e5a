"""The events of the page around the caller, as tools of the LLM (contract §6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sayso.functions import Outcome, refuse_unknown
from sayso.functions.naming import make_names
from sayso.functions.values import (
    choose,
    read_boolean,
    read_number,
    read_text,
    refuse_compound,
)
from sayso.llm import Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, read_arguments
from sayso.transport.line import CustomEvent
from sayso.transport.page import MAX_EVENTS, Field, Kind, PageEvent

MAX_ITEMS: Final = 100
"""Items of an array that are sent."""
SENT: Final = (
    "Sent to the page the caller looks at. It may tell you what came of it in a message; nothing "
    "else is known so far."
)
WHEN: Final = "Tells the page the caller looks at. Call it when: "

_TYPES: Final = {
    Kind.STRING: "string",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.OBJECT: "object",
    Kind.ARRAY: "array",
}


@dataclass(frozen=True, slots=True)
class _Misfit:
    """What is wrong with one argument, and whether it only lacks."""

    text: str
    missing: bool = False


class PageTools:
    """What the page around the caller does for the agent.

    Args:
        post: sends an event to the page.
    """

    def __init__(self, post: Callable[[CustomEvent], None]) -> None:
        self._post = post
        self._events: dict[str, PageEvent] = {}
        self._tools: dict[str, tuple[Tool, PageEvent]] = {}

    def offer(self, events: Sequence[PageEvent]) -> str:
        """Offer `events` from now on, in place of earlier ones of their names.

        Returns what is wrong, in a sentence, where they are too many.
        """
        for event in events:
            if event.name in self._events or len(self._events) < MAX_EVENTS:
                self._events[event.name] = event
        names = make_names(list(self._events), "event")  # an earlier one keeps its name
        pairs = zip(names, self._events.values(), strict=True)
        self._tools = {name: (make_tool(name, event), event) for name, event in pairs}
        left = [event.name for event in events if event.name not in self._events]
        if not left:
            return ""
        return f"a conversation has at most {MAX_EVENTS} events; left out: {', '.join(left)[:200]}"

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered."""
        return [tool for tool, _ in self._tools.values()]

    async def call(self, call: ToolCall) -> Outcome:
        """Send an event; its data is what the LLM wrote, as far as it fits."""
        if (known := self._tools.get(call.name)) is None:
            return refuse_unknown(self.tools)
        event = known[1]
        try:
            data = read_data(event.data, read_arguments(call.arguments))
        except ArgumentsError as error:
            return Outcome(ok=False, text=str(error), finding="arguments.bad")
        self._post(CustomEvent(event.name, data))
        return Outcome(ok=True, text=SENT)


def make_tool(name: str, event: PageEvent) -> Tool:
    """`event` as an LLM is offered it."""
    when = event.when or f"it is time for {event.name!r}"
    return Tool(name, f"{WHEN}{when}", make_schema(event.data))


def make_schema(fields: Mapping[str, Field]) -> dict[str, object]:
    """The JSON schema of what the LLM gives; fixed values are not in it."""
    asked = _name(fields)
    return {
        "type": "object",
        "properties": {name: _describe(fields[own]) for name, own in asked.items()},
        "required": [name for name, own in asked.items() if fields[own].required],
    }


def _name(fields: Mapping[str, Field]) -> dict[str, str]:
    """What the LLM calls the fields it gives, with their own names."""
    own = [name for name, one in fields.items() if one.kind is not Kind.CONST]
    return dict(zip(make_names(own, "value"), own, strict=True))


def _describe(one: Field) -> dict[str, object]:
    described: dict[str, object] = {"description": one.description} if one.description else {}
    if one.kind is Kind.OBJECT:
        return {**make_schema(one.fields), **described}
    if one.kind is Kind.ENUM:
        texts = all(isinstance(choice, str) for choice in one.choices)
        kind = {"type": "string"} if texts else {}
        return {**kind, "enum": list(one.choices), **described}
    if one.kind is Kind.CONST:  # as an item of an array
        return {"const": one.value, **described}
    items = {"items": _describe(one.items)} if one.items is not None else {}
    return {"type": _TYPES[one.kind], **items, **described}


def read_data(fields: Mapping[str, Field], given: Mapping[str, object]) -> dict[str, object]:
    """The data of an event: what an LLM gave, and the fixed values.

    Raises:
        ArgumentsError: something is missing, or means nothing; the text tells the LLM what to do.
    """
    misfits: list[_Misfit] = []
    data = _read_fields(fields, given, "", misfits)
    if not misfits:
        return data
    wrong = [one.text for one in misfits if not one.missing]
    missing = [one.text for one in misfits if one.missing]
    lacks = [f"Still missing: {', '.join(missing)}."] if missing else []
    raise ArgumentsError(
        " ".join(("Nothing was sent.", *wrong, *lacks, "Ask the caller, then call this again."))
    )


def _read_fields(
    fields: Mapping[str, Field], given: Mapping[str, object], at: str, misfits: list[_Misfit]
) -> dict[str, object]:
    named = {own: name for name, own in _name(fields).items()}
    data: dict[str, object] = {}
    for own, one in fields.items():
        if one.kind is Kind.CONST:
            data[own] = one.value
            continue
        name = f"{at}{named[own]}"
        raw = _find(given, named[own], own)
        if raw is None:
            misfits += [_Misfit(f'"{name}"', missing=True)] if one.required else []
        else:
            data[own] = _read(one, raw, name, misfits)
    return data


def _find(given: Mapping[str, object], name: str, own: str) -> object:
    """What was given under a name, or under the page's own one, in whatever case."""
    for exact in (name, own):
        if exact in given:
            return given[exact]
    return next((value for key, value in given.items() if key.lower() == name.lower()), None)


def _read(one: Field, raw: object, at: str, misfits: list[_Misfit]) -> object:
    """`raw` as `one` wants it; what is wrong goes to `misfits`."""
    if one.kind is Kind.OBJECT:
        if isinstance(raw, dict):
            return _read_fields(one.fields, raw, f"{at}.", misfits)
        misfits.append(_Misfit(f'"{at}" must be an object.'))
        return None
    if one.kind is Kind.ARRAY and one.items is not None:
        listed = raw if isinstance(raw, list) else [raw]
        return [_read(one.items, item, at, misfits) for item in listed[:MAX_ITEMS]]
    try:
        return _read_single(one, raw)
    except ValueError as error:
        misfits.append(_Misfit(f'"{at}" {error}.'))
        return None


def _read_single(one: Field, raw: object) -> object:
    value = refuse_compound(raw)
    match one.kind:
        case Kind.NUMBER:
            return read_number(value)
        case Kind.BOOLEAN:
            return read_boolean(value)
        case Kind.ENUM:
            return choose(one.choices, value)
        case Kind.CONST:
            return one.value
        case _:
            return read_text(value)
