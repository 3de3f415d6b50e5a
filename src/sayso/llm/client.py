"""Asks an OpenAI-compatible server, and says exactly what is wrong when it does not answer.

`LlmClient` owns the connections of the process; `bind` makes the `Llm` of one agent; `ask` is
the same with what was noticed on the way, for the check.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import msgspec
from aiohttp import ClientConnectionError, ClientError

from sayso import __version__
from sayso.config import Settings
from sayso.llm import Endpoint, Llm, Message
from sayso.llm.chunks import read_error
from sayso.llm.findings import Finding, FindingError, Scene, quote, redact, show_url
from sayso.llm.reader import ReplyReader, is_about_model
from sayso.security.outbound import MARK, guarded_connector

DEFAULT_MODEL = "gpt-3.5-turbo"
"""Sent when an agent names no model: the contract's sample request has it (§3.1, §3.2), and
many servers refuse a request without one."""
MAX_CONNECTIONS = 512
"""Requests under way at once; the next ones wait, within their connect timeout."""
MAX_ERROR_BODY_BYTES = 4096
"""How much of an error's body is read."""
ERROR_BODY_S = 2.0
"""How long an error's body is waited for, in seconds."""
DRAIN_S = 1.0
"""How long the end of a complete answer is waited for, to keep its connection for the next."""

_FORBIDDEN_HEADERS = frozenset(
    ("connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade")
)
_KEPT_FIELDS = frozenset(("messages", "stream"))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each part of an answer may take, in seconds.

    Attributes:
        connect_s: until the connection stands, name resolution and TLS included.
        first_token_s: from the request until the first useful token; comments and thoughts
            do not count (livekit/agents#5660).
        between_tokens_s: silence in the middle of an answer.
        reply_s: the whole answer.
    """

    connect_s: float = 5.0
    first_token_s: float = 10.0
    between_tokens_s: float = 5.0
    reply_s: float = 120.0


def deadlines_of(settings: Settings) -> Deadlines:
    """How long the operator lets an answer take."""
    return Deadlines(
        connect_s=settings.llm_connect_timeout_s,
        first_token_s=settings.llm_first_token_timeout_s,
        between_tokens_s=settings.llm_between_tokens_timeout_s,
        reply_s=settings.llm_reply_timeout_s,
    )


def join_url(base_url: str) -> str:
    """The URL to call: `/chat/completions` below `base_url`, nothing else added.

    A trailing slash is not doubled, and a query stays behind the path.

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
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def build_body(endpoint: Endpoint, messages: Sequence[Message]) -> dict[str, object]:
    """The smallest request that says everything: strict servers refuse fields they don't know."""
    body: dict[str, object] = {
        "model": endpoint.model or DEFAULT_MODEL,
        "messages": [{"role": line.role, "content": line.content} for line in messages],
        "stream": True,
    }
    if endpoint.temperature is not None:
        body["temperature"] = endpoint.temperature
    if endpoint.max_tokens is not None:
        body["max_tokens"] = endpoint.max_tokens
    body.update((k, v) for k, v in endpoint.extra.items() if k not in _KEPT_FIELDS)
    return body


def build_headers(endpoint: Endpoint) -> dict[str, str]:
    """The request's headers; a default header of the agent wins over ours.

    Raises:
        ValueError: (name, reason) of a header that cannot be sent.
    """
    headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
    if key := _bare_key(endpoint):
        headers["Authorization"] = f"Bearer {key}"
    headers["Accept-Encoding"] = "identity"
    ours = {name.lower(): name for name in headers}
    for name, value in endpoint.headers.items():
        _refuse_header(name, value)
        headers.pop(ours.get(name.lower(), ""), None)
        headers[name] = value
    if any(not c.isprintable() for c in headers.get("Authorization", "")):
        raise ValueError("Authorization", "the key contains an unprintable character")
    return headers


def _refuse_header(name: str, value: str) -> None:
    if not name or not all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in name):
        raise ValueError(name, "its name is not a header name")
    if name.lower() in _FORBIDDEN_HEADERS:
        raise ValueError(name, "it belongs to the connection")
    if any(c in "\r\n\0" for c in value):
        raise ValueError(name, "its value has a line break")


