"""A secret that an agent's LLM or retrieval server is called with is found nowhere else.

A server runs in a process of its own, at the most talkative log level; what it calls quotes the
key, the headers and the query back wherever they can. Then everything that left it is searched:
answers, messages, both outputs, and every byte in its folder.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from aiohttp import web

from endpoints import running_endpoint
from mcp_world import running_server
from sayso.caller import call
from sayso.llm.fake import running_app
from served import FakeLlm, ask, fake_llm, hear_greeting

CANARIES = {
    "key": "sk-canary-8d1f6a7730c94e25",
    "header": "canary-header-51b2c9aa04",
    "query": "canary-query-e07f11d9",
    "url": "canary-url-6bb0d8312f",
    "fallback": "canary/fallback+key=93b1",
    "fallback_header": "canary-fallback-header-9d20",
    "fallback_query": "canary-fallback-query-44f7",
    "fallback_url": "canary-fallback-url-c5e8",
    "new": "plain-canary-of-a-new-key",
    "checked": "canary-only-checked-77ab",
}
KNOWLEDGE_CANARIES = {
    "knowledge_key": "rk-canary-2c9e7a115d",
    "knowledge_header": "canary-knowledge-header-b7",
    "knowledge_url": "canary/knowledge+url=5e2f",
    "knowledge_new": "rk-canary-refused-90aa",
}
QUIRKS = ("401_quotes_key", "error_quotes_key", "redirect", "html", "cut", "minimal", "json")


@dataclass
class Running:
    """A server, and all that it told."""

    url: str
    key: str
    told: list[str] = field(default_factory=list)

    async def send(self, method: str, path: str, body: object = None) -> str:
        """Ask by REST; the answer is kept with its headers. Gives the `id` in it, if any."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx2.AsyncClient(base_url=f"{self.url}/api/v1", timeout=30) as rest:
            answer = await rest.request(method, path, json=body, headers=headers)
        found = answer.json()
        agents = found if isinstance(found, list) else [found]
        self.told.append(f"{method} {path}: {answer.headers} {json.dumps(found)}")
        return str(agents[0].get("id")) if agents else ""


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """A server with scripted ears and voice; its outputs go into files of `folder`."""
    environment = {
        "SAYSO_DATA_DIR": str(folder / "data"),
        "SAYSO_PORT": "0",
        "SAYSO_LOG_LEVEL": "debug",
        "SAYSO_LLM_FIRST_TOKEN_TIMEOUT_S": "2",
        "SAYSO_STT": "scripted",
        "SAYSO_TTS": "scripted",
        "SAYSO_TTS_OPTIONS": '{"chars_per_s": "200"}',
        "SAYSO_CREATE_AGENT_PER_MIN": "0",
        "SAYSO_UPDATE_AGENT_PER_MIN": "0",
        "PYTHONUNBUFFERED": "1",
    }
    program = [sys.executable, "-c", "from sayso.cli import main; main()", "serve"]
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            program,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **environment},
        )
        assert process.stdout is not None
        lines, found = [], {}
        try:
            for line in process.stdout:
                lines.append(line)
                words = line.split()
                if "ready at" in line:
                    found["url"] = words[4]
                elif words[:2] == ["API", "key"]:
                    found["key"] = words[2]
                elif "Ctrl+C" in line:
                    break
            yield Running(found["url"], found["key"])
        finally:
            process.terminate()
            rest, _ = process.communicate(timeout=30)
            (folder / "stdout").write_text("".join([*lines, rest or ""]))


@dataclass
class Telltale:
    """A well-behaved LLM, until it is spoilt: then each answer quotes the whole request.

    Attributes:
        url: its base URL.
        spoilt: from now on it tells tales.
        found: what it was asked as a retrieval server.
    """

    url: str = ""
    spoilt: bool = False
    found: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if self.spoilt:
            quoted = {"path": request.path_qs, **request.headers}
            return web.json_response({"error": {"message": json.dumps(quoted)}}, status=401)
        words = {"role": "assistant", "content": "The smoke test has passed."}
        return web.json_response({"choices": [{"index": 0, "message": words}]})

    async def find(self, request: web.Request) -> web.Response:
        self.found.append(json.dumps([request.path_qs, dict(request.headers)]))
        if self.spoilt:
            return web.Response(status=401, text=f"{request.path_qs} {dict(request.headers)}")
        return web.json_response({"records": [{"content": "Nine to five."}]})


