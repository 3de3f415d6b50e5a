"""A server somewhere else: its address, its key, what an error about it may say.

`stt/openai.py`, `tts/openai.py` and `knowledge/remote.py` know what to ask and how to read the
answer; what is refused and what an error may say is decided here, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import aiohttp

from sayso.engines import EngineConfig
from sayso.errors import InstallationError, SpeechError
from sayso.security.outbound import (
    MARK,
    OutboundError,
    find_refusal,
    hang_up,
    open_session,
    refuse_literal,
)

MAX_COMPLAINT_BYTES = 4_096
"""How much of a complaint is read."""
MAX_COMPLAINT_CHARS = 300
"""How much of it is told."""
MIN_SECRET_CHARS = 6
"""A shorter value in the URL's query is no key; blacked out, it would spoil every message."""
COMPLAINT_S = 2.0
"""How long a complaint is waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a speech server is asked for.

    Attributes:
        name: how errors call it, such as `speech-to-text`.
        path: the endpoint, below the base URL.
        setting: where the operator wrote the options.
        example: a base URL, for the hint.
    """

    name: str
    path: str
    setting: str
    example: str


class SpeechServer:
    """One OpenAI-compatible speech server, and the connections to it.

    Attributes:
        url: the endpoint as it may be shown, without its query.
    """

    def __init__(self, desk: Desk, config: EngineConfig, timeout: aiohttp.ClientTimeout) -> None:
        """Read the options `url` and `api_key`; nothing is opened yet.

        Raises:
            InstallationError: an option cannot be used; says which, and where it is set.
        """
        self._desk = desk
        self._config = config
        self._timeout = timeout
        self._key = _read_key(desk, config)
        self._called = read_url(desk, config)
        parts = urlsplit(self._called)
        self._host = parts.hostname or ""
        values = [value for _, value in parse_qsl(parts.query) if len(value) >= MIN_SECRET_CHARS]
        self._secrets = [secret for secret in (self._key, *values) if secret]
        self.url = show(self._called)
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; the server is first called with the first question.

        Raises:
            InstallationError: the URL names an address that may not be called.
        """
        private = self._config.outbound_private
        try:
            refuse_literal(self._host, private=private)
        except OutboundError as error:
            raise InstallationError(
                self._name_refusal(name_reason(error)),
                hint=f"Give {self._desk.setting} the `url` of a server that may be called.",
            ) from error
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._http = open_session(private=private, limit=self._config.workers, headers=headers)

    @asynccontextmanager
    async def ask(self, **content: Any) -> AsyncIterator[aiohttp.ClientResponse]:  # noqa: ANN401
        """Post `content` (aiohttp's `json` or `data`) and hand over an answer with status 200.

        What goes wrong while the answer is read in the block is told, too. Leaving the block
        before the answer's end hangs up.

        Raises:
            SpeechError: the server may not be called, cannot be reached, redirects, refuses, or
                takes too long.
        """
        try:
            response = await self._post(content)
            try:
                if response.status != 200:
                    raise await self.complain(response)
                yield response
            finally:
                hang_up(response)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._explain(error) from error

    async def complain(self, response: aiohttp.ClientResponse) -> SpeechError:
        """The error for an answer that is of no use, with its beginning as evidence."""
        if 300 <= response.status < 400:
            target = self._clean(show(response.headers.get("Location", ""))) or "nowhere"
            return self.fail(
                f"answered {response.status}, a redirect to {target}; redirects are not followed: "
                f"give {self._desk.setting} the `url` where the server really is"
            )
        text = self.quote(await _read_head(response))
        return self.fail(f"answered {response.status} ({response.content_type}): {text}")

    def fail(self, what: str) -> SpeechError:
        """The error for a server that did `what`."""
        return SpeechError(f"the {self._desk.name} server at {self.url} {what}")

    def quote(self, body: bytes) -> str:
        """The beginning of what a server says, in one line, without our key in it."""
        return quote(body, self._secrets)

    async def close(self) -> None:
        """Let go of the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    def _clean(self, text: str) -> str:
        return clean(text, self._secrets)

    async def _post(self, content: Mapping[str, Any]) -> aiohttp.ClientResponse:
        if self._http is None:
            raise SpeechError(f"the {self._desk.name} engine is not open")
        try:
            return await self._http.post(
                self._called, allow_redirects=False, timeout=self._timeout, **content
            )
        except ValueError as error:  # a host that cannot be spelled as a name
            raise self._explain(error) from None  # it quotes the URL, and what is in its query

    def _name_refusal(self, reason: str) -> str:
        return f"the {self._desk.name} server at {self.url} was not called: {self._clean(reason)}"

    def _explain(self, error: Exception) -> SpeechError:
        if isinstance(error, TimeoutError):
            return self.fail(f"took longer than {self._config.timeout_s:g} s")
        if MARK in (reason := name_reason(error)):
            return SpeechError(self._name_refusal(reason))
        return self.fail(f"cannot be reached: {self._clean(reason)}")


def read_url(desk: Desk, config: EngineConfig) -> str:
    """The option `url`, completed to the endpoint; a query stays behind the path.

    Raises:
        InstallationError: there is none, or it cannot be called.
    """
    given = config.options.get("url", "").strip()
    if fault := find_fault(given):
        raise InstallationError(
            f"the {desk.name} engine `openai` needs the option `url`, a base URL: {fault}",
            hint=f'Set {desk.setting}=\'{{"url": "{desk.example}"}}\'.',
        )
    parts = urlsplit(given)
    path = parts.path.rstrip("/").removesuffix(desk.path) + desk.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def find_fault(url: str) -> str:
    """What is wrong with a base URL, without quoting it: a password may be in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is not a port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in ("http", "https"):
        return "it does not begin with http:// or https://"
    if not parts.hostname:
        return "it names no host"
    if parts.username or parts.password:
        return "it contains a user or a password; a key has a place of its own"
    if any(c.isspace() or not c.isprintable() for c in url):
        return "it contains a blank or an unprintable character"
    return ""


def quote(body: bytes, secrets: Iterable[str]) -> str:
    """The beginning of what a server says, in one line, without our secrets in it."""
    text = " ".join(clean(body[:MAX_COMPLAINT_BYTES].decode("utf-8", "replace"), secrets).split())
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text[:MAX_COMPLAINT_CHARS] or "nothing"


def clean(text: str, secrets: Iterable[str]) -> str:
    """`text` without our secrets in it."""
    for secret in secrets:
        text = text.replace(secret, "...")
    return text


def _read_key(desk: Desk, config: EngineConfig) -> str:
    key = config.options.get("api_key", "").strip()
    if not key.isprintable():
        raise InstallationError(
            f"the option `api_key` of the {desk.name} engine contains an unprintable character",
            hint=f"Paste the key into {desk.setting} again.",
        )
    return key


def show(url: str) -> str:
    """A URL as it may be printed: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "something that is no URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def name_reason(error: Exception) -> str:
    """An exception in a few words."""
    inner = getattr(error, "os_error", None) or error
    if refusal := find_refusal(inner):
        return refusal
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


async def _read_head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes of a complaint; what came, if it breaks off: the status says enough."""
    body = b""
    try:
        async with asyncio.timeout(COMPLAINT_S):
            while len(body) < MAX_COMPLAINT_BYTES and (piece := await response.content.readany()):
                body += piece
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return body[:MAX_COMPLAINT_BYTES]