def _bare_key(endpoint: Endpoint) -> str:
    """The key as it goes behind `Bearer `, however it was pasted."""
    key = endpoint.api_key.get_secret_value().strip() if endpoint.api_key else ""
    return key[7:].strip() if key.lower().startswith("bearer ") else key


def list_secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """Everything of `endpoint` that no message may quote: the key, header values, the query."""
    query = urlsplit(endpoint.base_url).query if "?" in endpoint.base_url else ""
    values = [pair.partition("=")[2] for pair in query.split("&")]
    found = [_bare_key(endpoint), *endpoint.headers.values(), *values]
    found += [value.removeprefix("Bearer ") for value in endpoint.headers.values()]
    return tuple(dict.fromkeys(value for value in found if value))


class LlmClient:
    """All connections to all LLMs of this process; share one."""

    def __init__(
        self,
        deadlines: Deadlines,
        *,
        private: bool = True,
        notice: Callable[[Endpoint, Finding], None] | None = None,
        max_connections: int = MAX_CONNECTIONS,
        traces: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            deadlines: how long answers may take.
            private: whether private and loopback addresses may be called (`outbound_private`).
            notice: is told what was overcome in an answer, such as JSON in place of a stream.
            max_connections: requests under way at once.
            traces: are told of every connection made, as aiohttp does it.
        """
        self.deadlines = deadlines
        self._private = private
        self._notice = notice
        self._max_connections = max_connections
        self._traces = tuple(traces)
        self._session: aiohttp.ClientSession | None = None
        self._drains: set[asyncio.Task[None]] = set()

    def fresh(self, trace: aiohttp.TraceConfig) -> LlmClient:
        """A client of the same limits with connections of its own, to be opened: for a check."""
        return LlmClient(self.deadlines, private=self._private, traces=(trace,))

    async def open(self) -> None:
        """Make the session. Opens no connection."""
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(private=self._private, limit=self._max_connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"sayso/{__version__}"},
            trust_env=False,
            trace_configs=list(self._traces),
        )

    async def close(self) -> None:
        """Close every connection; answers under way end."""
        for task in tuple(self._drains):
            task.cancel()
        await asyncio.gather(*self._drains, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def bind(self, endpoint: Endpoint) -> Llm:
        """The `Llm` of an agent whose `llm` field is `endpoint`."""
        return _Bound(self, endpoint, self._notice)

    def ask(
        self,
        endpoint: Endpoint,
        messages: Sequence[Message],
        deadlines: Deadlines | None = None,
        *,
        body: Mapping[str, object] | None = None,
    ) -> Exchange:
        """Prepare one request; iterate its `pieces` to send it.

        Args:
            endpoint: whom to ask.
            messages: what to ask.
            deadlines: other limits than usual.
            body: is sent exactly as it is, in place of one made from `messages`.

        Raises:
            LlmError: the endpoint cannot be called at all.
        """
        if self._session is None:
            raise RuntimeError("the LLM client is not open")
        body = build_body(endpoint, messages) if body is None else body
        return Exchange(self, self._session, endpoint, body, deadlines or self.deadlines)

    def let_go(self, response: aiohttp.ClientResponse, *, complete: bool) -> None:
        """Free an answer's connection: for reuse if its end is near, by closing it if not."""
        if response.content.at_eof() or not complete:
            response.close()
            return
        task = asyncio.create_task(_drain(response))
        self._drains.add(task)
        # Not in the task's own `finally`: one that is cancelled before it began has none.
        task.add_done_callback(lambda _: response.close())
        task.add_done_callback(self._drains.discard)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the few bytes behind `[DONE]`, so that the connection can serve the next answer."""
    try:
        async with asyncio.timeout(DRAIN_S):
            while await response.content.readany():
                pass
    except (TimeoutError, ClientError, OSError):
        pass  # the answer is complete; only the connection is lost


class _Bound:
    """The `Llm` of one endpoint."""

    def __init__(
        self,
        client: LlmClient,
        endpoint: Endpoint,
        notice: Callable[[Endpoint, Finding], None] | None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._notice = notice

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        exchange = self._client.ask(self._endpoint, messages)
        async with aclosing(exchange.pieces()) as pieces:
            async for piece in pieces:
                yield piece
        if self._notice is not None:
            for finding in exchange.reader.warnings.values():
                self._notice(self._endpoint, finding)


class Exchange:
    """One request and its answer.

    Attributes:
        url: the URL called, as it may be shown.
        reader: what was noticed in the answer.
        first_token_s: from the request to the first useful token; None before it.
        location: where a redirect points, if the answer was one.
        status: of the answer; None before it.
    """

    def __init__(
        self,
        client: LlmClient,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        body: Mapping[str, object],
        deadlines: Deadlines,
    ) -> None:
        secrets = list_secrets(endpoint)
        self._client = client
        self._session = session
        self._deadlines = deadlines
        self._model = endpoint.model or DEFAULT_MODEL
        self._secrets = secrets
        self._url = _check_url(endpoint, secrets)
        self.scene = Scene(self._url, secrets)
        self._headers = _check_headers(endpoint, self.scene)
        self._body = _encode(body, self.scene)
        self._started_s = 0.0
        self._heard_s = 0.0  # when the last bytes came
        self._spoke_s: float | None = None  # when the last useful token came
        self.url = redact(show_url(self._url), secrets)
        self.reader = ReplyReader(self.scene, model=self._model)
        self.first_token_s: float | None = None
        self.location: str | None = None
        self.status: int | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Send the request and get the answer's words as they come. Raises LlmError.

        Closing the generator closes the connection at once.
        """
        self._started_s = self._now()
        response = await self._post()
        self.status = response.status
        try:
            if response.status != 200:
                raise FindingError(await self._read_refusal(response))
            while data := await self._next(response):
                if text := self.reader.feed(data):
                    self._count(text)
                    yield text
                if self.reader.failure or self.reader.done:
                    break
            if text := self.reader.finish():
                self._count(text)
                yield text
            if self.reader.failure:
                raise FindingError(self.reader.failure)
        finally:
            self._client.let_go(response, complete=self.reader.done)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _count(self, text: str) -> None:
        if not text.strip():
            return
        self._spoke_s = self._now()
        if self.first_token_s is None:
            self.first_token_s = self._spoke_s - self._started_s

    def _until(self) -> float:
        """By when the next bytes must come."""
        limits = self._deadlines
        if self._spoke_s is None:
            return self._started_s + min(limits.first_token_s, limits.reply_s)
        # Comments and thoughts keep a stream alive, but not for longer than a first token.
        silence = min(self._heard_s + limits.between_tokens_s, self._spoke_s + limits.first_token_s)
        return min(silence, self._started_s + limits.reply_s)

    async def _post(self) -> aiohttp.ClientResponse:
        try:
            return await self._post_once()
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError):
            # A kept connection may have been closed while it rested: once more, on a new one.
            try:
                return await self._post_once()
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError) as error:
                raise FindingError(self.scene.find("connect.closed")) from error

    async def _post_once(self) -> aiohttp.ClientResponse:
        limits = aiohttp.ClientTimeout(total=None, connect=self._deadlines.connect_s)
        try:
            async with asyncio.timeout_at(self._until()):
                return await self._session.post(
                    self._url,
                    data=self._body,
                    headers=self._headers,
                    allow_redirects=False,
                    timeout=limits,
                )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError):
            raise
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise FindingError(self._explain(error)) from error

    async def _next(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            async with asyncio.timeout_at(self._until()):
                data = await response.content.readany()
        except TimeoutError as error:
            raise FindingError(self._explain_silence()) from error
        except (ClientError, OSError) as error:
            if self.reader.complete:
                return b""
            raise FindingError(self.scene.find("stream.cut", reason=_reason(error))) from error
        self._heard_s = self._now()
        return data

    def _explain_silence(self) -> Finding:
        """The finding for a wait that was given up; `_until` says which limit it was."""
        limits, find = self._deadlines, self.scene.find
        if self._spoke_s is None:
            reason = "it sent something else" if self._heard_s else "it sent nothing"
            limit_s = min(limits.first_token_s, limits.reply_s)
            return find("first_token.slow", limit_s=limit_s, reason=reason)
        if self._until() >= self._started_s + limits.reply_s:
            return find("stream.too_long", reason=f"more than {limits.reply_s:g} s of it")
        return find("stream.stalled", limit_s=limits.between_tokens_s)

    def _explain(self, error: Exception) -> Finding:
        """The finding for a request that got no answer."""
        find = self.scene.find
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return find("connect.timeout", limit_s=self._deadlines.connect_s)
        if isinstance(error, TimeoutError):
            return self._explain_silence()
        if isinstance(error, ClientConnectionError):
            return self._explain_connection(error)
        if isinstance(error, (aiohttp.InvalidURL, ValueError)):
            return find("url.bad", url=show_url(self._url), reason=_reason(error))
        return find("http.broken", reason=_reason(error))

    def _explain_connection(self, error: ClientConnectionError) -> Finding:
        find = self.scene.find
        reason = _reason(error)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return find("dns.failed", host=error.host, reason=reason)
        if isinstance(error, aiohttp.ClientSSLError):
            return find("tls.failed", reason=reason)
        if MARK in str(error):
            return find("outbound.refused", reason=reason)
        if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
            return find("connect.refused", host=error.host, port=error.port)
        return find("connect.failed", reason=reason)

    async def _read_refusal(self, response: aiohttp.ClientResponse) -> Finding:
        """The finding for an answer that is not 200."""
        find, status = self.scene.find, response.status
        if 300 <= status < 400:
            self.location = response.headers.get("Location", "")
            shown = redact(show_url(self.location), self._secrets) or "nowhere"
            return find("redirect.refused", status=status, location=shown)
        until_s = min(self._until(), self._now() + ERROR_BODY_S)
        body = await _read_head(response, until_s)
        if status in (400, 404, 422) and is_about_model(body):
            return find("model.unknown", body, model=self._model)
        codes: Mapping[int, str] = {
            401: "auth.refused",
            403: "auth.refused",
            404: "path.not_found",
            405: "path.not_found",
            429: "rate.limited",
        }
        return find(codes.get(status, "http.status"), _error_text(body), status=status)


def _check_url(endpoint: Endpoint, secrets: tuple[str, ...]) -> str:
    try:
        return join_url(endpoint.base_url)
    except ValueError as error:
        scene = Scene(endpoint.base_url, secrets)
        shown = show_url(endpoint.base_url) or "an empty text"
        raise FindingError(scene.find("url.bad", url=shown, reason=str(error))) from error


def _check_headers(endpoint: Endpoint, scene: Scene) -> dict[str, str]:
    try:
        return build_headers(endpoint)
    except ValueError as error:
        name, reason = error.args
        raise FindingError(scene.find("header.bad", name=quote(name), reason=reason)) from error


def _encode(body: Mapping[str, object], scene: Scene) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise FindingError(scene.find("body.bad", reason=str(error))) from error


async def _read_head(response: aiohttp.ClientResponse, until_s: float) -> str:
    """The first bytes of an error's body; what came, if it breaks off."""
    body = b""
    try:
        async with asyncio.timeout_at(until_s):
            while len(body) < MAX_ERROR_BODY_BYTES:
                data = await response.content.readany()
                if not data:
                    break
                body += data
    except (TimeoutError, ClientError, OSError):
        pass  # the status says enough; the body is only evidence
    return body[:MAX_ERROR_BODY_BYTES].decode("utf-8", "replace")


def _error_text(body: str) -> str:
    """What an error's body says: its message if it has one, else its first bytes."""
    try:
        parsed: object = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    return read_error(parsed) or body


def _reason(error: Exception) -> str:
    """An exception in a few words."""
    inner = getattr(error, "os_error", None) or error
    text = getattr(inner, "strerror", None) or str(inner)
    return text or type(inner).__name__


def shorten(deadlines: Deadlines, budget_s: float) -> Deadlines:
    """The same deadlines, none longer than `budget_s`."""
    return replace(
        deadlines,
        connect_s=min(deadlines.connect_s, budget_s),
        first_token_s=min(deadlines.first_token_s, budget_s),
        between_tokens_s=min(deadlines.between_tokens_s, budget_s),
        reply_s=min(deadlines.reply_s, budget_s),
    )