@asynccontextmanager
async def running_telltale() -> AsyncIterator[Telltale]:
    telltale = Telltale()
    app = web.Application()
    app.router.add_post("/chat/completions", telltale.answer)
    app.router.add_post("/retrieval", telltale.find)
    async with running_app(app) as telltale.url:
        yield telltale


def llm_of(base_url: str, standby: str) -> dict[str, object]:
    """An `llm` with a secret wherever one may stand."""

    def one(url: str, prefix: str, key: str) -> dict[str, object]:
        params = {
            "model": "any",
            "temperature": 0.5,
            "defaultHeaders": {"X-Tenant": CANARIES[f"{prefix}header"]},
            "query": {"token": CANARIES[f"{prefix}query"]},
        }
        url = f"{url}?code={CANARIES[f'{prefix}url']}"
        return {"baseURL": url, "apiKey": CANARIES[key], "baseParams": params}

    own, other = one(base_url, "", "key"), one(standby, "fallback_", "fallback")
    return {**own, "fallbacks": [other]}


def knowledge_of(url: str, key: str = "knowledge_key") -> dict[str, object]:
    """A `knowledge` with a secret wherever one may stand."""
    return {
        "baseURL": f"{url}?code={urllib.parse.quote(KNOWLEDGE_CANARIES['knowledge_url'])}",
        "apiKey": KNOWLEDGE_CANARIES[key],
        "timeoutMs": 5000,
        "headers": {"X-Tenant": f"Bearer {KNOWLEDGE_CANARIES['knowledge_header']}"},
    }


AGENT = {"displayName": "Canary", "description": "", "voice": "any"}


async def check_quirks(server: Running, llm: FakeLlm) -> None:
    """Save and check agents whose LLMs fail or tell tales: what is said about them is kept."""
    for quirk in QUIRKS:
        own = llm_of(f"{llm.url}/quirk/{quirk}", f"{llm.url}/quirk/401_quotes_key")
        await server.send("POST", "/agents", {**AGENT, "llm": own})
        await server.send("POST", "/llm-checks", {**own, "apiKey": CANARIES["checked"]})


async def check_knowledge(server: Running, path: str, telltale: Telltale) -> None:
    """Save, try, refuse and write back a retrieval server that tells tales when it is spoilt."""
    await server.send("PATCH", path, {"knowledge": knowledge_of(telltale.url)})
    telltale.spoilt = True
    refused = knowledge_of(telltale.url, "knowledge_new")
    await server.send("PATCH", path, {"knowledge": refused})
    await server.send("POST", "/knowledge-checks", refused)
    for wrong in ({"apiKey": [refused["apiKey"]]}, {"topK": "no"}, {"headers": {"Host": "x"}}):
        await server.send("PATCH", path, {"knowledge": {**refused, **wrong}})
    shown = knowledge_of("http://127.0.0.2:1") | {"apiKey": "••••115d"}
    await server.send("PATCH", path, {"knowledge": shown})
    telltale.spoilt = False


async def change(server: Running, path: str, llm: FakeLlm) -> None:
    """Change an agent's LLM in ways that are refused."""
    own = {"baseURL": llm.url, "apiKey": CANARIES["new"], "baseParams": {"model": "any"}}
    for wrong in (
        {"baseURL": f"{llm.url}/quirk/401_quotes_key"},
        {"baseURL": "http://169.254.169.254/v1"},
        {"baseURL": f"http://user:{CANARIES['new']}@127.0.0.1/"},
        {"baseParams": {"temperature": "no"}},
        {"apiKey": [CANARIES["new"]]},
        {"apiKey": f"{CANARIES['new']} with blanks"},
    ):
        await server.send("PATCH", path, {"llm": {**own, **wrong}})


async def write_back(server: Running, path: str) -> None:
    """Save what was read, masks and all; and let them follow to nobody else."""
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers) as rest:
        llm = (await rest.get(path)).json()["llm"]
        saved = await rest.patch(path, json={"llm": llm}, timeout=30)
        assert saved.json()["llm"] == llm, saved.text
    elsewhere = llm["baseURL"].replace("127.0.0.1", "127.0.0.2")
    for wrong in ({"baseURL": elsewhere}, {"baseURL": elsewhere, "apiKey": None}):
        await server.send("PATCH", path, {"llm": {**llm, **wrong}})
        await server.send(
            "POST", "/llm-checks", {**llm, **wrong, "agentId": path.rpartition("/")[2]}
        )


