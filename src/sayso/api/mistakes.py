"""Says in a sentence what is wrong with a request: malformed JSON, fields that do not fit. Pure.

What was sent is never repeated, but for a single character of broken JSON: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

from sayso.spelling import nearest

_LLM_KINDS = frozenset({"openai-compatible", "built-in"})
_PARAMETER_KINDS = frozenset({"number", "string", "boolean", "enum", "const"})
_NAMED = {'"': "a double quote", "'": "a single quote", ",": "a comma", ":": "a colon"}
_TYPES = {
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "list_type": "must be a list",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_attributes_type": "must be a JSON object",
    "url_parsing": "must be a URL",
    "finite_number": "must be a finite number",
    "string_unicode": "must be text",
}
_TAGS = frozenset({"union_tag_invalid", "union_tag_not_found"})
_LIMITS = {
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than_equal": ("must be at most {}", "le"),
    "greater_than": ("must be more than {}", "gt"),
    "less_than": ("must be less than {}", "lt"),
    "string_too_long": ("must have at most {} characters", "max_length"),
    "too_long": ("must have at most {} entries", "max_length"),
    "literal_error": ("must be one of {}", "expected"),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong: a sentence, and the dotted path of the field."""

    message: str
    field: str | None


def describe_fields(errors: Sequence[Mapping[str, Any]]) -> tuple[Mistake, ...]:
    """Pydantic's errors as sentences, in their order, each once."""
    found = [_describe(error) for error in errors]
    return tuple(dict.fromkeys(found))


def _describe(error: Mapping[str, Any]) -> Mistake:
    field = dotted(error["loc"])
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _TAGS:
        # Which shape is meant is said by one of its fields, and that one is wrong.
        field = ".".join(filter(None, [field, context["discriminator"].strip("'")]))
        if kind == "union_tag_not_found":
            return Mistake(f"{field} is required.", field)
        return Mistake(f"{field} must be one of {context['expected_tags']}.", field)
    if kind == "missing":
        return Mistake(f"{field or 'A JSON body'} is required{_sent_instead(error)}.", field)
    if kind == "string_too_short" and context.get("min_length") == 1:
        reason = "must not be empty"
    elif kind in _LIMITS:
        sentence, key = _LIMITS[kind]
        reason = sentence.format(_plain(context[key]))
        length = error.get("input")
        if kind == "string_too_long" and isinstance(length, str):
            reason += f"; it has {len(length)}"
    else:
        reason = _TYPES.get(kind) or f"is not valid: {error['msg']}"
        if kind not in _TYPES and kind.islower() and not error["msg"][:1].isupper():
            reason = error["msg"]  # one of our own sentences
        if instead := context.get("instead"):
            reason += f"; send {beside(field, instead)}"
    return Mistake(f"{field or 'The body'} {reason}.", field)


def _plain(limit: object) -> object:
    """A limit as its author would write it: 60, not 60.0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _sent_instead(error: Mapping[str, Any]) -> str:
    """The name that was sent in the place of a missing one, if there is one so alike."""
    body = error.get("input")
    if not isinstance(body, Mapping) or not error["loc"]:
        return ""
    name = nearest(str(error["loc"][-1]), [key for key in body if isinstance(key, str)])
    return f"; you sent {name}" if name and name.isidentifier() else ""


def beside(field: str | None, name: str) -> str:
    """The path of what is called `name` in the object that `field` is in."""
    return ".".join([*(field or "").split(".")[:-1], name])


def dotted(location: Sequence[str | int]) -> str | None:
    """Where an error is, as `llm.baseURL`; None for the whole body."""
    parts = [str(part) for part in location[1:]]
    kept = [
        part
        for at, part in enumerate(parts)
        if not (part in _LLM_KINDS and _is_llm(parts[:at]))
        and not (part in _PARAMETER_KINDS and _is_parameter(parts[:at]))
        and part != "[key]"
    ]
    return ".".join(kept) or None


def _is_llm(parts: Sequence[str]) -> bool:
    """Whether a path leads to an LLM, whose kind is a part of it for pydantic only."""
    return parts[-1:] == ["llm"] or (parts[-2:-1] == ["fallbacks"] and parts[-1].isdigit())


def _is_parameter(parts: Sequence[str]) -> bool:
    """Whether a path leads to a parameter of a function, as `_is_llm` does to an LLM."""
    return parts[-2:-1] == ["parameters"] and parts[-1].isdigit()


def describe_json(text: str, position: int) -> str:
    """What is wrong with `text`, which is not JSON, and where; lines and columns count from 1.

    `position` is where Python's parser gave up; the trailing comma it reports differently from
    version to version is found from there.
    """
    if not text.strip():
        return "The body is empty; it must be a JSON object."
    comma = _trailing_comma(text, position)
    if comma is not None:
        line, column = _place(text, comma)
        return (
            f"The body is not valid JSON: there is a comma at line {line}, column {column} "
            "with nothing after it. Remove this trailing comma."
        )
    line, column = _place(text, position)
    return (
        f"The body is not valid JSON: line {line}, column {column} has {_seen(text, position)}"
        f"{_advice(text, position)}."
    )


def _trailing_comma(text: str, position: int) -> int | None:
    """Where the comma is when the trouble at `position` is a comma before a closing bracket."""
    here = text[position : position + 1]
    if here == "," and text[position + 1 :].lstrip()[:1] in {"}", "]"}:
        return position
    before = text[:position].rstrip()
    if here in {"}", "]"} and before.endswith(","):
        return len(before) - 1
    return None


def _place(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _seen(text: str, position: int) -> str:
    if position >= len(text):
        return "the end of the text where more was expected"
    character = text[position]
    if not character.isprintable():
        return f"the character U+{ord(character):04X} where it cannot be"
    return f"{_NAMED.get(character, character)} where it cannot be"


_ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("'",), "JSON strings are in double quotes"),
    (("//", "/*", "#"), "JSON has no comments"),
    (("True", "False", "None", "undefined"), "JSON writes true, false and null"),
    (("“", "”", "„"), "these are typographic quotes, and JSON needs plain ones"),
    (("\ufeff",), "this is a byte-order mark; save the file without it"),
    (("\n", "\r", "\t"), "inside a string a line break is written \\n"),
    (tuple(ascii_letters), "names and texts are in double quotes"),
)


def _advice(text: str, position: int) -> str:
    rest = text[position : position + 10]
    return next((f"; {advice}" for starts, advice in _ADVICE if rest.startswith(starts)), "")
