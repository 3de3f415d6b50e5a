"""Asks an OpenAI-compatible server, and says exactly what is wrong when it does not answer.

`LlmClient` owns the connections of the process; `bind` makes the `Llm` of one agent; `ask` is
the same with what was noticed on the way, for the check.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
import msgspec
import structlog
from aiohttp import ClientConnectionError, ClientError

from sayso.config import Settings
from sayso.llm import Endpoint, Llm, Message, Mishap, Tell, Timeouts, Told, ignore
from sayso.llm.body import DEFAULT_MODEL, amend, build_body, fill, tell_headers
from sayso.llm.chunks import read_error
from sayso.llm.findings import Finding, FindingError, Scene, quote, redact, show_url
from sayso.llm.profile import (
    STRANGER,
    MemoryProfiles,
    Profile,
    ProfileKey,
    Profiles,
    key_of,
)
from sayso.llm.reader import ReplyReader, is_about_model
from sayso.security.outbound import MARK, hang_up, open_session

MAX_CONNECTIONS = 512
"""Requests under way at once; the next ones wait, within their connect timeout."""
MAX_ERROR_BODY_BYTES = 4096
"""How much of an error's body is read."""
ERROR_BODY_S = 2.0
"""How long an error's body is waited for, in seconds."""
DRAIN_S = 1.0
"""How long the end of a complete answer is waited for, to keep its connection for the next."""

log = structlog.get_logger("sayso.llm")

_FORBIDDEN_HEADERS = frozenset(
    ("connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade")
)
MAX_AMENDS = 6
"""How often one question is asked again with less in it; OpenAI names one culprit at a time."""


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


