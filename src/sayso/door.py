"""Who may talk: admits a socket to a conversation, or says why not.

    accept ─► setup ─► may they? (`admission.py`) ─► init ─► Session

Everything that can be refused is refused here, with the contract's code first as an `error`
message and then as a close code (contract §4.5).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sayso.accounts.service import Accounts
from sayso.admission import (
    AGENT_CONVERSATION,
    START_CONVERSATION,
    TALK,
    Admission,
    Entrance,
    Visitor,
)
from sayso.agents.agent import Agent as StoredAgent
from sayso.agents.service import Agents
from sayso.audio.encode import check_output
from sayso.clock import Clock
from sayso.conversations.recorder import Recorder
from sayso.conversations.recordings import LONGEST_S, Recordings
from sayso.conversations.service import Conversations
from sayso.errors import (
    AudioError,
    SaysoError,
    SetupError,
    TalkCode,
    TalkError,
)
from sayso.llm import Exchanged
from sayso.seats import Seat, Seats
from sayso.store.identifiers import new_id
from sayso.talk.agent import Agent
from sayso.talk.deeds import dump_deeds, read_deeds
from sayso.talk.events import EndedBy
from sayso.talk.history import Deed, Ledger, Line
from sayso.talk.record import LeftMessage, Timings
from sayso.talk.reel import UNRECORDED, Reel, TwoTracks
from sayso.talk.rooms import Limits, Rooms
from sayso.talk.session import Session
from sayso.transport.playai import Setup, error_frame, init_frame, parse_setup
from sayso.transport.websocket import WebSocketLine, close, receive_setup

log = structlog.get_logger("sayso.door")

_CLOSE_CODES = {
    TalkCode.INVALID_TOKEN: TalkCode.UNAUTHORIZED,
    TalkCode.INVALID_AGENT: TalkCode.UNAUTHORIZED,
    TalkCode.INVALID_CREDENTIALS: TalkCode.UNAUTHORIZED,
}
"""1001 to 1003 mean other things as close codes, so they close as 4401."""

CLOSE_NORMALLY = 1000


@dataclass(frozen=True, slots=True)
class _Visit:
    """What a caller comes with; `by_api` where they need a key."""

    stored: StoredAgent
    setup: Setup
    ledger: Ledger
    seat: Seat
    by_api: bool


@dataclass(eq=False)
class Door:
    """Admits callers, and knows who is inside.

    Attributes:
        accounts, agents, conversations, recorder: the stored side.
        rooms: the engines all conversations share.
        ready: makes a stored agent ready to talk, given what a client's `setup` adds, in
            the conversation of this id.
        limits: what bounds a conversation with an agent, given the patience a client asked for.
        max_conversations: how many may be inside.
        setup_timeout_s: how long a socket may wait before its `setup`.
        url: where this server is reached.
        clock: tells the time.
        recordings: keeps the sound of conversations; None where none is kept.
    """

    accounts: Accounts
    agents: Agents
    conversations: Conversations
    recorder: Recorder
    rooms: Rooms
    ready: Callable[[StoredAgent, Setup, str], Awaitable[Agent]]
    limits: Callable[[Agent, float | None], Limits]
    max_conversations: int
    setup_timeout_s: float
    url: str
    clock: Clock
    recordings: Recordings | None = None
    _inside: set[Session] = field(default_factory=set)
    _seats: Seats = field(default_factory=Seats)
    _sockets: int = 0
    _deserted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def routes(self) -> list[WebSocketRoute]:
        """The three talk URLs."""
        return [
            WebSocketRoute("/v1/talk/{agent_id}", self._enter_talk),
            WebSocketRoute("/v1/agents/{agent_id}/start-conversation", self._enter_start),
            WebSocketRoute("/v1/agent-conversation", self._enter_earliest),
        ]

    @property
    def inside(self) -> int:
        """Conversations under way."""
        return len(self._inside)

    async def empty(self, within_s: float) -> None:
        """Send everybody home: for a server that stops."""
        for session in tuple(self._inside):
            session.hang_up(EndedBy.SYSTEM)
        if self._sockets:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._deserted.wait()

    async def _enter_talk(self, socket: WebSocket) -> None:
        await self._enter(socket, socket.path_params["agent_id"], TALK)

    async def _enter_start(self, socket: WebSocket) -> None:
        await self._enter(socket, socket.path_params["agent_id"], START_CONVERSATION)

    async def _enter_earliest(self, socket: WebSocket) -> None:
        await self._enter(socket, socket.query_params.get("agentId", ""), AGENT_CONVERSATION)

    async def _enter(self, socket: WebSocket, agent_id: str, entrance: Entrance) -> None:
        await socket.accept()
        self._sockets += 1
        self._deserted.clear()
        try:
            await self._admit(socket, agent_id, entrance)
        except WebSocketDisconnect:
            log.info("left_before_setup", agent=agent_id)
        except TalkError as error:
            # Official clients drop this text when it comes before `init`: the log has it too.
            log.warning("refused", agent=agent_id, code=error.code, reason=error.message)
            await _refuse(socket, error)
        except Exception:
            log.exception("admission_failed", agent=agent_id)
            await _refuse(socket, TalkError("internal server error", code=TalkCode.INTERNAL))
        finally:
            self._sockets -= 1
            if not self._sockets:
                self._deserted.set()

    async def _admit(self, socket: WebSocket, agent_id: str, entrance: Entrance) -> None:
        if self._sockets > self.max_conversations:
            raise TalkError(
                f"this server holds {self.max_conversations} conversations at most; "
                "try again in a moment",
                code=TalkCode.TOO_MANY,
            )
        setup = await self._read_setup(socket, entrance)
        headers = socket.headers
        visitor = Visitor(
            setup.api_key, headers.get("origin"), headers.get("host"), setup.can_transfer is True
        )
        admission = Admission(self.accounts, self.agents, self.url)
        stored = await admission.admit(visitor, agent_id, entrance)
        earlier = await self._earlier_lines(stored, setup)
        continued = setup.continue_conversation if earlier is not None else None
        conversation_id = continued or new_id()
        bound = structlog.contextvars.bound_contextvars
        with bound(agent=stored.id, conversation=conversation_id):
            async with self._seats.take(conversation_id) as seat:
                if seat.follows:  # the last words of the line before count
                    earlier = await self._earlier_lines(stored, setup)
                ago_s = await self._began_ago_s(continued) if continued else 0.0
                agent = await self.ready(stored, setup, conversation_id)
                seat.check()
                await socket.send_text(self._init(stored, setup, conversation_id).decode())
                seat.check()
                visit = _Visit(stored, setup, Ledger(earlier or ()), seat, entrance.needs_key)
                await self._keep(socket, agent, visit, conversation_id, ago_s)

    async def _keep(
        self, socket: WebSocket, agent: Agent, visit: _Visit, conversation_id: str, ago_s: float
    ) -> None:
        """Hold the conversation, and take it down."""
        reel, over = self._start_reel(visit.stored, conversation_id, ago_s)
        record = ConversationRecord(self.recorder, conversation_id, self.clock, over)
        try:
            record.opened(
                visit.stored.id,
                "api" if visit.by_api else "web",
                visit.setup.caller,
                self.clock.utc(),
                recorded=reel is not UNRECORDED,
            )
            await self._hold(socket, agent, visit, record, reel)
        finally:
            record.close()

    async def _began_ago_s(self, conversation_id: str) -> float:
        began_at = await self.conversations.began_at(conversation_id)
        return (self.clock.utc() - began_at).total_seconds()

    def _start_reel(
        self, stored: StoredAgent, conversation_id: str, ago_s: float
    ) -> tuple[Reel, Callable[[], None]]:
        """What records a conversation that began so long ago, and what ends that."""
        if self.recordings is None or not stored.record_audio or ago_s > LONGEST_S:
            return UNRECORDED, _do_nothing
        rate_hz = self.rooms.tts.sample_rate_hz
        tape = self.recordings.begin(conversation_id, rate_hz)
        reel = TwoTracks(tape, self.clock.now_s() - ago_s, rate_hz, LONGEST_S)
        return reel, partial(self.recordings.end, conversation_id, tape)

    async def _hold(
        self,
        socket: WebSocket,
        agent: Agent,
        visit: _Visit,
        record: ConversationRecord,
        reel: Reel,
    ) -> None:
        line = WebSocketLine(socket, visit.setup)
        session = Session(
            agent=agent,
            line=line,
            rooms=self.rooms,
            limits=self.limits(agent, visit.setup.patience_s),
            ledger=visit.ledger,
            record=record,
            clock=self.clock,
            reel=reel,
            exchanged=record.exchanged,
        )
        visit.seat.guest = session
        self._inside.add(session)
        pump = asyncio.create_task(line.pump())
        log.info("conversation_started")
        try:
            try:
                await session.run()
            finally:
                visit.seat.free.set()
            await line.drain()
        finally:
            self._inside.discard(session)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        broken = session.ended_with
        await close(socket, _close_code(broken), broken.message if broken else record.reason)

    async def _read_setup(self, socket: WebSocket, entrance: Entrance) -> Setup:
        try:
            async with asyncio.timeout(self.setup_timeout_s):
                frame = await receive_setup(socket)
        except TimeoutError:
            raise SetupError(
                f"no setup message came within {self.setup_timeout_s:g} seconds"
            ) from None
        setup = parse_setup(frame, entrance.defaults)
        try:
            check_output(setup.speaks)
        except AudioError as error:
            raise SetupError(error.message, field="outputSampleRate") from None
        return setup

    async def _earlier_lines(self, stored: StoredAgent, setup: Setup) -> list[Line] | None:
        """What was said in the conversation to go on with; None for a new one."""
        if not setup.continue_conversation:
            return None
        await self.recorder.flush()  # who lost the line comes back within a moment
        try:
            said = await self.conversations.history(
                setup.continue_conversation, agent_id=stored.id, owner_id=stored.owner_id
            )
        except SaysoError as error:
            raise SetupError(
                f"continueConversation: {error.message}", field="continueConversation"
            ) from None
        return [Line(role, content, read_deeds(deeds)) for role, content, deeds in said]

    def _init(self, stored: StoredAgent, setup: Setup, conversation_id: str) -> bytes:
        return init_frame(
            owner_id=stored.owner_id,
            conversation_id=conversation_id,
            # No client uses it; old ones refuse an `init` without it (contract §4.6).
            recording_url=f"{self.url}/no-recording",
            language=stored.language if setup.should_send_language else None,
        )


class ConversationRecord:
    """Takes down one conversation through the server's one recorder."""

    def __init__(
        self,
        recorder: Recorder,
        conversation_id: str,
        clock: Clock,
        on_end: Callable[[], None],
    ) -> None:
        """`on_end` is called once it is over, before that is stored."""
        self._recorder = recorder
        self._id = conversation_id
        self._clock = clock
        self._on_end = on_end
        self._under_way = False
        self.reason = ""
        """Why the conversation is over, as a code, once it is."""

    def opened(
        self, agent_id: str, source: str, caller_id: str, at: datetime, *, recorded: bool
    ) -> None:
        """The conversation begins."""
        self._under_way = True
        self._recorder.opened(
            self._id,
            agent_id,
            source=source,
            at=at,
            caller_id=caller_id or None,
            recorded=recorded,
        )

    def exchanged(self, number: int, seen: Exchanged) -> None:
        """An LLM was asked for reply `number`, and answered."""
        self._recorder.exchange(self._id, number, seen, self._clock.utc())

    def close(self) -> None:
        """Nothing more of it is recorded, however it went."""
        if self._under_way:  # it broke off before it could tell its end
            self.ended(EndedBy.ERROR, TalkCode.INTERNAL, self._clock.utc(), "failed")
        self._on_end()

    def line(
        self,
        role: Literal["assistant", "user"],
        content: str,
        at: datetime,
        deeds: Sequence[Deed] = (),
        began_at: datetime | None = None,
    ) -> None:
        """A settled line of the transcript, and what was done before it."""
        self._recorder.line(self._id, role, content, at, dump_deeds(deeds), began_at)

    def message(self, left: LeftMessage, at: datetime) -> None:
        """The caller left a message."""
        self._recorder.message(
            self._id,
            message=left.message,
            name=left.name,
            phone_number=left.phone_number,
            at=at,
        )

    def turn(self, number: int, timings: Timings, at: datetime) -> None:
        """Where the time of one reply went."""
        self._recorder.turn(self._id, number, timings, at)

    def ended(self, by: EndedBy, error_code: int | None, at: datetime, reason: str = "") -> None:
        """The conversation is over."""
        self.reason = reason
        self._under_way = False
        self._on_end()
        self._recorder.ended(
            self._id, by=by.value, error_code=error_code, at=at, reason=reason or None
        )


def _do_nothing() -> None:
    """There is no recording to end."""


def _close_code(error: TalkError | None) -> int:
    return _CLOSE_CODES.get(error.code, error.code) if error else CLOSE_NORMALLY


async def _refuse(socket: WebSocket, error: TalkError) -> None:
    try:
        await socket.send_text(error_frame(error.code, error.message, fatal=True).decode())
    except (WebSocketDisconnect, RuntimeError, OSError):
        log.info("left_before_refusal")
    await close(socket, _close_code(error), error.message)
