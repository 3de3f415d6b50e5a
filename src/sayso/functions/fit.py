"""Whether a function's parameters and its URL fit together, before it is saved. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sayso.bodies import HEADER_NAME, HEADER_VALUE
from sayso.functions.arguments import read_value
from sayso.functions.definition import PLACE, Kind, Parameter, Position

MAX_HEADER_NAME_CHARS: Final = 200
CONNECTION_HEADERS: Final = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that belong to the connection, and are nobody's to set."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit: where, as a dotted path, and what, in words after it."""

    field: str
    problem: str


def find_misfits(url: str, parameters: Sequence[Parameter]) -> list[Misfit]:
    """All that does not fit, in order."""
    found = list(_find_url(url, parameters))
    seen: set[tuple[Position, str]] = set()
    for n, one in enumerate(parameters):
        at = f"parameters.{n}"
        key = one.position, one.name.lower() if one.position is Position.HEADER else one.name
        if key in seen:
            found.append(Misfit(f"{at}.name", f"is twice in the {one.position.value}"))
        seen.add(key)
        found += _find_name(at, one)
        found += _find_value(at, one)
    return found


def _find_url(url: str, parameters: Sequence[Parameter]) -> Iterator[Misfit]:
    names = {one.name for one in parameters if one.position is Position.URL}
    for place in dict.fromkeys(PLACE.findall(url)):
        if place not in names:
            yield Misfit(
                "endpointUrl",
                f"has a place {{{place}}}, and no parameter of that name has the position url",
            )
    segments = urlsplit(url).path.split("/")
    for n, one in enumerate(parameters):
        alone = f"{{{one.name}}}" in segments or f"{{{one.name}}}" not in url
        if one.position is Position.URL and not one.required and not alone:
            yield Misfit(
                f"parameters.{n}.required", "must be true for a part of a path or query segment"
            )


def _find_name(at: str, one: Parameter) -> Iterator[Misfit]:
    if one.position is not Position.HEADER:
        return
    if not re.fullmatch(HEADER_NAME, one.name) or len(one.name) > MAX_HEADER_NAME_CHARS:
        yield Misfit(f"{at}.name", "is not a valid header name")
    elif one.name.lower() in CONNECTION_HEADERS:
        yield Misfit(f"{at}.name", "belongs to the connection, and cannot be set")


def _find_value(at: str, one: Parameter) -> Iterator[Misfit]:
    """What is wrong with a fixed value."""
    value = one.static
    if value is None:
        return
    if one.position is Position.HEADER and not re.fullmatch(HEADER_VALUE, value):
        yield Misfit(f"{at}.value", "has line breaks or characters outside ASCII")
    if one.position is Position.URL and value in {"", ".", ".."}:
        yield Misfit(f"{at}.value", "cannot be a part of an address")
    if one.kind in {Kind.NUMBER, Kind.BOOLEAN} and "{{" not in value:
        try:
            read_value(one, value)
        except ValueError as error:
            yield Misfit(f"{at}.value", str(error))
