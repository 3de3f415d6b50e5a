from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from aiohttp import WSMsgType, web

import callers
from callers import GAP_S, Heard, Party, Reply
from sayings import Saying, audio_message, make_room
from script import FRAME_S
from wire import BARE, PLAYAI, Wire

LOUD_FRAME = audio_message(np.full(320, 0.5, np.float32))
SAYING = Saying((LOUD_FRAME,) * 3)
LOUD_BYTES = BARE.write(LOUD_FRAME)
SOUND_S = 0.04

Socket = web.WebSocketResponse


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "BETWEEN_TURNS_S", 0.01)
    monkeypatch.setattr(callers, "STAGGER_S", 0.01)
    monkeypatch.setattr(callers, "INTO_REPLY_S", 0.01)
    monkeypatch.setattr(callers, "HUSH_TIMEOUT_S", 0.3)
    monkeypatch.setattr(callers, "REPLY_TIMEOUT_S", 1.0)


@asynccontextmanager
async def serving(answer: Callable[[Socket], Awaitable[None]], wire: Wire) -> AsyncIterator[str]:
    """A server that greets, and answers each third loud frame, the end of what is said."""

    async def talk(request: web.Request) -> Socket:
        socket = Socket()
        await socket.prepare(request)
        if not wire.hello:
            await socket.send_str('{"type":"init"}')
        loud = 0
        async for message in socket:
            if message.type is WSMsgType.TEXT and "setup" in message.data:
                await socket.send_str('{"type":"init"}')
            loud += message.data in {LOUD_FRAME, LOUD_BYTES}
            if loud == 3:
                loud = 0
                await answer(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def reply(socket: Socket) -> None:
    """One whole reply, bare."""
    await socket.send_bytes(bytes(round(SOUND_S * 24_000) * 2))


async def reply_playai(socket: Socket) -> None:
    sound = b64encode(bytes(round(SOUND_S * 24_000) * 4)).decode()
    await socket.send_str(json.dumps({"type": "audioStream", "data": sound}))
    await socket.send_str('{"type":"audioStreamEnd"}')


async def talk(
    answer: Callable[[Socket], Awaitable[None]],
    wire: Wire = BARE,
    *,
    least_s: float = 0.0,
    turns: int = 2,
    count: int = 1,
) -> Heard:
    async with serving(answer, wire) as url:
        party = Party(url, count, wire, least_s)
        try:
            await party.enter()
            await party.talk([SAYING], turns)
        finally:
            await party.leave()
    return party.heard


async def interrupt(answer: Callable[[Socket], Awaitable[None]]) -> Heard:
    async with serving(answer, BARE) as url:
        party = Party(url, 1, BARE)
        try:
            await party.enter()
            await party.interrupt([SAYING], 1)
        finally:
            await party.leave()
    return party.heard


# What a reply sounds like -----------------------------------------------------------------------


def test_a_reply_ends_when_its_sound_has_played() -> None:
    heard = Reply()
    heard.hear(1.0, 10.0)
    heard.hear(1.0, 10.1)
    assert (heard.first_sound_s, heard.ends_s, heard.sound_s, heard.gaps) == (10.0, 12.0, 2.0, 0)
    assert heard.begun.is_set()


def test_sound_that_comes_too_late_is_a_gap_and_moves_the_end() -> None:
    heard = Reply()
    heard.hear(1.0, 10.0)
    heard.hear(1.0, 11.0 + GAP_S / 2)
    assert heard.gaps == 0
    heard.hear(1.0, 13.0)
    assert (heard.gaps, heard.ends_s) == (1, 14.0)


def test_all_waits_are_those_of_first_and_later_turns() -> None:
    assert Heard(firsts_s=[1.0], laters_s=[2.0, 3.0]).waits_s == [1.0, 2.0, 3.0]
    assert Heard().waits_s == []


# Over a socket ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("wire", "answer"), [(BARE, reply), (PLAYAI, reply_playai)])
async def test_turns_are_timed_the_first_apart(
    wire: Wire, answer: Callable[[Socket], Awaitable[None]]
) -> None:
    heard = await talk(answer, wire, turns=3, count=2, least_s=SOUND_S / 2)
    assert (len(heard.starts_s), len(heard.firsts_s), len(heard.laters_s)) == (2, 2, 4)
    assert all(0 < wait_s < 1 for wait_s in heard.waits_s)
    assert (heard.early, heard.missing, heard.gaps) == (0, 0, 0)


async def test_a_reply_that_does_not_come_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REPLY_TIMEOUT_S", 0.05)

    async def be_silent(_: Socket) -> None:
        return None

    heard = await talk(be_silent)
    assert (heard.missing, heard.waits_s) == (2, [])


async def test_a_reply_that_is_cut_is_missing() -> None:
    heard = await talk(reply, least_s=1.0, turns=1)
    assert (heard.missing, heard.waits_s) == (1, [])


async def test_a_reply_before_the_end_of_speech_is_early() -> None:
    async def twice(socket: Socket) -> None:
        await reply(socket)
        await asyncio.sleep(SOUND_S + 2 * FRAME_S)  # into the caller's next words
        await reply(socket)

    heard = await talk(twice, turns=2)
    assert heard.early + heard.gaps >= 1


async def test_a_reply_that_runs_dry_has_a_gap() -> None:
    async def stumble(socket: Socket) -> None:
        await reply(socket)
        await asyncio.sleep(SOUND_S + 2 * GAP_S)
        await reply(socket)

    assert (await talk(stumble, turns=1, least_s=0.0)).gaps in {0, 1}  # a machine may be slow


async def test_an_interruption_is_timed_to_the_word_that_the_reply_is_over() -> None:
    answers = 0

    async def give_way(socket: Socket) -> None:
        nonlocal answers
        answers += 1
        if answers == 2:
            await socket.send_str('{"type":"onAgentInterrupted"}')
        await socket.send_bytes(bytes(2 * 24_000 * 2 if answers == 1 else 960))

    heard = await interrupt(give_way)
    assert (len(heard.stops_s), heard.unheeded, heard.missing) == (1, 0, 0)
    assert FRAME_S <= heard.silences_s[0] <= heard.stops_s[0] < 1


async def test_the_answer_is_what_comes_after_the_reply_that_was_spoken_over() -> None:
    async def change_its_mind(socket: Socket) -> None:
        sound = b64encode(bytes(960)).decode()
        await socket.send_str(json.dumps({"type": "audioStream", "data": sound}))
        await socket.send_str('{"type":"onAgentInterrupted"}')
        await asyncio.sleep(2 * SOUND_S)
        await reply_playai(socket)

    heard = await talk(change_its_mind, PLAYAI, turns=2)
    assert (heard.missing, len(heard.waits_s)) == (0, 2)
    assert min(heard.waits_s) >= SOUND_S


async def test_an_interruption_that_is_not_heeded_is_counted() -> None:
    heard = await interrupt(reply)
    assert (heard.stops_s, heard.unheeded) == ([], 1)


async def test_nobody_can_interrupt_who_does_not_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REPLY_TIMEOUT_S", 0.05)

    async def be_silent(_: Socket) -> None:
        return None

    heard = await interrupt(be_silent)
    assert (heard.missing, heard.stops_s) == (1, [])


async def test_a_server_that_never_listens_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "START_TIMEOUT_S", 0.05)
    async with serving(reply, PLAYAI) as url:  # waits for a setup that a bare caller never sends
        party = Party(url, 1, BARE)
        try:
            with pytest.raises(TimeoutError):
                await party.enter()
        finally:
            await party.leave()


async def test_callers_tell_how_late_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "ROOM", make_room()[:2])
    heard = await talk(reply)
    assert heard.lates_s
    assert min(heard.lates_s) >= 0
