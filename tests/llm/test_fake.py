from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sayso.config import Settings
from sayso.llm import Endpoint, Message
from sayso.llm.catalogue import CATALOGUE, Severity
from sayso.llm.fake import (
    QUIRKS,
    SMOKE_SENTENCE,
    FakeConfig,
    Quirk,
    Received,
    choose_reply,
    create_fake_app,
    cut_pieces,
    read_script,
    running_fake,
    server,
)
from sayso.llm.fake.answer import MAX_SAID_CHARS, Answer, shows_quirk
from sayso.llm.fake.quirk import Catalogue
from sayso.llm.probes import LETTERS
from sayso.llm.report import check_once
from sayso.llm.tolerance import CONVERSATION, COUNT, PROMPT

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


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("key=sk-canary-123456789", "key=…6789"),
        ("api-version=2024&code=c2VjcmV0c2VjcmV0==", "api-version=…&code=…V0=="),
        ("sk-canary-123456789", "…6789"),
        ("sk-canary-123456789==", "…89=="),
        ("flag=", "…"),
        ("", ""),
    ],
)
def test_no_value_of_a_query_is_printed(query: str, shown: str) -> None:
    assert Received("POST", f"/v1/x?{query}", {}, {}).describe() == f"POST /v1/x?{shown}"


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


# Quirks --------------------------------------------------------------------------------------


def test_there_are_many_quirks() -> None:
    assert len(QUIRKS) >= 100


@pytest.mark.parametrize("quirk", QUIRKS.values(), ids=lambda quirk: quirk.name)
def test_every_quirk_says_what_it_does_and_what_becomes_of_it(quirk: Quirk) -> None:
    assert quirk.does.endswith((".", ")"))
    assert quirk.does[0].isupper()
    assert quirk.finding is None or quirk.finding in CATALOGUE
    assert not quirk.partly or quirk.finding


def test_a_quirk_is_written_down_once_and_says_something() -> None:
    async def silent(answer: Answer) -> web.StreamResponse:
        return answer.response

    async def documented(answer: Answer) -> web.StreamResponse:
        """Does nothing."""
        return answer.response

    book = Catalogue()
    with pytest.raises(ValueError, match="says nothing"):
        book.spoken("x")(silent)
    book.spoken("x")(documented)
    with pytest.raises(ValueError, match="twice"):
        book.fails("x", "http.html")(documented)


async def test_a_path_picks_a_quirk_and_wins_over_the_model() -> None:
    body = {"model": "quirk:401", "messages": [user("Hi")]}
    async with running_fake(replace(ECHO, prefix="/v1")) as url:
        assert (await post(url, body, "/v1/quirk/html/chat/completions"))[1] == "text/html"
        assert (await post(url, body, "/v1/quirk/nope/chat/completions"))[0] == 404
        assert (await post(url, body, "/v1/chat/completions"))[0] == 401


@pytest.mark.parametrize("prefix", ["", "/v1", "/quirk/401", "/quirk"])
async def test_no_path_has_two_meanings(prefix: str) -> None:
    """Whatever stands in front: a prefix that looks like a quirk's path is none."""
    app = create_fake_app(replace(ECHO, prefix=prefix))
    patterns = [
        info["pattern"].pattern if "pattern" in info else re.escape(info["path"])
        for info in (resource.get_info() for resource in app.router.resources())
        if info.get("formatter") != "/{path}"
    ]
    for path in ("/chat/completions", "/quirk/html/chat/completions"):
        assert sum(re.fullmatch(one, prefix + path) is not None for one in patterns) == 1
    async with running_fake(replace(ECHO, prefix=prefix)) as url:
        body = {"messages": [user("Hi")]}
        assert (await post(url, body, f"{prefix}/chat/completions"))[0] == 200
        assert (await post(url, body, f"{prefix}/quirk/401/chat/completions"))[0] == 401


STANDING = replace(ECHO, quirk="401")


async def test_a_standing_quirk_shows_to_whoever_picks_none() -> None:
    body = {"messages": [user("Hi")]}
    async with running_fake(STANDING) as url:
        assert (await post(url, body))[0] == 401
        assert (await post(url, {**body, "model": "mine"}))[0] == 401
        assert (await post(url, {**body, "model": "quirk:404"}))[0] == 404
        assert (await post(url, body, "/quirk/500/chat/completions"))[0] == 500


