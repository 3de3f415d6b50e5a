"""Assembles the server: the one place where adapters are chosen and rooms meet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI

from sayso.abilities import Abilities, list_allowed, list_tongues, phrases_of
from sayso.accounts.schema import Account
from sayso.accounts.service import Accounts
from sayso.agents.checks import Checked, LlmChecks
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.reports import LlmCheckView
from sayso.agents.schema import Agent as StoredAgent
from sayso.agents.schema import AnsweredBy
from sayso.agents.service import Agents, Checks
from sayso.api import Services, build_api
from sayso.clock import Clock, SystemClock
from sayso.config import Settings
from sayso.console.pages import page_routes
from sayso.conversations.recorder import Recorder
from sayso.conversations.service import Conversations
from sayso.conversations.watch import keep_watch
from sayso.door import Door
from sayso.engines import EngineConfig, load_engine
from sayso.eot import Eot
from sayso.errors import InstallationError, KnowledgeError, NotFoundError
from sayso.functions.call import HttpCalls
from sayso.functions.mcp.commands import read_commands
from sayso.functions.mcp.pool import McpPool
from sayso.functions.service import Functions
from sayso.knowledge import Retriever
from sayso.knowledge.embed import Embedder
from sayso.knowledge.local import Indexes
from sayso.knowledge.passages import Found
from sayso.knowledge.place import Place
from sayso.knowledge.remote import Retrieval
from sayso.library import make_library
from sayso.llm import Endpoint, Llm, Message, Mind, Told
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.builtin import Builtin
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient, deadlines_of
from sayso.llm.failover import Runner, Standby
from sayso.llm.findings import show_url
from sayso.llm.gguf import make_gguf, use_gguf
from sayso.llm.grounded import Grounded
from sayso.llm.inspector import Inspector
from sayso.llm.learned import LearnedProfiles
from sayso.llm.notes import Notes
from sayso.llm.profile import Profiles, key_of
from sayso.llm.prompt import PromptParts, build_messages, cut_text, fill_parts
from sayso.llm.verdict import CheckReport, make_document
from sayso.models import MODELS_DIR
from sayso.observe.health import health_routes
from sayso.security.secrets import load_secrets
from sayso.sources.service import OWN_TEXT
from sayso.store.database import Database
from sayso.store.profiles import ProfileStore
from sayso.stt import Stt
from sayso.talk.agent import Agent, Prompt
from sayso.talk.deeds import as_messages
from sayso.talk.endpointing import PRESETS, Preset
from sayso.talk.history import Line
from sayso.talk.ladder import Ladder
from sayso.talk.lookup import Lookup
from sayso.talk.record import Stopwatch
from sayso.talk.session import Limits, Rooms
from sayso.transport.playai import Setup
from sayso.tts import Tts
from sayso.tts.voices import choose_voice
from sayso.vad import Vad
from sayso.variables import choose, fill_text, find_missing
from sayso.welcome import Welcome, welcome

if TYPE_CHECKING:
    from sayso.observe.traces import Traces

log = structlog.get_logger("sayso.app")

CODEC_THREADS = 2
"""Threads that encode mp3, Ogg and FLAC for all conversations."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Engines:
    """Everything that computes: the rooms, the LLMs, the built-in mind."""

    rooms: Rooms
    client: LlmClient
    check: LlmCheck
    standby: Standby
    mind: Builtin
    embedder: Embedder
    retrieval: Retrieval


