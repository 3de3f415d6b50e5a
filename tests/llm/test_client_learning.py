"""What the client does when a server is particular: over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from sayso.errors import LlmError
from sayso.llm import Endpoint, Llm, Message, Tell, Timeouts, Told
from sayso.llm.body import DEFAULT_MODEL
from sayso.llm.client import MAX_AMENDS, LlmClient
from sayso.llm.deadlines import Deadlines, limit_waits
from sayso.llm.fake import Received, running_app
from sayso.llm.profile import STRANGER, Limit, MemoryProfiles, Profile, ProfileKey, key_of
from sayso.llm.request import join_url, list_secrets

ASKED = [Message("system", "Be kind."), Message("user", "Hello, you!")]
TOLD = Told("conv-1", "agent-1")


async def ask(llm: Llm, messages: Sequence[Message] = ASKED) -> tuple[str, list[str]]:
    """What is spoken, and the mishaps on the way."""
    mishaps: list[str] = []
    pieces = llm.reply(messages, lambda error: mishaps.append(error.finding))
    return "".join([str(piece) async for piece in pieces]), mishaps


def profile(client: LlmClient, endpoint: Endpoint) -> Profile:
    return client.profiles.get(key_of(endpoint, DEFAULT_MODEL))


async def settle() -> None:
    """Let what is done beside the conversation be done."""
    await asyncio.sleep(0.01)


class TestRefusals:
    @pytest.mark.parametrize(
        ("quirk", "extra", "learned"),
        [
            ("no_temperature", {}, {"temperature": False, "refused": frozenset({"temperature"})}),
            ("max_completion_tokens", {}, {"limit": Limit.MAX_COMPLETION_TOKENS}),
            ("no_system", {}, {"system": False}),
        ],
    )
    async def test_a_refused_request_is_asked_again_at_once_and_remembered(
        self,
        client: LlmClient,
        fake: str,
        received: list[Received],
        quirk: str,
        extra: dict[str, object],
        learned: dict[str, object],
    ) -> None:
        endpoint = Endpoint(
            fake, model=f"quirk:{quirk}", temperature=0.5, max_tokens=100, extra=extra
        )
        said, mishaps = await ask(client.bind(endpoint))
        assert said.endswith("Hello, you!")
        assert len(mishaps) == 1
        await settle()
        assert profile(client, endpoint) == replace(STRANGER, **learned)  # type: ignore[arg-type]
        assert await ask(client.bind(endpoint)) == (said, [])
        assert len(received) == 3

    async def test_several_fields_go_one_after_another(
        self, client: LlmClient, fake: str, received: list[Received]
    ) -> None:
        endpoint = Endpoint(
            fake, model="quirk:minimal", temperature=0.5, extra={"top_p": 1}, tell=Tell.BODY
        )
        said, mishaps = await ask(client.bind(endpoint, TOLD))
        assert (said, len(mishaps)) == ("Hello, you!", 4)
        assert set(received[-1].body) == {"model", "messages", "stream"}
        await settle()
        assert await ask(client.bind(endpoint, TOLD)) == ("Hello, you!", [])

    async def test_there_is_an_end_to_it(
        self, client: LlmClient, fake: str, received: list[Received]
    ) -> None:
        extra = {f"field_{n}": n for n in range(MAX_AMENDS + 1)}
        endpoint = Endpoint(fake, model="quirk:minimal", extra=extra)
        with pytest.raises(LlmError):
            await ask(client.bind(endpoint))
        assert len(received) == MAX_AMENDS + 1
        assert profile(client, endpoint) == STRANGER

    async def test_what_a_check_learns_between_a_refusal_and_the_first_word_stays(
        self, client: LlmClient, fake: str
    ) -> None:
        endpoint = Endpoint(fake, model="quirk:no_temperature", temperature=0.5)
        key = key_of(endpoint, DEFAULT_MODEL)
        checked = replace(STRANGER, tools=True, first_token_ms=12.5)
        puts: list[asyncio.Task[None]] = []

        def end_the_check(_: LlmError) -> None:
            puts.append(asyncio.create_task(client.profiles.put(key, checked, STRANGER)))

        async for _ in client.bind(endpoint).reply(ASKED, end_the_check):
            pass
        await asyncio.gather(*puts)
        await settle()
        refused = frozenset({"temperature"})
        assert profile(client, endpoint) == replace(checked, temperature=False, refused=refused)

    async def test_what_names_nothing_is_a_failure(self, client: LlmClient, fake: str) -> None:
        with pytest.raises(LlmError) as failed:
            await ask(client.bind(Endpoint(fake, model="quirk:400")))
        assert failed.value.finding == "http.status"

    async def test_a_refusal_nested_too_deep_is_quoted_as_it_is(self, client: LlmClient) -> None:
        async def refuse(_: web.Request) -> web.Response:
            return web.Response(status=400, text='{"error":' + "[" * 1990 + "]" * 1990 + "}")

        app = web.Application()
        app.router.add_post("/chat/completions", refuse)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            with pytest.raises(LlmError) as failed:
                await ask(client.bind(Endpoint(f"http://127.0.0.1:{runner.addresses[0][1]}")))
        finally:
            await runner.cleanup()
        assert failed.value.finding == "http.status"

    async def test_fields_nested_too_deep_are_refused_before_they_are_sent(
        self, client: LlmClient, fake: str
    ) -> None:
        deep: list[object] = []
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(LlmError) as failed:
            await ask(client.bind(Endpoint(fake, extra={"deep": deep})))
        assert failed.value.finding == "body.bad"

    async def test_a_profile_that_cannot_be_kept_is_only_logged(self, fake: str) -> None:
        class Broken(MemoryProfiles):
            async def put(
                self, key: ProfileKey, profile: Profile, since: Profile | None = None
            ) -> None:
                raise OSError("the disk is full")

        client = LlmClient(Deadlines(), profiles=Broken())
        await client.open()
        endpoint = Endpoint(fake, model="quirk:no_system")
        with capture_logs() as logs:
            assert (await ask(client.bind(endpoint)))[1] == ["http.status"]
            await settle()
        assert [line["event"] for line in logs] == ["profile_not_kept"]
        await client.close()


async def test_an_empty_answer_is_asked_for_once_more(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    with pytest.raises(LlmError) as failed:
        await ask(client.bind(Endpoint(fake, model="quirk:empty")))
    assert (failed.value.finding, len(received)) == ("stream.empty", 2)


async def test_an_empty_answer_may_be_followed_by_a_real_one(client: LlmClient, fake: str) -> None:
    said, mishaps = await ask(client.bind(Endpoint(fake, model="quirk:empty_once")))
    assert (said, mishaps) == ("Hello, you!", ["stream.empty"])


@pytest.mark.parametrize(
    "quirk",
    ["tool_call", "tool_apart", "tool_index_1", "tool_no_index", "tool_no_id", "tool_id_inside",
     "tool_null_arguments", "function_call", "tool_reason_only", "json_tool_call", "tool_in_words"],
)  # fmt: skip
async def test_calls_of_functions_are_never_spoken_and_not_asked_for_again(
    client: LlmClient, fake: str, quirk: str, received: list[Received]
) -> None:
    with pytest.raises(LlmError) as failed:
        await ask(client.bind(Endpoint(fake, model=f"quirk:{quirk}")))
    assert (failed.value.finding, len(received)) == ("stream.tool_calls_only", 1)


@pytest.mark.parametrize("quirk", ["template_tokens", "function_marks", "function_text", "harmony"])
async def test_template_text_is_never_spoken(client: LlmClient, fake: str, quirk: str) -> None:
    said, _ = await ask(client.bind(Endpoint(fake, model=f"quirk:{quirk}")))
    assert said.strip() == "Hello, you!"


# Thoughts without a beginning -------------------------------------------------------------------


@pytest.fixture
async def thinker() -> AsyncIterator[str]:
    """A server whose template opens the thoughts, so that only their end is sent."""

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        pieces = ["They greet", ".</thi", "nk>\n\nHel", "lo."]
        if body["messages"][-1]["content"] == "Plainly!":
            pieces = ["Good", "bye."]
        for piece in pieces:
            event = {"choices": [{"delta": {"content": piece}}]}
            await answer.write(f"data: {json.dumps(event)}\n\n".encode())
        await answer.write(b"data: [DONE]\n\n")
        return answer

    app = web.Application()
    app.router.add_post("/chat/completions", complete)
    async with running_app(app) as url:
        yield url


async def test_thoughts_without_a_beginning_are_dropped_from_the_second_reply_on(
    client: LlmClient, thinker: str
) -> None:
    endpoint = Endpoint(thinker)
    llm = client.bind(endpoint)
    assert await ask(llm) == ("They greet.\n\nHello.", [])
    await settle()
    assert profile(client, endpoint).thinks_first
    assert await ask(llm) == ("Hello.", [])
    assert await ask(llm, [Message("user", "Plainly!")]) == ("Goodbye.", [])
    await settle()
    assert not profile(client, endpoint).thinks_first


# What is told -----------------------------------------------------------------------------------


async def test_nothing_is_told_unless_asked_for(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    await ask(client.bind(Endpoint(fake), TOLD))
    sent = received[0]
    assert not any(name.lower().startswith("x-") for name in sent.headers)
    assert set(sent.body) == {"model", "messages", "stream"}


async def test_by_headers(client: LlmClient, fake: str, received: list[Received]) -> None:
    endpoint = Endpoint(fake, tell=Tell.HEADERS, headers={"X-Agent-Id": "mine"})
    await ask(client.bind(endpoint, replace(TOLD, caller_id="ann")))
    sent = received[0].headers
    assert (sent["X-Conversation-Id"], sent["X-Caller-Id"]) == ("conv-1", "ann")
    assert sent["X-Agent-Id"] == "mine"
    assert "user" not in received[0].body


async def test_by_body(client: LlmClient, fake: str, received: list[Received]) -> None:
    await ask(client.bind(Endpoint(fake, tell=Tell.BODY), TOLD))
    body = received[0].body
    assert body["user"] == "conv-1"
    assert body["metadata"] == {"conversation_id": "conv-1", "agent_id": "agent-1"}


async def test_headers_and_query_may_name_the_conversation(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(
        fake + "?fixed=1",
        headers={"X-Session": "s-{{conversationId}}"},
        query={"agent": "{{agentId}}", "api version": "a&b"},
    )
    await ask(client.bind(endpoint, TOLD))
    assert received[0].headers["X-Session"] == "s-conv-1"
    assert received[0].path.endswith("?fixed=1&agent=agent-1&api+version=a%26b")


async def test_a_variable_cannot_add_a_header(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(fake, headers={"X-Session": "{{callerId}}{{note}}{{unset}}"})
    told = replace(TOLD, caller_id="a\r\nX-Evil: 1", variables={"note": "\0\nX-Evil: 2"})
    await ask(client.bind(endpoint, told))
    assert received[0].headers["X-Session"] == "a X-Evil: 1X-Evil: 2"
    assert "X-Evil" not in received[0].headers


async def test_an_endpoints_own_values_stand_where_no_conversation_gives_any(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(
        fake,
        headers={"X-Order": "{{order}}", "X-Shop": "{{shop}}", "X-Agent": "{{agentId}}"},
        variables={"order": "0", "shop": "main", "agentId": "forged"},
    )
    await ask(client.bind(endpoint, replace(TOLD, variables={"order": "42"})))
    sent = received[0].headers
    assert (sent["X-Order"], sent["X-Shop"], sent["X-Agent"]) == ("42", "main", "agent-1")


async def test_what_a_server_quotes_of_a_caller_is_not_told_on(
    client: LlmClient, fake: str
) -> None:
    told = replace(TOLD, variables={"secret": "canary-of-a-caller"})
    endpoint = Endpoint(f"{fake}/quirk/401_quotes_key", headers={"Authorization": "{{secret}}"})
    with pytest.raises(LlmError) as failed:
        await ask(client.bind(endpoint, told))
    assert "canary" not in f"{failed.value} {failed.value.message} {failed.value.hint}"


def test_a_query_joins_the_one_of_the_base_url() -> None:
    assert join_url("http://h/v1?a=1", {"b": "2"}) == "http://h/v1/chat/completions?a=1&b=2"
    assert join_url("http://h/v1", {"b": "ä"}) == "http://h/v1/chat/completions?b=%C3%A4"


def test_values_of_the_query_are_secrets() -> None:
    assert "canary" in list_secrets(Endpoint("http://h", query={"key": "canary"}))


# How long is waited ------------------------------------------------------------------------------


def test_an_agents_own_timeouts_win_over_the_operators() -> None:
    usual = Deadlines(1.0, 2.0, 3.0, 4.0)
    assert limit_waits(usual, Timeouts()) == usual
    assert limit_waits(usual, Timeouts(9.0, None, 8.0)) == Deadlines(9.0, 2.0, 8.0, 4.0)


async def test_an_impatient_agent(client: LlmClient, fake: str) -> None:
    endpoint = Endpoint(fake, model="quirk:hang", timeouts=Timeouts(first_token_s=0.05))
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(LlmError) as failed:
        await ask(client.bind(endpoint))
    assert failed.value.finding == "first_token.slow"
    assert asyncio.get_running_loop().time() - began_s < 0.35
