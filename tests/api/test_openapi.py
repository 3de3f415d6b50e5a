"""Whatever the OpenAPI document allows is answered as it says; what it forbids is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.python import asgi
from schemathesis.schemas import BaseSchema
from starlette.types import Receive, Scope, Send

from rest_world import START, World, make_world, open_world
from sayso.agents import mcp_servers
from sayso.config import Settings
from sayso.functions.mcp.check import Report
from sayso.security.secrets import Secrets

NO_LIMITS = {
    "create_agent_per_min": 0,
    "update_agent_per_min": 0,
    "get_agent_per_min": 0,
    "get_stats_per_min": 0,
    "check_mcp_per_min": 0,
    "try_function_per_min": 0,
    "add_knowledge_per_min": 0,
    "max_sources": 10_000,
    "max_functions": 100_000,
}
FUNCTION = {
    "name": "F",
    "description": "Is tried; nobody is there.",
    "endpointUrl": "http://127.0.0.1:9/",
}
BOUNDED = settings(
    max_examples=12,  # of each operation; there are 64
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Door:
    """Leads to the application of the moment: the document is read before one is opened."""

    def __init__(self) -> None:
        self.app = make_world(Settings(), Secrets(bytes(32))).app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


DOOR = Door()


@dataclass(frozen=True)
class Served:
    """An installation with an agent and a conversation to find."""

    key: str
    ids: dict[str, str]


async def fill(world: World) -> dict[str, str]:
    async with world.client() as client:
        agent = (await client.post("/api/v1/agents", json={"displayName": "A"})).json()["id"]
        made = await client.post("/api/v1/external-functions", json=FUNCTION)
    world.recorder.opened("c1", agent, source="web", at=START)
    world.recorder.line("c1", "assistant", "Hello", START)
    world.recorder.turn("c1", 1, {"first_sound_ms": 640.0}, START)
    await world.recorder.flush()
    await world.database.close()  # its connections belong to this loop, not to the client's
    return {"agentId": agent, "conversationId": "c1", "functionId": made.json()["id"]}


async def pass_all(*_: object) -> Report:
    """A check of an MCP server that calls nobody."""
    return Report([])


@pytest.fixture(scope="module", autouse=True)
def unchecked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mcp_servers, "check_server", pass_all)
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    stack = AsyncExitStack()
    folder: Path = tmp_path_factory.mktemp("openapi")
    with asyncio.Runner() as runner:
        world = runner.run(stack.enter_async_context(open_world(folder, **NO_LIMITS)))
        ids = runner.run(fill(world))
        DOOR.app = world.app
        yield Served(world.key, ids)
        asgi._get_portal().call(world.database.close)  # the loop all its requests run in
        runner.run(stack.aclose())


# JSON Schema's `uri` allows any scheme; ours are those of an LLM.
URLS = ("https://llm.example.com/v1", "http://127.0.0.1:11434", "http://[::1]:8000/v1/?x=1")
schemathesis.openapi.format("uri", st.sampled_from(URLS))


def load_schema() -> BaseSchema:
    config = SchemathesisConfig()
    config.projects.default.generation = GenerationConfig(
        modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        with_security_parameters=False,
        allow_x00=False,
    )
    return schemathesis.openapi.from_asgi("/openapi.json", DOOR, config=config)


schema = load_schema()


def fits_together(body: object) -> bool:
    """Whether a body keeps the rules that JSON Schema has no words for."""
    if not isinstance(body, dict):
        return True
    # Which zones and whose functions there are is not the document's to say.
    known = not body.get("timeZone") and not body.get("actions")
    short = not body.get("crawl") or body.get("maxPages", 0) in range(MOST_PAGES + 1)
    return known and short and _differ(body) and _have_places(body)


def _differ(body: dict[str, Any]) -> bool:
    """Whether no two MCP servers have one name, and no two destinations of transfers."""
    for field in ("mcpServers", "transferDestinations"):
        names = [" ".join(str(one.get("name")).casefold().split()) for one in _list(body, field)]
        if len(set(names)) != len(names):
            return False
    return True


def _have_places(body: dict[str, Any]) -> bool:
    """Whether each parameter of a function fits its place, and is the only one there."""
    places = [
        (
            str(one.get("parameterPosition", "body")),
            str(one.get("name")).lower(),
            one.get("constType"),
        )
        for one in _list(body, "parameters")
    ]
    fitting = all(where not in ("header", "url") and kind not in TYPED for where, _, kind in places)
    return fitting and len({place[:2] for place in places}) == len(places)


TYPED = ("number", "boolean")
MOST_PAGES = Settings().max_crawl_pages


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a field that may be anything."""
    found = body.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def is_readable(case: Case[Any]) -> bool:
    """Whether what is uploaded may be a document: a schema's bytes may be a picture."""
    return case.media_type != "multipart/form-data"


def is_countable(case: Case[Any]) -> bool:
    """Whether figures are asked for without their times: how far apart they may be is a rule."""
    return not case.path.endswith("/analytics") or not {"from", "to"} & set(case.query or {})


@schema.parametrize()
@BOUNDED
def test_the_api_does_what_its_document_says(case: Case[Any], served: Served) -> None:
    if case.method != "DELETE":  # keep the one agent there is
        case.path_parameters.update(
            {name: value for name, value in served.ids.items() if name in case.path_parameters}
        )
    headers = {"Authorization": f"Bearer {served.key}"}
    if fits_together(case.body) and is_readable(case) and is_countable(case):
        case.call_and_validate(headers=headers)
    else:
        assert case.call(headers=headers).status_code < 500
