"""A whole conversation: talked, listed, replayed, exported, shared, deleted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import av
import httpx2
import numpy as np
import numpy.typing as npt
import pytest

import speech
from served import REHEARSED, FakeLlm, Served, ask, fake_llm, hear_greeting, microphone, serving

RATE_HZ = 16_000


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Served]:
    """A server on each database."""
    settings = dict(REHEARSED)
    if request.param == "postgres":
        settings["database_url"] = request.getfixturevalue("postgres").make()
    with serving(tmp_path_factory.mktemp("records"), **settings) as served:
        yield served


@pytest.fixture
async def llm() -> AsyncGenerator[FakeLlm]:
    async with fake_llm("It is nine euros.", "Goodbye then.") as llm:
        yield llm


def channels(data: bytes) -> npt.NDArray[np.int16]:
    with av.open(io.BytesIO(data), "r") as container:
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.int16)


def loud_s(track: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """The seconds at which a track is loud."""
    return np.flatnonzero(np.abs(track.astype(np.int32)) > 300) / RATE_HZ


async def listed(rest: httpx2.AsyncClient, conversation_id: str) -> dict[str, Any]:
    for _ in range(200):
        for one in (await rest.get("/conversations")).json():
            if one["id"] == conversation_id:
                return dict(one)
        await asyncio.sleep(0.05)
    raise AssertionError(conversation_id)


async def ended(rest: httpx2.AsyncClient, conversation_id: str) -> dict[str, Any]:
    for _ in range(200):
        found: dict[str, Any] = (await rest.get(f"/conversations/{conversation_id}")).json()
        if found.get("underWay") is False:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_conversation_is_kept_replayed_shared_and_deleted(
    served: Served, llm: FakeLlm
) -> None:
    agent = await served.make_agent(llm.url, greeting="Hello, this is the front desk.")
    async with served.rest() as rest:
        async with served.call(agent, outputFormat="raw") as caller, microphone(caller):
            await hear_greeting(caller)
            live = await listed(rest, caller.conversation_id)
            assert (live["underWay"], live["endReasonInWords"]) == (True, "It is under way.")
            refused = await rest.delete(f"/conversations/{live['id']}")
            assert refused.status_code == 409
            reply = await ask(caller, "How much is it?")
            assert reply.text == "It is nine euros."
        mine = f"/conversations/{caller.conversation_id}"
        found = await ended(rest, caller.conversation_id)
        assert found["endReasonInWords"] == "The caller hung up."
        assert (found["agentName"], found["hasRecording"]) == ("Tester", True)
        assert found["opening"] == "How much is it?"

        # The transcript's times are places in the recording.
        sound = await rest.get(f"{mine}/recording")
        assert sound.headers["content-type"] == "audio/flac"
        both = channels(sound.content)
        left, right = both[:, 0], both[:, 1]
        assert not len(loud_s(left))
        exported = (await rest.get(f"{mine}/export")).json()
        starts = [line["startSeconds"] for line in exported["transcript"]]
        assert [line["role"] for line in exported["transcript"]] == [
            "assistant",
            "user",
            "assistant",
        ]
        assert starts == sorted(starts)
        loud = loud_s(right)
        assert loud[0] == pytest.approx(starts[0], abs=0.4)
        assert loud[loud > starts[1]][0] == pytest.approx(starts[2], abs=0.4)

        part = await rest.get(f"{mine}/recording", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"fLaC")

        await check_exchanges(rest, mine, llm, exported)
        await check_sharing(served, rest, mine, llm, sound.content)
        await rest.delete(mine)
        assert (await rest.get(mine)).status_code == 404
        files = list((served.settings.data_dir / "recordings").glob("*/*"))
        assert not [path for path in files if caller.conversation_id in path.name]


async def check_exchanges(
    rest: httpx2.AsyncClient, mine: str, llm: FakeLlm, exported: dict[str, Any]
) -> None:
    """What the LLM was asked, word for word; the key is not in it."""
    answer = await rest.get(f"{mine}/exchanges")
    assert answer.json() == exported["exchanges"]
    [one] = answer.json()
    assert one["request"] == llm.received[-1].body
    assert one["response"] == {"content": "It is nine euros.", "calls": []}
    assert (one["status"], one["outcome"], one["finding"]) == (200, "answered", None)
    assert 0 < one["firstTokenMs"] <= one["totalMs"]
    assert one["llm"].startswith(llm.url)
    assert "sk-test" not in answer.text


async def check_sharing(
    served: Served, rest: httpx2.AsyncClient, mine: str, llm: FakeLlm, sound: bytes
) -> None:
    """Shared: without a key, and without the exchanges; until it is taken back."""
    shared = (await rest.post(f"{mine}/share")).json()
    assert shared["url"].endswith(f"/shared/{shared['token']}")
    async with httpx2.AsyncClient(base_url=f"{served.url}/api/v1") as visitor:
        page = await visitor.get(f"/shared/{shared['token']}")
        assert [line["content"] for line in page.json()["transcript"]] == [
            "Hello, this is the front desk.",
            "How much is it?",
            "It is nine euros.",
        ]
        assert llm.url not in page.text
        heard = await visitor.get(f"/shared/{shared['token']}/recording")
        assert heard.content == sound
        # The id is for the owner only: whoever knows it may go on with the conversation.
        name = mine.rpartition("/")[2]
        assert heard.headers["content-disposition"].endswith('filename="conversation.flac"')
        assert name not in f"{page.text}{page.headers}{heard.headers}"
        await rest.delete(f"{mine}/share")
        assert (await visitor.get(f"/shared/{shared['token']}")).status_code == 404
        assert (await visitor.get(mine)).status_code == 401


@pytest.mark.speech
async def test_both_sides_are_on_one_time_line(served: Served, llm: FakeLlm) -> None:
    agent = await served.make_agent(llm.url, greeting="")
    async with served.rest() as rest:
        async with served.call(agent, outputFormat="raw") as caller, microphone(caller) as mic:
            await asyncio.sleep(0.5)
            await mic.say(speech.sentences()[0].samples)
            await caller.answer(0, within_s=20)
            await caller.send({"type": "bufferEmpty"})
        found = await ended(rest, caller.conversation_id)
        sound = await rest.get(f"/conversations/{found['id']}/recording")
        both = channels(sound.content)
        said, answered = loud_s(both[:, 0]), loud_s(both[:, 1])
        exported = (await rest.get(f"/conversations/{found['id']}/export")).json()
        starts = [line["startSeconds"] for line in exported["transcript"]]
        # On a slow machine the microphone stalls, and catches up: only the server's time counts.
        assert said[0] == pytest.approx(starts[0], abs=0.5)
        assert answered[0] == pytest.approx(starts[1], abs=0.3)
        figures = (await rest.get("/analytics", params={"agentId": agent})).json()
        assert figures["totals"]["conversations"] == 1
        sound_s = exported["turns"][-1]["timings"]["first_sound_sent_s"]
        latency_ms = figures["totals"]["latencyMs"]["p95"]
        assert latency_ms == pytest.approx(sound_s * 1000, abs=0.1)
        assert figures["totals"]["firstTokenMs"]["p50"] > 0


async def test_an_agent_that_does_not_record_has_no_recording(
    served: Served, llm: FakeLlm, tmp_path: Path
) -> None:
    agent = await served.make_agent(llm.url, greeting="Hi there.", recordAudio=False)
    async with served.rest() as rest:
        async with served.call(agent, outputFormat="raw") as caller, microphone(caller):
            await hear_greeting(caller)
        found = await ended(rest, caller.conversation_id)
        assert found["hasRecording"] is False
        answer = await rest.get(f"/conversations/{found['id']}/recording")
        assert answer.status_code == 404
        assert "recordAudio" in answer.json()["hint"]


async def test_a_conversation_that_goes_on_is_one_recording(served: Served, llm: FakeLlm) -> None:
    agent = await served.make_agent(llm.url, greeting="Hello, this is the front desk.")
    async with served.rest() as rest:
        async with served.call(agent, outputFormat="raw") as caller, microphone(caller):
            await hear_greeting(caller)
        name = caller.conversation_id
        await ended(rest, name)
        first = channels((await rest.get(f"/conversations/{name}/recording")).content)
        async with (
            served.call(agent, outputFormat="raw", continueConversation=name) as caller,
            microphone(caller),
        ):
            await hear_greeting(caller)
        await ended(rest, name)
        both = channels((await rest.get(f"/conversations/{name}/recording")).content)
        assert len(both) > len(first)
        before, after = loud_s(first[:, 1]), loud_s(both[:, 1])
        assert after[0] == pytest.approx(before[0], abs=0.01)
        assert after[-1] > before[-1] + 0.5


async def test_who_is_back_before_the_lost_line_is_known_dead_takes_over(
    served: Served, llm: FakeLlm
) -> None:
    agent = await served.make_agent(llm.url, greeting="")
    async with served.rest() as rest:
        async with served.call(agent, outputFormat="raw") as lost:
            assert (await ask(lost, "How much is it?")).text == "It is nine euros."
            name = lost.conversation_id
            async with served.call(agent, outputFormat="raw", continueConversation=name) as back:
                assert back.conversation_id == name
                assert (await ask(back, "Thank you.")).text == "Goodbye then."
                served.run(served.server.door.recorder.flush())
                assert (await listed(rest, name))["underWay"] is True
        found = await ended(rest, name)
        assert found["endReasonInWords"] == "The caller hung up."
        exported = (await rest.get(f"/conversations/{name}/export")).json()
        assert [line["content"] for line in exported["transcript"]] == [
            "How much is it?",
            "It is nine euros.",
            "Thank you.",
            "Goodbye then.",
        ]
        both = channels((await rest.get(f"/conversations/{name}/recording")).content)
        spoken = loud_s(both[:, 1])
        starts = [line["startSeconds"] for line in exported["transcript"]]
        assert spoken[0] < starts[3] < spoken[-1], "both answers are in the recording"


async def test_what_breaks_off_before_it_began_is_over_all_the_same(
    served: Served, llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no limits today")

    agent = await served.make_agent(llm.url, greeting="")
    async with served.rest() as rest:
        with monkeypatch.context() as patched:
            patched.setattr(served.server.door, "limits", fail)
            async with served.call(agent, outputFormat="raw") as caller:
                name = caller.conversation_id
                found = await ended(rest, name)
        assert found["endReasonInWords"] == "An error ended it."
        async with served.call(agent, outputFormat="raw", continueConversation=name) as back:
            assert (await ask(back, "How much is it?")).text == "It is nine euros."
            served.run(served.server.door.recorder.flush())
        assert (await ended(rest, name))["endReasonInWords"] == "The caller hung up."
        assert (await rest.delete(f"/conversations/{name}")).status_code == 204
