"""A server that does not know a model is asked for those it has, and the likeliest is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sayso.llm import Endpoint, Message
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import running_app
from sayso.llm.findings import Finding, FindingError, Scene
from sayso.llm.offers import (
    MAX_LIST_BYTES,
    MAX_MODELS,
    MAX_NAME_CHARS,
    MAX_SHOWN,
    models_url,
    rank,
    read_models,
    tell_default,
    tell_models,
)

KEY = "sk-canary-0123456789"
UNKNOWN = Scene("http://h/v1/chat/completions").find("model.unknown", model="lama3")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("data", "models", "id", "name", "model")), inner, max_size=3
        )
    ),
)


class TestReading:
    """A list of models, as bytes."""

    @pytest.mark.parametrize(
        "document",
        [
            {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
            {"models": [{"name": "a", "model": "x"}, {"model": "b"}]},
            [{"id": "a"}, {"id": "b"}, {"id": "a"}],
            ["a", "b"],
            {"data": [{"id": "a"}, {"id": 7}, {"id": "a\nb"}, {}, None, {"id": "b"}]},
            {"data": [{"id": "x" * (MAX_NAME_CHARS + 1)}, {"id": "a"}, {"id": "b"}]},
        ],
    )
    def test_in_the_shapes_servers_have(self, document: object) -> None:
        assert read_models(json.dumps(document).encode()) == ("a", "b")

    @pytest.mark.parametrize("body", [b"", b"<html>", b"7", b'{"data": 7}', b"[" * 100_000])
    def test_of_another_kind(self, body: bytes) -> None:
        assert read_models(body) == ()

    def test_without_end(self) -> None:
        body = json.dumps([f"m{n}" for n in range(2 * MAX_MODELS)]).encode()
        assert len(read_models(body)) == MAX_MODELS

    @given(JSON)
    def test_whatever_it_is(self, document: object) -> None:
        assert all(isinstance(name, str) for name in read_models(json.dumps(document).encode()))


class TestTelling:
    """What the finding says of them."""

    def test_the_nearest_comes_first(self) -> None:
        names = ["gpt-4o-mini", "qwen2.5:7b", "Llama3.2:latest"]
        assert rank(names, "llama3")[0] == "Llama3.2:latest"
        told = tell_models(UNKNOWN, names, "llama3")
        assert "It offers Llama3.2:latest, " in told.message
        assert told.fix == (
            "Set llm.baseParams.model to Llama3.2:latest, or to another one it offers."
        )

    def test_not_all_of_many(self) -> None:
        told = tell_models(UNKNOWN, [f"model-{n}" for n in range(30)], "model-7x")
        assert told.message.count("model-") == MAX_SHOWN
        assert told.message.endswith(f" and {30 - MAX_SHOWN} more.")

    def test_a_model_that_is_listed_all_the_same(self) -> None:
        told = tell_models(UNKNOWN, ["lama3", "other"], "lama3")
        assert told.message.endswith("It offers other; this model is on its list, too.")
        assert told.fix.startswith("Check that this key may use the model")

    @pytest.mark.parametrize("names", [(), ("lama3",)])
    def test_nothing_where_there_is_nothing_else(self, names: tuple[str, ...]) -> None:
        assert tell_models(UNKNOWN, names, "lama3") is UNKNOWN

    def test_no_secret(self) -> None:
        assert KEY not in str(tell_models(UNKNOWN, [KEY], "x", (KEY,)))

    def test_that_nobody_asked_for_it(self) -> None:
        assert "default name was sent" in tell_default(UNKNOWN).message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h/v1/chat/completions", "http://h/v1/models"),
        ("https://h/chat/completions?key=k", "https://h/models?key=k"),
    ],
)
def test_where_the_list_is(url: str, expected: str) -> None:
    assert models_url(url) == expected


# Over a socket ----------------------------------------------------------------------------------


@dataclass
class Shop:
    """A server that knows no model, and lists `listed` or does not answer at all."""

    listed: bytes | None = b'{"data": [{"id": "llama3.2:latest"}, {"id": "qwen"}]}'
    status: int = 200
    asked: list[web.Request] = field(default_factory=list)

    async def complete(self, _: web.Request) -> web.Response:
        refusal = {"error": {"message": "model 'x' not found", "code": "model_not_found"}}
        return web.json_response(refusal, status=404)

    async def show(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.listed is None:
            await asyncio.Event().wait()
        location = {"Location": "/v1/elsewhere"} if self.status == 302 else {}
        return web.Response(body=self.listed, status=self.status, headers=location)


@asynccontextmanager
async def running(shop: Shop) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", shop.complete)
    app.router.add_get("/v1/{path:.*}", shop.show)
    async with running_app(app, handler_cancellation=True) as url:
        yield f"{url}/v1"


async def ask(client: LlmClient, shop: Shop, model: str | None = "llama3") -> Finding:
    async with running(shop) as url:
        endpoint = Endpoint(f"{url}?tenant=t-123456", SecretStr(KEY), model, headers={"X-A": "b"})
        report = await LlmCheck(client, budget_s=3.0).check(endpoint)
    assert report.findings[0].code == "model.unknown"
    assert KEY not in repr(report)
    return report.findings[0]


async def test_a_check_asks_for_the_models(client: LlmClient) -> None:
    shop = Shop()
    told = await ask(client, shop)
    assert "It offers llama3.2:latest, qwen." in told.message
    assert "default name" not in told.message
    assert told.fix.startswith("Set llm.baseParams.model to llama3.2:latest")
    (request,) = shop.asked
    assert request.path_qs == "/v1/models?tenant=t-123456"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["X-A"] == "b"
    assert "Content-Type" not in request.headers


async def test_it_says_that_no_model_was_set(client: LlmClient) -> None:
    told = await ask(client, Shop(), model=None)
    assert "default name was sent because llm.baseParams.model is not set" in told.message
    assert "It offers" in told.message


@pytest.mark.parametrize(
    "shop",
    [
        Shop(status=500),
        Shop(status=302),
        Shop(listed=b"<html>"),
        Shop(listed=b'["a"]' + b" " * MAX_LIST_BYTES),
    ],
    ids=["failing", "redirect", "page", "endless"],
)
async def test_a_list_that_cannot_be_read_changes_nothing(client: LlmClient, shop: Shop) -> None:
    told = await ask(client, shop)
    assert "It offers" not in told.message
    assert len(shop.asked) == 1


async def test_nor_does_one_that_does_not_come(
    client: LlmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.llm.check.MODELS_S", 0.1)
    assert "It offers" not in (await ask(client, Shop(listed=None))).message


async def test_a_conversation_asks_for_no_list(client: LlmClient) -> None:
    shop = Shop()
    async with running(shop) as url:
        with pytest.raises(FindingError):
            [_ async for _ in client.bind(Endpoint(url)).reply([Message("user", "Hello.")])]
    assert shop.asked == []


async def test_a_closed_client_asks_nobody() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await LlmClient(Deadlines()).list_models(Endpoint("http://h"), 1.0)
