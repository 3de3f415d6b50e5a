"""Asks an OpenAI-compatible server, and says exactly what is wrong when it does not answer.

`LlmClient` owns the connections of the process; `bind` makes the `Llm` of one agent; `ask` is
the same with what was noticed on the way, for the check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import structlog
from aiohttp import ClientError

from sayso.config import Settings
from sayso.llm import Endpoint, Llm, Message, Mishap, Piece, Spare, Told, Tool, ignore, no_spare
from sayso.llm.body import DEFAULT_MODEL, amend, build_body
from sayso.llm.deadlines import Deadlines, Stopwatch, limit_waits
from sayso.llm.exchange import Exchange
from sayso.llm.findings import Finding, FindingError, show_url
from sayso.llm.notary import Notary
from sayso.llm.offers import MAX_LIST_BYTES, models_url, read_models
from sayso.llm.profile import (
    STRANGER,
    MemoryProfiles,
    Profile,
    ProfileKey,
    Profiles,
    key_of,
)
from sayso.llm.reader import ReplyReader
from sayso.llm.request import make_request
from sayso.security.outbound import hang_up, open_session

MAX_CONNECTIONS = 512
"""Requests under way at once; the next ones wait, within their connect timeout."""
DRAIN_S = 1.0
"""How long the end of a complete answer is waited for, to keep its connection for the next."""
MAX_AMENDS = 6
"""How often one question is asked again with less in it; OpenAI names one culprit at a time."""

log = structlog.get_logger("sayso.llm")


def deadlines_of(settings: Settings) -> Deadlines:
    """How long the operator lets an answer take."""
    return Deadlines(
        connect_s=settings.llm_connect_timeout_s,
        first_token_s=settings.llm_first_token_timeout_s,
        between_tokens_s=settings.llm_between_tokens_timeout_s,
        reply_s=settings.llm_reply_timeout_s,
    )


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

    def bind(self, endpoint: Endpoint, told: Told | None = None, *, shown: str = "") -> Llm:
        """The `Llm` of an agent whose `llm` field is `endpoint`, in the conversation `told`.

        In records it is called `shown`, if that is not "": where it is, is not the owner's then.
        """
        return _Bound(self, endpoint, told or Told(), self._notice, shown)

    def ask(  # noqa: PLR0913 - all that one request may differ in
        self,
        endpoint: Endpoint,
        messages: Sequence[Message],
        deadlines: Deadlines | None = None,
        *,
        body: Mapping[str, object] | None = None,
        profile: Profile = STRANGER,
        told: Told | None = None,
        since_s: float | None = None,
        spare: Spare = no_spare,
        tools: Sequence[Tool] = (),
    ) -> Exchange:
        """Prepare one request; iterate its `pieces` to send it.

        Args:
            endpoint: whom to ask.
            messages: what to ask.
            deadlines: other limits than the endpoint's own.
            body: is sent exactly as it is, in place of one made from `messages`.
            profile: what the endpoint tolerates.
            told: the conversation, as far as the endpoint is told of it.
            since_s: when the waiting began, on the loop's clock; else now.
            spare: how long the words can be spared, asked before each reading.
            tools: functions it may call.

        Raises:
            LlmError: the endpoint cannot be called at all.
        """
        if self._session is None:
            raise RuntimeError("the LLM client is not open")
        told = told or Told()
        body = build_body(endpoint, messages, profile, told, tools) if body is None else body
        request = make_request(endpoint, told, body)
        reader = ReplyReader(
            request.scene,
            model=endpoint.model or DEFAULT_MODEL,
            inside=profile.thinks_first,
            tools=[tool.name for tool in tools],
        )
        started_s = asyncio.get_running_loop().time() if since_s is None else since_s
        watch = Stopwatch(deadlines or self.deadlines_for(endpoint), started_s)
        return Exchange(self._session, request, body, watch, reader, self._let_go, spare)

    async def list_models(self, endpoint: Endpoint, limit_s: float) -> tuple[str, ...]:
        """The models `endpoint` offers; none if it does not say within `limit_s` seconds.

        For a check: no conversation waits for this.
        """
        if self._session is None:
            raise RuntimeError("the LLM client is not open")
        request = make_request(endpoint, Told(), {})
        headers = {n: v for n, v in request.headers.items() if n != "Content-Type"}
        try:
            async with asyncio.timeout(limit_s):
                response = await self._session.get(
                    models_url(request.url), headers=headers, allow_redirects=False
                )
                try:
                    return await _read_models(response)
                finally:
                    hang_up(response)
        except (TimeoutError, ClientError, OSError, ValueError):
            return ()  # the list only helps; what is wrong is known without it

    def deadlines_for(self, endpoint: Endpoint) -> Deadlines:
        """How long `endpoint` may take: as its agent says, else as the operator does."""
        return limit_waits(self.deadlines, endpoint.timeouts)

    def learn(self, key: ProfileKey, profile: Profile, since: Profile) -> None:
        """Keep what was learned about an endpoint, beside the conversation; `since` was known."""
        self._do_aside(_keep(self.profiles, key, profile, since))

    def _do_aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    def _let_go(self, response: aiohttp.ClientResponse, complete: bool) -> None:
        """Free an answer's connection: for reuse if its end is near, by closing it if not."""
        if response.content.at_eof() or not complete:
            hang_up(response)
            return
        task = self._do_aside(_drain(response))
        # Not in the task's own `finally`: one that is cancelled before it began has none.
        task.add_done_callback(lambda _: hang_up(response))


