"""Makes and changes agents as a client does."""

from __future__ import annotations

from typing import Any

import httpx2

AGENTS = "/api/v1/agents"


async def create(client: httpx2.AsyncClient, **fields: object) -> dict[str, Any]:
    """A new agent, as the API answers."""
    response = await client.post(AGENTS, json={"displayName": "Front desk", **fields})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def patch(client: httpx2.AsyncClient, agent_id: str, **fields: object) -> httpx2.Response:
    """What is answered to a change."""
    return await client.patch(f"{AGENTS}/{agent_id}", json=fields)
