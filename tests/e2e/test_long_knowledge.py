"""Critical knowledge that is longer than a prompt should be: found by the question, not recited."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, locate
from served import REHEARSED, FakeLlm, Served, ask, fake_llm, serving

BEGINNING = "The inn has nine rooms and a garden."
TEXT = f"""{BEGINNING}

Dogs are welcome in all rooms, and they sleep for free.

The sauna is heated every evening from six to ten o'clock.

The soup of the day costs {{{{price}}}} euros."""
LONG: dict[str, object] = {
    **REHEARSED,
    "max_prompt_knowledge_chars": 60,
    "retrieval_timeout_s": 2.0,  # this machine may be busy
    "retrieval_passages": 1,
}


@pytest.fixture(autouse=True)
def needs_the_embedder() -> None:
    try:
        locate("minilm.onnx", MODELS_DIR)
    except InstallationError as missing:
        pytest.skip(str(missing))


async def ask_for_soup(served: Served, agent_id: str, llm: FakeLlm) -> str:
    """Ask twice, so that what is done beside the first answer is done; gives the last prompt."""
    async with served.call(agent_id, variables={"price": "seven"}) as caller:
        await ask(caller, "Hello there.")
        while served.server._ready._reading:  # noqa: ASYNC110 nobody says when it is done
            await asyncio.sleep(0.02)
        await ask(caller, "What does the soup of the day cost?")
    return "\n".join(content for _, content in llm.prompts[-1])


async def test_a_long_text_is_searched_and_begins_in_the_prompt_until_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_llm("Yes.") as llm:
        with serving(tmp_path, **LONG) as served:
            agent_id = await served.make_agent(llm.url, criticalKnowledge=TEXT)
            sources = served.server.library.sources
            async with asyncio.timeout(60):
                while not served.run(sources.is_searchable(agent_id, TEXT)):  # noqa: ASYNC110 as above
                    await asyncio.sleep(0.05)
            prompt = await ask_for_soup(served, agent_id, llm)
            assert "The soup of the day costs seven euros." in prompt
            assert "Critical knowledge" not in prompt

            monkeypatch.setattr(served.server._engines.embedder, "embed_aside", wait_for_ever)
            changed = TEXT.replace("nine rooms", "ten rooms")
            async with served.rest() as rest:
                await rest.patch(f"/agents/{agent_id}", json={"criticalKnowledge": changed})
            prompt = await ask_for_soup(served, agent_id, llm)
            assert "Critical knowledge:\nThe inn has ten rooms and a garden.\n" in prompt
            assert "The sauna" not in prompt.partition("<passage")[0]


async def wait_for_ever(_: str) -> None:
    await asyncio.Event().wait()
