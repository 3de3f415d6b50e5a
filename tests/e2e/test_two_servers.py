"""Two servers on one PostgreSQL database are one installation, as the guide says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from postgres import Cluster
from served import REHEARSED, Served, ask, fake_llm, first_of, hear_greeting, serving


@pytest.fixture(scope="module")
def servers(
    postgres: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Served]]:
    folder, settings = tmp_path_factory.mktemp("shared"), dict(REHEARSED)
    settings["database_url"] = postgres.make()
    with serving(folder, **settings) as first, serving(folder, **settings) as second:
        yield first, replace(second, key=first.key)


async def test_what_one_is_told_the_other_knows(servers: tuple[Served, Served]) -> None:
    first, second = servers
    assert first.user_id == second.user_id
    async with fake_llm("It is nine euros.") as llm:
        agent = await first.make_agent(llm.url, greeting="Hello.")
        async with second.call(agent) as caller:
            await hear_greeting(caller)
            live = caller.conversation_id
            async with first.rest() as rest:
                changed = await rest.patch(f"/agents/{agent}", json={"greeting": "Good day."})
                assert changed.status_code == 200, changed.text
            assert (await ask(caller, "How much is it?")).text == "It is nine euros."
    stored = await first.stored(agent, live, lines=3)
    assert stored.lines == [
        ("assistant", "Hello."),
        ("user", "How much is it?"),
        ("assistant", "It is nine euros."),
    ]
    async with second.call(agent) as caller:
        said = await first_of(caller, "onAgentTranscript")
        assert said["message"] == "Good day."


async def test_what_one_holds_the_other_leaves_open(servers: tuple[Served, Served]) -> None:
    first, second = servers
    agent = await first.make_agent()
    async with second.call(agent, prompt="Say nothing.") as caller, first.rest() as rest:
        mine = f"/conversations/{caller.conversation_id}"
        refused = await rest.delete(mine)
        assert refused.status_code in {404, 409}  # not stored yet, or under way
    stored = await first.stored(agent, caller.conversation_id)
    assert stored.conversation["endedAt"]
