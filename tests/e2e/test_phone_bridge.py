"""The bridge of the guide, between a telephone company that is a fake and a real server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestServer

from sayso.llm.fake import FakeConfig, Rule, running_fake
from served import Served

RULES = (Rule("the owner, please", "transfer", {"destination": "Owner"}),)
OWNER = {"name": "Owner", "phoneNumber": "+15550100123", "when": "they complain"}
WANTED = {"caller": "+15550100777", "note": "The owner, please."}


@dataclass
class Company:
    """Takes instructions for calls, unless it is `down`."""

    down: bool = False
    asked: list[str] = field(default_factory=list)
    instructed: asyncio.Event = field(default_factory=asyncio.Event)

    async def instruct(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append(str(form["Twiml"]))
        self.instructed.set()
        return web.Response(status=503 if self.down else 200)


@dataclass
class Phone:
    """One call, as the telephone company's end of the stream sees it."""

    socket: ClientWebSocketResponse

    async def start(self, **parameters: str) -> None:
        start = {"streamSid": "MZ1", "callSid": "CA1", "customParameters": parameters}
        await self.socket.send_json({"event": "connected"})
        await self.socket.send_json({"event": "start", "start": start})

    async def until_mark(self) -> bytes:
        """The sound of one reply, heard out."""
        sound = b""
        while (message := json.loads((await self.socket.receive()).data))["event"] != "mark":
            assert message["streamSid"] == "MZ1"
            if message["event"] == "media":
                sound += base64.b64decode(message["media"]["payload"])
        await self.socket.send_json({"event": "mark", "mark": message["mark"]})
        return sound


@asynccontextmanager
async def bridging(served: Served, company: Company) -> AsyncGenerator[tuple[str, str]]:
    """The bridge as a program, to an agent that hands callers on; its URL and the agent's id."""
    twilio = web.Application()
    twilio.router.add_post("/2010-04-01/Accounts/AC1/Calls/CA1.json", company.instruct)
    config = FakeConfig("tools", (), 0.0, 0.0, rules=RULES)
    async with running_fake(config) as llm, TestServer(twilio) as api:
        agent = await served.make_agent(llm, transferDestinations=[OWNER])
        program = [sys.executable, "-u", "examples/phone_bridge.py", agent, "--port", "0"]
        places = ["--public", "bridge.example.com", "--twilio", str(api.make_url("")).rstrip("/")]
        account = {"TWILIO_SID": "AC1", "TWILIO_TOKEN": "secret"}
        running = await asyncio.create_subprocess_exec(
            *program,
            *places,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | account | {"SAYSO_URL": served.url, "SAYSO_API_KEY": served.key},
        )
        assert running.stdout is not None
        try:
            said = await asyncio.wait_for(running.stdout.readline(), 30)
            found = re.search(r"http://[\d.]+:\d+", said.decode())
            assert found, said
            yield found[0], agent
        finally:
            running.terminate()
            await running.wait()


@asynccontextmanager
async def phoning(url: str, parameters: dict[str, str]) -> AsyncGenerator[Phone]:
    """A call that has come in, with the parameters of its stream."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/media") as socket:
        phone = Phone(socket)
        await phone.start(**parameters)
        yield phone


async def page(url: str, **form: str) -> ET.Element:
    """What the bridge tells the telephone company to do."""
    async with aiohttp.ClientSession() as http, http.post(url, data=form) as answer:
        return ET.fromstring(await answer.text())


async def test_a_caller_is_handed_on_and_comes_back(rehearsed: Served) -> None:
    company = Company()
    async with bridging(rehearsed, company) as (url, agent):
        incoming = await page(f"{url}/incoming", From="+15550100777")
        assert parameters_of(incoming) == {"caller": "+15550100777"}
        async with phoning(url, WANTED) as phone:
            assert len(await phone.until_mark()) > 8000 // 4
            await asyncio.wait_for(company.instructed.wait(), 10)
            await phone.socket.send_json({"event": "stop"})
            await phone.socket.receive()
        dial = ET.fromstring(company.asked[0])[0]
        assert [(noun.tag, noun.text) for noun in dial] == [("Number", "+15550100123")]
        conversation_id = dial.attrib["action"].rsplit("/", 1)[-1]
        stored = await rehearsed.stored(agent, conversation_id)
        assert stored.conversation["endReason"] == "transferred"
        assert stored.conversation["callerId"] == "+15550100777"
        after = f"{url}/dialled/{conversation_id}"
        assert (await page(after, DialCallStatus="completed"))[0].tag == "Hangup"
        back = parameters_of(await page(after, DialCallStatus="busy"))
        async with phoning(url, back) as phone:
            await phone.until_mark()
        stored = await rehearsed.stored(agent, conversation_id, lines=3)
    assert "The transfer failed: the line is busy." in str(stored.lines)


async def test_a_caller_who_cannot_be_handed_on_stays(rehearsed: Served) -> None:
    company = Company(down=True)
    async with bridging(rehearsed, company) as (url, _), phoning(url, WANTED) as phone:
        await phone.until_mark()
        assert len(await phone.until_mark()) > 8000
    assert len(company.asked) == 1


def parameters_of(page: ET.Element) -> dict[str, str]:
    """What a stream is opened with."""
    stream = page[0][0]
    assert stream.attrib["url"] == "wss://bridge.example.com/media"
    return {one.attrib["name"]: one.attrib["value"] for one in stream}
