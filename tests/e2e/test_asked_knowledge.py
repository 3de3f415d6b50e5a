"""What an agent knows, asked by its owner: as a conversation would be shown it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sayso import ready
from sayso.errors import InstallationError
from sayso.knowledge.local import Indexes
from sayso.models import MODELS_DIR, locate
from served import REHEARSED, Served, serving

TEXT = """The inn has nine rooms and a garden.

Dogs are welcome in all rooms, and they sleep for free.

The soup of the day costs {{price}} euros."""


@pytest.fixture(autouse=True)
def needs_the_embedder() -> None:
    try:
        locate("minilm.onnx", MODELS_DIR)
    except InstallationError as missing:
        pytest.skip(str(missing))


async def until_searchable(served: Served, agent_id: str) -> None:
    sources = served.server.library.sources
    async with asyncio.timeout(60):
        while not served.run(sources.is_searchable(agent_id, TEXT)):  # noqa: ASYNC110 nobody says it
            await asyncio.sleep(0.05)


async def test_a_long_text_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, **REHEARSED, max_prompt_knowledge_chars=60) as served:
        agent_id = await served.make_agent(criticalKnowledge=TEXT, variables={"price": "seven"})
        await until_searchable(served, agent_id)
        async with served.rest() as rest:
            path = f"/agents/{agent_id}/knowledge/search"
            answer = await rest.post(path, json={"query": "May I bring a dog?", "topK": 1})
            assert answer.status_code == 200, answer.text
            [found] = answer.json()
            assert "Dogs are welcome" in found["text"]
            assert found["source"] == "critical knowledge"
            assert 0 < found["score"] <= 1
            soup = await rest.post(path, json={"query": "What does the soup of the day cost?"})
            assert "costs seven euros" in soup.json()[0]["text"]

            async def find(*_: object) -> None:
                await asyncio.Event().wait()

            monkeypatch.setattr(ready, "SEARCH_S", 0.05)
            monkeypatch.setattr(Indexes, "find", find)
            late = await rest.post(path, json={"query": "May I bring a dog?"})
            assert late.status_code == 409
            assert "could not be searched" in late.json()["errorMessage"]
