"""The talk page of a private agent: its owner is given a ticket, others are told what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.chromium import OpenPage
from console.scripted_site import Caller, ScriptedAgents, running_site
from console.test_talk_page import greet

pytestmark = pytest.mark.browser

COOKIE = "owner"


async def admit(caller: Caller) -> None:
    if caller.sent[0].get("apiKey") == "ticket-1":
        await greet(caller)
        return
    await caller.say("error", code=4401, message="no", isFatal=True)
    await caller.socket.close(4401)


async def give_ticket(request: Request) -> Response:
    signed_in = request.cookies.get("sayso_session") == COOKIE
    if request.headers.get("x-sayso-console") != "1" or not signed_in:
        return JSONResponse({}, status_code=403)
    return JSONResponse({"ticket": "ticket-1", "expiresAt": "2030-01-01T00:00:00Z"})


async def give_agent(_: Request) -> Response:
    return JSONResponse({"displayName": "My <b>own</b>"})


@pytest.fixture
def site(agents: ScriptedAgents) -> Iterator[str]:
    agents.scripts["a1"] = admit
    agents.app.router.routes[:0] = [
        Route("/api/v1/agents/a1/tickets", give_ticket, methods=["POST"]),
        Route("/api/v1/agents/a1", give_agent),
    ]
    with running_site(agents.app) as url:
        yield url


def sign_in(page: Page, url: str) -> None:
    page.context.add_cookies([{"name": "sayso_session", "value": COOKIE, "url": url}])
    page.reload()


def test_the_owner_talks_with_a_ticket(chromium: Browser, site: str, open_page: OpenPage) -> None:
    page = open_page(chromium, f"{site}/agent/a1")
    sign_in(page, site)
    expect(page.get_by_role("heading", name="My <b>own</b>")).to_be_visible()
    page.get_by_role("button", name="Type instead").click()
    expect(page.get_by_role("log")).to_contain_text("Hello!")


def test_a_visitor_is_told_who_may_talk_and_how(
    chromium: Browser, site: str, open_page: OpenPage
) -> None:
    page = open_page(chromium, f"{site}/agent/a1")
    page.get_by_role("button", name="Type instead").click()
    expect(page.get_by_role("alert")).to_contain_text("only its owner can talk to it")
    link = page.get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", f"{site}/sign-in?next=%2Fagent%2Fa1")
