"""Takes a function apart for the store, and puts it together again: sealed, opened, masked.

Fixed values and the query of the endpoint's URL may be keys. They are sealed together, bound to the
function's row. A stored one never follows to another server: whoever may edit the function could
otherwise read it by pointing `endpointUrl` at a server of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sayso.errors import BadRequestError
from sayso.functions.definition import (
    DEFAULT_TIMEOUT_S,
    PLACE,
    Function,
    Kind,
    Parameter,
    Position,
)
from sayso.functions.schema import (
    AnyParameter,
    AnyParameterView,
    ConstParameter,
    ConstParameterView,
    DynamicParameterView,
    EnumParameterView,
    ParameterBody,
)
from sayso.security.masks import (
    is_mask,
    is_mask_of,
    join_query,
    mask_piece,
    mask_value,
    number,
    origin,
    read_query,
    split_query,
)
from sayso.security.secrets import Secrets
from sayso.store.identifiers import random_text
from sayso.store.tables import FunctionRow

PARAMETER_ID_CHARS = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """What a function is made of, its secrets in plain: as it was sent and meant, or stored.

    Attributes:
        url: the endpoint's URL, with its query.
        parameters: by the names of the store, without fixed values.
        values: the fixed value of each parameter; None for one the LLM gives.
    """

    url: str = field(repr=False)
    parameters: Sequence[Mapping[str, Any]]
    values: Sequence[str | None] = field(repr=False)

    def read(self) -> tuple[Parameter, ...]:
        """The parameters as a call uses them."""
        return tuple(
            _read_parameter(plain, value)
            for plain, value in zip(self.parameters, self.values, strict=True)
        )

    def view(self) -> list[AnyParameterView]:
        """The parameters as they are answered, fixed values masked."""
        return [
            _view_parameter(plain, value)
            for plain, value in zip(self.parameters, self.values, strict=True)
        ]

    @property
    def guards(self) -> bool:
        """Whether any of its fixed values is a secret."""
        return any(
            value is not None and _mask(plain, value) != value
            for plain, value in zip(self.parameters, self.values, strict=True)
        )


def take_apart(url: str, parameters: Sequence[AnyParameter]) -> Kept:
    """A function exactly as it was sent, masks and all."""
    return Kept(
        url,
        [_plain(one) for one in parameters],
        [one.value if isinstance(one, ConstParameter) else None for one in parameters],
    )


def _plain(one: ParameterBody) -> dict[str, Any]:
    found = one.model_dump(by_alias=True, exclude={"value"})
    return {
        **found,
        "id": one.id or random_text(PARAMETER_ID_CHARS),
        "description": one.description or "",
        "descriptionPlaceholder": one.description_placeholder or "",
    }


def _read_parameter(plain: Mapping[str, Any], value: str | None) -> Parameter:
    kind = plain["constType"] if plain["type"] == "const" else plain["type"]
    return Parameter(
        name=plain["name"],
        kind=Kind(kind),
        position=Position(plain["parameterPosition"]),
        description=plain["description"],
        choices=tuple(plain.get("values", ())),
        static=value,
        required=plain.get("required", True),
    )


def _view_parameter(plain: Mapping[str, Any], value: str | None) -> AnyParameterView:
    if value is not None:
        return ConstParameterView(**plain, value=_mask(plain, value))
    shape = EnumParameterView if plain["type"] == "enum" else DynamicParameterView
    return shape(**plain)


def _mask(plain: Mapping[str, Any], value: str) -> str:
    """A fixed value as it may be shown; one of two is no secret."""
    return value if plain["constType"] == Kind.BOOLEAN else mask_value(plain["name"], value)


def show_url(url: str) -> str:
    """An endpoint's URL as it may be shown: the values in its query masked, places as they are."""
    base, query = split_query(url)
    return join_query(
        base,
        [
            (name, value if PLACE.fullmatch(value) else mask_piece(name, value))
            for name, value in read_query(query)
        ],
    )


# What masks stand for -------------------------------------------------------------------------


