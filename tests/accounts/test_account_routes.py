"""Accounts over REST: sign up, sign in, keys, and what a browser's cookie may do."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rest_world import World, open_world, read_store
from sayso.accounts.access import COOKIE

pytestmark = pytest.mark.usefixtures("both_databases")

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


async def test_the_cookie_is_for_our_pages_and_for_no_script(world: World) -> None:
    async with browser(world) as client:
        made = cookie_of(await sign_in_by_link(world, client))
        assert (made["path"], made["samesite"], made["httponly"]) == ("/", "lax", True)
        assert made["max-age"] == "2592000"
        assert "secure" not in made
        assert "domain" not in made
        again = await client.get(f"{API}/session")
        assert cookie_of(again) == made
        assert again.headers["cache-control"] == "no-store"
        gone = (await client.delete(f"{API}/session")).headers["set-cookie"]
        assert f'{COOKIE}=""' in gone
        assert "Max-Age=0" in gone


@pytest.mark.parametrize(
    ("public_url", "origin", "secure"),
    [
        ("https://talk.example", "https://talk.example", True),
        ("https://talk.example", None, True),
        (None, "https://sayso.test", True),
        (None, "http://sayso.test", False),
        (None, None, False),
    ],
)
async def test_over_tls_the_cookie_stays_there(
    tmp_path: Path, public_url: str | None, origin: str | None, secure: bool
) -> None:
    async with open_world(tmp_path, public_url=public_url) as world:
        sent = {} if origin is None else {"Origin": origin}
        async with world.client("", **sent) as client:
            made = cookie_of(await sign_in_by_link(world, client))
    assert ("secure" in made) is secure


async def test_a_link_works_once_and_for_a_while(world: World) -> None:
    async with browser(world) as client:
        token = (await world.accounts.sessions.new_link(world.user_id)).get_secret_value()
        late = (await world.accounts.sessions.new_link(world.user_id)).get_secret_value()
        assert (await client.post(f"{API}/session", json={"link": token})).status_code == 200
        used = await client.post(f"{API}/session", json={"link": token})
        world.clock.at_s += 30 * 60
        old = await client.post(f"{API}/session", json={"link": late})
        unknown = await client.post(f"{API}/session", json={"link": "si-made-up"})
    for refused, reason in ((used, "was used already"), (old, "too old"), (unknown, "not known")):
        assert refused.status_code == 401
        assert reason in refused.json()["message"]
        assert "`sayso link`" in refused.json()["hint"]
        assert "set-cookie" not in refused.headers
        assert token not in refused.text


async def test_without_anybody_the_answer_says_whether_one_can_sign_up(
    world: World, tmp_path: Path
) -> None:
    async with world.client("") as client:
        nobody = await client.get(f"{API}/session")
        client.cookies.set(COOKIE, "ss-made-up")
        stale = await client.get(f"{API}/session")
    async with world.client("ak-0") as client:
        wrong = await client.get(f"{API}/session")
    for refused in (nobody, stale, wrong):
        assert refused.status_code == 401
        assert refused.json()["signUpOpen"] is False
        assert refused.json()["errorId"] == "UNAUTHORIZED"
    assert nobody.json()["message"] == "Nobody is signed in."
    assert "not signed in any more" in stale.json()["message"]
    async with open_world(tmp_path, sign_up="open") as opened, opened.client("") as client:
        assert (await client.get(f"{API}/session")).json()["signUpOpen"] is True


async def test_a_key_tells_whose_it_is(world: World) -> None:
    async with world.client() as client:
        told = (await client.get(f"{API}/session")).json()
    assert (told["userId"], told["signedInBy"]) == (world.user_id, "key")


async def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not(world: World) -> None:
    day_s = 24 * 3600
    async with browser(world) as client:
        await sign_in_by_link(world, client)
        for _ in range(3):
            world.clock.at_s += 29 * day_s
            assert (await client.get(f"{API}/session")).status_code == 200
        world.clock.at_s += 30 * day_s
        assert (await client.get(f"{API}/session")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@b.c"},
        {"password": "1234567890"},
        {"link": "si-x", "email": "a@b.c", "password": "1234567890"},
        {"link": "", "email": "a@b.c"},
        {"link": "si-x", "other": 1},
        {"link": None},
        {"link": "x" * 201},
        {"email": "a@b.c", "password": "sesame-street\ud800"},
    ],
)
async def test_a_sign_in_of_neither_kind_is_refused(world: World, body: dict[str, Any]) -> None:
    async with browser(world) as client:
        refused = await client.post(f"{API}/session", content=dump(body))
    assert refused.status_code == 400
    assert "sesame" not in refused.text


# Signing up ----------------------------------------------------------------------------------


async def test_nobody_signs_up_unless_the_operator_opens_it(world: World) -> None:
    async with browser(world) as client:
        refused = await client.post(f"{API}/account", json=ADA)
    assert refused.status_code == 403
    assert "SAYSO_SIGN_UP=open" in refused.json()["hint"]


async def test_who_signs_up_is_signed_in_and_can_sign_in_again(opened: World) -> None:
    async with browser(opened) as client:
        made = await client.post(f"{API}/account", json=ADA)
        assert made.status_code == 201
        assert made.json()["email"] == "ada@example.com"
        assert made.json()["name"] == "Ada"
        assert made.json()["hasPassword"] is True
        assert made.json()["userId"] != opened.user_id
        assert (await client.get(f"{API}/session")).json() == made.json()
    async with browser(opened) as client:
        again = {"email": " ADA@example.com", "password": ADA["password"]}
        signed_in = await client.post(f"{API}/session", json=again)
        assert signed_in.json() == made.json()
    assert await opened.accounts.owner_id() == opened.user_id


async def test_an_email_belongs_to_one_account(opened: World) -> None:
    async with browser(opened) as client:
        await client.post(f"{API}/account", json=ADA)
        taken = await client.post(f"{API}/account", json=ADA | {"email": "ada@EXAMPLE.com"})
        assert (taken.status_code, taken.json()["field"]) == (409, "email")
        await client.post(f"{API}/account", json=BEN)
        change = {"email": "ada@example.com", "currentPassword": BEN["password"]}
        assert (await client.patch(f"{API}/account", json=change)).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "123456789"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"password": "ten chars\ud800"}, "password"),
        ({"password": 1_234_567_890}, "password"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@exam ple.com"}, "email"),
        ({"email": f"{'a' * 251}@b.c"}, "email"),
        ({"name": "x" * 251}, "name"),
    ],
)
async def test_only_lengths_count(opened: World, change: dict[str, Any], field: str) -> None:
    async with browser(opened) as client:
        refused = await client.post(f"{API}/account", content=dump(ADA | change))
        assert (refused.status_code, refused.json()["field"]) == (400, field)
        assert "1234567" not in refused.text
        for least in ("1234567890", "aaaaaaaaaa", "          "):
            body = {"email": f"a{hash(least)}@b.c", "password": least}
            assert (await client.post(f"{API}/account", json=body)).status_code == 201


async def test_there_is_a_most_of_accounts(tmp_path: Path) -> None:
    opened = open_world(tmp_path, sign_up="open", max_accounts=2)
    async with opened as world, browser(world) as client:
        assert (await client.post(f"{API}/account", json=ADA)).status_code == 201
        full = await client.post(f"{API}/account", json=BEN)
    assert full.status_code == 409
    assert "SAYSO_MAX_ACCOUNTS" in full.json()["hint"]


async def test_passwords_and_tokens_are_nowhere_in_the_database(opened: World) -> None:
    async with browser(opened) as client:
        made = cookie_of(await client.post(f"{API}/account", json=ADA))
    link = (await opened.accounts.sessions.new_link(opened.user_id)).get_secret_value()
    stored = await read_store(opened)
    assert b"ada@example.com" in stored
    for secret in (ADA["password"], made["value"], link):
        assert secret.encode() not in stored


async def test_two_accounts_see_nothing_of_each_other(opened: World) -> None:
    async with browser(opened) as ada, browser(opened) as ben:
        await ada.post(f"{API}/account", json=ADA)
        await ben.post(f"{API}/account", json=BEN)
        agent = (await ada.post(f"{API}/agents", json={"displayName": "Hers"})).json()["id"]
        function = {"name": "F", "description": "D", "endpointUrl": "https://f.example/"}
        made = (await ada.post(f"{API}/external-functions", json=function)).json()["id"]
        key = (await ada.post(f"{API}/api-keys", json={"name": "hers"})).json()["id"]
        opened.recorder.opened("c1", agent, source="web", at=opened.clock.utc())
        await opened.recorder.flush()
        assert len((await ada.get(f"{API}/agents/{agent}/conversations")).json()) == 1
        for path in ("agents", "external-functions", "api-keys"):
            assert (await ben.get(f"{API}/{path}")).json() == []
        foreign = [
            ("GET", f"agents/{agent}"),
            ("PATCH", f"agents/{agent}"),
            ("DELETE", f"agents/{agent}"),
            ("POST", f"agents/{agent}/tickets"),
            ("POST", f"agents/{agent}/llm-check"),
            ("GET", f"agent-stats/{agent}"),
            ("GET", f"agents/{agent}/conversations"),
            ("GET", f"agents/{agent}/conversations/c1/transcript"),
            ("GET", f"agents/{agent}/critical-knowledge-files"),
            ("GET", f"external-functions/{made}"),
            ("PATCH", f"external-functions/{made}"),
            ("DELETE", f"external-functions/{made}"),
            ("DELETE", f"api-keys/{key}"),
        ]
        for method, path in foreign:
            body: dict[str, str] | None = {} if method in {"PATCH", "POST"} else None
            refused = await ben.request(method, f"{API}/{path}", json=body)
            assert refused.status_code in {403, 404}, (method, path)
        assert (await ada.get(f"{API}/agents/{agent}")).json()["displayName"] == "Hers"
        assert [one["revokedAt"] for one in (await ada.get(f"{API}/api-keys")).json()] == [None]


# Changing an account -------------------------------------------------------------------------


async def test_the_owner_sets_an_email_and_a_password_and_signs_in_with_them(world: World) -> None:
    async with browser(world) as client:
        await sign_in_by_link(world, client)
        alone = await client.patch(f"{API}/account", json={"password": "a long password"})
        assert (alone.status_code, alone.json()["field"]) == (400, "email")
        change = {"email": "me@home", "password": "a long password", "name": "Me"}
        told = (await client.patch(f"{API}/account", json=change)).json()
        assert (told["email"], told["name"], told["hasPassword"]) == ("me@home", "Me", True)
    async with browser(world) as client:
        wrong = {"email": "me@home", "password": "a wrong password"}
        assert (await client.post(f"{API}/session", json=wrong)).status_code == 401
        right = {"email": "me@home", "password": "a long password"}
        assert (await client.post(f"{API}/session", json=right)).json() == told


async def test_a_password_changes_with_the_old_one_only(opened: World) -> None:
    async with browser(opened) as client:
        await client.post(f"{API}/account", json=ADA)
        new = {"password": "an entirely new one"}
        for body in (new, new | {"currentPassword": "a guess"}, {"email": "thief@b.c"}):
            refused = await client.patch(f"{API}/account", json=body)
            assert (refused.status_code, refused.json()["field"]) == (403, "currentPassword")
        renamed = await client.patch(f"{API}/account", json={"name": None})
        assert renamed.json()["name"] is None
        body = new | {"currentPassword": ADA["password"]}
        assert (await client.patch(f"{API}/account", json=body)).status_code == 200


async def test_a_new_password_signs_all_other_browsers_out(opened: World) -> None:
    async with browser(opened) as here, browser(opened) as there:
        user_id = (await here.post(f"{API}/account", json=ADA)).json()["userId"]
        await there.post(f"{API}/session", json={k: ADA[k] for k in ("email", "password")})
        link = (await opened.accounts.sessions.new_link(user_id)).get_secret_value()
        change = {"password": "an entirely new one", "currentPassword": ADA["password"]}
        assert (await here.patch(f"{API}/account", json=change)).status_code == 200
        assert (await here.get(f"{API}/session")).status_code == 200
        assert (await there.get(f"{API}/session")).status_code == 401
        assert (await there.post(f"{API}/session", json={"link": link})).status_code == 401


async def test_who_forgot_the_password_comes_by_link_and_sets_another(opened: World) -> None:
    async with browser(opened) as client:
        user_id = (await client.post(f"{API}/account", json=ADA)).json()["userId"]
    assert await opened.accounts.people.id_of("ADA@example.com") == user_id
    link = (await opened.accounts.sessions.new_link(user_id)).get_secret_value()
    async with browser(opened) as client:
        await client.post(f"{API}/session", json={"link": link})
        assert (
            await client.patch(f"{API}/account", json={"password": "remembered now"})
        ).status_code == 200
        opened.clock.at_s += 3600
        late = await client.patch(f"{API}/account", json={"password": "too late for this"})
    assert late.status_code == 403
    assert "`sayso link`" in late.json()["hint"]


async def test_a_key_cannot_change_how_one_signs_in(world: World) -> None:
    async with world.client(**CONSOLE) as client:
        refused = await client.patch(f"{API}/account", json={"email": "thief@b.c"})
    assert refused.status_code == 401
    assert "not for API keys" in refused.json()["message"]


# Who may use a cookie ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://sayso.test"},
        {**CONSOLE, "Origin": "http://evil.test"},
        {**CONSOLE, "Origin": "http://sayso.test:3000"},
        {**CONSOLE, "Origin": "null"},
        {**CONSOLE, "Sec-Fetch-Site": "same-site"},
        {**CONSOLE, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_what_another_page_makes_a_browser_do_is_refused(
    world: World, headers: dict[str, str]
) -> None:
    async with browser(world) as client:
        await sign_in_by_link(world, client)
        cookies = {COOKIE: client.cookies[COOKIE]}
    async with world.client("", **headers) as client:
        client.cookies.update(cookies)
        for method, path, body in (
            ("POST", "agents", {"displayName": "Forged"}),
            ("POST", "api-keys", {"name": "forged"}),
            ("PATCH", "account", {"email": "thief@b.c"}),
            ("DELETE", "session", None),
        ):
            refused = await client.request(method, f"{API}/{path}", json=body)
            assert refused.status_code == 403, (method, path)
            assert refused.json()["hint"]
        plain = await client.post(
            f"{API}/agents", content='{"displayName":"x"}', headers={"Content-Type": "text/plain"}
        )
        assert plain.status_code == 403
    assert await world.accounts.sessions.find(cookies[COOKIE]) is not None
    async with world.client() as client:
        assert (await client.get(f"{API}/agents")).json() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.test"}, 403),
    ],
)
async def test_reading_by_cookie_is_for_our_pages(
    world: World, headers: dict[str, str], status: int
) -> None:
    async with browser(world) as client:
        await sign_in_by_link(world, client)
        cookies = {COOKIE: client.cookies[COOKIE]}
    async with world.client("", **headers) as client:
        client.cookies.update(cookies)
        assert (await client.get(f"{API}/agents")).status_code == status


@pytest.mark.parametrize("path", ["session", "account"])
async def test_nobody_is_signed_in_by_another_page(opened: World, path: str) -> None:
    """Else a page could sign its visitors in to its author's account, and read what they do."""
    async with opened.client("", Origin="http://evil.test") as client:
        refused = await client.post(f"{API}/{path}", json=BEN)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


