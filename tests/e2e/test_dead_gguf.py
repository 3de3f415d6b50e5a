"""The operator's model beside the server is down: who answers for agents without an LLM."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sayso import app
from sayso.llm.gguf import Gguf
from served import REHEARSED, Served, ask, serving

KNOWN = "The museum opens at ten. Tickets for adults cost twelve euros."
DEAF = """
import sys
sys.stdin.readline()
print("ready", flush=True)
sys.stdin.read()
"""
"""Says that it serves the model, and listens nowhere: so it looks while it is started again."""


@pytest.fixture
def museum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    weights = tmp_path / "tiny.gguf"
    weights.write_bytes(b"GGUF and so on")
    gguf = Gguf(weights, program=(sys.executable, "-c", DEAF))
    monkeypatch.setattr(app, "make_gguf", lambda _: gguf)
    with serving(tmp_path, **REHEARSED, builtin_llm_gguf=weights) as server:
        yield server


async def test_the_agents_own_texts_answer_and_say_who_they_are(museum: Served) -> None:
    agent = await museum.make_agent(criticalKnowledge=KNOWN)
    async with museum.call(agent) as caller:
        with capture_logs() as logs:
            for _ in range(3):
                reply = await ask(caller, "What does a ticket cost?")
                assert reply.text == "Tickets for adults cost twelve euros."
        conversation_id = caller.conversation_id
    stored = await museum.stored(agent, conversation_id)
    answers = [turn["timings"] for turn in stored.turns if "llm" in turn["timings"]]
    assert [one["llm"] for one in answers] == ["built-in-extractive"] * 3
    assert all("failure" not in one for one in answers)
    assert answers[0]["mishaps"]
    told = [one for one in logs if one["event"] == "llm_stands_in"]
    assert [one["llm"] for one in told] == ["built-in-extractive"]
