"""One request to an LLM and its answer: sends it, waits no longer than it may, hands on the words.

Two things keep it cheap, for a server reads a token of every conversation every 20 ms or so. One
timer watches the whole answer and is only moved when it rings. And whoever speaks the words can
spare them for a while once a clause is on its way: then the socket is left alone for a breath, and
what came meanwhile is read in one go.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import aiohttp
import msgspec
from aiohttp import ClientConnectionError, ClientError

from sayso.llm import Piece, Spare, no_spare
from sayso.llm.chunks import read_error
from sayso.llm.deadlines import Stopwatch
from sayso.llm.findings import Finding, FindingError, redact, round_s, show_url
from sayso.llm.reader import ReplyReader, is_about_model
from sayso.llm.request import Request
from sayso.security.outbound import find_refusal

MAX_ERROR_BODY_BYTES = 4096
"""How much of an error's body is read."""
ERROR_BODY_S = 2.0
"""How long an error's body is waited for, in seconds."""
BREATH_S = 0.1
"""How long the socket is left alone while the words can be spared, in seconds."""
SPARE_S = 0.75
"""The words can be spared while the listener has more than this much ahead, in seconds."""

_CODES: Mapping[int, str] = {
    404: "path.not_found",
    405: "path.not_found",
    429: "rate.limited",
}

_KEY_REFUSED = {
    "problem": "the key was refused",
    "advice": "it must be whole, belong to this server and be allowed to use this model",
}
_KEY_MISSING = {
    "problem": "no key was sent",
    "advice": "it is not set, and this server wants one",
}
_SETTINGS: Mapping[str, str] = {
    name: f"llm.timeouts.{name} (without it, SAYSO_LLM_{setting}_TIMEOUT_S)"
    for name, setting in (
        ("connectMs", "CONNECT"),
        ("firstTokenMs", "FIRST_TOKEN"),
        ("betweenTokensMs", "BETWEEN_TOKENS"),
    )
}
_BUDGET = "SAYSO_LLM_CHECK_TIMEOUT_S, the longest a check may take"


class _OverdueError(TimeoutError):
    """The next bytes did not come in time."""