async def test_keys_work_from_every_page_and_cookies_are_never_offered(world: World) -> None:
    async with world.client(Origin="http://shop.test", **{"Sec-Fetch-Site": "cross-site"}) as shop:
        shop.cookies.set(COOKIE, "ss-whatever")
        told = await shop.get(f"{API}/agents")
        assert told.status_code == 200
        assert "access-control-allow-origin" in told.headers
        assert "access-control-allow-credentials" not in told.headers
        asked = {"Access-Control-Request-Method": "POST"}
        for header, status in (("authorization", 200), ("x-sayso-console", 400)):
            preflight = await shop.options(
                f"{API}/agents", headers={**asked, "Access-Control-Request-Headers": header}
            )
            assert preflight.status_code == status
            assert "access-control-allow-credentials" not in preflight.headers


# Limits --------------------------------------------------------------------------------------


async def test_attempts_are_counted_by_address_and_by_email(tmp_path: Path) -> None:
    async with open_world(tmp_path, sign_in_per_min=3, proxies=1) as world:

        async def attempt(email: str, address: str) -> int:
            sent = {"X-Forwarded-For": f"9.9.9.9, {address}"}
            body = {"email": email, "password": "wrong"}
            async with world.client("", **sent) as client:
                return (await client.post(f"{API}/session", json=body)).status_code

        assert [await attempt(f"{n}@b.c", "1.1.1.1") for n in range(4)] == [401, 401, 401, 429]
        assert [await attempt("me@b.c", f"2.2.2.{n}") for n in range(4)] == [401, 401, 401, 429]
        assert await attempt("you@b.c", "2.2.2.0") == 401
        world.clock.at_s += 20
        assert await attempt("ME@b.c", "2.2.2.9") == 401
        async with browser(world) as client:  # a link is a way in all the while
            assert (await sign_in_by_link(world, client)).status_code == 200


