"""Conversations beside each other, and an agent that changes between them."""

from __future__ import annotations

import asyncio

from served import FakeLlm, Served, ask, fake_llm, hear_greeting

MANY = 10


async def chat(served: Served, agent_id: str, *questions: str) -> list[str]:
    """Ask one after the other; gives the answers."""
    async with served.call(agent_id) as caller:
        await hear_greeting(caller)
        return [(await ask(caller, question)).text for question in questions]


def told_to(llm: FakeLlm) -> str:
    """Everything this LLM was ever told."""
    return " ".join(content for prompt in llm.prompts for _, content in prompt)


async def test_two_conversations_do_not_mix(rehearsed: Served) -> None:
    async with (
        fake_llm("One red.", "Two red.", "Three red.", token_s=0.02) as red,
        fake_llm("One blue.", "Two blue.", "Three blue.", token_s=0.02) as blue,
    ):
        red_agent = await rehearsed.make_agent(red.url, prompt="You like red.")
        blue_agent = await rehearsed.make_agent(blue.url, prompt="You like blue.")
        red_answers, blue_answers = await asyncio.gather(
            chat(rehearsed, red_agent, "Rose?", "Ruby?", "Poppy?"),
            chat(rehearsed, blue_agent, "Sky?", "Sea?", "Sapphire?"),
        )
    assert red_answers == ["One red.", "Two red.", "Three red."]
    assert blue_answers == ["One blue.", "Two blue.", "Three blue."]
    assert all(word not in told_to(red) for word in ("blue", "Sky", "Sea", "Sapphire"))
    assert all(word not in told_to(blue) for word in ("red", "Rose", "Ruby", "Poppy"))


async def test_two_callers_of_one_agent_do_not_mix(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        first, second = await asyncio.gather(
            chat(rehearsed, agent_id, "Ada asks.", "Ada asks again."),
            chat(rehearsed, agent_id, "Bob asks.", "Bob asks again."),
        )
    assert first == ["Ada asks.", "Ada asks again."]
    assert second == ["Bob asks.", "Bob asks again."]
    for prompt in llm.prompts:
        text = " ".join(content for _, content in prompt)
        assert ("Ada" in text) != ("Bob" in text)


async def test_ten_conversations_at_once_are_all_answered(served: Served) -> None:
    """With the bundled voice: ten replies are spoken beside each other."""
    questions = [f"This is caller number {number}." for number in range(MANY)]
    async with fake_llm() as llm:
        agent_id = await served.make_agent(llm.url, greeting="Hello.")
        answers = await asyncio.gather(*(chat(served, agent_id, q) for q in questions))
    assert answers == [[question] for question in questions]


async def test_a_change_counts_from_the_next_conversation_on(rehearsed: Served) -> None:
    async with fake_llm("Old.") as old, fake_llm("New.") as new, rehearsed.rest() as rest:
        agent_id = await rehearsed.make_agent(old.url, prompt="Be old.", greeting="Old hello.")
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            assert (await ask(caller, "How are you?")).text == "Old."
            change = {
                "llm": {"baseURL": new.url, "apiKey": "x"},
                "prompt": "Be new.",
                "greeting": "New hello.",
            }
            changed = await rest.patch(f"/agents/{agent_id}", json=change)
            assert changed.status_code == 200
            assert (await ask(caller, "And now?")).text == "Old."
        assert all("Be old." in prompt[0][1] for prompt in old.prompts)
        assert not new.prompts

        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            assert caller.replies[0].text == "New hello."
            assert (await ask(caller, "How are you?")).text == "New."
        assert "Be new." in new.prompts[0][0][1]
        assert len(old.prompts) == 2
