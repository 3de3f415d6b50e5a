"""What goes out to an endpoint: a function and its arguments become one HTTP request. Pure.

The parameters' places follow contract §2.6 and §7. What an LLM writes is data: percent-encoded in
the URL, on one line in a header, and never a step up in the path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from sayso.functions.arguments import Arguments, ArgumentsError, read_value
from sayso.functions.definition import (
    PLACE,
    SAFE_METHODS,
    Function,
    Kind,
    Parameter,
    Position,
    is_secret,
    list_secrets,
    redact,
    spell,
)
from sayso.functions.values import Value
from sayso.security.masks import is_mask, join_query, mask_piece, mask_value, read_query
from sayso.variables import clean, fill_header

MAX_SENT_URL_CHARS: Final = 8_000
"""More is refused by most servers."""
MAX_HEADER_VALUE_CHARS: Final = 8_000
BODILESS: Final = frozenset({"GET", "DELETE"})
"""Methods whose body parameters go into the query: servers ignore, or refuse, a body of theirs."""
FORM: Final = "application/x-www-form-urlencoded"
ACCEPT: Final = "application/json, text/plain;q=0.9, text/*;q=0.8, */*;q=0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent.

    Attributes:
        method: the HTTP method.
        url: where to, encoded.
        headers: all that are ours to say.
        body: its bytes; None if there are none.
        shown: the request as it may be shown, static values masked.
        secrets: what no message may quote.
        repeatable: whether it may be sent twice.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    shown: Shown = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent twice."""
        return self.method in SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as people are shown it: as it is sent, but for the masks of static values."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None


class _Mask(str):
    """What stands for a secret where a request is shown; it is not encoded."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Placed:
    """A parameter with its value of the moment."""

    parameter: Parameter
    value: Value

    @property
    def text(self) -> str:
        return to_text(self.value)

    def veil(self) -> _Placed:
        """The same as it may be shown."""
        parameter = self.parameter
        if parameter.static is None or parameter.kind is Kind.BOOLEAN:
            return self
        mask = mask_value(parameter.name, parameter.static)
        return replace(self, value=_Mask(mask)) if is_mask(mask) else self


def make_request(
    function: Function, arguments: Arguments, variables: Mapping[str, str] | None = None
) -> Request:
    """The request of one call.

    Args:
        function: whom to call.
        arguments: what the LLM gave, read by `read_arguments`.
        variables: what `{{names}}` in static values stand for.

    Raises:
        ArgumentsError: the values cannot be sent.
    """
    placed = list(_place(function, arguments, variables or {}))
    url, headers, body = _write(function, placed)
    if len(url) > MAX_SENT_URL_CHARS:
        raise ArgumentsError("Nothing was called: the values are too long.", "arguments.bad")
    veiled = replace(function, url=_veil_url(function.url))
    shown_url, shown_headers, shown_body = _write(veiled, [one.veil() for one in placed])
    shown_text = None if shown_body is None else shown_body.decode()
    shown = Shown(function.method, shown_url, shown_headers, shown_text)
    return Request(function.method, url, headers, body, shown, _list_secrets(function, placed))


def to_text(value: Value) -> str:
    """A value as a URL or a header has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _write(
    function: Function, placed: list[_Placed]
) -> tuple[str, Mapping[str, str], bytes | None]:
    """URL, headers and body: what is sent, and with veiled values what is shown of it."""
    headers, body = _build_body(function, placed)
    return _build_url(function, placed), headers, body


def _veil_url(url: str) -> str:
    """An endpoint's URL with the values of its own query masked; places stay."""
    parts = urlsplit(url)
    pieces = [
        (name, value if PLACE.fullmatch(value) else mask_piece(name, value))
        for name, value in read_query(parts.query)
    ]
    return urlunsplit(parts._replace(query=join_query("", pieces).removeprefix("?")))


# Placing --------------------------------------------------------------------------------------


def _place(
    function: Function, arguments: Arguments, variables: Mapping[str, str]
) -> Iterator[_Placed]:
    names = iter(function.argument_names)
    for parameter in function.parameters:
        if parameter.static is None:
            value = arguments.get(next(names))
            if value is not None:
                yield _Placed(parameter, value)
        else:
            text = fill_header(parameter.static, variables)
            yield _Placed(parameter, _read_static(parameter, text))