async def wait_for_reports(server: Running, path: str) -> None:
    """Until the checks of an agent and of its fallbacks are complete."""
    headers = {"Authorization": f"Bearer {server.key}"}
    async with (
        asyncio.timeout(60),
        httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers) as rest,
    ):
        while True:
            found = (await rest.get(f"{path}/llm-check")).json()
            if all(one["state"] == "complete" for one in (found, *found["fallbacks"])):
                assert len(found["fallbacks"]) == 1
                return
            await asyncio.sleep(0.05)


async def talk(server: Running, path: str, telltale: Telltale) -> None:
    """A conversation that goes well, and one that does not; then everything is looked at."""
    for telltale.spoilt in (False, True):
        agent_id = path.rpartition("/")[2]
        async with call(server.url, agent_id, api_key=server.key) as caller:
            await hear_greeting(caller)
            await ask(caller, "Hello?")
        server.told += [json.dumps(dict(told.message)) for told in caller.told]
    conversation = f"{path}/conversations/{caller.conversation_id}"
    for resource in (path, "/agents", conversation, f"{conversation}/turns", f"{path}/llm-check"):
        await server.send("GET", resource)


def spellings(secret: str) -> set[bytes]:
    """The secret, and what encodings make of it."""
    raw = secret.encode()
    quoted = urllib.parse.quote(secret, safe="").encode()
    return {raw, quoted, raw.hex().encode(), *(base64.b64encode(raw[at:])[:16] for at in range(3))}


