"""Fixtures of the LLM room: a client, and the fake server it talks to over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, Received, running_fake

DEADLINES = Deadlines(connect_s=2.0, first_token_s=0.8, between_tokens_s=0.2, reply_s=5.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def received() -> list[Received]:
    return []


@pytest.fixture
async def client() -> AsyncIterator[LlmClient]:
    client = LlmClient(DEADLINES)
    await client.open()
    yield client
    await client.close()


@pytest.fixture
async def fake(received: list[Received]) -> AsyncIterator[str]:
    config = FakeConfig(first_token_s=0, token_s=0, listen=received.append)
    async with running_fake(config) as url:
        yield url
