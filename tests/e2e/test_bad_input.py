"""Callers, agents and LLMs that misbehave: everybody is told, and nobody else notices."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import aiohttp
import pytest

from sayso.errors import TalkError
from sayso.store.tables import AgentRow, UserRow
from sayso.talk.phrases import ENGLISH, PHRASES
from served import (
    REHEARSED,
    Served,
    ask,
    fake_llm,
    first_of,
    hear_greeting,
    serving,
    types_of,
)

LONG_ANSWER = (
    "Once upon a time there was a small house at the edge of a large forest. In it lived an old "
    "woman who knew the name of every tree. One winter a stranger knocked at her door. He asked "
    "her for the way to the sea, and she told him to follow the birch trees until he heard gulls."
)


async def refusal_of(
    served: Served, agent_id: str, first: str | None, *, keyless: bool = True
) -> tuple[dict[str, Any], int | None]:
    """The `error` and the close code that answer the first message `first`."""
    async with served.socket(agent_id, keyless=keyless) as socket:
        if first is not None:
            await socket.send_str(first)
        error = json.loads((await socket.receive(10)).data)
        closed = await socket.receive(10)
        assert closed.type is aiohttp.WSMsgType.CLOSE
        return error, socket.close_code


def setup(**keys: object) -> str:
    return json.dumps({"type": "setup", **keys})


# Who may talk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("keyless", [True, False])
async def test_an_unknown_agent(rehearsed: Served, keyless: bool) -> None:
    error, code = await refusal_of(
        rehearsed, "nobody-123", setup(apiKey=rehearsed.key), keyless=keyless
    )
    assert error["code"] == 1002
    assert "nobody-123" in error["message"]
    assert error["isFatal"] is True
    assert code == 4401


@pytest.mark.parametrize("key", [None, "", "ak-00000000000000000000000000000000", "Bearer x"])
async def test_a_missing_or_unknown_key(rehearsed: Served, key: str | None) -> None:
    agent_id = await rehearsed.make_agent()
    keys = {} if key is None else {"apiKey": key}
    error, code = await refusal_of(rehearsed, agent_id, setup(**keys), keyless=False)
    assert (error["code"], error["isFatal"], code) == (1001, True, 4401)
    assert "apiKey" in error["message"]
    if key:
        assert key not in error["message"]


async def test_the_owners_key_with_bearer_in_front(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    async with rehearsed.call(agent_id, apiKey=f"Bearer {rehearsed.key}") as caller:
        await hear_greeting(caller)


async def test_the_key_of_somebody_else(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    async with rehearsed.writing() as session:
        session.add(UserRow(id="somebodyelse", created_at=datetime.now(UTC)))
    made = rehearsed.run(rehearsed.server.accounts.new_key("somebodyelse"))
    key = made.api_key.get_secret_value()
    error, code = await refusal_of(rehearsed, agent_id, setup(apiKey=key), keyless=False)
    assert (error["code"], error["isFatal"], code) == (1003, True, 4401)


async def test_a_private_agent_is_not_for_everybody(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent(visibility="private")
    error, code = await refusal_of(rehearsed, agent_id, setup())
    assert (error["code"], error["isFatal"], code) == (4401, True, 4401)
    assert "private" in error["message"]
    async with rehearsed.call_keyless(agent_id, apiKey=rehearsed.key) as caller:
        await hear_greeting(caller)


# Messages that are wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ('{"type": "audioIn", "data": ""}', "setup"),
        ('{"type": "hello"}', "setup"),
        ("hello", "JSON"),
        ("[]", "setup"),
        (setup(inputEncoding="mp7"), "inputEncoding"),
        (setup(inputEncoding="linear16"), "inputSampleRate"),
        (setup(outputSampleRate=96_000), "outputSampleRate"),
        (setup(outputFormat="aac"), "outputFormat"),
        (setup(customGreeting=7), "customGreeting"),
        (setup(utteranceEndThreshold=-1), "utteranceEndThreshold"),
    ],
)
async def test_a_wrong_first_message(rehearsed: Served, first: str, names: str) -> None:
    agent_id = await rehearsed.make_agent()
    error, code = await refusal_of(rehearsed, agent_id, first)
    assert (error["code"], error["isFatal"], code) == (4400, True, 4400)
    assert names in error["message"]


async def test_messages_that_cannot_be_read_are_told_and_survived(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.socket(agent_id) as socket:
            await socket.send_str(setup(outputFormat="raw", outputSampleRate=24_000))
            for broken in ("{", "7", '{"type": "audioIn", "data": "%%%"}', '{"type": "textIn"}'):
                await socket.send_str(broken)
                error = await next_of(socket, "error")
                assert (error["code"], error["isFatal"]) == (4400, False)
            await socket.send_bytes(b"\x00\xff")
            assert (await next_of(socket, "error"))["isFatal"] is False
            await socket.send_str('{"type": "textIn", "data": "Still there?"}')
            assert (await next_of(socket, "audioStreamEnd"))["message"] == "Still there?"


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of type `kind`."""
    while True:
        frame = await socket.receive(10)
        assert frame.type is aiohttp.WSMsgType.TEXT, f"closed before {kind}: {frame}"
        message: dict[str, Any] = json.loads(frame.data)
        if message["type"] == kind:
            return message


