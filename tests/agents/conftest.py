"""An API with agents, which may be changed and checked as often as a test likes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from rest_world import World, open_world

WHAT = ("create_agent", "get_agent", "update_agent", "check_llm", "check_mcp")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    unlimited = {f"{what}_per_min": 0 for what in WHAT}
    async with open_world(tmp_path, **unlimited) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client
