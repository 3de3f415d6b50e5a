"""One endpoint on trial: asks it things within a budget of time, and remembers what was noticed.

A trial has connections of its own: it sees what a first call costs, and disturbs no conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from sayso.llm import Endpoint, Message, Told, Tool
from sayso.llm.body import AMENDABLE, build_body
from sayso.llm.cadence import count_bursts
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import limit_waits, shorten
from sayso.llm.exchange import Exchange
from sayso.llm.findings import Finding, FindingError, Scene, redact, show_url
from sayso.llm.profile import STRANGER, Profile
from sayso.llm.progress import Progress, keep_still
from sayso.llm.reader import Form
from sayso.llm.request import join_url, list_secrets
from sayso.llm.stages import StageName
from sayso.llm.trace import Trace

MAX_ANSWER_CHARS = 500
"""How much of an answer a report shows."""
BUSY = frozenset((429, 503))
"""Statuses of a server that has no room for one more request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request.

    Attributes:
        text: the words, as far as they came or were waited for.
        failure: what went wrong, if something did.
        status: of the response; None if there was none.
        refusal: the first characters of a response that was not 200.
        sent: the body that was sent.
        arrivals_s: when words came, in seconds from the request.
        total_s: until the end, or until enough had come.
        warnings: what was overcome.
        form: what the body was.
        location: where a redirect points.
        heard: whether anything came behind the status of an answer that was 200.
        unopened: whether it began inside its thoughts; None if there is no telling.
        called: names of the functions it asked for, where it was offered some.
        url: what was called, as it may be shown.
    """

    url: str
    sent: Mapping[str, object]
    text: str = ""
    failure: Finding | None = None
    status: int | None = None
    refusal: str = ""
    arrivals_s: tuple[float, ...] = ()
    total_s: float = 0.0
    warnings: tuple[Finding, ...] = ()
    form: Form | None = None
    location: str | None = None
    heard: bool = False
    unopened: bool | None = None
    called: tuple[str, ...] = ()

    @property
    def first_s(self) -> float | None:
        """From the request to the first word, in seconds."""
        return self.arrivals_s[0] if self.arrivals_s else None

    @property
    def refused(self) -> bool:
        """Whether the server did not like the request itself."""
        if self.failure is None or self.failure.code == "model.unknown":
            return False
        told = self.failure.code == "stream.error_object" and not self.text
        return self.status in AMENDABLE or told

    @property
    def busy(self) -> bool:
        """Whether the server had no room."""
        return self.failure is not None and self.status in BUSY


class Trial:
    """What is known about an endpoint so far.

    Attributes:
        endpoint: who is on trial.
        profile: what it tolerates, as far as that was found out.
        findings: what was noticed, by code.
        trace: what happened on its connections.
        scene: where findings are made.
    """

    def __init__(
        self,
        client: LlmClient,
        trace: Trace,
        endpoint: Endpoint,
        profile: Profile,
        until_s: float,
        progress: Progress,
    ) -> None:
        """Try `endpoint` with `client`, which is open, until `until_s` of the loop's clock."""
        self._client = client
        self._until_s = until_s
        self._progress = progress
        self.endpoint = endpoint
        self.profile = profile
        self.trace = trace
        self.findings: dict[str, Finding] = {}
        self.secrets = list_secrets(endpoint)
        self.scene = Scene(_name(endpoint), self.secrets)

    @property
    def left_s(self) -> float:
        """How much time is left, in seconds; not below 0."""
        return max(0.0, self._until_s - asyncio.get_running_loop().time())

    async def rest(self, pause: Awaitable[None]) -> None:
        """Wait for `pause`; that time is not counted."""
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        await pause
        self._until_s += now_s() - began_s

    def note(self, code: str, evidence: str = "", **facts: object) -> None:
        """Make a finding; the first of a code stays."""
        if code not in self.findings:
            self.findings[code] = self.scene.find(code, evidence, **facts)
            self._progress.find(self.findings[code])

    async def list_models(self, limit_s: float) -> tuple[str, ...]:
        """The models the endpoint offers, if it says so within `limit_s` seconds."""
        return await self._client.list_models(self.endpoint, min(self.left_s, limit_s))

    async def ask(  # noqa: PLR0913 - all that one question may differ in
        self,
        messages: Sequence[Message],
        *,
        profile: Profile | None = None,
        extra: Mapping[str, object] | None = None,
        enough: int | None = None,
        enough_chars: int | None = None,
        limit_s: float | None = None,
        spoke: asyncio.Event | None = None,
        endpoint: Endpoint | None = None,
        tools: Sequence[Tool] = (),
    ) -> Answer:
        """Send one request as a conversation would. Raises nothing of the LLM's.

        Args:
            messages: what to ask.
            profile: what to leave out; else as far as is known.
            extra: fields to add to the body, instead of those it has.
            enough: hang up once words came in so many bursts.
            enough_chars: hang up once so many characters of words came.
            limit_s: wait at most so long, within what is left.
            spoke: is set when the first words came, or none will.
            endpoint: somebody else instead.
            tools: functions it may call, told as `profile` says.
        """
        who = endpoint or self.endpoint
        body = build_body(who, messages, profile or self.profile, Told(), tools)
        body |= extra or {}
        left_s = self.left_s if limit_s is None else min(self.left_s, limit_s)
        try:
            return await self._ask(who, body, left_s, (enough, enough_chars), spoke, tools)
        finally:
            if spoke is not None:
                spoke.set()

    async def _ask(
        self,
        who: Endpoint,
        body: Mapping[str, object],
        left_s: float,
        enough: tuple[int | None, int | None],
        spoke: asyncio.Event | None,
        tools: Sequence[Tool],
    ) -> Answer:
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        deadlines = shorten(limit_waits(self._client.deadlines, who.timeouts), left_s)
        said: list[str] = []
        called: list[str] = []
        arrivals_s: list[float] = []
        failure: Finding | None = None
        exchange: Exchange | None = None
        try:
            exchange = self._client.ask(
                who, (), deadlines, body=body, profile=self.profile, tools=tools
            )
            async with aclosing(exchange.pieces()) as pieces:
                async for piece in pieces:
                    if not isinstance(piece, str):
                        called.append(piece.name)
                        continue
                    said.append(piece)
                    if piece.strip():
                        arrivals_s.append(now_s() - began_s)
                        self._progress.reach(StageName.FIRST_TOKEN, arrivals_s[0])
                        if spoke is not None:
                            spoke.set()
                    if _is_enough(enough, arrivals_s, said):
                        break
        except FindingError as error:
            failure = error.detail
        answer = Answer(
            url=redact(show_url(who.base_url), self.secrets),
            sent=body,
            text=redact("".join(said)[:MAX_ANSWER_CHARS], self.secrets),
            failure=failure,
            arrivals_s=tuple(arrivals_s),
            total_s=now_s() - began_s,
            called=tuple(called),
        )
        return answer if exchange is None else _complete(answer, exchange)