async def test_unknown_messages_are_ignored(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            await caller.send({"type": "turnEnd"})
            await caller.send({"type": "mediaLog", "payload": {"type": "MEDIA_ON_PLAY"}})
            await caller.send({"type": "extendConversationSetup", "events": []})
            await caller.send({"type": "conversationAudio", "data": "AAAA", "chunkIndex": 1})
            await caller.send({"type": "audioIn", "data": ""})
            assert (await ask(caller, "All well?")).text == "All well?"
            assert "error" not in types_of(caller)


async def test_sound_that_cannot_be_decoded_leaves_text(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id, inputEncoding="media-container") as caller:
            await hear_greeting(caller)
            for _ in range(3):
                await caller.send_encoded(b"this is not a recording of anything " * 50)
            error = await first_of(caller, "error")
            assert (error["code"], error["isFatal"]) == (4400, False)
            assert "container" in error["message"]
            assert (await ask(caller, "Can you read this?")).text == "Can you read this?"
            assert types_of(caller).count("error") == 1, "said once"


async def test_a_browser_sdk_is_spared_errors_it_need_not_die_of(rehearsed: Served) -> None:
    """Client 0.2.x ends the call on any `error` (contract §4.5)."""
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id, shouldSendLanguage=True) as caller:
            await hear_greeting(caller)
            await caller.send({"type": "audioIn", "data": 7})
            assert (await ask(caller, "All well?")).text == "All well?"
            assert "error" not in types_of(caller)