def limit_waits(deadlines: Deadlines, timeouts: Timeouts) -> Deadlines:
    """The deadlines of an agent that has `timeouts` of its own."""
    return replace(
        deadlines,
        connect_s=timeouts.connect_s or deadlines.connect_s,
        first_token_s=timeouts.first_token_s or deadlines.first_token_s,
        between_tokens_s=timeouts.between_tokens_s or deadlines.between_tokens_s,
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
    values += endpoint.query.values()
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
        profiles: Profiles | None = None,
        max_connections: int = MAX_CONNECTIONS,
        traces: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            deadlines: how long answers may take.
            private: whether private and loopback addresses may be called (`outbound_private`).
            notice: is told what was overcome in an answer, such as JSON in place of a stream.
            profiles: what endpoints were seen to tolerate; kept in memory unless given.
            max_connections: requests under way at once.
            traces: are told of every connection made, as aiohttp does it.
        """
        self.deadlines = deadlines
        self._private = private
        self._notice = notice
        self.profiles: Profiles = MemoryProfiles() if profiles is None else profiles
        self._max_connections = max_connections
        self._traces = tuple(traces)
        self._session: aiohttp.ClientSession | None = None
        self._aside: set[asyncio.Task[None]] = set()

    def fresh(self, trace: aiohttp.TraceConfig) -> LlmClient:
        """A client of the same limits with connections of its own, to be opened: for a check."""
        return LlmClient(self.deadlines, private=self._private, traces=(trace,))

    async def open(self) -> None:
        """Make the session. Opens no connection."""
        self._session = open_session(
            private=self._private, limit=self._max_connections, traces=self._traces
        )

    async def close(self) -> None:
        """Close every connection; answers under way end."""
        for task in tuple(self._aside):
            task.cancel()
        await asyncio.gather(*self._aside, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def bind(self, endpoint: Endpoint, told: Told | None = None) -> Llm:
        """The `Llm` of an agent whose `llm` field is `endpoint`, in the conversation `told`."""
        return _Bound(self, endpoint, told or Told(), self._notice)

    def ask(
        self,
        endpoint: Endpoint,
        messages: Sequence[Message],
        deadlines: Deadlines | None = None,
        *,
        body: Mapping[str, object] | None = None,
        profile: Profile = STRANGER,
        told: Told | None = None,
        since_s: float | None = None,
    ) -> Exchange:
        """Prepare one request; iterate its `pieces` to send it.

        Args:
            endpoint: whom to ask.
            messages: what to ask.
            deadlines: other limits than the endpoint's own.
            body: is sent exactly as it is, in place of one made from `messages`.
            profile: what the endpoint tolerates.
            told: the conversation, as far as the endpoint is told of it.
            since_s: when the waiting began, on the loop's clock; else when it is sent.

        Raises:
            LlmError: the endpoint cannot be called at all.
        """
        if self._session is None:
            raise RuntimeError("the LLM client is not open")
        told = told or Told()
        limits = deadlines or self.deadlines_for(endpoint)
        body = build_body(endpoint, messages, profile, told) if body is None else body
        reads = ReplyReader if not profile.thinks_first else partial(ReplyReader, inside=True)
        return Exchange(self, self._session, endpoint, told, body, limits, reads, since_s)

    def deadlines_for(self, endpoint: Endpoint) -> Deadlines:
        """How long `endpoint` may take: as its agent says, else as the operator does."""
        return limit_waits(self.deadlines, endpoint.timeouts)

    def learn(self, key: ProfileKey, profile: Profile) -> None:
        """Keep what was learned about an endpoint, beside the conversation."""
        self._do_aside(_keep(self.profiles, key, profile))

    def _do_aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    def let_go(self, response: aiohttp.ClientResponse, *, complete: bool) -> None:
        """Free an answer's connection: for reuse if its end is near, by closing it if not."""
        if response.content.at_eof() or not complete:
            hang_up(response)
            return
        task = self._do_aside(_drain(response))
        # Not in the task's own `finally`: one that is cancelled before it began has none.
        task.add_done_callback(lambda _: hang_up(response))


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the few bytes behind `[DONE]`, so that the connection can serve the next answer."""
    try:
        async with asyncio.timeout(DRAIN_S):
            while await response.content.readany():
                pass
    except (TimeoutError, ClientError, OSError):
        pass  # the answer is complete; only the connection is lost


async def _keep(profiles: Profiles, key: ProfileKey, profile: Profile) -> None:
    try:
        await profiles.put(key, profile)
    except Exception:
        # The conversation goes on; only the next one has to learn it again.
        log.exception("profile_not_kept", base_url=show_url(key.base_url), model=key.model)


class _Bound:
    """The `Llm` of one endpoint in one conversation."""

    def __init__(
        self,
        client: LlmClient,
        endpoint: Endpoint,
        told: Told,
        notice: Callable[[Endpoint, Finding], None] | None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._told = told
        self._notice = notice
        self._key = key_of(endpoint, DEFAULT_MODEL)
        self._here: Profile | None = None  # knows more than what is kept, for this agent only

    async def reply(
        self, messages: Sequence[Message], mishap: Mishap = ignore
    ) -> AsyncGenerator[str, None]:
        since_s = asyncio.get_running_loop().time()
        retries = _Retries()
        while True:
            exchange = self._client.ask(
                self._endpoint, messages, profile=self._profile, told=self._told, since_s=since_s
            )
            try:
                async with aclosing(exchange.pieces()) as pieces:
                    async for piece in pieces:
                        self._learn(retries)
                        yield piece
            except FindingError as error:
                if exchange.first_token_s is not None or not self._retry(exchange, error, retries):
                    raise
                mishap(error)
            else:
                self._take_notice(exchange)
                return

    @property
    def _profile(self) -> Profile:
        return self._here or self._client.profiles.get(self._key)

    def _retry(self, exchange: Exchange, error: FindingError, retries: _Retries) -> bool:
        """Whether to ask again at once: an empty answer once, a refused body with less in it."""
        if error.finding == "stream.empty" and not retries.empties:
            retries.empties += 1
            return True
        if exchange.refusal is None or retries.amends >= MAX_AMENDS:
            return False
        amended = amend(self._profile, exchange.sent, *exchange.refusal)
        if amended is None or amended.profile == self._profile:
            return False
        retries.amends += 1
        if amended.lasting:
            kept = retries.lesson or self._client.profiles.get(self._key)
            lesson = amend(kept, exchange.sent, *exchange.refusal)
            retries.lesson = lesson.profile if lesson else None
        self._here = amended.profile
        return True

    def _learn(self, retries: _Retries) -> None:
        """Keep what the refusals taught, now that it worked."""
        if retries.lesson is not None:
            self._client.learn(self._key, retries.lesson)
            retries.lesson = None

    def _take_notice(self, exchange: Exchange) -> None:
        """Tell what was overcome, and remember an endpoint whose thoughts have no beginning."""
        reader, kept = exchange.reader, self._client.profiles.get(self._key)
        if (unopened := reader.unopened) is not None and unopened != self._profile.thinks_first:
            self._client.learn(self._key, replace(kept, thinks_first=unopened))
            self._here = self._here and replace(self._here, thinks_first=unopened)
        if self._notice is not None:
            for finding in reader.warnings.values():
                self._notice(self._endpoint, finding)


@dataclass(slots=True)
class _Retries:
    """What was tried again for one reply, and what that taught."""

    amends: int = 0
    empties: int = 0
    lesson: Profile | None = None


class Exchange:
    """One request and its answer.

    Attributes:
        url: the URL called, as it may be shown.
        reader: what was noticed in the answer.
        first_token_s: from the request to the first useful token; None before it.
        location: where a redirect points, if the answer was one.
        status: of the answer; None before it.
        sent: the body that is sent.
        refusal: status and first characters of an answer that was not 200.
    """

    def __init__(
        self,
        client: LlmClient,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        told: Told,
        body: Mapping[str, object],
        deadlines: Deadlines,
        reads: Callable[..., ReplyReader],
        since_s: float | None,
    ) -> None:
        endpoint = _fill(endpoint, told)
        secrets = list_secrets(endpoint)
        self._client = client
        self._session = session
        self._deadlines = deadlines
        self._model = endpoint.model or DEFAULT_MODEL
        self._secrets = secrets
        self._url = _check_url(endpoint, secrets)
        self.scene = Scene(self._url, secrets)
        self._headers = _check_headers(endpoint, told, self.scene)
        self._body = _encode(body, self.scene)
        self._since_s = since_s
        self._started_s = 0.0
        self._heard_s = 0.0  # when the last bytes came
        self._spoke_s: float | None = None  # when the last useful token came
        self.sent = body
        self.url = redact(show_url(self._url), secrets)
        self.reader = reads(self.scene, model=self._model)
        self.first_token_s: float | None = None
        self.location: str | None = None
        self.status: int | None = None
        self.refusal: tuple[int, str] | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Send the request and get the answer's words as they come. Raises LlmError.

        Closing the generator closes the connection at once.
        """
        self._started_s = self._now() if self._since_s is None else self._since_s
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
        self.refusal = (status, body)
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
        return join_url(endpoint.base_url, endpoint.query)
    except ValueError as error:
        scene = Scene(endpoint.base_url, secrets)
        shown = show_url(endpoint.base_url) or "an empty text"
        raise FindingError(scene.find("url.bad", url=shown, reason=str(error))) from error


def _fill(endpoint: Endpoint, told: Told) -> Endpoint:
    """`endpoint` with the variables in its headers and its query filled in."""
    return replace(
        endpoint,
        headers={name: fill(value, told) for name, value in endpoint.headers.items()},
        query={name: fill(value, told) for name, value in endpoint.query.items()},
    )


def _check_headers(endpoint: Endpoint, told: Told, scene: Scene) -> dict[str, str]:
    try:
        return build_headers(endpoint, told)
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
