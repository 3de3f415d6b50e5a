"""Reads the arguments an LLM wrote: each becomes what the parameter wants, or is asked for. Pure.

LLMs write `"5"` for a number and `"Yes"` for a boolean, and small ones put JSON into a string. What
can only mean one thing is taken; everything else is said in a sentence the LLM can act on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, TypeAlias

from sayso.functions.definition import Function, Kind, Parameter
from sayso.functions.values import (
    Value,
    choose,
    list_choices,
    read_boolean,
    read_number,
    read_text,
    refuse_compound,
)

MAX_ARGUMENTS_CHARS: Final = 32_000
"""Of all arguments of one call, as JSON."""
MAX_TOLD_CHARS: Final = 200
"""Of one description in a sentence for the LLM."""

Arguments: TypeAlias = Mapping[str, Value]
"""Values by the names the LLM knows them by (`Function.argument_names`)."""


class ArgumentsError(ValueError):
    """Arguments that cannot be used; the text tells the LLM what to do, `code` says why."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


def read_arguments(function: Function, text: str) -> Arguments:
    """The arguments of one call; optional ones that were left away are not in it.

    Raises:
        ArgumentsError: something is missing, or means nothing.
    """
    sent = _parse(text)
    found: dict[str, Value] = {}
    missing: list[tuple[str, Parameter]] = []
    wrong: list[str] = []
    for name, parameter in zip(function.argument_names, function.dynamic, strict=True):
        raw = _find(sent, name, parameter)
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            missing += [(name, parameter)] if parameter.required else []
            continue
        try:
            found[name] = read_value(parameter, raw)
        except ValueError as error:
            wrong.append(f'"{name}" {error}.')
    if missing or wrong:
        raise _refuse(missing, wrong)
    return found


def _refuse(missing: list[tuple[str, Parameter]], wrong: list[str]) -> ArgumentsError:
    """What the LLM is told: what is wrong, then what to ask the caller for."""
    said = ["Nothing was called.", *wrong]
    if missing:
        listed = "; ".join(_describe(name, parameter) for name, parameter in missing)
        said.append(f"Still missing: {listed}. Ask the caller for it, then call this again.")
        return ArgumentsError(" ".join(said), "arguments.missing")
    said.append("Ask the caller if you do not know, then call this again.")
    return ArgumentsError(" ".join(said), "arguments.bad")


def _describe(name: str, parameter: Parameter) -> str:
    told = " ".join(parameter.description.split())[:MAX_TOLD_CHARS].rstrip(".")
    choices = f"one of {list_choices(parameter.choices)}" if parameter.choices else ""
    what = ", ".join(part for part in (told, choices) if part)
    return f'"{name}" ({what})' if what else f'"{name}"'


# Parsing --------------------------------------------------------------------------------------


def _parse(text: str) -> Mapping[str, object]:
    if len(text) > MAX_ARGUMENTS_CHARS:
        raise ArgumentsError("Nothing was called: the arguments are too long.", "arguments.bad")
    parsed = _parse_json(text)
    if isinstance(parsed, str):  # JSON in a string, as small models write it
        parsed = _parse_json(parsed)
    if not isinstance(parsed, dict):
        raise ArgumentsError(
            "Nothing was called: the arguments are not a JSON object. Write them as one.",
            "arguments.bad",
        )
    return parsed


def _parse_json(text: str) -> object:
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a ValueError: also a number of too many digits
        return None


def _find(sent: Mapping[str, object], name: str, parameter: Parameter) -> object:
    """What was sent under a name, however its case and its underscores are."""
    for exact in (name, parameter.name):
        if exact in sent:
            return sent[exact]
    letters = _letters(name)
    return next((value for key, value in sent.items() if _letters(key) == letters), None)


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def read_value(parameter: Parameter, raw: object) -> Value:
    """`raw` as what `parameter` wants.

    Raises:
        ValueError: it cannot be; the text follows the parameter's name.
    """
    value = refuse_compound(raw)
    if parameter.kind is Kind.NUMBER:
        return read_number(value)
    if parameter.kind is Kind.BOOLEAN:
        return read_boolean(value)
    if parameter.kind is Kind.ENUM:
        return choose(parameter.choices, value)
    return read_text(value)
