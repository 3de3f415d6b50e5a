"""The guide's recipes, taken from the page and run: saved by REST, asked on the wire, talked to.

Only scheme, host, port and key are exchanged. What a vendor's door lets in and refuses stands in
`vendors.py`; the real llama.cpp is asked in `test_local_llm.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from documents import blocks, section
from recipes import (
    GUIDE,
    LANGCHAIN,
    PERSONA,
    QUESTION,
    agent_with,
    block_of,
    command_of,
    hold_a_turn,
    issues_of,
    llm_of,
    messages_of,
    save,
)
from sayso.agents.schema import AgentChanges
from sayso.llm.fake import Received
from sayso.llm.tolerance import PROMPT
from served import Served
from vendors import (
    AZURE,
    KEY,
    LLAMA,
    LLAMA_LOCKED,
    LM_STUDIO,
    OLLAMA,
    OPENAI,
    VENDORS,
    VLLM,
    Door,
    Vendor,
    llama_loading,
    running_vendor,
)

PROGRAM = [sys.executable, "-c", "from sayso.cli import main; main()"]


# Which there are ------------------------------------------------------------------------------


def test_every_recipe_has_a_vendor() -> None:
    text = section(GUIDE, "## Recipes")
    assert re.findall(r"(?m)^### (.+)$", text) == [*(v.name for v in VENDORS), LANGCHAIN]
    shown = [b for b in blocks("json") if b.page == GUIDE and b.text in text]
    assert len(shown) == len(VENDORS) + 1


@pytest.mark.parametrize("recipe", [*(vendor.name for vendor in VENDORS), LANGCHAIN])
def test_recipes_are_valid_changes(recipe: str) -> None:
    assert AgentChanges.model_validate(json.loads(block_of(recipe, "json"))).llm is not None


# On the wire -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wire:
    """What the vendor documents of a request.

    Attributes:
        vendor: whose.
        path: what is called, with its query.
        body: the fields beside `messages` and `stream`.
        headers: the headers that name who asks; no other of them is sent.
    """

    vendor: Vendor
    path: str = "/v1/chat/completions"
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


WIRES = (
    Wire(OLLAMA, body={"model": "llama3.2"}),
    # It ignores the model, and refuses no request for naming one.
    Wire(LLAMA, body={"model": "gpt-3.5-turbo", "max_tokens": 200, "cache_prompt": True}),
    Wire(
        VLLM,
        body={"model": "Qwen/Qwen3-8B", "chat_template_kwargs": {"enable_thinking": False}},
        headers={"authorization": f"Bearer {KEY}"},
    ),
    Wire(LM_STUDIO, body={"model": "qwen2.5-7b-instruct"}),
    Wire(
        OPENAI,
        body={"model": "gpt-4o-mini", "max_tokens": 300},
        headers={"authorization": f"Bearer {KEY}"},
    ),
    Wire(
        AZURE,
        path="/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
        body={"model": "gpt-4o-mini"},
        headers={"api-key": KEY},
    ),
)
NAMES = [wire.vendor.name for wire in WIRES]
WHO_ASKS = frozenset(("authorization", "api-key", "x-api-key", "cookie"))


def test_every_vendor_is_asked() -> None:
    assert [vendor.name for vendor in VENDORS] == NAMES


@pytest.mark.parametrize("wire", WIRES, ids=NAMES)
async def test_a_recipe_is_saved_and_talked_to(wire: Wire, rehearsed: Served) -> None:
    async with running_vendor(wire.vendor) as door:
        llm = llm_of(wire.vendor.name, door.origin)
        agent = await save(rehearsed, llm)
        assert not issues_of(agent)
        assert {asked.path for asked in door.received} == {wire.path}, "nothing else was tried"
        assert messages_of(door.received[0]) == [("user", PROMPT)]
        await hold_a_turn(rehearsed, agent["id"])
    asked = last_question(door)
    assert asked.path == wire.path
    assert_wire(asked, wire)
    roles = [role for role, _ in messages_of(asked)]
    assert (roles[0], roles[-1]) == ("system", "user")
    assert PERSONA in messages_of(asked)[0][1]


def assert_wire(asked: Received, wire: Wire) -> None:
    body = dict(asked.body)
    assert asked.method == "POST"
    assert body.pop("stream") is True
    body.pop("messages")
    assert body == wire.body
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["content-type"].startswith("application/json")
    assert {name: headers[name] for name in headers.keys() & WHO_ASKS} == wire.headers


def last_question(door: Door) -> Received:
    (asked,) = [one for one in door.received if messages_of(one)[-1] == ("user", QUESTION)]
    return asked


# The commands ----------------------------------------------------------------------------------

WITH_COMMANDS = [vendor for vendor in VENDORS if vendor is not AZURE]


async def run_check(words: list[str], folder: Path) -> str:
    """Run `sayso` as a shell would; gives what it printed, and fails where it failed."""
    run = await asyncio.to_thread(
        subprocess.run,
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return str(run.stdout)


@pytest.mark.parametrize("vendor", WITH_COMMANDS, ids=lambda vendor: vendor.name)
async def test_the_recipes_command_passes(vendor: Vendor, tmp_path: Path) -> None:
    async with running_vendor(vendor) as door:
        told = await run_check(command_of(vendor.name, door.origin), tmp_path)
    assert told.startswith(f"passed  {door.origin}/v1/chat/completions")


async def test_the_command_waits_while_a_model_loads(tmp_path: Path) -> None:
    """llama.cpp listens at once, and answers 503 until its model is there."""
    async with running_vendor(llama_loading(requests=3)) as door:
        words = command_of("llama.cpp", door.origin)
        assert "--wait" in words
        assert "passed" in await run_check(words, tmp_path)
    assert len(door.received) > 3


# Got wrong -------------------------------------------------------------------------------------

Llm = dict[str, Any]


def without_v1(llm: Llm) -> None:
    llm["baseURL"] = llm["baseURL"].removesuffix("/v1")


def another_model(llm: Llm) -> None:
    llm["baseParams"]["model"] = "gpt-9"


def another_key(llm: Llm) -> None:
    llm["apiKey"] = "sk-wrong-9876543210"


def no_key(llm: Llm) -> None:
    llm.pop("apiKey", None)
    llm["baseParams"].pop("defaultHeaders", None)


def key_as_bearer(llm: Llm) -> None:
    no_key(llm)
    llm["apiKey"] = KEY


def another_deployment(llm: Llm) -> None:
    llm["baseURL"] = llm["baseURL"].replace("my-deployment", "mine")


def no_version(llm: Llm) -> None:
    del llm["baseParams"]["query"]


def unknown_field(llm: Llm) -> None:
    llm["baseParams"]["cache_prompt"] = True


@dataclass(frozen=True)
class Mistake:
    """A recipe, one thing changed in it, and what the owner is told.

    Attributes:
        vendor: whose recipe.
        change: what is wrong with it.
        code: of the finding.
        quotes: what the message repeats of the vendor's own words.
        works: the path of a base URL that is proposed.
    """

    vendor: Vendor
    change: Callable[[Llm], None]
    code: str
    quotes: str = ""
    works: str | None = None


MISTAKES = (
    Mistake(OLLAMA, without_v1, "path.not_found", "404 page not found", works="/v1"),
    Mistake(OLLAMA, another_model, "model.unknown", "try pulling it first"),
    Mistake(LLAMA_LOCKED, no_key, "auth.refused", "Invalid API Key"),
    Mistake(VLLM, another_model, "model.unknown", "The model `gpt-9` does not exist"),
    Mistake(VLLM, another_key, "auth.refused", "Unauthorized"),
    Mistake(VLLM, without_v1, "path.not_found", "Not Found", works="/v1"),
    Mistake(LM_STUDIO, without_v1, "path.not_found", "Unexpected endpoint or method", works="/v1"),
    Mistake(LM_STUDIO, another_model, "model.unknown", "Model not found"),
    Mistake(OPENAI, without_v1, "path.not_found", "Invalid URL", works="/v1"),
    Mistake(OPENAI, another_model, "model.unknown", "do not have access to it"),
    Mistake(OPENAI, another_key, "auth.refused", "Incorrect API key provided"),
    Mistake(OPENAI, no_key, "auth.refused", "You didn't provide an API key"),
    Mistake(AZURE, no_key, "auth.refused", "Access denied"),
    Mistake(AZURE, key_as_bearer, "auth.refused", "Access denied"),
    Mistake(AZURE, another_deployment, "path.not_found", "API deployment for this resource"),
    Mistake(AZURE, no_version, "path.not_found", "Resource not found"),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.vendor.name}-{m.change.__name__}")
async def test_a_mistake_is_named(mistake: Mistake, rehearsed: Served) -> None:
    async with running_vendor(mistake.vendor) as door, rehearsed.rest() as rest:
        llm = llm_of(mistake.vendor.name, door.origin)
        mistake.change(llm)
        answer = await rest.post("/agents", json=agent_with(llm))
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert told["field"] == "llm"
    first = told["details"][0]
    assert first["code"] == mistake.code
    assert mistake.quotes in f"{first['message']} {first['evidence']}"
    if mistake.works is not None:
        assert f"Set baseURL to {door.origin}{mistake.works}" in first["fix"]
    assert "sk-wrong-9876543210" not in answer.text
    assert KEY not in answer.text


async def test_llama_answers_whatever_model_is_named(rehearsed: Served) -> None:
    async with running_vendor(LLAMA) as door:
        llm = llm_of("llama.cpp", door.origin)
        another_model(llm)
        assert not issues_of(await save(rehearsed, llm))


@pytest.mark.parametrize("vendor", [OLLAMA, LM_STUDIO], ids=lambda vendor: vendor.name)
async def test_a_key_that_nobody_asked_for_does_no_harm(vendor: Vendor, rehearsed: Served) -> None:
    async with running_vendor(vendor) as door:
        llm = llm_of(vendor.name, door.origin) | {"apiKey": "none"}
        assert not issues_of(await save(rehearsed, llm))


async def test_openais_newer_models_are_found_out(rehearsed: Served) -> None:
    """As the recipe says: `max_completion_tokens` only, and no `temperature`."""
    async with running_vendor(OPENAI) as door:
        llm = llm_of("OpenAI", door.origin)
        llm["baseParams"] |= {"model": "gpt-5-mini", "temperature": 0.2}
        agent = await save(rehearsed, llm)
        assert issues_of(agent) == {"max_tokens.renamed", "params.rejected"}
        await hold_a_turn(rehearsed, agent["id"])
    body = dict(last_question(door).body)
    assert body["max_completion_tokens"] == 300
    assert not {"max_tokens", "temperature"} & body.keys()


async def test_openai_is_not_sent_what_it_does_not_know(rehearsed: Served) -> None:
    async with running_vendor(OPENAI) as door:
        llm = llm_of("OpenAI", door.origin)
        unknown_field(llm)
        agent = await save(rehearsed, llm)
        assert issues_of(agent) == {"params.rejected"}
        await hold_a_turn(rehearsed, agent["id"])
    assert "cache_prompt" not in last_question(door).body


async def test_without_the_switch_qwen_thinks(rehearsed: Served) -> None:
    """The recipe's `chat_template_kwargs` does something."""
    async with running_vendor(VLLM) as door:
        llm = llm_of("vLLM", door.origin)
        del llm["baseParams"]["chat_template_kwargs"]
        agent = await save(rehearsed, llm)
    assert issues_of(agent) == {"stream.reasoning"}