def _is_enough(
    enough: tuple[int | None, int | None], arrivals_s: Sequence[float], said: Sequence[str]
) -> bool:
    """Whether words came in so many bursts, or so many characters of them."""
    bursts, chars = enough
    return (bursts is not None and count_bursts(arrivals_s) >= bursts) or (
        chars is not None and sum(map(len, said)) >= chars
    )


def _complete(answer: Answer, exchange: Exchange) -> Answer:
    return replace(
        answer,
        url=exchange.request.shown,
        status=exchange.status,
        refusal="" if exchange.refusal is None else exchange.refusal[1],
        warnings=tuple(exchange.reader.warnings.values()),
        form=exchange.reader.form,
        location=exchange.location,
        heard=exchange.heard,
        unopened=exchange.reader.unopened,
    )


def _name(endpoint: Endpoint) -> str:
    """The URL as findings name it; one that cannot be called is named as it was given."""
    try:
        return join_url(endpoint.base_url)
    except ValueError:
        return endpoint.base_url


@asynccontextmanager
async def on_trial(
    client: LlmClient,
    endpoint: Endpoint,
    *,
    budget_s: float,
    profile: Profile = STRANGER,
    progress: Progress | None = None,
) -> AsyncIterator[Trial]:
    """Put `endpoint` on trial for at most `budget_s` seconds, by the limits of `client`.

    `progress` tells whoever watches.
    """
    progress = progress or Progress(keep_still, secure=False)
    until_s = asyncio.get_running_loop().time() + budget_s
    trace = Trace(progress.reach)
    own = client.fresh(trace.config())
    await own.open()
    try:
        yield Trial(own, trace, endpoint, profile, until_s, progress)
    finally:
        await own.close()
