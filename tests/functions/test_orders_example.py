"""The guide's functions, made as it says, ask the guide's shop."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from documents import ROOT, marked, section, table
from rest_world import open_world
from sayso.functions.findings import FINDINGS
from sayso.functions.schema import LONGEST_TIMEOUT_S

FUNCTIONS = "/api/v1/external-functions"
GUIDE = "docs/guide/functions.md"


@pytest.fixture
def shop_url() -> Iterator[str]:
    spec = spec_from_file_location("orders", ROOT / "examples/orders.py")
    assert spec is not None
    assert spec.loader is not None
    orders: Any = module_from_spec(spec)
    spec.loader.exec_module(orders)
    with orders.open_shop() as shop:
        shop.RequestHandlerClass.log_message = lambda *_: None
        thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{shop.server_port}"
        shop.shutdown()
        thread.join()


def bodies() -> list[dict[str, Any]]:
    text = section(GUIDE, "## A shop to ask")
    found = [json.loads(body) for body in re.findall(r"(?s)--json '(.*?)'", text)]
    return [body for body in found if "endpointUrl" in body]


async def test_the_guides_functions_ask_its_shop(tmp_path: Path, shop_url: str) -> None:
    async with open_world(tmp_path) as world, world.client() as client:
        await world.calls.open()

        async def make(body: dict[str, Any]) -> str:
            url = body["endpointUrl"].replace("http://127.0.0.1:8500", shop_url)
            made = await client.post(FUNCTIONS, json={**body, "endpointUrl": url})
            assert made.status_code == 201, made.text
            return f"{FUNCTIONS}/{made.json()['id']}/try"

        async def attempt(path: str, **arguments: str) -> tuple[bool, str]:
            found = (await client.post(path, json={"arguments": arguments})).json()
            return found["ok"], found["result"]

        look_up, call_off = [await make(body) for body in bodies()]
        assert await attempt(look_up, orderId="1001") == (
            True,
            '{"order":"1001","state":"on its way; it arrives on Friday"}',
        )
        ok, told = await attempt(look_up, orderId="7")
        assert not ok
        assert "There is no order 7." in told
        ok, told = await attempt(look_up)
        assert "the number of the order, digits only" in told
        ok, told = await attempt(call_off, orderId="1002", reason="Too Late")
        assert (ok, "called off: too late" in told) == (True, True)
        ok, told = await attempt(call_off, orderId="1001", reason="too late")
        assert (ok, "409 (Conflict)" in told) == (False, True)


def test_the_guide_has_every_code_and_limit() -> None:
    rows = table(GUIDE, "## What a call does")
    assert {marked(row[0])[0]: row[1] for row in rows} == dict(FINDINGS)
    assert f"(10, at most {LONGEST_TIMEOUT_S:g})" in section(GUIDE, "## What a call does")
