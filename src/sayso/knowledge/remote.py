"""Asks the owner's own retrieval server what it knows: one POST a turn, within a deadline.

The contract is the one Dify published as its External Knowledge API, so servers written for that
work here unchanged: `POST {baseURL}/retrieval` with `query`, `knowledge_id` and
`retrieval_setting`, answered by `records`. Sayso adds `context`, what was said before. What goes
wrong has a code of its own (`FINDINGS`), at the check and in a conversation alike.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from pydantic import SecretStr

from sayso.errors import KnowledgeError
from sayso.knowledge.passages import Found, Passage
from sayso.remote import MAX_COMPLAINT_CHARS, clean, find_fault, name_reason, quote, show
from sayso.security.outbound import MARK, OutboundError, hang_up, open_session, refuse_literal

MAX_ANSWER_BYTES: Final = 1_048_576
"""Longest answer that is read."""
MAX_RECORD_CHARS: Final = 4000
"""How much of a record an answer may stand on."""
MAX_CONNECTIONS: Final = 256
PROBE: Final = "What do you know?"
"""What a check asks."""


@dataclass(frozen=True, slots=True)
class Place:
    """One retrieval server, as an agent's `knowledge` field names it.

    Attributes:
        base_url: what `/retrieval` is added to.
        api_key: sent as a Bearer token, if there is one.
        knowledge_id: which of its collections; the agent's id unless the owner says.
        top_k: the most records that are asked for.
        timeout_s: how long it may take, in seconds.
        headers: sent with each request.
    """

    base_url: str = field(repr=False)
    api_key: SecretStr | None = None
    knowledge_id: str = ""
    top_k: int = 4
    timeout_s: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """Where it is asked."""
        parts = urlsplit(self.base_url.strip())
        path = parts.path.rstrip("/").removesuffix("/retrieval") + "/retrieval"
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))

    @property
    def shown(self) -> str:
        """The same as it may be shown: a query may hold a key."""
        return show(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may quote."""
        key = self.api_key.get_secret_value() if self.api_key else ""
        query = urlsplit(self.url).query
        values = [pair.rpartition("=")[2] for pair in query.split("&")]
        return tuple(filter(None, (key, *self.headers.values(), *values)))


class Retrieval:
    """All connections to owners' retrieval servers; share one."""

    def __init__(self, *, private: bool = True) -> None:
        """`private`: whether private and loopback addresses may be called."""
        self._private = private
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session. Opens no connection."""
        self._http = open_session(private=self._private, limit=MAX_CONNECTIONS)

    async def close(self) -> None:
        """Close every connection."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    def bind(self, place: Place) -> RemoteRetriever:
        """The `Retriever` of an agent whose knowledge is at `place`."""
        return RemoteRetriever(self, place)

    async def check(self, place: Place) -> str:
        """Ask `place` something, as a conversation would; what is odd about the answer, or "".

        Raises:
            KnowledgeError: a conversation would get nothing from it.
        """
        found = await self.ask(place, PROBE, ())
        if not found:
            return f"{place.shown} answered, but found nothing for {PROBE!r}"
        return ""

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
        return await self.retrieval.ask(self.place, asked, context)


def make_body(place: Place, asked: str, context: Sequence[str]) -> dict[str, Any]:
    """What is sent."""
    return {
        "knowledge_id": place.knowledge_id,
        "query": asked,
        "retrieval_setting": {"top_k": place.top_k, "score_threshold": 0.0},
        "context": list(context),
    }


def make_headers(place: Place) -> dict[str, str]:
    """With what headers; the owner's win over ours."""
    headers = {"Accept": "application/json"}
    if place.api_key:
        key = place.api_key.get_secret_value().strip().removeprefix("Bearer ").strip()
        headers["Authorization"] = f"Bearer {key}"
    ours = {name.lower(): name for name in headers}
    for name, value in place.headers.items():
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
        f"the retrieval server at {place.shown} {what}", finding=finding, hint=fix
    )
