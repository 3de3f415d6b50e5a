"""A server full of sample content, as after a week of use, and the addresses of all its pages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from playwright.sync_api import StorageState, StorageStateCookie
from sqlalchemy import update

from console.programs import running_llm, running_website
from papers import pdf_of
from ports import free_port
from sayso.store.tables import ConversationRow
from served import REHEARSED, Served, ask, hear_greeting, serving

EMAIL, PASSWORD = "newcomer@example.com", "correct horse battery"
SESSION: Final = "sayso_session"
CONSOLE: Final = {"X-Sayso-Console": "1"}
UNTIL_READ_S = 60.0

AGENTS: tuple[Mapping[str, Any], ...] = (
    {
        "displayName": "Pizza line",
        "description": "Takes orders in the evening.",
        "greeting": "Hello, which pizza would you like?",
        "prompt": "You take orders for a pizzeria. Read each order back before you end the call.",
        "visibility": "public",
        "voice": "drone",
    },
    {
        "displayName": "Front desk of the Grand Hotel",
        "description": "Answers guests by day and by night.",
        "greeting": "Welcome to the Grand Hotel.",
        "prompt": "You run the front desk of the Grand Hotel. Be brief and kind.",
        "criticalKnowledge": "# Parking\nThe garage closes at nine.\n# Breakfast\nFrom seven on.",
        "builtInActions": ["end-call", "current-time"],
        "voice": "hum",
        "visibility": "unlisted",
    },
)
WEATHER: Mapping[str, Any] = {
    "name": "get_weather",
    "description": "Tells the weather. Use it when the caller asks for the weather of a city.",
    "method": "GET",
    "parameters": [
        {
            "name": "city",
            "type": "string",
            "parameterPosition": "query",
            "description": "The city's name",
        }
    ],
}
QUESTIONS = (
    "What is the weather in Vienna?",
    "When does the parking garage close, and where is its entrance?",
    "Could you wake me at six tomorrow, please?",
    "I have lost my key.",
    "Is there a table for four tonight?",
    "Do you have a room with a view of the lake for the last weekend of September?",
    "How do I get to the airport?",
    "Thank you, good night!",
)


@dataclass(frozen=True)
class Sample:
    """The server, and what is on it.

    Attributes:
        owner: the session of whoever has it all.
        newcomer: the session of whoever has nothing yet.
    """

    url: str
    agent: str
    public_agent: str
    conversation: str
    share: str
    owner: StorageState
    newcomer: StorageState

    @property
    def full(self) -> dict[str, str]:
        """Paths of all pages, as the owner sees them, by name."""
        editor = f"/my-agents/{self.agent}"
        tabs = ("identity", "behaviour", "llm", "knowledge", "actions", "deploy")
        return {
            "home": "/",
            "agents": "/my-agents",
            **{f"editor-{tab}": f"{editor}/{tab}" for tab in tabs},
            "functions": "/functions",
            "conversations": "/conversations",
            "conversation": f"/conversations/{self.conversation}",
            "analytics": "/analytics",
            "keys": "/developers",
            "account": "/account",
        }

    @property
    def empty(self) -> dict[str, str]:
        """Paths of pages with nothing on them yet, as a newcomer sees them."""
        named = ("functions", "conversations", "analytics", "developers")
        return {f"empty-{name}": f"/{name}" for name in named}

    @property
    def public(self) -> dict[str, str]:
        """Paths of pages for those who are not signed in."""
        return {
            "sign-in": "/sign-in",
            "sign-up": "/sign-up",
            "shared": f"/shared/{self.share}",
            "talk": f"/agent/{self.public_agent}",
            "embed": f"/embed/talk/{self.public_agent}",
            "preview": f"/embed/talk/preview?webEmbedId={self.public_agent}",
        }

    def visitors(self) -> Iterator[tuple[str, str, StorageState | None]]:
        """(name, path, session) of every page."""
        yield from ((name, path, self.owner) for name, path in self.full.items())
        yield from ((name, path, self.newcomer) for name, path in self.empty.items())
        yield from ((name, path, None) for name, path in self.public.items())


@contextmanager
def running_sample(folder: Path) -> Iterator[Sample]:
    """Run the server, fill it, and give what is there."""
    with (
        serving(folder, **REHEARSED, sign_up="open") as served,
        running_llm(free_port()) as llm,
        running_website() as website,
        ThreadPoolExecutor(1) as thread,  # a test with a browser has a loop of its own already
    ):
        filling = fill(served, llm, f"{website.url}/weather")
        yield thread.submit(asyncio.run, filling).result()


async def fill(served: Served, llm: str, weather: str) -> Sample:
    """Put in what a week of use leaves."""
    async with served.rest() as rest:
        function = await post(rest, "/external-functions", {**WEATHER, "endpointUrl": weather})
        own = {"baseURL": llm, "apiKey": "sk-sample-1234", "baseParams": {"model": "house-7b"}}
        public, agent = [
            (await post(rest, "/agents", {**body, "llm": own, "actions": [function["id"]]}))["id"]
            for body in AGENTS
        ]
        await rest.patch(f"/agents/{agent}", json={"prompt": "You run the front desk. Be brief."})
        await add_manual(rest, agent)
        talks = (talk(served, agent, QUESTIONS[n:]) for n in range(len(QUESTIONS)))
        conversations = await asyncio.gather(*talks)
        await spread(served, conversations)
        first = conversations[0]
        await rest.put(f"/conversations/{first}/rating", json={"rating": "up"})
        shared = await post(rest, f"/conversations/{first}/share", {})
        await post(rest, "/api-keys", {"name": "telephone bridge"})
        revoked = await post(rest, "/api-keys", {"name": "an old laptop"})
        await rest.delete(f"/api-keys/{revoked['id']}")
    assert served.server.welcome is not None
    link = served.server.welcome.link.get_secret_value()
    return Sample(
        served.url,
        agent,
        public,
        first,
        shared["token"],
        await sign_in(served, "/session", {"link": link}),
        await sign_in(served, "/account", {"email": EMAIL, "password": PASSWORD, "name": "New"}),
    )


async def post(rest: httpx2.AsyncClient, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = await rest.post(path, json=body)
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def add_manual(rest: httpx2.AsyncClient, agent: str) -> None:
    """A file that is read, and one that cannot be."""
    path = f"/agents/{agent}/critical-knowledge-files"
    facts = ["The Grand Hotel", "", "The parking garage closes at nine in the evening."]
    for name, body in (("manual.pdf", pdf_of([facts])), ("broken.pdf", b"%PDF-1.7 no more")):
        await rest.post(path, files={"file": (name, body, "application/pdf")})
    for _ in range(round(UNTIL_READ_S / 0.1)):
        if all(source["state"] in {"ready", "failed"} for source in (await rest.get(path)).json()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the files were not read")


async def talk(served: Served, agent: str, questions: tuple[str, ...]) -> str:
    """A conversation of two questions; gives its id."""
    async with served.call(agent, caller_id="+43 1 234 567") as caller:
        await hear_greeting(caller)
        for question in questions[:2]:
            await ask(caller, question)
    await served.stored(agent, caller.conversation_id)
    return caller.conversation_id


async def spread(served: Served, conversations: Sequence[str]) -> None:
    """Let them have begun on different days."""
    async with served.writing() as session:
        for days, each in enumerate(conversations):
            back = timedelta(days=days * 6 / len(conversations))
            found = await session.get_one(ConversationRow, each)
            assert found.ended_at is not None
            changed = {"started_at": found.started_at - back, "ended_at": found.ended_at - back}
            await session.execute(
                update(ConversationRow).where(ConversationRow.id == each).values(changed)
            )


async def sign_in(served: Served, path: str, body: Mapping[str, str]) -> StorageState:
    """A session in the browser's terms."""
    async with httpx2.AsyncClient(base_url=f"{served.url}/api/v1", headers=CONSOLE) as rest:
        answer = await rest.post(path, json=body)
        assert answer.is_success, answer.text
        value = answer.cookies[SESSION]
    cookie = StorageStateCookie(
        name=SESSION, value=value, domain="127.0.0.1", path="/",
        expires=-1, httpOnly=True, secure=False, sameSite="Lax",
    )  # fmt: skip
    return StorageState(cookies=[cookie], origins=[])
