"""Nothing is fetched at run time and nothing phones home.

The server runs in a process of its own, in which every attempt to connect, or to look a name up,
is noted, and refused unless it stays on this machine. Python's own audit events see all of it,
whatever library does it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import speech
from sayso.caller import call
from served import FakeLlm, fake_llm, hear_greeting, microphone

pytestmark = pytest.mark.speech

WATCHED = """
import ipaddress, json, sys
from pathlib import Path

folder = Path(sys.argv[1])
noted = open(folder / "outbound.jsonl", "w", buffering=1)

def watch(event, args):
    if event == "socket.connect":
        address = args[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = args[:2]
    else:
        return
    noted.write(json.dumps([event, str(address)]) + chr(10))
    host = address[0] if isinstance(address, tuple) else ""
    try:
        inside = not host or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = host == "localhost"
    if not inside:
        raise PermissionError(f"{event} {address}")

sys.addaudithook(watch)

from sayso.config import Settings
from sayso.serve import run_server

run_server(Settings(data_dir=folder / "data", port=0))
"""
"""The program: `sayso serve` with a watch at the door."""


@dataclass
class Watched:
    """A server under watch.

    Attributes:
        url: where it listens.
        key: its owner's API key.
        folder: with its notes.
    """

    url: str
    key: str
    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def noted(self) -> list[tuple[str, str]]:
        """(event, address) of every attempt so far."""
        text = (self.folder / "outbound.jsonl").read_text()
        return [(event, address) for event, address in map(json.loads, text.splitlines())]


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Run the watched server until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Model hubs' own switch is off: they would be free to call home.
        env={**os.environ, "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "0"},
    )
    assert process.stdout is not None
    try:
        found: dict[str, str] = {}
        for line in process.stdout:
            words = line.split()
            if "ready at" in line:
                found["url"] = words[4]
            elif words[:2] == ["API", "key"]:
                found["key"] = words[2]
            elif "Ctrl+C" in line:
                break
        yield Watched(found["url"], found["key"], folder)
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def talk(server: Watched, llm: FakeLlm) -> str:
    """Make an agent, and ask it something by voice; gives the answer."""
    import httpx2

    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers) as rest:
        body = {
            "displayName": "Front desk",
            "description": "",
            "voice": "any",
            "greeting": "Hello.",
            "llm": {"baseURL": llm.url, "apiKey": "sk-test"},
        }
        made = await rest.post("/agents", json=body)
        assert made.status_code == 201, made.text
        assert (await rest.get("/agents")).status_code == 200
    async with httpx2.AsyncClient(base_url=server.url) as pages:
        assert (await pages.get("/docs")).status_code == 200
    question = next(p for p in speech.sentences() if 2.0 <= p.seconds <= 3.5)
    async with call(server.url, made.json()["id"], api_key=server.key) as caller:
        async with microphone(caller) as mic:
            await hear_greeting(caller)
            await mic.say(question.samples)
            answer = await caller.reply(1, within_s=20)
        return answer.text


async def test_only_the_agents_own_llm_is_called(tmp_path: Path) -> None:
    async with fake_llm("Certainly.") as llm:
        with watched(tmp_path) as server:
            at_start = server.noted
            assert await talk(server, llm) == "Certainly."
            noted = server.noted
    port = urlsplit(llm.url).port
    connects = [address for event, address in noted if event == "socket.connect"]
    assert at_start == [], "starting asks nobody anything"
    assert connects, "the watch sees the LLM's connection"
    assert set(connects) == {str(("127.0.0.1", port))}
    spoken = [prompt for prompt in llm.prompts if "spoken conversation" in prompt[0][1]]
    assert len(spoken) == 1, "one question; all else is the check"
    lookups = {address for event, address in noted if event != "socket.connect"}
    assert all("127.0.0.1" in address for address in lookups), lookups
