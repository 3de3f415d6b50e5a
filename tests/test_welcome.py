"""What a newcomer meets: the owner, the first agent, and what the terminal says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from rest_world import make_world
from sayso.config import Settings
from sayso.knowledge.embed import Embedder
from sayso.llm import Message
from sayso.llm.builtin import Builtin
from sayso.llm.notes import Notes
from sayso.security.secrets import load_secrets
from sayso.serve import describe
from sayso.store.database import migrate
from sayso.welcome import FIRST_AGENT, Welcome, welcome

KEY = "ak-00000000000000000000000000000001"
LINK = SecretStr("si-once")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What is Sayso?", "self-hosted home"),
        ("Is it free?", "open source"),
        ("How do I connect my own language model?", "llm field"),
        ("Does it need the internet?", "no internet"),
        ("Can I interrupt you?", "at any time"),
    ],
)
async def test_the_first_agent_can_tell_about_sayso(question: str, told: str) -> None:
    embedder = Embedder()
    await embedder.open()
    try:
        notes = Notes(
            FIRST_AGENT.display_name,
            FIRST_AGENT.greeting or "",
            FIRST_AGENT.prompt or "",
            FIRST_AGENT.critical_knowledge or "",
        )
        answer = await Builtin(embedder).answer(notes, [Message("user", question)])
    finally:
        await embedder.close()
    assert told in " ".join(answer)


def test_the_terminal_shows_a_sign_in_link_and_the_first_time_the_key() -> None:
    told = describe(Welcome("user-1", SecretStr(KEY), "agent-1", LINK), Settings(port=8400))
    assert "http://127.0.0.1:8400/sign-in#si-once\n" in told
    assert "Once, for 30 minutes" in told
    assert told.count(KEY) == 1
    assert "only this once" in told
    assert "http://127.0.0.1:8400/agent/agent-1\n" in told
    assert "User id    user-1" in told


def test_later_it_shows_no_key() -> None:
    told = describe(Welcome("user-1", None, None, LINK), Settings(sign_in_link_min=2.5))
    assert "/sign-in#si-once" in told
    assert "2.5 minutes" in told
    assert "API key" not in told
    assert "Talk" not in told


async def test_the_first_agent_is_shown_on_the_terminal_and_not_in_the_log(tmp_path: Path) -> None:
    """A line of the log would stand in the middle of what the terminal says at the first start."""
    settings = Settings(data_dir=tmp_path)
    migrate(settings.database)
    secrets = load_secrets(settings.data_dir, settings.master_key)
    with capture_logs() as logs:
        world = make_world(settings, secrets)
        first = await welcome(world.accounts, world.agents)
        await world.database.close()
    assert first.agent_id
    assert logs == []