def read_all(folder: Path) -> dict[str, bytes]:
    """Every file in `folder`, by its path."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_secret_is_found_nowhere(tmp_path: Path) -> None:
    async with fake_llm() as llm, running_telltale() as telltale:
        with running(tmp_path) as server:
            await check_quirks(server, llm)
            own = llm_of(telltale.url, telltale.url)
            agent_id = await server.send("POST", "/agents", {**AGENT, "llm": own})
            await change(server, f"/agents/{agent_id}", llm)
            await check_knowledge(server, f"/agents/{agent_id}", telltale)
            await write_back(server, f"/agents/{agent_id}")
            await wait_for_reports(server, f"/agents/{agent_id}")
            await talk(server, f"/agents/{agent_id}", telltale)
    sent = "\n".join(json.dumps([dict(r.headers), r.path]) for r in llm.received)
    assert [name for name, secret in CANARIES.items() if secret not in sent] == []
    found = urllib.parse.unquote("\n".join(telltale.found))
    assert [name for name, secret in KNOWLEDGE_CANARIES.items() if secret not in found] == []
    assert_nowhere({**CANARIES, **KNOWLEDGE_CANARIES}, server, tmp_path)
    said = (tmp_path / "stderr").read_bytes()
    assert b"conversation_disturbed" in said
    assert b"knowledge_mishap" in said


def assert_nowhere(canaries: Mapping[str, str], server: Running, folder: Path) -> None:
    """Search everything that left a server, and every byte in its folder."""
    places = read_all(folder)
    places |= {f"answer {n}": told.encode() for n, told in enumerate(server.told)}
    assert any("sayso.db" in place for place in places)
    leaks = [
        (name, place)
        for name, secret in canaries.items()
        for place, content in places.items()
        if any(spelling in content for spelling in spellings(secret))
    ]
    assert leaks == []


FUNCTION_CANARIES = {
    "header": "Bearer canary/function+header=51b2",
    "query": "canary-function-query-e07f",
    "body": "canary-function-body-77ab",
    "path": "canary-function-path-c5e8",
    "url": "canary-function-url-6bb0",
}


async def test_a_functions_fixed_values_are_found_nowhere(tmp_path: Path) -> None:
    fixed = [
        {"type": "const", "name": name, "parameterPosition": at, "value": FUNCTION_CANARIES[key]}
        for name, at, key in (
            ("Authorization", "header", "header"),
            ("q", "query", "query"),
            ("tenant", "body", "body"),
            ("part", "url", "path"),
        )
    ]
    async with running_endpoint() as endpoint:
        with running(tmp_path) as server:
            for path in ("", "give?status=500", "drop", "redirect?to=/x"):
                endpoint.failing = 1
                joined = f"{path}{'&' if '?' in path else '?'}code={FUNCTION_CANARIES['url']}"
                body = {
                    "name": "F",
                    "description": "Is asked.",
                    "endpointUrl": f"{endpoint.url}/{joined}",
                    "method": "POST",
                    "parameters": fixed,
                }
                made = await server.send("POST", "/external-functions", body)
                at = f"/external-functions/{made}"
                await server.send("POST", f"{at}/try", {"arguments": {}})
                for wrong in (
                    {"endpointUrl": "https://elsewhere.example/"},
                    {"parameters": [{**fixed[0], "name": "a b"}]},
                    {"parameters": [{**fixed[0], "value": [FUNCTION_CANARIES["header"]]}]},
                    {"endpointUrl": f"http://u:{FUNCTION_CANARIES['url']}@127.0.0.1/"},
                ):
                    await server.send("PATCH", at, wrong)
            await server.send("GET", "/external-functions")
    sent = json.dumps([vars(one) for one in endpoint.asked])
    assert [name for name, secret in FUNCTION_CANARIES.items() if secret not in sent] == []
    assert_nowhere(FUNCTION_CANARIES, server, tmp_path)


MCP_CANARIES = {
    "header": "Bearer canary/mcp+header=77d0",
    "url": "canary-mcp-url-19e4",
    "new": "Bearer canary-mcp-refused-3c5a",
}


@dataclass
class Curious:
    """An LLM that looks for secrets by a function, and an MCP server that quotes its requests."""

    found: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.results += [str(one["content"]) for one in body["messages"] if one["role"] == "tool"]
        said: dict[str, object] = {"role": "assistant", "content": "The smoke test has passed."}
        if body.get("tools") and body["messages"][-1]["role"] == "user":
            asked = {"name": "show_header", "arguments": json.dumps({"name": "authorization"})}
            said["tool_calls"] = [{"id": "c1", "type": "function", "function": asked}]
        return web.json_response({"choices": [{"index": 0, "message": said}]})

    async def quote(self, request: web.Request) -> web.Response:
        quoted = f"{request.path_qs} {dict(request.headers)}"
        self.found.append(quoted)
        return web.Response(status=int(request.match_info["status"]), text=quoted)


def mcp_of(url: str, key: str = "header") -> dict[str, object]:
    """An MCP server with a secret wherever one may stand."""
    return {
        "name": "parrot",
        "url": f"{url}?code={MCP_CANARIES['url']}",
        "headers": {"Authorization": MCP_CANARIES[key]},
        "tools": ["show_header"],
    }


async def test_an_mcp_servers_secrets_are_found_nowhere(tmp_path: Path) -> None:
    curious, app = Curious(), web.Application()
    app.router.add_post("/chat/completions", curious.answer)
    app.router.add_route("*", "/mcp/{status}", curious.quote)
    async with running_app(app) as url:
        with running(tmp_path) as server, running_server() as parrot:
            llm = {"baseURL": url, "apiKey": "sk-test"}
            body = {**AGENT, "llm": llm, "mcpServers": [mcp_of(parrot)]}
            agent_id = await server.send("POST", "/agents", body)
            for status in (200, 401, 404, 500):
                wrong = mcp_of(f"{url}/mcp/{status}")
                await server.send("POST", "/mcp-checks", wrong)
                await server.send("PATCH", f"/agents/{agent_id}", {"mcpServers": [wrong]})
            for more in ({"url": parrot}, {"headers": {"a b": MCP_CANARIES["new"]}}, {"tools": 1}):
                wrong = mcp_of(f"{url}/mcp/401", "new") | more
                await server.send("PATCH", f"/agents/{agent_id}", {"mcpServers": [wrong, wrong]})
            await server.send("PATCH", f"/agents/{agent_id}", {"mcpServers": [mcp_of(parrot)]})
            async with call(server.url, agent_id, api_key=server.key) as caller:
                await hear_greeting(caller)
                async with asyncio.timeout(30):
                    while not curious.results:
                        await ask(caller, "What is the header?")
            server.told += [json.dumps(dict(told.message)) for told in caller.told]
            conversation = f"/agents/{agent_id}/conversations/{caller.conversation_id}"
            for path in (f"/agents/{agent_id}", conversation, f"{conversation}/turns"):
                await server.send("GET", path)
    sent = "\n".join(curious.found)
    assert [name for name in ("header", "url") if MCP_CANARIES[name] not in sent] == []
    assert [one for one in curious.results if "canary" in one] == []
    assert_nowhere(MCP_CANARIES, server, tmp_path)