async def test_who_knows_the_password_is_not_locked_out_by_strangers(tmp_path: Path) -> None:
    async with open_world(tmp_path, sign_up="open", sign_in_per_min=3, proxies=1) as world:

        async def attempt(password: str, address: str) -> int:
            body = {"email": ADA["email"], "password": password}
            async with world.client("", **{"X-Forwarded-For": address}) as client:
                return (await client.post(f"{API}/session", json=body)).status_code

        async with browser(world) as client:
            await client.post(f"{API}/account", json=ADA)
        guesses = [await attempt("a wrong guess", f"2.2.2.{n}") for n in range(4)]
        assert guesses == [401, 401, 401, 429]
        assert await attempt(ADA["password"], "1.1.1.1") == 200


async def test_a_current_password_cannot_be_guessed_either(tmp_path: Path) -> None:
    opened = open_world(tmp_path, sign_up="open", sign_in_per_min=3)
    async with opened as world, browser(world) as client:
        await client.post(f"{API}/account", json=ADA)
        guess = {"email": "thief@b.c", "currentPassword": "a guess"}
        tried = [(await client.patch(f"{API}/account", json=guess)).status_code for _ in range(4)]
    assert tried == [403, 403, 403, 429]


async def test_browsers_of_one_account_count_as_one_key(tmp_path: Path) -> None:
    opened = open_world(tmp_path, get_agent_per_min=2)
    async with (
        opened as world,
        browser(world) as here,
        browser(world) as there,
        world.client() as key,
    ):
        await sign_in_by_link(world, here)
        await sign_in_by_link(world, there)
        path = f"{API}/agents/none"
        assert (await here.get(path)).status_code == 404
        assert (await there.get(path)).status_code == 404
        assert (await here.get(path)).status_code == 429
        assert (await key.get(path)).status_code == 404


