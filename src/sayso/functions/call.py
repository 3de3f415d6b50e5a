"""Carries out one HTTP call of an external function; whatever happens, an outcome comes back.

Redirects are not followed, for a key must not go where it was not given for. A call is tried twice
only where that is safe: when nothing was sent, or when nothing can change (GET). Whoever changes
something gets a new connection: a kept one may be closed already, and then nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import structlog
from yarl import URL

from sayso.functions import Outcome
from sayso.functions.answer import Answer, Read, read_answer
from sayso.functions.arguments import ArgumentsError, read_arguments
from sayso.functions.definition import Function, redact
from sayso.functions.request import Request, Shown, check_shown, make_request
from sayso.security.outbound import MARK, hang_up, open_session, refuse_literal

MAX_READ_BYTES: Final = 128 * 1024
"""Of one answer; what is behind it is not read."""
MAX_CONNECTIONS: Final = 100
"""At once, of those that only read and of those that change something."""
SMALL_BYTES: Final = 8 * 1024
"""An answer up to here is read at once; it takes a fraction of a millisecond."""
MAX_TRIES: Final = 2
CONNECT_S: Final = 5.0
"""How long a connection may take, in seconds, if the call may take longer."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Called:
    """One call, for people who look into it.

    Attributes:
        outcome: what came of it.
        sent: what was sent, fixed values masked; None if nothing was.
        status: what the endpoint answered; None if it did not.
        tries: how often it was asked.
    """

    outcome: Outcome
    sent: Shown | None = None
    status: int | None = None
    tries: int = 0