def restore(sent: Kept, stored: Kept | None) -> Kept:
    """What `sent` means: its masks stand for secrets of `stored`.

    Raises:
        BadRequestError: a mask stands for nothing, or for a secret of another server.
    """
    url = _restore_url(sent.url, stored)
    values = [
        value
        if value is None or not is_mask(value)
        else _restore_value(n, plain, value, url, stored)
        for n, (plain, value) in enumerate(zip(sent.parameters, sent.values, strict=True))
    ]
    return replace(sent, url=url, values=values)


def _restore_url(url: str, stored: Kept | None) -> str:
    base, query = split_query(url)
    pairs = read_query(query)
    known = number(read_query(split_query(stored.url)[1])) if stored else {}
    values = []
    for slot, value in number(pairs).items():
        secret = known.get(slot)
        if not is_mask(value):
            values.append(value)
        elif stored is None or secret is None or not is_mask_of(value, secret):
            raise _no_such_mask("endpointUrl")
        elif origin(stored.url) != origin(url):
            raise _other_server("endpointUrl")
        else:
            values.append(secret)
    return join_query(base, zip((name for name, _ in pairs), values, strict=True))


def _restore_value(
    n: int, plain: Mapping[str, Any], mask: str, url: str, stored: Kept | None
) -> str:
    at = f"parameters.{n}.value"
    known = zip(stored.parameters, stored.values, strict=True) if stored else ()
    for other, secret in known:
        if secret is None or not _is_same(plain, other) or not is_mask_of(mask, secret):
            continue
        if _mask(plain, secret) != secret:  # under its new name it is still a secret
            if origin(cast("Kept", stored).url) != origin(url):
                raise _other_server(at)
            return secret
    raise _no_such_mask(at)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two parameters are one, before and after a change."""
    keys = ("parameterPosition", "name")
    return one["id"] == other["id"] or all(one[key] == other[key] for key in keys)


def refuse_to_carry(stored: Kept, url: str) -> None:
    """Refuse to send stored secrets to another server, where only the URL was changed.

    Raises:
        BadRequestError: there are some, and `url` is of another server.
    """
    if stored.guards and origin(stored.url) != origin(url):
        raise _other_server("parameters")


def _no_such_mask(at: str) -> BadRequestError:
    return BadRequestError(
        f"{at} holds a mask, as responses show it, and not the mask of the value stored there",
        field=at,
        hint="Send the value itself.",
    )


def _other_server(at: str) -> BadRequestError:
    return BadRequestError(
        "endpointUrl points to another server than before, and the stored values are not sent to a "
        "server they were not given for",
        field=at,
        hint=f"Send {at} again for the new server, with the values themselves.",
    )


# The store ------------------------------------------------------------------------------------


class FunctionSafe:
    """Where the secrets of functions are sealed and opened."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def put(self, row: FunctionRow, kept: Kept) -> None:
        """Store what a function is made of."""
        row.endpoint_url, query = split_query(kept.url)
        row.parameters = [dict(plain) for plain in kept.parameters]
        text = json.dumps({"query": query, "values": list(kept.values)})
        row.sealed = self._secrets.seal(text, _at(row.id))

    def open(self, row: FunctionRow) -> Kept:
        """What a function is made of. Raises InstallationError."""
        opened = json.loads(self._secrets.open(row.sealed, _at(row.id)))
        query = opened["query"]
        url = f"{row.endpoint_url}?{query}" if query else row.endpoint_url
        return Kept(url, row.parameters, opened["values"])

    def function(self, row: FunctionRow) -> Function:
        """A function as it is called. Raises InstallationError."""
        kept = self.open(row)
        return Function(
            id=row.id,
            name=row.name,
            description=row.description,
            url=kept.url,
            method=row.method,
            parameters=kept.read(),
            timeout_s=row.timeout_seconds or DEFAULT_TIMEOUT_S,
            filler=row.filler or "",
            confirm=row.requires_confirmation,
        )


def _at(function_id: str) -> str:
    return f"functions:sealed:{function_id}"
