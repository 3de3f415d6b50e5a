"""Accounts over REST: sign up, sign in, keys, and what a browser's cookie may do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rest_world import World, open_world
from sayso.accounts.access import COOKIE

API = "/api/v1"
CONSOLE = {"X-Sayso-Console": "1"}
ADA = {"email": "Ada@Example.com ", "password": "correct horse battery", "name": " Ada "}
BEN = {"email": "ben@example.com", "password": "another long password"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncGenerator[World]:
    """A world where anybody may sign up."""
    async with open_world(tmp_path, sign_up="open", sign_in_per_min=0) as world:
        yield world


def browser(world: World) -> httpx2.AsyncClient:
    """A browser on the console: it keeps cookies, and says where its page is from."""
    return world.client(
        "", **CONSOLE, Origin="http://sayso.test", **{"Sec-Fetch-Site": "same-origin"}
    )


async def sign_in_by_link(world: World, client: httpx2.AsyncClient) -> httpx2.Response:
    token = await world.accounts.sessions.new_link(world.user_id)
    return await client.post(f"{API}/session", json={"link": token.get_secret_value()})


def cookie_of(answer: httpx2.Response) -> dict[str, Any]:
    """The attributes of the session's cookie, and its value."""
    morsel = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    return {"value": morsel.value, **{k: v for k, v in morsel.items() if v}}


# Signing in ----------------------------------------------------------------------------------


async def test_the_owner_signs_in_by_link_and_stays_signed_in(world: World) -> None:
    async with browser(world) as client:
        told = await sign_in_by_link(world, client)
        assert told.status_code == 200
        assert told.json() == {
            "userId": world.user_id,
            "email": None,
            "name": None,
            "hasPassword": False,
            "signedInBy": "browser",
            "signUpOpen": False,
        }
        assert (await client.get(f"{API}/session")).json() == told.json()
        made = await client.post(f"{API}/agents", json={"displayName": "Mine"})
        assert made.status_code == 201
        assert [one["id"] for one in (await client.get(f"{API}/agents")).json()] == [
            made.json()["id"]
        ]
        assert (await client.delete(f"{API}/session")).status_code == 204
        assert (await client.get(f"{API}/agents")).status_code == 401