async def test_a_frame_that_is_too_large_closes_the_line(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    async with rehearsed.call(agent_id) as caller:
        await hear_greeting(caller)
        size = rehearsed.settings.max_message_bytes
        await caller.send({"type": "audioIn", "data": base64.b64encode(bytes(size)).decode()})
        await caller.until(lambda: caller.ended, within_s=10, what="the close")
        assert caller.close_code == 1009
    stored = await rehearsed.stored(agent_id, caller.conversation_id)
    assert stored.conversation["endedAt"]


# LLMs that fail --------------------------------------------------------------------------------


async def spoil(served: Served, agent_id: str, quirk: str) -> None:
    """From now on the agent's LLM, which passed its check, misbehaves."""
    async with served.writing() as session:
        row = await session.get_one(AgentRow, agent_id)
        assert row.llm is not None
        row.llm = {**row.llm, "baseParams": {"model": f"quirk:{quirk}"}}


async def test_an_llm_that_dies_amid_its_answer(rehearsed: Served) -> None:
    """What came is spoken, and then a sentence says that there will be no more."""
    async with fake_llm("Rain. It will stop at noon.") as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        await spoil(rehearsed, agent_id, "cut")
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            reply = await ask(caller, "What is the weather?")
            assert reply.text == f"Rain… {ENGLISH.llm_broke_off}"
            assert len(reply.samples)
            error = await first_of(caller, "error")
            assert (error["code"], error["isFatal"]) == (4500, False)
            assert "stream" in error["message"] or "cut" in error["message"]
        stored = await rehearsed.stored(agent_id, caller.conversation_id)
    assert stored.lines == [("user", "What is the weather?"), ("assistant", reply.text)]
    assert stored.turns[-1]["timings"]["blame"] == "llm"


@pytest.mark.parametrize("quirk", ["500", "html", "empty", "reasoning_only", "json_error"])
async def test_an_llm_that_gives_nothing(rehearsed: Served, quirk: str) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        await spoil(rehearsed, agent_id, quirk)
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            assert (await ask(caller, "Anybody?")).text == ENGLISH.llm_failed
            assert len(caller.replies[0].samples), "the caller hears it"
            assert (await first_of(caller, "error"))["isFatal"] is False


async def test_an_agent_excuses_itself_in_its_language(rehearsed: Served) -> None:
    async with fake_llm("Hola.") as llm:
        agent_id = await rehearsed.make_agent(llm.url, language="spanish")
    async with rehearsed.call(agent_id) as caller:
        assert (await ask(caller, "¿Hola?")).text == PHRASES["spanish"].llm_failed


async def test_an_llm_that_is_down(rehearsed: Served) -> None:
    async with fake_llm("Hello.") as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller:
            assert (await ask(caller, "Hello?")).text == "Hello."
    async with rehearsed.call(agent_id) as caller:
        await hear_greeting(caller)
        assert (await ask(caller, "Hello?")).text == ENGLISH.llm_failed
        assert (await ask(caller, "Hello again?")).text == ENGLISH.llm_failed
        error = await first_of(caller, "error")
        assert llm.url not in error["message"], "callers need not know where the LLM lives"


# Callers that leave ----------------------------------------------------------------------------


async def test_a_caller_who_vanishes_leaves_nothing_running(rehearsed: Served) -> None:
    async with fake_llm(LONG_ANSWER, token_s=0.05) as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        before = rehearsed.tasks()
        async with rehearsed.socket(agent_id) as socket:
            await socket.send_str(setup(outputFormat="raw", outputSampleRate=24_000))
            conversation_id = (await next_of(socket, "init"))["conversationId"]
            await socket.send_str('{"type": "textIn", "data": "Tell me a story."}')
            await next_of(socket, "audioStream")
            reset(socket)
        stored = await rehearsed.stored(agent_id, conversation_id)
        assert stored.lines[0] == ("user", "Tell me a story.")
        heard = stored.lines[1][1] if len(stored.lines) > 1 else ""
        assert LONG_ANSWER.startswith(heard)
        assert heard != LONG_ANSWER
        await settle(lambda: len(rehearsed.tasks()) <= len(before))
        assert rehearsed.server.door.inside == 0


def reset(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Break the connection as a lost network does: no close frame, a TCP reset."""
    raw = socket.get_extra_info("socket")
    raw.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    response = socket._response
    assert response.connection is not None
    assert response.connection.transport is not None
    response.connection.transport.abort()


async def settle(holds: Callable[[], bool]) -> None:
    """Wait until it holds; the server ends things in its own time."""
    deadline_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline_s, "it did not settle"
        await asyncio.sleep(0.05)


async def test_many_conversations_leave_no_task_behind(rehearsed: Served) -> None:
    async with fake_llm(LONG_ANSWER) as llm:
        agent_id = await rehearsed.make_agent(llm.url, greeting="Hello there, how are you?")
        before = rehearsed.tasks()

        async def leave_early(number: int) -> None:
            async with rehearsed.call(agent_id) as caller:
                await caller.write("Hello?")
                await asyncio.sleep(number * 0.02)

        await asyncio.gather(*(leave_early(number) for number in range(20)))
        await settle(lambda: rehearsed.server.door.inside == 0)
        await settle(lambda: len(rehearsed.tasks()) <= len(before))


# A conversation that goes on -------------------------------------------------------------------


async def test_a_conversation_can_be_continued_at_once(rehearsed: Served) -> None:
    async with fake_llm("Nice to meet you.", "You are Ada.") as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller:
            await ask(caller, "I am Ada.")
        first = caller.conversation_id
        async with rehearsed.call(agent_id, continueConversation=first) as caller:
            assert (await ask(caller, "Who am I?")).text == "You are Ada."
        assert caller.conversation_id == first
        assert llm.prompts[1][1:] == [
            ("user", "I am Ada."),
            ("assistant", "Nice to meet you."),
            ("user", "Who am I?"),
        ]
        stored = await rehearsed.stored(agent_id, first, lines=4)
        assert [content for _, content in stored.lines] == [
            "I am Ada.",
            "Nice to meet you.",
            "Who am I?",
            "You are Ada.",
        ]
        other = await rehearsed.make_agent(llm.url)
        error, code = await refusal_of(rehearsed, other, setup(continueConversation=first))
        assert (error["code"], code) == (4400, 4400)
        assert "continueConversation" in error["message"]


# A small server --------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Served]:
    limits = {"max_conversations": 2, "setup_timeout_s": 0.3, "drain_s": 2.0}
    with serving(tmp_path, **{**REHEARSED, **limits}) as server:
        yield server


async def test_the_limits_of_a_small_server(small: Served) -> None:
    async with fake_llm(LONG_ANSWER) as llm:
        agent_id = await small.make_agent(llm.url)

        # Who says nothing is not kept.
        error, code = await refusal_of(small, agent_id, None)
        assert (error["code"], code) == (4400, 4400)
        assert "0.3 seconds" in error["message"]

        async with small.call(agent_id) as one, small.call(agent_id) as two:
            # Full is full, until somebody leaves.
            with pytest.raises(TalkError, match="2 conversations") as refused:
                async with small.call(agent_id):
                    pass
            assert refused.value.code == 4429
            await two.hang_up()
            await settle(lambda: small.server.door._sockets == 1)
            async with small.call(agent_id) as three:
                await hear_greeting(three)

                # A server that stops says goodbye to everybody, even amid an answer.
                await one.write("Tell me a story.")
                await first_of(one, "audioStream")
                small.ask_to_stop()
                for caller in (one, three):
                    await caller.until(lambda c=caller: c.ended, within_s=10, what="the goodbye")
                    assert caller.told[-1].message == {"type": "hangup", "endedBy": "system"}
                    assert caller.close_code == 1000
