"""The recipes of the guide as a test needs them: out of the page, saved by REST, talked to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from documents import section
from sayso.llm.fake import Received
from served import Served, ask, hear_greeting
from vendors import KEY

GUIDE = "docs/guide/bring-your-own-llm.md"
LANGCHAIN = "Your own program: LangChain behind FastAPI"
QUESTION = "Do you have a room?"
PERSONA = "You run the front desk of a small hotel."


# Out of the page -------------------------------------------------------------------------------


def block_of(recipe: str, language: str) -> str:
    """The block in `language` of a recipe; "" when it has none."""
    text = section(GUIDE, f"### {recipe}")
    found = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)
    assert len(found) <= 1
    return found[0] if found else ""


def llm_of(recipe: str, origin: str) -> dict[str, Any]:
    """The recipe's `llm`, for the server at `origin` and with the key of its door."""
    llm: dict[str, Any] = json.loads(block_of(recipe, "json"))["llm"]
    llm["baseURL"] = move(llm["baseURL"], origin)
    if "apiKey" in llm:
        llm["apiKey"] = KEY
    headers = llm["baseParams"].get("defaultHeaders", {})
    headers.update({name: KEY for name in headers if name == "api-key"})
    return llm


def command_of(recipe: str, origin: str) -> list[str]:
    """The words behind `sayso` of the recipe's `check-llm`."""
    found = re.search(r"(?m)^sayso (check-llm .+)$", block_of(recipe, "bash"))
    assert found, f"the recipe {recipe} has no check-llm"
    words = found[1].split()
    if "--api-key" in words:
        words[words.index("--api-key") + 1] = KEY
    return [move(word, origin) if "://" in word else word for word in words]


def move(url: str, origin: str) -> str:
    parts, there = urlsplit(url), urlsplit(origin)
    return urlunsplit((there.scheme, there.netloc, parts.path, parts.query, ""))


# On the server ---------------------------------------------------------------------------------


async def save(served: Served, llm: Mapping[str, Any]) -> dict[str, Any]:
    """Make an agent, as REST answers it."""
    async with served.rest() as rest:
        made = await rest.post("/agents", json=agent_with(llm))
    assert made.status_code == 201, made.text
    assert KEY not in made.text or "api-key" in made.text, "headers can be read back, keys cannot"
    agent: dict[str, Any] = made.json()
    return agent


def issues_of(agent: Mapping[str, Any]) -> set[str]:
    """The codes of an agent's `llmIssues`, without those a busy machine adds."""
    return {issue["code"] for issue in agent["llmIssues"]} - {"answer.late", "stream.buffered"}


def agent_with(llm: Mapping[str, Any]) -> dict[str, Any]:
    told = {"displayName": "Desk", "description": "", "voice": "any", "greeting": "Hello."}
    return {**told, "prompt": PERSONA, "llm": dict(llm)}


async def hold_a_turn(served: Served, agent_id: str, answer: str = QUESTION) -> None:
    """Type a question, and hear the answer; an echo unless it is said otherwise."""
    async with served.call(agent_id) as caller:
        await hear_greeting(caller)
        reply = await ask(caller, QUESTION)
        assert reply.text == answer
        assert reply.encoded, "it is spoken"
        assert not any(told.message["type"] == "error" for told in caller.told)


def messages_of(asked: Received) -> list[tuple[str, str]]:
    messages: Any = asked.body["messages"]
    return [(line["role"], line["content"]) for line in messages]
