"""Who may talk, over the real socket: by ticket in the place of a key, and from which pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx2
import pytest

from sayso.accounts.schema import Account
from sayso.caller import socket_url
from served import Served, ask, hear_greeting

SETUP = {"type": "setup", "outputFormat": "mulaw", "outputSampleRate": 8000}


async def knock(
    served: Served,
    agent_id: str,
    *,
    with_key: bool = False,
    headers: Mapping[str, str] | None = None,
    **setup: object,
) -> dict[str, Any]:
    """What comes first after `setup`, and how the line closes if it is an error."""
    url = socket_url(served.url, agent_id, with_key=with_key)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers=headers) as socket,
    ):
        await socket.send_str(json.dumps(SETUP | setup))
        first: dict[str, Any] = json.loads((await socket.receive()).data)
        if first["type"] == "error":
            first["closed"] = (await socket.receive()).data
        return first


async def make_ticket(served: Served, agent_id: str, key: str | None = None) -> str:
    async with served.rest(key) as rest:
        made = await rest.post(f"/agents/{agent_id}/tickets")
    assert made.status_code == 201, made.text
    return str(made.json()["ticket"])


async def test_a_visitor_talks_to_a_private_agent_by_ticket(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent(
        visibility="private", criticalKnowledge="Breakfast is from seven to ten."
    )
    ticket = await make_ticket(rehearsed, agent_id)
    async with rehearsed.call_keyless(agent_id, apiKey=ticket) as caller:
        await hear_greeting(caller)
        assert "seven" in (await ask(caller, "When is breakfast?")).text
    for form in (ticket, f"Bearer {ticket}"):
        assert (await knock(rehearsed, agent_id, with_key=True, apiKey=form))["type"] == "init"
    refused = await knock(rehearsed, agent_id)
    assert (refused["code"], refused["closed"]) == (4401, 4401)


async def test_a_ticket_opens_one_agent_only(rehearsed: Served) -> None:
    mine, other = await rehearsed.make_agent(), await rehearsed.make_agent()
    ticket = await make_ticket(rehearsed, mine)
    refused = await knock(rehearsed, other, apiKey=ticket)
    assert (refused["code"], refused["closed"]) == (1003, 4401)
    assert "another agent" in refused["message"]
    async with rehearsed.rest(ticket) as rest:
        assert (await rest.get("/agents")).status_code == 401


async def test_a_ticket_that_is_none_or_has_ended_is_refused(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    made_up = await knock(rehearsed, agent_id, apiKey="tk-made-up")
    assert (made_up["code"], made_up["closed"]) == (1001, 4401)
    account = Account(rehearsed.user_id, "")
    ended, _ = rehearsed.server.accounts.tickets.write(account, agent_id, -1)
    told = await knock(rehearsed, agent_id, apiKey=ended.get_secret_value())
    assert told["code"] == 1001
    assert "ask for a new one" in told["message"]


async def test_a_revoked_key_takes_its_tickets_with_it(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    async with rehearsed.rest() as rest:
        key = (await rest.post("/api-keys", json={"name": "shop"})).json()
        ticket = await make_ticket(rehearsed, agent_id, key["apiKey"])
        assert (await knock(rehearsed, agent_id, apiKey=ticket))["type"] == "init"
        await rest.delete(f"/api-keys/{key['id']}")
    told = await knock(rehearsed, agent_id, apiKey=ticket)
    assert told["code"] == 1001
    assert "revoked" in told["message"]


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://shop.example", None),
        ("https://SHOP.example:443", None),
        ("https://evil.example", 4403),
        ("http://shop.example", 4403),
        ("null", 4403),
        ("", 4403),
        ("ours", None),
    ],
)
async def test_an_agent_is_on_the_pages_its_owner_allows(
    rehearsed: Served, origin: str, code: int | None
) -> None:
    agent_id = await rehearsed.make_agent(allowedOrigins=["https://shop.example"])
    headers = {"Origin": rehearsed.url if origin == "ours" else origin} if origin else {}
    told = await knock(rehearsed, agent_id, headers=headers)
    assert told.get("code") == code
    if code is not None:
        assert told["closed"] == code
        assert "allowedOrigins" in told["message"]
    ticket = await make_ticket(rehearsed, agent_id)
    for secret in (ticket, rehearsed.key):
        assert (await knock(rehearsed, agent_id, headers=headers, apiKey=secret))["type"] == "init"


async def test_without_a_list_every_page_may_talk(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent()
    headers = {"Origin": "https://anywhere.example"}
    assert (await knock(rehearsed, agent_id, headers=headers))["type"] == "init"


async def test_a_cookie_opens_no_socket(rehearsed: Served) -> None:
    """Any page can open a socket to us, and the browser would send it along."""
    agent_id = await rehearsed.make_agent(visibility="private")
    async with httpx2.AsyncClient(base_url=rehearsed.url) as client:
        cookie = await sign_in(rehearsed, client)
    told = await knock(rehearsed, agent_id, headers={"Cookie": f"sayso_session={cookie}"})
    assert told["code"] == 4401


async def test_the_printed_link_signs_in_and_is_not_logged(
    rehearsed: Served, caplog: pytest.LogCaptureFixture
) -> None:
    welcome = rehearsed.server.welcome
    assert welcome is not None
    link = welcome.link.get_secret_value()
    headers = {"Origin": rehearsed.url}
    async with httpx2.AsyncClient(base_url=f"{rehearsed.url}/api/v1", headers=headers) as client:
        told = await client.post("/session", json={"link": link})
        assert told.json()["userId"] == rehearsed.user_id
        again = await client.post("/session", json={"link": link})
        assert again.status_code == 401
        assert (await client.get("/agents")).status_code == 200
    assert link not in caplog.text
    assert link not in repr(welcome)


async def sign_in(served: Served, client: httpx2.AsyncClient) -> str:
    """Sign in as the owner; gives the cookie."""
    link = await new_link(served)
    told = await client.post("/api/v1/session", json={"link": link})
    assert told.status_code == 200, told.text
    return str(client.cookies["sayso_session"])


async def new_link(served: Served) -> str:
    """A sign-in link's token, made on the server's own loop."""
    made = served.run(served.server.accounts.sessions.new_link(served.user_id))
    return made.get_secret_value()


async def test_only_the_agents_pages_may_frame_its_embed(rehearsed: Served) -> None:
    shop = "https://shop.example"
    bound = await rehearsed.make_agent(allowedOrigins=[shop])
    free = await rehearsed.make_agent()
    async with httpx2.AsyncClient(base_url=rehearsed.url) as browser:
        policies = [
            (await browser.get(f"/embed/talk/{agent_id}")).headers["content-security-policy"]
            for agent_id in (bound, free)
        ]
    assert [policy.rpartition("frame-ancestors ")[2] for policy in policies] == [
        f"'self' {shop}",
        "*",
    ]
