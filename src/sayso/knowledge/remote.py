"""Asks the owner's own retrieval server what it knows: one POST a turn, within a deadline.

The contract is the one Dify published as its External Knowledge API, so servers written for that
work here unchanged: `POST {baseURL}/retrieval` with `query`, `knowledge_id` and
`retrieval_setting`, answered by `records`. Sayso adds `context`, what was said before. What goes
wrong has a code of its own (`FINDINGS`), at the check and in a conversation alike.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from sayso.errors import KnowledgeError
from sayso.health import Health
from sayso.knowledge.passages import Found, Passage
from sayso.knowledge.place import PROBE, Place
from sayso.remote import MAX_COMPLAINT_CHARS, clean, find_fault, name_reason, quote, show
from sayso.security.outbound import MARK, OutboundError, hang_up, open_session, refuse_literal

MAX_ANSWER_BYTES: Final = 1_048_576
"""Longest answer that is read."""
MAX_RECORD_CHARS: Final = 4000
"""How much of a record an answer may stand on."""
MAX_CONNECTIONS: Final = 256
CONNECTION_HEADERS: Final = frozenset(
    (
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that are not the owner's to set, in lower case."""

log = structlog.get_logger("sayso.knowledge")


class Retrieval:
    """All connections to owners' retrieval servers, and which of those rest; share one."""

    def __init__(
        self, *, private: bool = True, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`private`: whether private and loopback addresses may be called; `now_s`: a clock."""
        self._private = private
        self._now_s = now_s
        self._health = Health()
        self._looks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session. Opens no connection."""
        self._http = open_session(private=self._private, limit=MAX_CONNECTIONS)

    async def close(self) -> None:
        """Close every connection."""
        for look in tuple(self._looks):
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    def bind(self, place: Place) -> RemoteRetriever:
        """The `Retriever` of an agent whose knowledge is at `place`."""
        return RemoteRetriever(self, place)

    async def find(self, place: Place, asked: str, context: Sequence[str]) -> list[Found]:
        """As `ask`, but one that keeps failing rests: nobody waits for it meanwhile.

        Raises:
            KnowledgeError: it failed, or rests.
        """
        if self._health.is_resting(place.key, self._now_s()):
            self._look_again(place)
            raise _fail(
                place,
                "retrieval.resting",
                "keeps failing, and is left alone until it is well again",
                "Look for its last failure in the log or the conversation's turns.",
            )
        return await self._ask_and_learn(place, asked, context)

    async def _ask_and_learn(self, place: Place, asked: str, context: Sequence[str]) -> list[Found]:
        try:
            found = await self.ask(place, asked, context)
        except KnowledgeError as error:
            if self._health.failed(place.key, self._now_s()):
                rest_s = self._health.of(place.key).rest_s
                url = show(place.url)
                log.warning("retrieval_rests", url=url, finding=error.finding, rest_s=rest_s)
            raise
        if self._health.worked(place.key):
            log.info("retrieval_is_well_again", url=show(place.url))
        return found

    def _look_again(self, place: Place) -> None:
        """Ask one that rests, beside the conversation, now and then."""
        if self._health.should_probe(place.key, self._now_s()):
            look = asyncio.create_task(self._look(place))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    async def _look(self, place: Place) -> None:
        with suppress(KnowledgeError):  # its health knows
            await self._ask_and_learn(place, PROBE, ())

    async def ask(self, place: Place, asked: str, context: Sequence[str]) -> list[Found]:
        """Its records about what was `asked`, best first. Raises KnowledgeError."""
        if self._http is None:
            raise RuntimeError("retrieval is not open")
        if fault := find_fault(place.base_url.strip()):
            raise KnowledgeError(
                f"the retrieval server cannot be called: {fault}",
                finding="retrieval.url",
                hint="Give knowledge.baseURL the address of the server, without /retrieval.",
            )
        try:
            async with asyncio.timeout(place.timeout_s):
                return await self._post(place, asked, context)
        except TimeoutError as error:
            raise _fail(
                place,
                "retrieval.timeout",
                f"took longer than {place.timeout_s * 1000:.0f} ms",
                "Make it faster, or raise knowledge.timeoutMs: the caller waits meanwhile.",
            ) from error

    async def _post(self, place: Place, asked: str, context: Sequence[str]) -> list[Found]:
        try:
            refuse_literal(urlsplit(place.url).hostname or "", private=self._private)
            assert self._http is not None  # noqa: S101 - `ask` has looked
            response = await self._http.post(
                place.url,
                json=make_body(place, asked, context),
                headers=make_headers(place),
                allow_redirects=False,
            )
            try:
                body = await _read(place, response)
            finally:
                hang_up(response)
        except (aiohttp.ClientError, OSError, ValueError, OutboundError) as error:
            raise _explain(place, error) from error
        return read_records(place, body)


@dataclass(frozen=True, slots=True)
class RemoteRetriever:
    """The `Retriever` of one agent."""

    retrieval: Retrieval
    place: Place

    async def find(self, asked: str, context: Sequence[str], limit: int) -> list[Found]:
        """See `Retriever`; the owner's `topK` counts, not `limit`."""
        del limit
        return await self.retrieval.find(self.place, asked, context)


def make_body(place: Place, asked: str, context: Sequence[str]) -> dict[str, Any]:
    """What is sent."""
    return {
        "knowledge_id": place.knowledge_id,
        "query": asked,
        "retrieval_setting": {"top_k": place.top_k, "score_threshold": 0.0},
        "context": list(context),
    }


def make_headers(place: Place) -> dict[str, str]:
    """With what headers; the owner's win over ours. Raises KnowledgeError."""
    headers = {"Accept": "application/json"}
    if place.token:
        headers["Authorization"] = f"Bearer {place.token}"
    ours = {name.lower(): name for name in headers}
    for name, value in place.headers.items():
        if name.lower() in CONNECTION_HEADERS:
            raise _fail(
                place,
                "retrieval.header",
                f"was not called: the header {name} belongs to the connection",
                f"Take {name} out of knowledge.headers.",
            )
        headers.pop(ours.get(name.lower(), ""), None)
        headers[name] = value
    return headers


def read_records(place: Place, body: bytes) -> list[Found]:
    """The records of an answer, best first as the server has them. Raises KnowledgeError."""
    fix = 'Answer {"records": [{"content": "...", "score": 0.9, "title": "..."}]}.'
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        quoted = quote(body, place.secrets)
        raise _fail(place, "retrieval.not_json", f"did not answer JSON: {quoted}", fix) from error
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        quoted = quote(body, place.secrets)
        raise _fail(place, "retrieval.no_records", f"answered without `records`: {quoted}", fix)
    found = [_read_record(n, one) for n, one in enumerate(records[: place.top_k])]
    return [one for one in found if one is not None]


def _read_record(number: int, record: object) -> Found | None:
    if not isinstance(record, dict) or not isinstance(record.get("content"), str):
        return None
    text = record["content"].strip()[:MAX_RECORD_CHARS]
    told = record.get("metadata")
    facts: Mapping[str, Any] = told if isinstance(told, dict) else {}
    title = _text(record.get("title"))
    source = _text(facts.get("source")) or _text(facts.get("path")) or title
    page, score = facts.get("page"), record.get("score")
    passage = Passage(
        id=_text(facts.get("id")) or str(number),
        text=text,
        source_id="",
        source_name=source or "retrieval",
        page=page if isinstance(page, int) and not isinstance(page, bool) else None,
        title=title if title != source else "",
        url=_text(facts.get("url")),
    )
    fit = float(score) if isinstance(score, int | float) else 0.0
    return Found(passage, min(1.0, max(0.0, fit))) if text else None


def _text(value: object) -> str:
    return value.strip()[:MAX_COMPLAINT_CHARS] if isinstance(value, str) else ""


async def _read(place: Place, response: aiohttp.ClientResponse) -> bytes:
    """The whole body of a good answer. Raises KnowledgeError for another."""
    if 300 <= response.status < 400:
        raise _fail(
            place,
            "retrieval.redirect",
            f"answered {response.status}, a redirect; redirects are not followed",
            "Give knowledge.baseURL the address where the server really is.",
        )
    body = b""
    while piece := await response.content.readany():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise _fail(
                place,
                "retrieval.too_long",
                f"answered more than {MAX_ANSWER_BYTES // 1024} KiB",
                "Answer fewer or shorter records.",
            )
    if response.status != 200:
        raise _fail(
            place,
            "retrieval.status",
            f"answered {response.status}: {quote(body, place.secrets)}",
            "Look into its log; check knowledge.apiKey and knowledge.headers."
            if response.status in (401, 403)
            else "Look into its log; Sayso calls POST {baseURL}/retrieval.",
        )
    return body


def _explain(place: Place, error: Exception) -> KnowledgeError:
    reason = name_reason(error)
    if MARK in reason or isinstance(error, OutboundError):
        return _fail(
            place,
            "retrieval.address",
            f"was not called: {clean(reason, place.secrets)}",
            "Use an address this server may call, or ask its operator.",
        )
    return _fail(
        place,
        "retrieval.unreachable",
        f"cannot be reached: {clean(reason, place.secrets)}",
        "Start the server, or correct knowledge.baseURL.",
    )


def _fail(place: Place, finding: str, what: str, fix: str) -> KnowledgeError:
    return KnowledgeError(
        f"the retrieval server at {show(place.url)} {what}", finding=finding, hint=fix
    )
