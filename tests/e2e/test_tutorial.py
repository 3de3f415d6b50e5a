"""The tutorial from its first to its last step, by voice."""

from __future__ import annotations

from datetime import datetime

import pytest

import speech
from ports import free_port
from served import Served, fake_llm, hear_greeting, microphone

pytestmark = pytest.mark.speech


async def test_from_an_account_to_a_spoken_answer(served: Served) -> None:
    async with fake_llm() as llm, served.rest() as rest:
        # Make an agent.
        made = await rest.post(
            "/agents",
            headers={"X-User-Id": served.user_id},
            json={
                "voice": "s3://voice-cloning-zero-shot/baf1ef41/original/manifest.json",
                "displayName": "Front desk",
                "description": "Answers calls",
                "greeting": "Hello there!",
                "prompt": "You run the front desk.",
            },
        )
        assert made.status_code == 201, made.text
        agent_id = made.json()["id"]
        path = f"/agents/{agent_id}"

        # Give it an LLM of its own.
        own = {"baseURL": llm.url, "apiKey": "sk-secret-1234", "baseParams": {"model": "m"}}
        changed = await rest.patch(path, json={"llm": own})
        assert changed.status_code == 200, changed.text
        assert changed.json()["llm"]["baseURL"] == llm.url
        assert "sk-secret" not in changed.text
        before = (await rest.get(path)).json()

        # A path that answers 200 with a web page is refused by name.
        wrong = f"{llm.url}/v1"
        refused = await rest.patch(path, json={"llm": {**own, "baseURL": wrong}})
        assert refused.status_code == 400
        assert f"{wrong}/chat/completions" in refused.json()["errorMessage"]

        # So is a port where nobody listens.
        dead = f"http://127.0.0.1:{free_port()}"
        refused = await rest.patch(path, json={"llm": {**own, "baseURL": dead}})
        assert refused.status_code == 400
        assert dead.removeprefix("http://") in refused.json()["errorMessage"]
        assert (await rest.get(path)).json() == before

        # Talk to it.
        question = next(p for p in speech.sentences() if 2.5 <= p.seconds <= 4.5)
        async with served.call(agent_id) as caller, microphone(caller) as mic:
            await hear_greeting(caller)
            await mic.say(question.samples)
            answer = await caller.reply(1, within_s=20)
            await caller.hear_out(answer)
        assert len(answer.samples) > 24_000, "an answer of over a second was heard"
        assert answer.text == caller.said[0], "the LLM echoes what was understood"

        # Read what was said.
        stored = await served.stored(agent_id, caller.conversation_id)
        assert stored.lines == [
            ("assistant", "Hello there!"),
            ("user", caller.said[0]),
            ("assistant", answer.text),
        ]
        assert speech.count_errors(question.text, caller.said[0]).rate <= 0.2
        times = [datetime.fromisoformat(line["timestamp"]) for line in stored.transcript]
        began, ended = (
            datetime.fromisoformat(stored.conversation[key]) for key in ("startedAt", "endedAt")
        )
        assert [began, *times, ended] == sorted([began, *times, ended])

        # And count it.
        stats = (await rest.get(f"/agent-stats/{agent_id}")).json()
        assert stats["numberOfConversations"] == 1
        assert stats["numberOfSecondsTalked"] >= 3