class Exchange:
    """One request and its answer.

    Attributes:
        request: what is sent.
        sent: the body that is sent, before it became bytes.
        reader: what was noticed in the answer.
        location: where a redirect points, if the answer was one.
        status: of the answer; None before it.
        refusal: status and first characters of an answer that was not 200.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        sent: Mapping[str, object],
        watch: Stopwatch,
        reader: ReplyReader,
        let_go: Callable[[aiohttp.ClientResponse, bool], None],
        spare: Spare = no_spare,
    ) -> None:
        """Prepare `request`; `let_go` is given the response, and whether it was complete."""
        self._session = session
        self._watch = watch
        self._let_go = let_go
        self._spare = spare
        self._content: aiohttp.StreamReader | None = None  # while its next bytes are waited for
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.request = request
        self.sent = sent
        self.reader = reader
        self.location: str | None = None
        self.status: int | None = None
        self.refusal: tuple[int, str] | None = None

    @property
    def first_token_s(self) -> float | None:
        """From the beginning of the wait to the first useful token; None before it."""
        first_s = self._watch.first_s
        return None if first_s is None else first_s - self._watch.started_s

    @property
    def heard(self) -> bool:
        """Whether any bytes of an answer that was 200 came."""
        return self._watch.heard_s is not None

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Send the request; get the answer's words as they come, then its calls. Raises LlmError.

        Closing the generator closes the connection at once.
        """
        response = await self._post()
        self.status = response.status
        reader = self.reader
        try:
            if response.status != 200:
                raise FindingError(await self._read_refusal(response))
            while data := await self._next(response):
                calling = reader.calling
                if text := reader.feed(data):
                    self._count(text)
                    yield text
                if reader.calling > calling:
                    self._count("a call")
                if reader.failure or reader.done:
                    break
            if text := reader.finish():
                self._count(text)
                yield text
            if reader.failure:
                raise FindingError(reader.failure)
            for call in reader.calls:
                self._count("a call")
                yield call
        finally:
            self._disarm()
            self._let_go(response, reader.done)

    def _count(self, text: str) -> None:
        if not text.strip():
            return
        if self._watch.spoke_s is None:
            self._disarm()  # from now on another limit holds, which may be nearer
        self._watch.spoke(self._loop.time())

    # Sending -----------------------------------------------------------------------------------

    async def _post(self) -> aiohttp.ClientResponse:
        try:
            return await self._post_once()
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError):
            # A kept connection may have been closed while it rested: once more, on a new one.
            try:
                return await self._post_once()
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError) as error:
                raise FindingError(self.request.scene.find("connect.closed")) from error

    async def _post_once(self) -> aiohttp.ClientResponse:
        limits = aiohttp.ClientTimeout(total=None, connect=self._watch.deadlines.connect_s)
        try:
            async with asyncio.timeout_at(self._watch.until_s):
                return await self._session.post(
                    self.request.url,
                    data=self.request.body,
                    headers=self.request.headers,
                    allow_redirects=False,
                    timeout=limits,
                )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError):
            raise
        except aiohttp.ClientOSError as error:
            if _is_reset(error):  # closed as well, only less politely: llama.cpp does it
                raise aiohttp.ClientConnectionResetError(*error.args) from error
            raise FindingError(self._explain(error)) from error
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise FindingError(self._explain(error)) from error

    # Reading -----------------------------------------------------------------------------------

    async def _next(self, response: aiohttp.ClientResponse) -> bytes:
        """The bytes that came, as soon as there are some; none at the end."""
        if self._spare() > SPARE_S:
            await self._breathe(response)
        if self._alarm is None:
            self._alarm = self._loop.call_at(self._watch.until_s, self._ring)
        self._content = response.content
        try:
            data = await response.content.readany()
        except _OverdueError as error:
            if self.reader.calling and self.reader.complete:
                return b""  # all was said, and only its end is missing
            raise FindingError(self._explain_silence()) from error
        except (ClientError, OSError) as error:
            if self.reader.complete:
                return b""
            cut = self.request.scene.find("stream.cut", reason=_reason(error))
            raise FindingError(cut) from error
        finally:
            self._content = None
        if data:
            self._watch.heard_s = self._loop.time()
        return data

    def _ring(self) -> None:
        """The watch of the whole answer: wakes a wait that is overdue, else comes again."""
        until_s = self._watch.until_s
        if self._loop.time() < until_s:
            self._alarm = self._loop.call_at(until_s, self._ring)
            return
        self._alarm = None
        if self._content is not None:
            self._content.set_exception(_OverdueError())

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _breathe(self, response: aiohttp.ClientResponse) -> None:
        """Leave the socket alone for a moment: each wake-up costs more than a token's parsing."""
        transport = response.connection.transport if response.connection else None
        if transport is None:
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(BREATH_S)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    async def _read_refusal(self, response: aiohttp.ClientResponse) -> Finding:
        """The finding for an answer that is not 200."""
        find, status = self.request.scene.find, response.status
        if 300 <= status < 400:
            self.location = response.headers.get("Location", "")
            shown = redact(show_url(self.location), self.request.secrets) or "nowhere"
            return find("redirect.refused", status=status, location=shown)
        until_s = min(self._watch.until_s, self._loop.time() + ERROR_BODY_S)
        body = await _read_head(response, until_s)
        self.refusal = (status, body)
        if status in (400, 404, 422) and is_about_model(body):
            return find("model.unknown", body, model=self.reader.model)
        if status in (401, 403):
            return find("auth.refused", _error_text(body), status=status, **self._blame_key())
        if status in (405, 501) and body.lstrip()[:1] == "<":
            return find("http.html", body, status=status)  # a web site takes no POST
        return find(_CODES.get(status, "http.status"), _error_text(body), status=status)

    def _blame_key(self) -> dict[str, str]:
        """What to say of a key that was not taken, or not sent at all."""
        if self.request.has_key:
            return _KEY_REFUSED
        return _KEY_MISSING

    # Explaining --------------------------------------------------------------------------------

    def _explain_silence(self) -> Finding:
        """The finding for a wait that was given up; `Stopwatch.until_s` says which limit it was."""
        watch, find = self._watch, self.request.scene.find
        limits = watch.deadlines
        if watch.spoke_s is None:
            reason = "it sent nothing" if watch.heard_s is None else "it sent something else"
            limit_s = min(limits.first_token_s, limits.reply_s)
            return self._find_wait("first_token.slow", "firstTokenMs", limit_s, reason)
        if watch.outlasted:
            long = find("stream.too_long", reason=f"more than {round_s(limits.reply_s):g} s of it")
            cut = limits.is_cut(limits.reply_s)
            return replace(long, fix=f"Use a faster model, or raise {_BUDGET}.") if cut else long
        return self._find_wait("stream.stalled", "betweenTokensMs", limits.between_tokens_s)

    def _find_wait(self, code: str, field: str, limit_s: float, reason: str = "") -> Finding:
        """The finding `code`, with the limit that struck: in a check its own may be shortest."""
        cut = self._watch.deadlines.is_cut(limit_s)
        setting = _BUDGET if cut else _SETTINGS[field]
        shown_s = round_s(limit_s)
        return self.request.scene.find(code, limit_s=shown_s, setting=setting, reason=reason)

    def _explain(self, error: Exception) -> Finding:
        """The finding for a request that got no answer."""
        find = self.request.scene.find
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return self._find_wait("connect.timeout", "connectMs", self._watch.deadlines.connect_s)
        if isinstance(error, TimeoutError):
            return self._explain_silence()
        if isinstance(error, ClientConnectionError):
            return self._explain_connection(error)
        if isinstance(error, (aiohttp.InvalidURL, ValueError)):
            return find("url.bad", url=show_url(self.request.url), reason=_reason(error))
        return find("http.broken", reason=_reason(error))

    def _explain_connection(self, error: ClientConnectionError) -> Finding:
        find = self.request.scene.find
        reason = _reason(error)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return find("dns.failed", host=error.host, reason=reason)
        if isinstance(error, aiohttp.ClientSSLError):
            return find("tls.failed", reason=reason)
        if refusal := find_refusal(error):
            return find("outbound.refused", reason=refusal)
        if isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.ECONNREFUSED:
            return find("connect.refused", host=error.host, port=error.port)
        return find("connect.failed", reason=reason)


def _is_reset(error: aiohttp.ClientOSError) -> bool:
    """Whether a connection that stood was reset; not one that could not be made."""
    made = not isinstance(error, aiohttp.ClientConnectorError)
    return made and error.errno in (errno.ECONNRESET, errno.EPIPE)


async def _read_head(response: aiohttp.ClientResponse, until_s: float) -> str:
    """The first bytes of an error's body; what came, if it breaks off."""
    body = b""
    # The status says enough; the body is only evidence.
    with suppress(TimeoutError, ClientError, OSError):
        async with asyncio.timeout_at(until_s):
            while len(body) < MAX_ERROR_BODY_BYTES:
                data = await response.content.readany()
                if not data:
                    break
                body += data
    return body[:MAX_ERROR_BODY_BYTES].decode("utf-8", "replace")


def _error_text(body: str) -> str:
    """What an error's body says: its message if it has one, else its first bytes."""
    try:
        parsed: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body
    return read_error(parsed) or body


def _reason(error: Exception) -> str:
    """An exception in a few words."""
    inner = getattr(error, "os_error", None) or error
    text = getattr(inner, "strerror", None) or str(inner)
    return text or type(inner).__name__