class FailedCallError(Exception):
    """A call that failed: what the LLM is told, and the code."""

    def __init__(self, text: str, finding: str, status: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.finding = finding
        self.status = status


class _LostError(Exception):
    """A connection that was closed before the answer; nobody knows what the endpoint did."""


async def _tell_loss(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking again by itself, as it does with PUT and DELETE."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise _LostError(str(error)) from error


@dataclass(slots=True)
class _Attempt:
    """One request on its way."""

    request: Request
    status: int | None = None
    tries: int = field(default=0)


class HttpCalls:
    """Calls endpoints of owners, many at once."""

    def __init__(self, *, private: bool) -> None:
        """`private`: whether private and loopback addresses may be called (`outbound_private`)."""
        self._private = private
        self._reading: aiohttp.ClientSession | None = None
        self._changing: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pools; nobody is called yet."""
        self._reading = open_session(private=self._private, limit=MAX_CONNECTIONS)
        self._changing = open_session(private=self._private, limit=MAX_CONNECTIONS, reuses=False)

    async def close(self) -> None:
        """Let go of the connections."""
        sessions = [one for one in (self._reading, self._changing) if one is not None]
        self._reading = self._changing = None
        for session in sessions:
            await session.close()

    async def call(
        self, function: Function, arguments: str, variables: Mapping[str, str] | None = None
    ) -> Called:
        """Call `function` once.

        Args:
            function: whom to call.
            arguments: JSON as the LLM wrote it.
            variables: what `{{names}}` in its fixed values stand for.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        called = await self._call(function, arguments, variables or {})
        ms = round((loop.time() - began_s) * 1000, 1)
        outcome = called.outcome
        done = Called(
            Outcome(outcome.ok, outcome.text, ms, outcome.finding),
            called.sent,
            called.status,
            called.tries,
        )
        _log.info(
            "function_called",
            function_id=function.id,
            ok=outcome.ok,
            status=done.status,
            ms=ms,
            tries=done.tries,
            finding=outcome.finding,
        )
        return done

    async def _call(
        self, function: Function, arguments: str, variables: Mapping[str, str]
    ) -> Called:
        try:
            request = make_request(function, read_arguments(function, arguments), variables)
        except ArgumentsError as error:
            return Called(Outcome(ok=False, text=error.text, ms=0.0, finding=error.code))
        attempt = _Attempt(request)
        try:
            answer = await self._ask(attempt, function.timeout_s)
            read = await _read(answer, request.secrets)
            outcome = Outcome(read.ok, read.text, 0.0, read.finding)
        except FailedCallError as error:
            text = redact(error.text, request.secrets)
            outcome = Outcome(ok=False, text=text, ms=0.0, finding=error.finding)
        sent = check_shown(request.shown, request.secrets) if attempt.tries else None
        return Called(outcome, sent, attempt.status, attempt.tries)

    async def _ask(self, attempt: _Attempt, timeout_s: float) -> Answer:
        """The answer, at the second try if that is safe. Raises FailedCallError."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    attempt.tries += 1
                    try:
                        return await self._ask_once(attempt)
                    except (aiohttp.ClientError, _LostError, OSError, ValueError) as error:
                        again = attempt.tries < MAX_TRIES and _may_repeat(attempt, error)
                        if not again:
                            raise _explain(error) from error
        except TimeoutError:
            raise FailedCallError(
                f"The call failed: there was no answer within {timeout_s:g} seconds.", "timeout"
            ) from None

    async def _ask_once(self, attempt: _Attempt) -> Answer:
        request = attempt.request
        session = self._reading if request.repeatable else self._changing
        if session is None:
            raise FailedCallError("The call failed: the server is closing.", "connect.failed")
        url = URL(request.url, encoded=True)
        refuse_literal(url.host or "", private=self._private)
        response = await session.request(
            request.method,
            url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            middlewares=(_tell_loss,),
        )
        try:
            attempt.status = response.status
            _refuse_redirect(response)
            body, cut = await _read_body(response)
            return Answer(response.status, _kind_of(response), response.charset or "", body, cut)
        finally:
            hang_up(response)


def _kind_of(response: aiohttp.ClientResponse) -> str:
    """The media type that was sent; aiohttp's own default is none of the endpoint's saying."""
    sent = response.headers.get("Content-Type", "")
    return sent.partition(";")[0].strip().lower()


def _refuse_redirect(response: aiohttp.ClientResponse) -> None:
    if response.status in {301, 302, 303, 307, 308}:
        raise FailedCallError(
            f"The call failed: the server answered {response.status}, a redirect, and redirects "
            "are not followed.",
            "redirect.refused",
            response.status,
        )


async def _read_body(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The bytes of an answer up to the limit, and whether there are more."""
    body = bytearray()
    while piece := await response.content.readany():
        body += piece
        if len(body) > MAX_READ_BYTES:
            return bytes(body[:MAX_READ_BYTES]), True
    return bytes(body), False


async def _read(answer: Answer, secrets: tuple[str, ...]) -> Read:
    """The words of an answer; a large one is read beside the loop, where callers wait."""
    if len(answer.body) <= SMALL_BYTES:
        return read_answer(answer, secrets)
    return await asyncio.to_thread(read_answer, answer, secrets)


def _may_repeat(attempt: _Attempt, error: Exception) -> bool:
    """Whether to ask again: nothing was sent, or nothing can have changed."""
    if _is_refused(error) or isinstance(error, aiohttp.InvalidURL):
        return False
    if isinstance(error, aiohttp.ClientConnectorError):
        return not isinstance(error, aiohttp.ClientSSLError)
    lost = isinstance(
        error, (_LostError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)
    )
    return lost and attempt.request.repeatable


def _is_refused(error: Exception) -> bool:
    return MARK in str(error)


def _explain(error: Exception) -> FailedCallError:
    """What the LLM is told of a request without an answer; never an address, never a value."""
    finding, text = _name_failure(error)
    return FailedCallError(f"The call failed: {text}.", finding)


def _name_failure(error: Exception) -> tuple[str, str]:
    if _is_refused(error):
        return "outbound.refused", "its address may not be called"
    for kind, finding, text in _FAILURES:
        if isinstance(error, kind):
            return finding, text
    return "http.broken", "its server broke off, or did not answer as the web does"


_FAILURES: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns.failed", "its server is not known by that name"),
    (aiohttp.ClientSSLError, "tls.failed", "no encrypted connection to its server could be made"),
    (aiohttp.ClientConnectorError, "connect.failed", "its server cannot be reached"),
    (aiohttp.ConnectionTimeoutError, "connect.failed", "its server did not take the connection"),
    (aiohttp.InvalidURL, "function.bad", "its address is not valid"),
)
"""What a failure is called; the first kind that fits counts."""