async def _read_models(response: aiohttp.ClientResponse) -> tuple[str, ...]:
    """The names in the answer to a question for models."""
    body = b""
    while response.status == 200 and (data := await response.content.readany()):
        body += data
        if len(body) > MAX_LIST_BYTES:
            return ()
    return read_models(body)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the few bytes behind `[DONE]`, so that the connection can serve the next answer."""
    try:
        async with asyncio.timeout(DRAIN_S):
            while await response.content.readany():
                pass
    except (TimeoutError, ClientError, OSError):
        pass  # the answer is complete; only the connection is lost


async def _keep(profiles: Profiles, key: ProfileKey, profile: Profile, since: Profile) -> None:
    try:
        await profiles.put(key, profile, since)
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
        shown: str = "",
    ) -> None:
        self._shown = shown
        self._client = client
        self._endpoint = endpoint
        self._told = told
        self._notice = notice
        self._key = key_of(endpoint, DEFAULT_MODEL)
        self._here: Profile | None = None  # knows more than what is kept, for this agent only

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        since_s = asyncio.get_running_loop().time()
        retries = _Retries()
        while True:
            exchange = self._client.ask(
                self._endpoint,
                messages,
                profile=self._profile,
                told=self._told,
                since_s=since_s,
                spare=spare,
                tools=tools,
            )
            notary = Notary(exchange, tools, self._shown)
            try:
                async with aclosing(exchange.pieces()) as pieces:
                    async for piece in pieces:
                        self._learn(retries)
                        notary.note(piece)
                        yield piece
                notary.outcome = "answered"
            except FindingError as error:
                notary.outcome, notary.finding = "failed", error.finding
                if exchange.first_token_s is not None or not self._retry(exchange, error, retries):
                    raise
                mishap(error)
            else:
                self._take_notice(exchange)
                return
            finally:
                notary.close()

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
            if retries.lesson is None:
                retries.since = self._client.profiles.get(self._key)
            lesson = amend(retries.lesson or retries.since, exchange.sent, *exchange.refusal)
            retries.lesson = lesson.profile if lesson else None
        self._here = amended.profile
        return True

    def _learn(self, retries: _Retries) -> None:
        """Keep what the refusals taught, now that it worked."""
        if retries.lesson is not None:
            self._client.learn(self._key, retries.lesson, retries.since)
            retries.lesson = None

    def _take_notice(self, exchange: Exchange) -> None:
        """Tell what was overcome, and remember an endpoint whose thoughts have no beginning."""
        reader, kept = exchange.reader, self._client.profiles.get(self._key)
        if (unopened := reader.unopened) is not None and unopened != self._profile.thinks_first:
            self._client.learn(self._key, replace(kept, thinks_first=unopened), kept)
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
    since: Profile = STRANGER
