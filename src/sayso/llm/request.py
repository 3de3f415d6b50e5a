"""What goes out to an LLM: an endpoint and a body become a URL, headers and bytes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from sayso.llm import Endpoint, Tell, Told
from sayso.llm.body import tell_headers
from sayso.llm.candidates import advise_url
from sayso.llm.findings import FindingError, Scene, quote, redact, show_url
from sayso.security.masks import HARMLESS
from sayso.variables import fill_header

_FORBIDDEN_HEADERS = frozenset(
    ("connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade")
)
_KEYED = re.compile(r"auth|key|token|secret|cookie|credential", re.IGNORECASE)
_HEADER_NAME_MARKS = "!#$%&'*+-.^_`|~"  # RFC 9110, 5.6.2


@dataclass(frozen=True, slots=True)
class Request:
    """One POST, ready to be sent.

    Attributes:
        url: where to.
        headers: all that are ours to say.
        body: its bytes, JSON.
        shown: the URL as it may be shown.
        secrets: what no message may quote.
        scene: where its findings are made.
        keys: those of them that are the endpoint's own; the rest is what clients told of callers.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    shown: str
    secrets: tuple[str, ...]
    scene: Scene
    keys: tuple[str, ...] = ()

    @property
    def has_key(self) -> bool:
        """Whether anything that goes out may be a key, wherever servers want it."""
        named = any(_KEYED.search(name) for name in self.headers)
        return named or bool(urlsplit(self.url).query)


def make_request(endpoint: Endpoint, told: Told, body: Mapping[str, object]) -> Request:
    """The POST of `body` to `endpoint` in the conversation `told`.

    Raises:
        FindingError: the endpoint cannot be called, or the body cannot be sent.
    """
    endpoint = fill_in(endpoint, told)
    # A server may quote what it was sent; what clients tell of callers is not for the log.
    keys = list_secrets(endpoint)
    secrets = (*keys, *told.variables.values())
    url = _check_url(endpoint, secrets)
    scene = Scene(url, secrets)
    headers = _check_headers(endpoint, told, scene)
    shown = redact(show_url(url), secrets)
    return Request(url, headers, _encode(body, scene), shown, secrets, scene, keys)


def fill_in(endpoint: Endpoint, told: Told) -> Endpoint:
    """`endpoint` with the variables in its headers and its query filled in."""
    if not endpoint.headers and not endpoint.query:
        return endpoint
    values = {**endpoint.variables, **told.values}
    return replace(
        endpoint,
        headers={name: fill_header(value, values) for name, value in endpoint.headers.items()},
        query={name: fill_header(value, values) for name, value in endpoint.query.items()},
    )


def join_url(base_url: str, query: Mapping[str, str] | None = None) -> str:
    """The URL to call: `/chat/completions` below `base_url`, nothing else added.

    A trailing slash is not doubled, and a query stays behind the path; `query` joins it.

    Raises:
        ValueError: `base_url` cannot be called; the text says why.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https"):
        raise ValueError("it does not begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.username or parts.password:
        raise ValueError("it contains a user or a password; put the key into apiKey")
    if any(c.isspace() or not c.isprintable() for c in base_url.strip()):
        raise ValueError("it contains a blank or an unprintable character")
    _ = parts.port  # raises ValueError when it is not a port
    path = parts.path.rstrip("/") + "/chat/completions"
    queries = [part for part in (parts.query, urlencode(query or {})) if part]
    return urlunsplit((parts.scheme, parts.netloc, path, "&".join(queries), ""))


def build_headers(endpoint: Endpoint, told: Told | None = None) -> dict[str, str]:
    """The request's headers; a default header of the agent wins over ours.

    Raises:
        ValueError: (name, reason) of a header that cannot be sent.
    """
    headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
    if key := _bare_key(endpoint):
        headers["Authorization"] = f"Bearer {key}"
    headers["Accept-Encoding"] = "identity"
    if told is not None and endpoint.tell is Tell.HEADERS:
        headers |= tell_headers(told)
    ours = {name.lower(): name for name in headers}
    for name, value in endpoint.headers.items():
        _refuse_header(name, value)
        headers.pop(ours.get(name.lower(), ""), None)
        headers[name] = value
    if not headers.get("Authorization", "").isprintable():
        raise ValueError("Authorization", "the key contains an unprintable character")
    return headers


def list_secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """Everything of `endpoint` that no message may quote: the key, header values, the query.

    What plainly is no secret, by its name, may be quoted.
    """
    query = urlsplit(endpoint.base_url).query if "?" in endpoint.base_url else ""
    pairs = [pair.partition("=") for pair in query.split("&") if pair[-1:] != "="]
    # A pair without "=" may be a key pasted bare: "?sk-...".
    values = [value or name for name, _, value in pairs if not _is_harmless(name)]
    values += [value for name, value in endpoint.query.items() if not _is_harmless(name)]
    headers = [value for name, value in endpoint.headers.items() if not _is_harmless(name)]
    found = [_bare_key(endpoint), *headers, *values]
    found += [value.removeprefix("Bearer ") for value in headers]
    return tuple(dict.fromkeys(value for value in found if value))


def _is_harmless(name: str) -> bool:
    return name.lower() in HARMLESS


def _bare_key(endpoint: Endpoint) -> str:
    """The key as it goes behind `Bearer `, however it was pasted."""
    key = endpoint.api_key.get_secret_value().strip() if endpoint.api_key else ""
    return key[7:].strip() if key.lower().startswith("bearer ") else key


def _refuse_header(name: str, value: str) -> None:
    if not name or not all(c.isascii() and (c.isalnum() or c in _HEADER_NAME_MARKS) for c in name):
        raise ValueError(name, "its name is not a header name")
    if name.lower() in _FORBIDDEN_HEADERS:
        raise ValueError(name, "it belongs to the connection")
    if any(c in "\r\n\0" for c in value):
        raise ValueError(name, "its value has a line break")


def _check_url(endpoint: Endpoint, secrets: tuple[str, ...]) -> str:
    try:
        return join_url(endpoint.base_url, endpoint.query)
    except ValueError as error:
        scene = Scene(endpoint.base_url, secrets)
        shown = show_url(endpoint.base_url) or "an empty text"
        bad = scene.find("url.bad", url=shown, reason=str(error))
        fix = advise_url(endpoint.base_url) or bad.fix
        raise FindingError(replace(bad, fix=redact(fix, secrets))) from error


def _check_headers(endpoint: Endpoint, told: Told, scene: Scene) -> dict[str, str]:
    try:
        return build_headers(endpoint, told)
    except ValueError as error:
        name, reason = error.args
        raise FindingError(scene.find("header.bad", name=quote(name), reason=reason)) from error


def _encode(body: Mapping[str, object], scene: Scene) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise FindingError(scene.find("body.bad", reason=str(error))) from error
