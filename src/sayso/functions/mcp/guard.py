"""The way of the MCP client to a server over HTTP: through a guarded session, judged each time.

The client makes its requests with httpx2; this transport has them made by a session of
`security/outbound.py`, so that every connection, after a redirect too, is to an address that may
be called. Nothing is read that is larger than the limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
import httpx2
from yarl import URL

from sayso.security.outbound import MARK, hang_up, refuse_literal

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""Of one answer, and of one event of a stream."""
CONNECT_S: Final = 5.0
"""How long a connection may take, in seconds."""
_OURS: Final = frozenset(
    {"host", "connection", "content-length", "accept-encoding", "transfer-encoding", "keep-alive"}
)
"""Headers of a request that aiohttp makes itself."""
_UNDONE: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers of an answer that aiohttp has taken care of."""


@dataclass(slots=True)
class Trouble:
    """What went wrong on the way, which the client does not pass on.

    Attributes:
        finding: its code; "" as long as nothing did.
        status: the last refusal by HTTP; 0 if there was none.
        untouched: whether nothing was sent.
        fatal: whether the client is about to give the connection up.
    """

    finding: str = ""
    status: int = 0
    untouched: bool = False
    fatal: bool = False


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Makes the requests of an httpx2 client with a guarded session."""

    def __init__(self, session: aiohttp.ClientSession, trouble: Trouble, *, private: bool) -> None:
        """`private`: whether private and loopback addresses may be called."""
        self._session = session
        self._trouble = trouble
        self._private = private

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one request. Raises ConnectError, whose message names no address."""
        body = await request.aread()
        try:
            response = await self._send(request, body)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            finding, untouched = name_failure(error)
            if request.method == "POST":  # others only listen, and may fail
                self._trouble.finding, self._trouble.untouched = finding, untouched
                self._trouble.fatal = True
            raise httpx2.ConnectError(finding, request=request) from None
        if request.method == "POST":
            self._note(response)
        headers = [
            (name, value) for name, value in response.headers.items() if name.lower() not in _UNDONE
        ]
        return httpx2.Response(
            response.status, headers=headers, stream=_Body(response, self._trouble), request=request
        )

    async def _send(self, request: httpx2.Request, body: bytes) -> aiohttp.ClientResponse:
        url = URL(str(request.url), encoded=True)
        refuse_literal(url.host or "", private=self._private)
        sent = [
            (name, value)
            for name, value in request.headers.multi_items()
            if name.lower() not in _OURS
        ]
        return await self._session.request(
            request.method,
            url,
            data=body or None,
            headers=sent,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        )

    def _note(self, response: aiohttp.ClientResponse) -> None:
        if response.status in {301, 302, 303, 307, 308}:
            self._trouble.finding = "redirect.refused"  # unless the client follows it
        else:
            self._trouble.finding = ""
            self._trouble.status = response.status if response.status >= 400 else 0


class _Body(httpx2.AsyncByteStream):
    """What a server answers, piece by piece; a stream of events may be endless."""

    def __init__(self, response: aiohttp.ClientResponse, trouble: Trouble) -> None:
        self._response = response
        self._trouble = trouble
        self._endless = response.content_type == "text/event-stream"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        try:
            async for piece in self._response.content.iter_any():
                read += len(piece)
                if read > MAX_ANSWER_BYTES and not self._endless:
                    self._trouble.finding = "answer.large"
                    raise httpx2.StreamError("the answer is too large")
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            self._trouble.finding, self._trouble.untouched = name_failure(error)[0], False
            raise httpx2.ReadError(self._trouble.finding) from None

    async def aclose(self) -> None:
        hang_up(self._response)
        await asyncio.sleep(0)


def name_failure(error: Exception) -> tuple[str, bool]:
    """Why a request had no answer, as a code, and whether nothing was sent."""
    if MARK in str(error):
        return "outbound.refused", True
    for kind, finding in _FAILURES:
        if isinstance(error, kind):
            return finding, finding != "http.broken"
    return "http.broken", False


_FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns.failed"),
    (aiohttp.ClientSSLError, "tls.failed"),
    (aiohttp.ClientConnectorError, "connect.failed"),
    (aiohttp.ConnectionTimeoutError, "connect.failed"),
    (aiohttp.InvalidURL, "url.invalid"),
)
