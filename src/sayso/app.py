"""Assembles the server: the one place where adapters are chosen and rooms meet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import structlog
from fastapi import FastAPI

from sayso.abilities import Abilities
from sayso.accounts.schema import read_rules
from sayso.accounts.service import Accounts
from sayso.admission import Admission
from sayso.agents.avatars import Avatars
from sayso.agents.checks import Checked, LlmChecks
from sayso.agents.issues import LlmIssue
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.options import AnsweredBy
from sayso.agents.reports import LlmCheckView, LlmStageView, Step, Tell
from sayso.agents.servers import Checks
from sayso.agents.service import Agents, Rules
from sayso.api import Services, build_api
from sayso.api.previews import Previews
from sayso.archive import make_archive
from sayso.clock import Clock, SystemClock
from sayso.config import Settings
from sayso.console.built import console_routes
from sayso.console.pages import page_routes
from sayso.conversations.recorder import Recorder
from sayso.conversations.service import Conversations
from sayso.conversations.watch import keep_watch
from sayso.door import Door
from sayso.engines import EngineConfig, load_engine
from sayso.eot import Eot
from sayso.errors import InstallationError
from sayso.functions.call import HttpCalls
from sayso.functions.mcp.commands import read_commands
from sayso.functions.mcp.pool import McpPool
from sayso.functions.service import Functions
from sayso.knowledge.embed import Embedder
from sayso.knowledge.passages import Found
from sayso.knowledge.place import Place
from sayso.knowledge.remote import Retrieval
from sayso.library import make_library
from sayso.llm import Endpoint, progress
from sayso.llm.builtin import Builtin
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient, deadlines_of
from sayso.llm.failover import Standby
from sayso.llm.gguf import make_gguf, use_gguf
from sayso.llm.inspector import Inspector
from sayso.llm.learned import LearnedProfiles
from sayso.llm.lexicon import Lexicon
from sayso.llm.profile import Profiles
from sayso.llm.stages import Stage
from sayso.llm.verdict import CheckReport, make_document, show_finding, show_stage
from sayso.models import MODELS_DIR
from sayso.observe.health import health_routes
from sayso.ready import Engines, Ready, builtin_endpoint, end_task, limits_of
from sayso.security.secrets import load_secrets
from sayso.store.database import Database
from sayso.store.profiles import ProfileStore
from sayso.stt import Stt
from sayso.talk.rooms import Rooms
from sayso.tts import Tts
from sayso.vad import Vad
from sayso.welcome import Welcome, greet, welcome

if TYPE_CHECKING:
    from sayso.observe.traces import Traces

log = structlog.get_logger("sayso.app")

CODEC_THREADS = 2
"""Threads that encode mp3, Ogg and FLAC for all conversations."""

_log = structlog.get_logger(__name__)


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
        self.accounts = Accounts(self._database, secrets, self._clock, read_rules(settings))
        self._checks = LlmChecks(self._database, self._clock, self._check_llm)
        self.library = make_library(settings, self._database, self._clock, self._engines.embedder)
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
            avatars=Avatars(settings.data_dir),
            rules=Rules(
                answered_by(settings), settings.max_agents, settings.keep_deleted_min, settings.url
            ),
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
        self._ready = Ready(
            settings,
            self._engines,
            self.agents,
            self.library,
            Abilities(self.functions, self._calls, self._mcp),
            self._clock,
        )
        self._conversations = Conversations(self._database)
        self._traces = make_traces(settings.traces_url) if settings.traces_url else None
        self._archive = make_archive(settings, self._database, self._clock, self.library.jobs)
        self._recorder = Recorder(
            self._database,
            max_records=settings.max_unsaved_records,
            witness=self._traces,
            schedule=self._archive.recordings.schedule,
        )
        self._archive.recordings.tell_lost = self._recorder.recording_lost
        self.door = self._make_door()
        self.welcome: Welcome | None = None
        self.app = self._make_app()

    def _make_door(self) -> Door:
        return Door(
            accounts=self.accounts,
            agents=self.agents,
            conversations=self._conversations,
            recorder=self._recorder,
            rooms=self._engines.rooms,
            ready=self._ready.make,
            limits=partial(limits_of, self._settings),
            max_conversations=self._settings.max_conversations,
            setup_timeout_s=self._settings.setup_timeout_s,
            url=self._settings.url,
            clock=self._clock,
            recordings=self._archive.recordings if self._settings.recordings == "on" else None,
        )

    def _make_app(self) -> FastAPI:
        services = Services(
            self.accounts,
            self.agents,
            self._conversations,
            self.functions,
            self.library.sources,
            self._engines.rooms.tts.voices,
            self._archive.records,
            self._archive.recordings,
            self._archive.analytics,
            self._ready.search,
            Previews(self._engines.rooms.tts),
            self._ready.answer_extractively,
            partial(greet, self.agents),
        )
        app = build_api(services, self._settings, self._clock, lifespan=self._live)
        app.router.routes.extend(self.door.routes)
        app.router.routes.extend(
            health_routes(lambda: self.door.inside, self._settings.max_conversations)
        )
        app.router.routes.extend(console_routes())
        admission = Admission(self.accounts, self.agents, self._settings.url)
        app.router.routes.extend(
            page_routes(
                self.agents.name_for_visitors, self.agents.answered_by, admission.list_origins
            )
        )
        return app

    @asynccontextmanager
    async def _live(self, _: FastAPI) -> AsyncGenerator[None]:
        """From the first thing opened to the last thing closed, in order and in reverse."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._database.close)
            await self._conversations.close_abandoned(self._clock.utc())
            await self._archive.recordings.open()
            closing.push_async_callback(self._archive.recordings.close)
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
            closing.push_async_callback(end_task, asyncio.create_task(watch))
            if self._traces is not None:
                closing.push_async_callback(self._traces.close)
            closing.push_async_callback(self._recorder.close)
            closing.push_async_callback(self._ready.close)
            closing.push_async_callback(self.door.empty, self._settings.drain_s)
            await closing.enter_async_context(self.library.live(self._archive.duties))
            keeping = self._archive.keeper.run()
            closing.push_async_callback(end_task, asyncio.create_task(keeping))
            closing.push_async_callback(self.accounts.uses.store)
            uses = asyncio.create_task(self.accounts.uses.run())
            closing.push_async_callback(end_task, uses)
            purge = asyncio.create_task(self.agents.deletion.run())
            closing.push_async_callback(end_task, purge)
            checker = asyncio.create_task(self._checks.run())
            closing.callback(checker.cancel)
            closing.push_async_callback(end_task, asyncio.create_task(self._look_at_own_llm()))
            self.welcome = await welcome(self.accounts, self.agents)
            yield

    async def _check_llm(self, endpoint: Endpoint, tell: Tell) -> Checked:
        """Try an LLM, in the words of the agents' room."""
        seen = await self._inspector.look(endpoint, lambda step: tell(view_step(step)))

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
        mind=Builtin(embedder, Lexicon()),
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


def view_step(step: progress.Step) -> Step:
    """What a check tells on its way, in the words of the agents' room."""
    if isinstance(step, Stage):
        return LlmStageView.model_validate(show_stage(step))
    return LlmIssue(**cast("Any", show_finding(step)))


def view_report(report: CheckReport) -> LlmCheckView:
    """A report in the words of the agents' room."""
    return LlmCheckView.model_validate(make_document(report))


def answered_by(settings: Settings) -> AnsweredBy:
    """What answers for agents without an `llm`."""
    return "built-in-llm" if settings.builtin_llm_url else "built-in-extractive"


def create_app() -> FastAPI:
    """The application from the environment, for any ASGI server's `--factory`."""
    return Server(Settings()).app