# Keys and tickets ----------------------------------------------------------------------------


async def test_keys_are_made_listed_and_revoked_over_rest(world: World) -> None:
    async with browser(world) as client:
        await sign_in_by_link(world, client)
        made = (await client.post(f"{API}/api-keys", json={"name": " laptop "})).json()
        key = made.pop("apiKey")
        assert (made["name"], made["tail"], made["lastUsedAt"]) == ("laptop", key[-4:], None)
        listed = (await client.get(f"{API}/api-keys")).json()
        assert listed[0] == made
        assert [one["name"] for one in listed] == ["laptop", "first key"]
        async with world.client(key) as by_key:
            assert (await by_key.get(f"{API}/agents")).status_code == 200
            used = (await client.get(f"{API}/api-keys")).json()[0]
            assert used["lastUsedAt"] > used["createdAt"]
            gone = await client.delete(f"{API}/api-keys/{made['id']}")
            assert gone.status_code == 204
            assert (await by_key.get(f"{API}/agents")).status_code == 401
        assert (await client.get(f"{API}/api-keys")).json()[0]["revokedAt"]
        assert (await client.delete(f"{API}/api-keys/none")).status_code == 404
        assert (await client.post(f"{API}/api-keys", json={"name": "x" * 251})).status_code == 400


async def test_tickets_are_for_ones_own_agents_and_for_a_while(world: World) -> None:
    async with world.client() as client:
        agent = (await client.post(f"{API}/agents", json={"displayName": "A"})).json()["id"]
        path = f"{API}/agents/{agent}/tickets"
        for body, seconds in (({"seconds": 30}, 30), ({}, 600), (None, 600)):
            made = await client.post(path, json=body)
            assert made.status_code == 201
            ticket = world.accounts.tickets.read(made.json()["ticket"])
            assert ticket is not None
            assert ticket.agent_id == agent
            left_s = (ticket.expires_at - world.clock.utc()).total_seconds()
            assert seconds - 2 < left_s <= seconds
        for seconds in (9, 86_401):
            refused = await client.post(path, json={"seconds": seconds})
            assert (refused.status_code, refused.json()["field"]) == (400, "seconds")
        assert (await client.post(f"{API}/agents/none/tickets")).status_code == 404


async def test_allowed_origins_are_kept_as_browsers_write_them(world: World) -> None:
    async with world.client() as client:
        body = {
            "displayName": "A",
            "allowedOrigins": ["https://Shop.example/", "https://shop.example:443"],
        }
        made = (await client.post(f"{API}/agents", json=body)).json()
        assert made["allowedOrigins"] == ["https://shop.example"]
        path = f"{API}/agents/{made['id']}"
        for wrong in ("shop.example", "https://shop.example/page", "*"):
            refused = await client.patch(path, json={"allowedOrigins": [wrong]})
            assert (refused.status_code, refused.json()["field"]) == (400, "allowedOrigins.0")
            assert "must be an origin" in refused.json()["message"]
        empty: list[str] = []
        for none in (None, empty):
            changed = await client.patch(path, json={"allowedOrigins": none})
            assert changed.json()["allowedOrigins"] == []


def dump(body: dict[str, Any]) -> bytes:
    """JSON that may hold half a character."""
    return json.dumps(body).encode()