def _read_static(parameter: Parameter, text: str) -> Value:
    if parameter.kind is Kind.STRING or parameter.kind is Kind.ENUM:
        return text
    try:
        return read_value(parameter, text)
    except ValueError as error:  # only a variable can spoil what was looked at on save
        raise ArgumentsError(
            f'Nothing was called: the fixed value "{parameter.name}" {error}.', "function.bad"
        ) from None


def _list_secrets(function: Function, placed: list[_Placed]) -> tuple[str, ...]:
    """What no message may quote, with variables filled in, too."""
    filled = [
        one.text
        for one in placed
        if one.parameter.static is not None and is_secret(one.parameter, one.parameter.static)
    ]
    found = {*list_secrets(function), *spell(filled)}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def _at(function: Function, placed: list[_Placed], position: Position) -> list[_Placed]:
    """The parameters that go to `position`; a request without a body has those in its query."""
    moved = function.method in BODILESS
    return [
        one
        for one in placed
        if (
            Position.QUERY
            if moved and one.parameter.position is Position.BODY
            else one.parameter.position
        )
        is position
    ]


# The URL --------------------------------------------------------------------------------------


def _build_url(function: Function, placed: list[_Placed]) -> str:
    values = {one.parameter.name: _encode(one.text) for one in _at(function, placed, Position.URL)}
    parts = urlsplit(function.url)
    path = _fill_path(function, parts.path, values)
    own = PLACE.sub(lambda place: values.get(place[1], ""), parts.query)
    added = _join_pairs(_at(function, placed, Position.QUERY), quote)
    query = "&".join(part for part in (own, added) if part)
    return urlunsplit((parts.scheme, parts.netloc, path or "/", query, ""))


def _join_pairs(placed: Iterable[_Placed], spell: Callable[..., str]) -> str:
    """Names and values as a query or a form has them."""
    pairs = [(one.parameter.name, one.text) for one in placed]
    return "&".join(f"{_encode(name, spell)}={_encode(value, spell)}" for name, value in pairs)


def _fill_path(function: Function, path: str, values: Mapping[str, str]) -> str:
    """The path with its places filled in, and what has none appended as segments.

    `values` are encoded.
    """
    segments = []
    for segment in path.split("/"):
        place = PLACE.fullmatch(segment)
        if place and place[1] not in values:
            continue  # an optional part that was left away
        filled = PLACE.sub(lambda found: values.get(found[1], ""), segment)
        if filled != segment and filled.replace("%2E", ".") in {".", "..", ""}:
            raise ArgumentsError(
                f'Nothing was called: "{filled}" cannot be a part of an address.', "arguments.bad"
            )
        segments.append(filled)
    filled_path = "/".join(segments)
    places = set(PLACE.findall(function.url))
    for name, value in values.items():
        if name not in places:
            if value in {".", "..", ""}:
                raise ArgumentsError(
                    f'Nothing was called: "{value}" cannot be a part of an address.',
                    "arguments.bad",
                )
            filled_path = f"{filled_path.rstrip('/')}/{value}"
    return filled_path


def _encode(value: str, spell: Callable[..., str] = quote) -> str:
    return value if isinstance(value, _Mask) else spell(value, safe="")


# Headers and body -----------------------------------------------------------------------------


def _build_body(
    function: Function, placed: list[_Placed]
) -> tuple[Mapping[str, str], bytes | None]:
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
    for one in _at(function, placed, Position.HEADER):
        _set(headers, one.parameter.name, clean(one.text)[:MAX_HEADER_VALUE_CHARS])
    inside = _at(function, placed, Position.BODY)
    if not inside:
        return headers, None
    kind = next((v for name, v in headers.items() if name.lower() == "content-type"), "")
    if kind.partition(";")[0].strip().lower() == FORM:
        return headers, _join_pairs(inside, quote_plus).encode()
    if not kind:
        headers["Content-Type"] = "application/json"
    values = {one.parameter.name: one.value for one in inside}
    return headers, json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")


def _set(headers: dict[str, str], name: str, value: str) -> None:
    """Set a header; the owner's wins over ours."""
    for known in [known for known in headers if known.lower() == name.lower()]:
        del headers[known]
    headers[name] = value


# Showing --------------------------------------------------------------------------------------


def check_shown(shown: Shown, secrets: tuple[str, ...]) -> Shown:
    """`shown` once more without secrets: an argument may repeat one."""
    return Shown(
        shown.method,
        redact(shown.url, secrets),
        {name: redact(value, secrets) for name, value in shown.headers.items()},
        None if shown.body is None else redact(shown.body, secrets),
    )
