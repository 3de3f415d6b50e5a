"""What the bodies of all REST resources share: names in camelCase, nothing converted.

Unknown keys are remembered, so that an answer can name those that were sent in vain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from sayso.errors import BadRequestError
from sayso.spelling import nearest

HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""A token, as RFC 9110 §5.6.2 has it."""
HEADER_VALUE = r"[ -~]*"
MAX_NAMED, MAX_NAMED_CHARS = 20, 100
"""How many unknown keys are named in an answer, and how much of each."""
MAX_DEPTH = 32
"""How deep JSON may be nested in a request."""
EXTENSION: dict[str, JsonValue] = {"x-sayso-extension": True}
"""Marks in OpenAPI what the original contract does not have."""


def contract_name(name: str) -> str:
    """A field's name in the contract: camel case, but for one."""
    return "baseURL" if name == "base_url" else to_camel(name)


def _to_whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is as whole as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


ToWhole = BeforeValidator(_to_whole)
"""Stands behind the limits of an `int`, or the schema would lose them."""


class Body(BaseModel):
    """Camel-case names, no conversions (`"1.2"` is not a number); unknown keys are remembered.

    They are ignored, as clients of the contract expect, but for the `closed` shapes, which the
    contract does not have.
    """

    closed: ClassVar[bool] = False
    _unknown: tuple[str, ...] = PrivateAttr(default=())

    model_config = ConfigDict(
        alias_generator=contract_name,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @property
    def unknown(self) -> tuple[str, ...]:
        """The keys that were sent and have no meaning here."""
        return self._unknown

    @classmethod
    def takes(cls) -> frozenset[str]:
        """The names that can be sent."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="wrap")
    @classmethod
    def _remember_unknown(cls, body: object, read: ModelWrapValidatorHandler[Self]) -> Self:
        unknown: tuple[str, ...] = ()
        if isinstance(body, dict) and cls.model_config.get("extra") == "ignore":
            unknown = tuple(str(name) for name in body if name not in cls.takes())
        if unknown and cls.closed:
            raise _refuse_unknown(cls, unknown)
        made = read(body)
        made._unknown = unknown  # noqa: SLF001 our own
        return made


def _refuse_unknown(shape: type[Body], unknown: Sequence[str]) -> ValidationError:
    """The refusal of keys that `shape` does not have, each with the one that was meant."""
    return ValidationError.from_exception_data(
        shape.__name__,
        [
            mistake(name, "unknown_key", _name_near(name, shape.takes()))
            for name in unknown[:MAX_NAMED]
        ],
        hide_input=True,
    )


def _name_near(name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    return f"is not known; {near} is" if near else f"is not known; {', '.join(sorted(known))} are"


def mistake(name: str, kind: str, sentence: str, **context: str) -> InitErrorDetails:
    """One mistake about the key `name`; the sentence follows its path."""
    error = PydanticCustomError(kind, "{sentence}", {"sentence": sentence, **context})
    return InitErrorDetails(type=error, loc=(name[:MAX_NAMED_CHARS],), input=None)


# What JSON lets through -------------------------------------------------------------------


def refuse_unstorable(body: object) -> object:
    """Refuse what JSON lets through and no database or LLM takes.

    NaN and infinities, halves of surrogate pairs, NUL characters, nesting deeper than MAX_DEPTH.

    Raises:
        BadRequestError: with the dotted path of the culprit.
    """
    todo: list[tuple[str, object, int]] = [("", body, 0)]
    while todo:
        path, value, depth = todo.pop()
        if (reason := _unstorable(value, depth)) is not None:
            raise BadRequestError(f"{path or 'the body'} {reason}.", field=path or None)
        if isinstance(value, dict):
            for key, item in value.items():
                todo.append((path, key, depth))
                todo.append((f"{path}.{key}" if path else str(key), item, depth + 1))
        elif isinstance(value, list):
            todo.extend((f"{path}.{at}", item, depth + 1) for at, item in enumerate(value))
    return body


def _unstorable(value: object, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"is nested deeper than {MAX_DEPTH} levels"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, str) and "\0" in value:
        return "holds a NUL character"
    if isinstance(value, str) and not _is_unicode(value):
        return "holds half of a surrogate pair, which is not a character"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# What is answered -------------------------------------------------------------------------


class View(BaseModel):
    """What is answered, with the contract's names."""

    model_config = ConfigDict(
        alias_generator=contract_name, validate_by_name=True, hide_input_in_errors=True
    )


class FieldWarning(View):
    """Something that was sent in vain: a key nobody reads, or a server without tools."""

    code: Literal["field.ignored", "mcp.no_tools"] = "field.ignored"
    field: str = Field(description="Where it was, as a dotted path.")
    message: str
    meant: str | None = Field(description="The known name that is spelled most like it, if any.")


# Sent in vain -------------------------------------------------------------------------------


def find_ignored(at: str, shape: Body, view: type[BaseModel]) -> Iterator[FieldWarning]:
    """A warning for each key of `shape` that nobody reads.

    Those of an answer, `view`, are not among them: what was read can be written back.

    Args:
        at: the path of `shape`, "" or with a dot at its end.
        shape: what was sent.
        view: how it is answered.
    """
    answered = frozenset(field.alias or name for name, field in view.model_fields.items())
    for name in shape.unknown:
        if name not in answered:
            yield _warn(at, name, nearest(name, shape.takes()))


def _warn(at: str, name: str, near: str | None) -> FieldWarning:
    path = at + name[:MAX_NAMED_CHARS]
    meant = near and at + near
    hint = f"; did you mean {meant}?" if meant else "."
    return FieldWarning(
        field=path, message=f"{path} is not known and was ignored{hint}", meant=meant
    )


def check_url(text: str, kind: str, instead: str) -> str:
    """An http(s) URL without blanks around it.

    What is none is refused, and what would be read differently by another parser. `instead` says
    where a user name or a password belongs.

    Raises:
        PydanticCustomError: of this `kind`.
    """
    url = text.strip()
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise PydanticCustomError(kind, "must be a URL without spaces or backslashes")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise PydanticCustomError(kind, "is not a valid URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PydanticCustomError(kind, "must be a full URL that begins with https:// or http://")
    if "@" in parts.netloc:
        raise PydanticCustomError(kind, f"must not carry a user name or password; {instead}")
    if parts.fragment:
        raise PydanticCustomError(kind, "must not have a part after #")
    return url.removesuffix("#")