def test_a_standing_quirk_waits_for_its_turn_in_each_conversation() -> None:
    config = replace(STANDING, after=1)
    first: list[dict[str, object]] = [{"role": "system", "content": "Be brief."}, user("Hi")]
    second = [*first, user("Well?")]
    assert [shows_quirk(config, asked) for asked in (first, second, first)] == [False, True, False]
    assert not shows_quirk(STANDING, [])
    assert not shows_quirk(ECHO, second)


@pytest.mark.parametrize("asked", [PROMPT, COUNT, f'Repeat this exactly, ...: "{LETTERS}"'])
def test_a_standing_quirk_lets_a_check_pass(asked: str) -> None:
    messages = [*CONVERSATION[:-1], Message("user", asked)]
    sent = [{"role": one.role, "content": one.content} for one in messages]
    assert not shows_quirk(STANDING, sent)
    assert shows_quirk(STANDING, [*sent, user("And now?")])


@pytest.mark.parametrize("name", ["401", "hang", "empty", "html", "cut"])
async def test_whoever_shows_one_passes_even_the_deep_check(name: str) -> None:
    async with running_fake(replace(ECHO, quirk=name)) as url:
        report = await check_once(Endpoint(url), Settings(), deep=True)
    assert report.ok
    assert not [one.code for one in report.findings if one.severity is not Severity.NOTE]


async def test_a_quirk_can_depend_on_how_often_it_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MAX_REMEMBERED", 2)
    bodies = [{"model": "quirk:empty_once", "messages": [user(text)]} for text in "aabcda"]
    async with running_fake(ECHO) as url:
        said = ["content" in (await post(url, body))[2] for body in bodies]
    assert said == [False, True, False, False, False, False], "the count begins anew at its limit"


# Functions -----------------------------------------------------------------------------------

TOOLS = replace(ECHO, mode="tools")
LOOKUP = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Says the opening hours.",
        "parameters": {"properties": {"words": {"type": "string"}}, "required": ["words"]},
    },
}


async def test_the_tool_caller_calls_what_the_words_mean() -> None:
    async with running_fake(TOOLS) as url:
        said = "When do you open on Monday?"
        _, _, text = await post(url, {"messages": [user(said)], "tools": [LOOKUP]})
    first, *_, last = [event["choices"][0] for event in read_events(text)]
    assert first["delta"]["tool_calls"][0]["id"] == "call_1"
    assert last["finish_reason"] == "tool_calls"
    calls = [
        event["choices"][0]["delta"]["tool_calls"][0]["function"]
        for event in read_events(text)[:-1]
    ]
    assert calls[0]["name"] == "lookup"
    assert json.loads("".join(call["arguments"] for call in calls)) == {"words": said}


async def test_the_tool_caller_speaks_of_what_it_has_no_function_for() -> None:
    async with running_fake(TOOLS) as url:
        _, _, text = await post(url, {"messages": [user("Hi!")], "tools": [LOOKUP]})
    said = [event["choices"][0]["delta"].get("content", "") for event in read_events(text)]
    assert "".join(said) == "Hi!"


async def test_the_tool_caller_says_what_the_function_returned() -> None:
    messages = [user("Hi"), {"role": "tool", "tool_call_id": "call_1", "content": "42"}]
    async with running_fake(TOOLS) as url:
        _, _, text = await post(url, {"messages": messages, "tools": [LOOKUP]})
    said = [event["choices"][0]["delta"].get("content", "") for event in read_events(text)]
    assert "".join(said) == "The function says: 42"


async def test_of_a_long_result_it_says_the_beginning() -> None:
    tool = {"role": "tool", "content": "The elephant is large. " * 300}
    async with running_fake(TOOLS) as url:
        _, _, text = await post(url, {"messages": [user("Hi"), tool], "tools": [LOOKUP]})
    words = "".join(e["choices"][0]["delta"].get("content", "") for e in read_events(text))
    assert words.startswith("The function says: The elephant is large. The elephant")
    assert words.endswith(" … and more.")
    assert len(words) <= MAX_SAID_CHARS + 40


def test_it_runs_until_interrupted() -> None:
    code = (
        "import signal; from sayso.llm.fake import FakeConfig, run_fake;"
        # What was started in the background ignores it, as its children do: the test, and the fake.
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "run_fake(FakeConfig(), port=0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as fake:
        assert fake.stdout is not None
        assert "The fake LLM listens at http://127.0.0.1:" in fake.stdout.readline()
        fake.send_signal(signal.SIGINT)
        assert fake.stdout.read() == "Stopped.\n"
    assert fake.returncode == 0
