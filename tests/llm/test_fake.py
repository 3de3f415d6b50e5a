from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import Any

import aiohttp
import pytest

from sayso.llm.fake import (
    QUIRKS,
    SMOKE_SENTENCE,
    FakeConfig,
    Received,
    choose_reply,
    cut_pieces,
    read_script,
    running_fake,
)

ECHO = FakeConfig(first_token_s=0, token_s=0)


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


async def post(url: str, body: object, path: str = "/chat/completions") -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + path, json=body) as response,
    ):
        return response.status, response.content_type, await response.text()


def read_events(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines.pop() == "data: [DONE]".removeprefix("data: ")
    return [json.loads(line) for line in lines]


async def test_the_shape_of_playais_fake() -> None:
    async with running_fake(ECHO) as url:
        status, kind, text = await post(url, {"messages": [user("Hi, 5!")], "stream": False})
    assert (status, kind) == (200, "text/event-stream")
    *events, last = [event["choices"][0] for event in read_events(text)]
    assert [event["delta"] for event in events] == [
        {"content": c} for c in ("Hi", ",", " ", "5", "!")
    ]
    assert all(event["finishReason"] is None for event in events)
    assert all("finish_reason" not in event for event in events)
    assert (last["delta"], last["finishReason"]) == ({}, "stop")


def test_only_a_single_message_with_the_capital_letter_is_the_smoke_test() -> None:
    asked = f"Say: {SMOKE_SENTENCE}"
    assert choose_reply(ECHO, [user(asked)]) == SMOKE_SENTENCE
    assert choose_reply(ECHO, [user("a"), user(asked)]) == asked
    assert choose_reply(ECHO, [user(asked.lower())]) == asked.lower()
    scripted = FakeConfig(mode="scripted", script=("one",))
    assert choose_reply(scripted, [user(asked)]) == SMOKE_SENTENCE


def test_a_script_goes_round() -> None:
    config = FakeConfig(mode="scripted", script=("one", "two"))
    turns: list[dict[str, object]] = []
    said = []
    for _ in range(3):
        turns.append(user("x"))
        said.append(choose_reply(config, turns))
        turns.append({"role": "assistant", "content": said[-1]})
    assert said == ["one", "two", "one"]
    assert choose_reply(config, []) == "one"


def test_nothing_to_echo() -> None:
    assert choose_reply(ECHO, []) == ""
    assert choose_reply(ECHO, [{"role": "user", "content": None}]) == ""


def test_scripts_are_lines_or_json() -> None:
    assert read_script("one\n\n  two \n") == ("one", "two")
    assert read_script(' ["one", "two\\nlines"]') == ("one", "two\nlines")
    with pytest.raises(ValueError, match="list of strings"):
        read_script("[1]")


def test_text_is_cut_before_each_non_letter() -> None:
    assert cut_pieces("I'm on it. 42") == ["I", "'m", " on", " it", ".", " ", "4", "2"]
    assert "".join(cut_pieces("Grüße 👋")) == "Grüße 👋"


@pytest.mark.parametrize("path", ["/", "/v1/chat/completions", "/chat/completions/"])
async def test_every_other_path_is_a_web_page(path: str) -> None:
    async with running_fake(ECHO) as url:
        status, kind, text = await post(url, {}, path)
    assert (status, kind) == (200, "text/html")
    assert "<html>" in text


async def test_every_other_method_is_a_web_page() -> None:
    async with (
        running_fake(ECHO) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/chat/completions") as response,
    ):
        assert (response.status, response.content_type) == (200, "text/html")


async def test_other_paths_can_be_missing() -> None:
    async with running_fake(FakeConfig(elsewhere="not_found")) as url:
        assert (await post(url, {}, "/v1"))[0] == 404


async def test_a_prefix() -> None:
    config = FakeConfig(first_token_s=0, token_s=0, prefix="/v1")
    async with running_fake(config) as url:
        assert (await post(url, {"messages": [user("Hi")]}, "/v1/chat/completions"))[1] == (
            "text/event-stream"
        )


async def test_waits_are_kept() -> None:
    async with running_fake(FakeConfig(first_token_s=0.1, token_s=0.05, jitter_s=0.01)) as url:
        begun_s = asyncio.get_running_loop().time()
        await post(url, {"messages": [user("a b c")]})
        taken_s = asyncio.get_running_loop().time() - begun_s
    assert 0.19 < taken_s < 0.5


async def test_bad_requests() -> None:
    async with running_fake(ECHO) as url, aiohttp.ClientSession() as session:
        async with session.post(f"{url}/chat/completions", data=b"{,}") as response:
            assert response.status == 400
        async with session.post(f"{url}/chat/completions", data=b"[1]") as response:
            assert response.status == 200


async def test_an_unknown_quirk_is_an_unknown_model() -> None:
    async with running_fake(ECHO) as url:
        status, _, text = await post(url, {"model": "quirk:nope", "messages": []})
    assert status == 404
    assert "model quirk:nope not found" in text


def test_requests_are_described_without_secrets() -> None:
    received = Received(
        "POST",
        "/chat/completions",
        {"Authorization": "Bearer sk-very-secret-1234", "x-api-key": "0123456789", "Accept": "*/*"},
        {"model": "m"},
    )
    assert received.describe() == (
        "POST /chat/completions\n"
        "  Authorization: …1234\n"
        "  x-api-key: …6789\n"
        "  Accept: */*\n"
        '  {"model": "m"}'
    )
    assert Received("GET", "/", {}, {}).describe() == "GET /"


async def test_everything_received_is_told() -> None:
    told: list[Received] = []
    async with running_fake(FakeConfig(first_token_s=0, token_s=0, listen=told.append)) as url:
        await post(url, {"messages": [user("Hi")]})
        await post(url, {}, "/else?x=1")
    assert [(one.method, one.path) for one in told] == [
        ("POST", "/chat/completions"),
        ("POST", "/else?x=1"),
    ]
    assert told[0].body == {"messages": [user("Hi")]}


def test_there_are_many_quirks() -> None:
    assert len(QUIRKS) >= 40


def test_it_runs_until_interrupted() -> None:
    code = "from sayso.llm.fake import FakeConfig, run_fake; run_fake(FakeConfig(), port=0)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as fake:
        assert fake.stdout is not None
        assert "The fake LLM listens at http://127.0.0.1:" in fake.stdout.readline()
        fake.send_signal(signal.SIGINT)
        assert fake.stdout.read() == "Stopped.\n"
    assert fake.returncode == 0