class Server:
    """One Sayso server: made from settings, opened and closed by the ASGI lifespan.

    Attributes:
        app: the ASGI application.
        door: who may talk, and who is inside.
        welcome: who the owner is; set once the server has started.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Choose adapters and wire them; nothing is opened, loaded or connected yet."""
        self._gguf = make_gguf(settings)
        if self._gguf is not None:
            settings = use_gguf(settings, self._gguf)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._database = Database(settings.database)
        self._profiles = LearnedProfiles(ProfileStore(self._database, self._clock))
        self._engines = make_engines(settings, self._profiles, quiet=self._is_quiet)
        self._inspector = Inspector(self._engines.check, self._profiles, self._is_quiet)
        self._mcp = McpPool(
            private=settings.outbound_private, commands=read_commands(settings.mcp_commands)
        )
        secrets = load_secrets(settings.data_dir, settings.master_key)
        self.accounts = Accounts(self._database, secrets, self._clock)
        self._checks = LlmChecks(self._database, self._clock, self._check_llm)
        self.library = make_library(settings, self._database, self._clock, self._engines.embedder)
        self._indexes = Indexes(self.library.knowledge, self._engines.embedder)
        self.agents = Agents(
            self._database,
            secrets,
            self._clock,
            checks=Checks(
                self._checks,
                KnowledgeChecks(
                    self._clock, self._ask_for_knowledge, settings.own_retrieval_timeout_s
                ),
                self._mcp,
            ),
            sources=self.library.sources,
            built_in=answered_by(settings),
            max_agents=settings.max_agents,
        )
        self._calls = HttpCalls(private=settings.outbound_private)
        self.functions = Functions(
            self._database,
            secrets,
            self._clock,
            calls=self._calls,
            private=settings.outbound_private,
            max_functions=settings.max_functions,
        )
        self._abilities = Abilities(self.functions, self._calls, self._mcp)
        self._conversations = Conversations(self._database)
        self._traces = make_traces(settings.traces_url) if settings.traces_url else None
        self._recorder = Recorder(
            self._database, max_records=settings.max_unsaved_records, witness=self._traces
        )
        self.door = self._make_door()
        self.welcome: Welcome | None = None
        self._reading: set[asyncio.Task[None]] = set()
        # Apart from the agents' own, so that no stranger's text pushes theirs out of memory.
        self._visitors = Builtin(self._engines.embedder)
        self.app = self._make_app()

    def _make_door(self) -> Door:
        return Door(
            accounts=self.accounts,
            agents=self.agents,
            conversations=self._conversations,
            recorder=self._recorder,
            rooms=self._engines.rooms,
            ready=self._make_ready,
            limits=partial(limits_of, self._settings),
            max_conversations=self._settings.max_conversations,
            setup_timeout_s=self._settings.setup_timeout_s,
            url=self._settings.url,
            clock=self._clock,
        )

    def _make_app(self) -> FastAPI:
        services = Services(
            self.accounts,
            self.agents,
            self._conversations,
            self.functions,
            self.library.sources,
            self._engines.rooms.tts.voices,
            self._answer_extractively,
        )
        app = build_api(services, self._settings, self._clock, lifespan=self._live)
        app.router.routes.extend(self.door.routes)
        app.router.routes.extend(
            health_routes(lambda: self.door.inside, self._settings.max_conversations)
        )
        app.router.routes.extend(
            page_routes(self.agents.name_for_visitors, self.agents.answered_by)
        )
        return app

    @asynccontextmanager
    async def _live(self, _: FastAPI) -> AsyncGenerator[None]:
        """From the first thing opened to the last thing closed, in order and in reverse."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._database.close)
            await self._conversations.close_abandoned(self._clock.utc())
            await self._profiles.open()
            await self._calls.open()
            closing.push_async_callback(self._calls.close)
            if self._gguf is not None:
                closing.push_async_callback(self._gguf.close)
                await self._gguf.open()
            await open_engines(self._engines, closing, embeds=not self._settings.builtin_llm_url)
            await self._mcp.open()
            closing.push_async_callback(self._mcp.close)
            writer = asyncio.create_task(self._recorder.run())
            closing.callback(writer.cancel)
            watch = keep_watch(self._recorder, self._conversations, self._clock)
            closing.push_async_callback(_end, asyncio.create_task(watch))
            if self._traces is not None:
                closing.push_async_callback(self._traces.close)
            closing.push_async_callback(self._recorder.close)
            closing.push_async_callback(self._stop_reading)
            closing.push_async_callback(self.door.empty, self._settings.drain_s)
            await closing.enter_async_context(self.library.live())
            closing.push_async_callback(self._indexes.close)
            checker = asyncio.create_task(self._checks.run())
            closing.callback(checker.cancel)
            closing.push_async_callback(_end, asyncio.create_task(self._look_at_own_llm()))
            self.welcome = await welcome(self.accounts, self.agents)
            yield

    async def _check_llm(self, endpoint: Endpoint) -> Checked:
        """Try an LLM, in the words of the agents' room."""
        seen = await self._inspector.look(endpoint)

        async def deepen() -> LlmCheckView:
            return view_report(await seen.deepen())

        if not seen.report.ok:
            return Checked(view_report(seen.report))
        deep = self._settings.llm_deep_check
        return Checked(view_report(seen.report), seen.learn, deepen if deep else None)

    async def _ask_for_knowledge(self, place: Place, query: str) -> Sequence[Found]:
        """Ask an owner's retrieval server, whether or not it rests."""
        return await self._engines.retrieval.ask(place, query, ())

    async def _look_at_own_llm(self) -> None:
        """Check the operator's LLM, if there is one; whatever it does, the server runs."""
        endpoint = builtin_endpoint(self._settings)
        if endpoint is None:
            return
        try:
            await self._inspector.look_at_own(endpoint, deep=self._settings.llm_deep_check)
        except Exception:  # noqa: BLE001 - a check must not end what it is beside
            _log.exception("builtin_llm_not_checked")

    def _is_quiet(self) -> bool:
        """Whether no conversation would wait for a check."""
        return not self.door.inside

    async def _make_ready(self, stored: StoredAgent, setup: Setup, conversation_id: str) -> Agent:
        """A stored agent with what a client adds to it, ready to talk."""
        settings = self._settings
        told = Told(
            conversation_id,
            stored.id,
            setup.caller,
            stored.display_name,
            choose(setup.values, stored.variables),
        )
        parts = make_parts(stored, setup.prompt or "")
        wanted = stored.greeting if setup.custom_greeting is None else setup.custom_greeting
        failure = stored.failure_message or ""
        values = told.values
        _report_missing(stored, (wanted or "", failure, *parts.texts), values)
        parts = fill_parts(parts, values)
        greeting = fill_text(wanted or "", values).strip()
        rooms, brief = self._engines.rooms, self._make_brief(stored, parts)
        voice = choose_voice(stored.voice, rooms.tts.voices)

        def prompt_in(language: str) -> Prompt:
            return partial(_prompt, brief, language, settings.max_history_chars)

        tongues = list_tongues(stored, rooms.stt, rooms.tts.voices, prompt_in)
        return Agent(
            id=stored.id,
            greeting=greeting,
            voice=voice.id,
            speed=stored.voice_speed or 1.0,
            language=stored.language,
            llm=self._choose_llm(stored, told, make_notes(parts, greeting)),
            prompt=prompt_in(stored.language),
            failure_message=fill_text(failure, values).strip(),
            reading=stored.apply_text_normalization,
            ladder=ladder_of(settings, stored),
            phrases=phrases_of(stored, stored.language, voice.language),
            nudges=stored.idle_messages or (),
            goodbye=stored.end_call_message or "",
            end_phrases=stored.end_call_phrases,
            longest_s=stored.max_duration_s,
            patience=Preset(stored.patience) if stored.patience else None,
            interruptible=stored.interruptible,
            tools=await self._abilities.gather(stored, values),
            allowed=list_allowed(stored, tongues),
            tongues=tongues,
            lookup=self._choose_lookup(stored, values),
        )

    def _make_brief(self, stored: StoredAgent, parts: PromptParts) -> Brief:
        """What the prompts of one conversation say, with as much knowledge as fits.

        Once all of a longer text can be searched, that is left to the search: what fits a question
        is found, and prompts stay short. An owner's own server knows nothing of that text.
        """
        room = self._settings.max_prompt_knowledge_chars
        text = stored.critical_knowledge or ""
        if len(text) <= room:
            return Brief(parts)
        brief = Brief(replace(parts, critical_knowledge=cut_text(parts.critical_knowledge, room)))
        if stored.knowledge is None:
            self._do_aside(self._leave_to_search(stored.id, text, brief))
        return brief

    async def _leave_to_search(self, agent_id: str, text: str, brief: Brief) -> None:
        if await self.library.sources.is_searchable(agent_id, text):
            brief.parts = replace(brief.parts, critical_knowledge="")

    def _choose_lookup(self, stored: StoredAgent, values: Mapping[str, str]) -> Lookup:
        """Where an agent's knowledge is looked up: its owner's server first, if there is one."""
        settings, places = self._settings, (self._indexes.of(stored.id, partial(_fill, values)),)
        self._do_aside(self._prepare_index(stored.id))
        own: Retriever | None = None
        if stored.knowledge is not None:
            place = stored.knowledge.fill(values).within(settings.own_retrieval_timeout_s)
            own = self._engines.retrieval.bind(place)
        return Lookup(places, settings.retrieval_passages, settings.retrieval_timeout_s, own)

    async def _prepare_index(self, agent_id: str) -> None:
        """Read what an agent knows while its greeting plays; the first question may need it."""
        try:
            if await self._indexes.of(agent_id).prepare():
                await self._engines.embedder.open()
        except Exception:  # noqa: BLE001 - its questions will fail, and say so one by one
            _log.exception("knowledge_not_read", agent_id=agent_id)

    def _choose_llm(self, stored: StoredAgent, told: Told, notes: Notes) -> Mind:
        """The agent's own LLM and its fallbacks, else the built-in one; held to what it knows."""
        endpoints = (stored.llm, *stored.fallbacks) if stored.llm else (None,)
        mind = self._engines.standby.bind(
            [self._make_runner(endpoint, stored.owner_id, told, notes) for endpoint in endpoints],
            hedge_after_s=stored.hedge_after_s,
        )
        if not notes.answer_only:
            return mind
        self._do_aside(self._learn(notes))
        return Grounded(mind, self._engines.mind, notes, stored.language)

    def _make_runner(self, own: Endpoint | None, owner_id: str, told: Told, notes: Notes) -> Runner:
        """One who may answer; None is the operator's LLM, else the agent's notes."""
        endpoint = own or builtin_endpoint(self._settings)
        if endpoint is None:
            return Runner(self._bind_notes(notes))
        bind = self._engines.client.bind
        return Runner(
            bind(endpoint, told),
            name_llm(endpoint),
            # An owner's impatience or trouble is not other owners' trouble.
            key=(key_of(endpoint, DEFAULT_MODEL), endpoint.timeouts, owner_id),
            probe=bind(replace(endpoint, variables=told.variables)),
            shown="" if own else "built-in",  # where the operator's LLM is, is not the owner's
        )

    def _bind_notes(self, notes: Notes) -> Llm:
        self._do_aside(self._learn(notes))
        return self._engines.mind.bind(notes)

    async def _learn(self, notes: Notes) -> None:
        """Read notes while the greeting plays, so that the first question does not wait for it.

        Where the operator's own LLM answers, nobody may have embedded anything before.
        """
        await self._engines.embedder.open()
        await self._engines.mind.learn(notes)

    async def _answer_extractively(
        self, account: Account, agent_id: str | None, messages: Sequence[Message]
    ) -> AsyncGenerator[str, None]:
        """What the built-in mind says to `messages`, for an agent or for whoever asks."""
        if not self._engines.embedder.is_open:
            raise NotFoundError(
                "the built-in mind is not loaded: SAYSO_BUILTIN_LLM_URL answers in its place"
            )
        if agent_id is None:
            mind, notes = self._visitors, Notes(agent_prompt=read_system(messages))
        else:
            await self.agents.get(account, agent_id)
            stored = await self.agents.load(agent_id)
            ready = await self._make_ready(stored, Setup(), "")
            parts = fill_parts(make_parts(stored), stored.variables)
            mind, notes = self._engines.mind, make_notes(parts, ready.greeting)
            watch = Stopwatch(self._clock.now_s())
            messages = await ready.lookup.add(messages, watch, self._clock, _tell_log)
        async with aclosing(mind.bind(notes).reply(messages)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece

    def _do_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._reading.add(task)
        task.add_done_callback(self._note_done)

    def _note_done(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("not_done_aside", exc_info=error)

    async def _stop_reading(self) -> None:
        for task in list(self._reading):
            await _end(task)


def _report_missing(stored: StoredAgent, texts: Sequence[str], values: Mapping[str, str]) -> None:
    """One line of the log that names variables without a value; values are in none."""
    endpoints = [one for one in (stored.llm, *stored.fallbacks) if one]
    sent = [text for one in endpoints for text in (*one.headers.values(), *one.query.values())]
    sent += stored.knowledge.headers.values() if stored.knowledge else ()
    if missing := find_missing((*texts, *sent), values):
        log.warning("variables_missing", names=missing)


def make_parts(stored: StoredAgent, appended: str = "") -> PromptParts:
    """What an agent, and the client of a conversation, bring to a prompt."""
    return PromptParts(
        name=stored.display_name,
        agent_prompt=stored.prompt or "",
        critical_knowledge=stored.critical_knowledge or "",
        answer_only=stored.answer_only_from_critical_knowledge,
        appended_prompt=appended,
        language=stored.language,
    )


def read_system(messages: Sequence[Message]) -> str:
    """The system messages of a request, as notes."""
    return "\n\n".join(line.content for line in messages if line.role == "system")


def _tell_log(error: KnowledgeError) -> None:
    log.warning("lookup_failed", finding=error.finding, error=error.message)


def make_notes(parts: PromptParts, greeting: str) -> Notes:
    """What the built-in mind answers from."""
    prompt = "\n\n".join(text for text in (parts.agent_prompt, parts.appended_prompt) if text)
    return Notes(parts.name, greeting, prompt, parts.critical_knowledge, parts.answer_only)


@dataclass
class Brief:
    """What the next prompt of a conversation says of the agent."""

    parts: PromptParts


def _prompt(brief: Brief, language: str, max_chars: int, lines: Sequence[Line]) -> list[Message]:
    parts = replace(brief.parts, language=language)
    return build_messages(parts, as_messages(lines), max_chars=max_chars)


def _fill(values: Mapping[str, str], found: Found) -> Found:
    """A passage of an agent's own text with the variables in it filled in; others are as found."""
    passage = found.passage
    if passage.source_name != OWN_TEXT:
        return found
    return replace(found, passage=replace(passage, text=fill_text(passage.text, values)))


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait([task])


# Choosing ------------------------------------------------------------------------------------


def make_engines(
    settings: Settings,
    profiles: Profiles | None = None,
    quiet: Callable[[], bool] = lambda: True,
) -> Engines:
    """The engines the settings name; nothing is loaded yet.

    `profiles` are what LLM endpoints were seen to tolerate; kept in memory unless given.
    `quiet` says whether nobody talks: then documents are embedded faster.

    Raises:
        InstallationError: a setting names an engine that is not installed.
    """
    config = EngineConfig(
        models_dir=settings.models_dir or MODELS_DIR, outbound_private=settings.outbound_private
    )
    vad: Vad = load_engine("sayso.vad", settings.vad, replace(config, options=settings.vad_options))
    stt: Stt = load_engine(
        "sayso.stt",
        settings.stt,
        replace(
            config,
            workers=settings.stt_workers,
            timeout_s=settings.stt_timeout_s,
            options=settings.stt_options,
        ),
    )
    eot: Eot = load_engine(
        "sayso.eot",
        settings.eot,
        replace(
            config,
            workers=settings.eot_workers,
            timeout_s=settings.eot_timeout_s,
            options=settings.eot_options,
        ),
    )
    tts: Tts = load_engine(
        "sayso.tts",
        settings.tts,
        replace(
            config,
            workers=settings.tts_workers,
            timeout_s=settings.tts_timeout_s,
            options=settings.tts_options,
        ),
    )
    client = LlmClient(deadlines_of(settings), private=settings.outbound_private, profiles=profiles)
    embedder = Embedder(config.models_dir, quiet)
    codecs = ThreadPoolExecutor(CODEC_THREADS, thread_name_prefix="codec")
    return Engines(
        rooms=Rooms(vad, stt, tts, eot, codecs),
        client=client,
        check=LlmCheck(
            client,
            budget_s=settings.llm_check_timeout_s,
            start_s=settings.llm_reply_start_timeout_s,
        ),
        standby=Standby(start_s=settings.llm_reply_start_timeout_s),
        mind=Builtin(embedder),
        embedder=embedder,
        retrieval=Retrieval(private=settings.outbound_private),
    )


def make_traces(url: str) -> Traces:
    """What sends the times of turns to the collector at `url`; read from disk only if wanted.

    Raises:
        InstallationError: OpenTelemetry is not installed.
    """
    try:
        from sayso.observe.traces import open_traces  # noqa: PLC0415 - half a second, and an extra
    except ImportError as missing:
        raise InstallationError(
            f"SAYSO_TRACES_URL is set, but OpenTelemetry is not installed: {missing}",
            hint=f"Run `{sys.executable} -m pip install opentelemetry-sdk "
            "opentelemetry-exporter-otlp-proto-http`, or unset SAYSO_TRACES_URL.",
        ) from None
    return open_traces(url)


async def open_engines(engines: Engines, closing: AsyncExitStack, *, embeds: bool) -> None:
    """Load and warm everything, so that the first caller does not pay; `closing` undoes it.

    Without `embeds` the embedder is left out until a document needs it: 110 MiB for the built-in
    mind, which nobody meets where the operator's own LLM answers for agents that have none.
    """
    rooms = engines.rooms
    closing.callback(rooms.codecs.shutdown, wait=False, cancel_futures=True)
    for engine in (
        rooms.vad,
        rooms.stt,
        rooms.eot,
        rooms.tts,
        engines.client,
        engines.retrieval,
    ):
        await engine.open()
        closing.push_async_callback(engine.close)
    closing.push_async_callback(engines.embedder.close)
    if embeds:
        await engines.embedder.open()
    closing.push_async_callback(engines.standby.close)


def view_report(report: CheckReport) -> LlmCheckView:
    """A report in the words of the agents' room."""
    return LlmCheckView.model_validate(make_document(report))


def answered_by(settings: Settings) -> AnsweredBy:
    """What answers for agents without an `llm`."""
    return "built-in-llm" if settings.builtin_llm_url else "built-in-extractive"


def name_llm(endpoint: Endpoint) -> str:
    """An LLM as logs and records name it: two models of one server are two LLMs."""
    url = show_url(endpoint.base_url)
    return f"{url} ({endpoint.model})" if endpoint.model else url


def builtin_endpoint(settings: Settings) -> Endpoint | None:
    """The operator's own LLM for agents without one."""
    if settings.builtin_llm_url is None:
        return None
    return Endpoint(
        base_url=settings.builtin_llm_url,
        api_key=settings.builtin_llm_key,
        model=settings.builtin_llm_model,
    )


def ladder_of(settings: Settings, stored: StoredAgent) -> Ladder:
    """How an agent bears silence: its own way, else the operator's.

    One that has nothing to say in between hangs up when it would have.
    """
    idle_s = settings.idle_timeout_s if stored.idle_timeout_s is None else stored.idle_timeout_s
    nudges = settings.idle_nudges if stored.idle_messages_max is None else stored.idle_messages_max
    ladder = Ladder(idle_s or inf, nudges, stored.silence_timeout_s or inf)
    if stored.idle_messages == ():
        return Ladder(ladder.idle_s * (nudges + 1), 0, ladder.silence_s)
    return ladder


def limits_of(settings: Settings, agent: Agent, patience_s: float | None) -> Limits:
    """What bounds a conversation with `agent` whose client asked for `patience_s`, if it did."""
    least_s = settings.patience_s if patience_s is None else patience_s
    return Limits(
        policy=replace(
            PRESETS[agent.patience or Preset(settings.patience)],
            least_s=least_s or 0.0,
            interruption_s=settings.interruption_s,
            speculates=settings.speculate,
        ),
        utterance_s=settings.max_utterance_s,
        conversation_s=settings.max_conversation_s,
        stt_timeout_s=settings.stt_timeout_s,
        pacing_ahead_s=settings.pacing_ahead_s,
        warning_s=settings.warning_s,
        filler_after_s=settings.filler_after_s,
    )


def create_app() -> FastAPI:
    """The application from the environment, for any ASGI server's `--factory`."""
    return Server(Settings()).app
