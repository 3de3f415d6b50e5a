"""An external function as the server uses it: an endpoint, and what goes where. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from sayso.functions.naming import make_names
from sayso.security.masks import HARMLESS, is_only_variables, read_query

DEFAULT_TIMEOUT_S: Final = 10.0
"""How long a call may take in all (contract §7)."""
MIN_SECRET_CHARS: Final = 4
"""Shorter values are not searched for: they would black out ordinary words."""
MIN_RANDOM_CHARS: Final = 8
"""From here on a word with digits in it may be a key, whatever its name."""

PLACE = re.compile(r"\{([^{}]*)\}")
"""Where a parameter stands in an endpoint's URL."""
KEYED = re.compile(
    r"auth|key|token|secret|cookie|credential|passw|passphrase|pin\b|code\b|cvc|cvv|card|iban|ssn",
    re.IGNORECASE,
)
"""Names of what nobody else should read."""
_SCHEME = re.compile(r"^(?:basic|bearer|token|api-?key)\s+", re.IGNORECASE)
SAFE_METHODS: Final = frozenset({"GET"})
"""Methods that change nothing, and may be asked twice."""


class Position(StrEnum):
    """Where a parameter goes (contract §2.6)."""

    BODY = "body"
    HEADER = "header"
    QUERY = "query"
    URL = "url"


class Kind(StrEnum):
    """What a value is (contract §2.6)."""

    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    ENUM = "enum"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a request.

    Attributes:
        name: how the endpoint calls it.
        kind: what it is.
        position: where it goes.
        description: what it is, for the LLM.
        choices: of an enum, what it may be.
        static: the value, always the same; None where the LLM gives it.
        required: whether the LLM must give it.
    """

    name: str
    kind: Kind = Kind.STRING
    position: Position = Position.BODY
    description: str = ""
    choices: tuple[str, ...] = ()
    static: str | None = field(default=None, repr=False)
    required: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """One external function of an owner, its secrets in plain.

    Attributes:
        id: its id.
        name: what the owner calls it.
        description: when it is to be called, for the LLM.
        url: where it is, with `{name}` in the places of parameters.
        method: the HTTP method.
        parameters: what the request is made of.
        timeout_s: how long a call may take, in seconds.
        filler: what the agent says while it takes long; "" for the usual.
        confirm: whether the caller is asked before it is called.
    """

    id: str
    name: str
    description: str
    url: str = field(repr=False)
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S
    filler: str = ""
    confirm: bool = False

    @property
    def dynamic(self) -> tuple[Parameter, ...]:
        """The parameters the LLM gives."""
        return tuple(one for one in self.parameters if one.static is None)

    @property
    def argument_names(self) -> list[str]:
        """What the LLM calls them, in the same order."""
        return make_names([one.name for one in self.dynamic], "value")

    @property
    def safe(self) -> bool:
        """Whether a call changes nothing."""
        return self.method in SAFE_METHODS


def list_secrets(function: Function) -> tuple[str, ...]:
    """What no message may quote, in every spelling an endpoint may give it back in."""
    values = [
        one.static
        for one in function.parameters
        if one.static is not None and is_secret(one, one.static)
    ]
    written = [value for _, value in read_query(urlsplit(function.url).query)]
    pieces = [piece for value in written for piece in PLACE.sub("\0", value).split("\0")]
    return spell([*values, *pieces, *map(unquote, pieces)])


def spell(values: Sequence[str]) -> tuple[str, ...]:
    """Each value, also without its scheme, and as URLs, forms and JSON write it; longest first."""
    bare = [*values, *(_SCHEME.sub("", value) for value in values)]
    found = {
        spelling
        for value in bare
        for spelling in (
            value,
            quote(value, safe=""),
            quote(value),
            quote_plus(value),
            value.replace("/", "\\/"),
            json.dumps(value, ensure_ascii=False)[1:-1],
        )
        if len(spelling) >= MIN_SECRET_CHARS
    }
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def is_secret(parameter: Parameter, value: str) -> bool:
    """Whether a static value may be a key; `metric` and `en` are none, and are not blacked out."""
    name = parameter.name.lower()
    if name in HARMLESS or is_only_variables(value):
        return False
    if parameter.position is Position.HEADER or KEYED.search(name):
        return True
    long = len(value) >= MIN_RANDOM_CHARS and " " not in value
    return long and any(char.isdigit() for char in value)


def redact(text: str, secrets: Sequence[str]) -> str:
    """`text` with each of `secrets` blacked out, the longest first."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return text
