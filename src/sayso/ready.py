"""Makes a stored agent ready to talk: who answers for it, what it knows, and how it behaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any, Final

import structlog

from sayso.abilities import Abilities, list_allowed, list_tongues, phrases_of
from sayso.accounts.schema import Account
from sayso.agents.agent import Agent as StoredAgent
from sayso.agents.service import Agents
from sayso.clock import Clock
from sayso.config import Settings
from sayso.errors import ConflictError, KnowledgeError, NotFoundError
from sayso.knowledge import Retriever
from sayso.knowledge.embed import Embedder
from sayso.knowledge.local import Indexes
from sayso.knowledge.passages import Found
from sayso.knowledge.remote import Retrieval
from sayso.library import Library
from sayso.llm import Endpoint, Llm, Message, Mind, Told
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.builtin import EXTRACTIVE, Builtin, Late
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.failover import Runner, Standby
from sayso.llm.findings import show_url
from sayso.llm.grounded import Grounded
from sayso.llm.notes import Notes
from sayso.llm.profile import key_of
from sayso.llm.prompt import PromptParts, build_messages, cut_text, fill_parts
from sayso.sources.service import OWN_TEXT
from sayso.talk.agent import Agent, Prompt
from sayso.talk.deeds import as_messages
from sayso.talk.endpointing import PRESETS, Preset
from sayso.talk.history import Line
from sayso.talk.ladder import Ladder
from sayso.talk.lookup import Lookup
from sayso.talk.record import Stopwatch
from sayso.talk.rooms import Limits, Rooms
from sayso.transport.playai import Setup
from sayso.tts.voices import choose_voice
from sayso.variables import choose, fill_text, find_missing

log = structlog.get_logger("sayso.app")

EXTRACT_S: Final = 2.0
"""How long an agent without a language model waits for passages, in seconds: all it has."""

SEARCH_S: Final = 10.0
"""How long an owner who asks waits for passages, in seconds: nobody is on the line."""


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


class Ready:
    """Makes agents ready.

    Args:
        settings: of the operator.
        engines: everything that computes.
        agents: the stored agents.
        library: what they know.
        abilities: what they may do.
        clock: tells the time.
    """

    def __init__(
        self,
        settings: Settings,
        engines: Engines,
        agents: Agents,
        library: Library,
        abilities: Abilities,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._engines = engines
        self._agents = agents
        self._library = library
        self._abilities = abilities
        self._clock = clock
        self._indexes = Indexes(library.knowledge, engines.embedder)
        self._reading: set[asyncio.Task[None]] = set()
        # Apart from the agents' own, so that no stranger's text pushes theirs out of memory.
        self._visitors = Builtin(engines.embedder, engines.mind.lexicon)

    async def make(self, stored: StoredAgent, setup: Setup, conversation_id: str) -> Agent:
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

        tools, arrival = await self._abilities.gather(stored, values)
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
            tools=tools,
            arrival=arrival,
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
        if await self._library.sources.is_searchable(agent_id, text):
            brief.parts = replace(brief.parts, critical_knowledge="")

    def _choose_lookup(self, stored: StoredAgent, values: Mapping[str, str]) -> Lookup:
        """Where an agent's knowledge is looked up: its owner's server first, if there is one."""
        settings, places = self._settings, (self._indexes.of(stored.id, partial(_fill, values)),)
        self._do_aside(self._prepare_index(stored.id))
        own: Retriever | None = None
        if stored.knowledge is not None:
            place = stored.knowledge.fill(values).within(settings.own_retrieval_timeout_s)
            own = self._engines.retrieval.bind(place)
        extracts = stored.llm is None and settings.builtin_llm_url is None
        least_s = EXTRACT_S if extracts else 0.0
        deadline_s = max(least_s, settings.retrieval_timeout_s)
        return Lookup(places, settings.retrieval_passages, deadline_s, own)

    async def _prepare_index(self, agent_id: str) -> None:
        """Read what an agent knows while its greeting plays; the first question may need it."""
        try:
            if await self._indexes.of(agent_id).prepare():
                await self._engines.embedder.open()
        except Exception:
            log.exception("knowledge_not_read", agent_id=agent_id)

    def _choose_llm(self, stored: StoredAgent, told: Told, notes: Notes) -> Mind:
        """The agent's own LLM and its fallbacks, else the built-in one; held to what it knows."""
        endpoints = (stored.llm, *stored.fallbacks) if stored.llm else (None,)
        runners = [self._make_runner(one, stored.owner_id, told, notes) for one in endpoints]
        if None in endpoints and self._settings.builtin_llm_gguf is not None:
            runners.append(self._stand_in(notes))
        mind = self._engines.standby.bind(runners, hedge_after_s=stored.hedge_after_s)
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
            bind(endpoint, told, shown="" if own else "built-in"),
            name_llm(endpoint),
            # An owner's impatience or trouble is not other owners' trouble.
            key=(key_of(endpoint, DEFAULT_MODEL), endpoint.timeouts, owner_id),
            probe=bind(replace(endpoint, variables=told.variables)),
            shown="" if own else "built-in",  # where the operator's LLM is, is not the owner's
        )

    def _stand_in(self, notes: Notes) -> Runner:
        """Whoever answers while the model beside this server is down: it starts again by itself.

        Nothing is read for that before it is needed.
        """
        late = Late(self._engines.mind.bind(notes), partial(self._learn, notes))
        return Runner(late, EXTRACTIVE)

    def _bind_notes(self, notes: Notes) -> Llm:
        self._do_aside(self._learn(notes))
        return self._engines.mind.bind(notes)

    async def _learn(self, notes: Notes) -> None:
        """Read notes while the greeting plays, so that the first question does not wait for it.

        Where the operator's own LLM answers, nobody may have embedded anything before.
        """
        await self._engines.embedder.open()
        await self._engines.mind.learn(notes)

    async def answer_extractively(
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
            await self._agents.get(account, agent_id)
            stored = await self._agents.load(agent_id)
            ready = await self.make(stored, Setup(), "")
            parts = fill_parts(make_parts(stored), stored.variables)
            mind, notes = self._engines.mind, make_notes(parts, ready.greeting)
            watch = Stopwatch(self._clock.now_s())
            messages = await ready.lookup.add(messages, watch, self._clock, _tell_log)
        async with aclosing(mind.bind(notes).reply(messages)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece

    async def search(
        self, account: Account, agent_id: str, query: str, limit: int | None
    ) -> Sequence[Found]:
        """What a conversation with an agent of the account would be shown for `query`.

        Raises:
            ConflictError: nobody could say.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        await self._agents.demand(account, agent_id)
        stored = await self._agents.load(agent_id)
        lookup = self._choose_lookup(stored, stored.variables)
        found = await replace(
            lookup, limit=limit or lookup.limit, deadline_s=max(SEARCH_S, lookup.deadline_s)
        ).find(query, (), _tell_log)
        if found is None:
            raise ConflictError(
                "what this agent knows could not be searched",
                hint="Try again in a moment; the server's log says what failed.",
            )
        return found[:limit]

    def _do_aside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._reading.add(task)
        task.add_done_callback(self._note_done)

    def _note_done(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("not_done_aside", exc_info=error)

    async def close(self) -> None:
        """Stop what is done beside conversations."""
        for task in list(self._reading):
            await end_task(task)
        await self._indexes.close()


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


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait([task])


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
            transfer_s=settings.transfer_timeout_s,
        ),
        utterance_s=settings.max_utterance_s,
        conversation_s=settings.max_conversation_s,
        stt_timeout_s=settings.stt_timeout_s,
        pacing_ahead_s=settings.pacing_ahead_s,
        warning_s=settings.warning_s,
        filler_after_s=settings.filler_after_s,
    )
