"""Reads the arguments an LLM wrote: each becomes what the parameter wants, or is asked for. Pure.

LLMs write `"5"` for a number and `"Yes"` for a boolean, and small ones put JSON into a string. What
can only mean one thing is taken; everything else is said in a sentence the LLM can act on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from sayso.functions.definition import Function, Kind, Parameter
from sayso.variables import show

MAX_ARGUMENTS_CHARS: Final = 32_000
"""Of all arguments of one call, as JSON."""
MAX_ARGUMENT_CHARS: Final = 8_000
MAX_NUMBER_CHARS: Final = 40
MAX_WHOLE: Final = 10**15
"""From here on a float is not written as a whole number: its digits are not exact."""
MAX_TOLD_CHARS: Final = 200
"""Of one description in a sentence for the LLM."""

Value: TypeAlias = str | int | float | bool
Arguments: TypeAlias = Mapping[str, Value]
"""Values by the names the LLM knows them by (`Function.argument_names`)."""

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


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
    choices = f"one of {list_choices(parameter)}" if parameter.choices else ""
    what = ", ".join(part for part in (told, choices) if part)
    return f'"{name}" ({what})' if what else f'"{name}"'


def list_choices(parameter: Parameter) -> str:
    """What an enum may be, for a sentence."""
    return ", ".join(json.dumps(one, ensure_ascii=False) for one in parameter.choices)


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


# Values ---------------------------------------------------------------------------------------


def read_value(parameter: Parameter, raw: object) -> Value:
    """`raw` as what `parameter` wants.

    Raises:
        ValueError: it cannot be; the text follows the parameter's name.
    """
    if not isinstance(raw, str | int | float | bool):
        raise ValueError("must be a single value")  # noqa: TRY004 - all are told alike
    if parameter.kind is Kind.NUMBER:
        return _read_number(raw)
    if parameter.kind is Kind.BOOLEAN:
        return _read_boolean(raw)
    text = _read_text(raw)
    return _choose(parameter, text) if parameter.kind is Kind.ENUM else text


def _read_number(raw: Value) -> int | float:
    if isinstance(raw, bool):
        raise ValueError("must be a number")  # noqa: TRY004
    if isinstance(raw, str):
        plain = raw.strip()
        if len(plain) > MAX_NUMBER_CHARS or not _NUMBER.fullmatch(plain):
            raise ValueError("must be a number, in digits")
        raw = int(plain) if plain.lstrip("+-").isdigit() else float(plain)
    if not math.isfinite(raw):
        raise ValueError("must be a finite number")
    return int(raw) if isinstance(raw, float) and _is_whole(raw) else raw


def _is_whole(number: float) -> bool:
    return number.is_integer() and abs(number) < MAX_WHOLE


def _read_boolean(raw: Value) -> bool:
    word = _read_text(raw).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("must be true or false")


def _read_text(raw: Value) -> str:
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError("must be a finite number")
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) >= 10**MAX_NUMBER_CHARS:
        raise ValueError("has too many digits")
    text = raw if isinstance(raw, str) else show(raw)
    if len(text) > MAX_ARGUMENT_CHARS:
        raise ValueError(f"must have at most {MAX_ARGUMENT_CHARS} characters")
    # Half of a surrogate pair cannot be sent, and NUL is nobody's word.
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _choose(parameter: Parameter, text: str) -> str:
    if text in parameter.choices:
        return text
    word = text.strip().casefold()
    found = [one for one in parameter.choices if one.strip().casefold() == word]
    if len(found) != 1:
        raise ValueError(f"must be one of {list_choices(parameter)}")
    return found[0]
