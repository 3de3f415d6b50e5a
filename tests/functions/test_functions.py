"""External functions by REST: the contract's fields, masks, ownership, agents that use them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from endpoints import running_endpoint
from rest_world import World, open_world
from sayso.functions.definition import Function, Kind, Parameter, Position
from sayso.functions.request import ACCEPT
from sayso.store.tables import FunctionRow, UserRow

pytestmark = pytest.mark.usefixtures("both_databases")

FUNCTIONS, AGENTS = "/api/v1/external-functions", "/api/v1/agents"
URL = "https://shop.example.com/orders"
KEY = "Bearer sk-canary-0123456789"
BODY: dict[str, Any] = {
    "name": "Look up an order",
    "description": "Call it when the caller asks where an order is.",
    "endpointUrl": URL,
    "method": "GET",
}


def const(value: str, **more: object) -> dict[str, object]:
    return {"type": "const", "name": "Authorization", "parameterPosition": "header",
            "value": value, "id": "p1", **more}  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(
        tmp_path, create_agent_per_min=0, update_agent_per_min=0, try_function_per_min=0
    ) as world:
        await world.calls.open()
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


async def create(client: httpx2.AsyncClient, **fields: object) -> dict[str, Any]:
    made = await client.post(FUNCTIONS, json={**BODY, **fields})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def refused(client: httpx2.AsyncClient, **fields: object) -> tuple[str, str]:
    answer = await client.post(FUNCTIONS, json={**BODY, **fields})
    assert answer.status_code == 400, answer.text
    return answer.json()["field"], answer.json()["message"]


class TestKeeping:
    async def test_a_function_is_answered_with_every_key(self, client: httpx2.AsyncClient) -> None:
        made = await create(client)
        assert made == {
            **BODY,
            "id": made["id"],
            "parameters": [],
            "subtype": "custom",
            "metadata": {"toolRequiresConfirmation": False},
            "timeoutSeconds": None,
            "filler": None,
            "warnings": [],
        }
        assert (await client.get(f"{FUNCTIONS}/{made['id']}")).json() == made
        other = await create(client, name="Other")
        assert (await client.get(FUNCTIONS)).json() == [other, made]

    async def test_what_is_sent_is_kept(self, world: World, client: httpx2.AsyncClient) -> None:
        parameters: list[dict[str, object]] = [
            {"type": "number", "name": "MyExternalFunctionParameter", "description": "…",
             "id": "MyExternalFunctionParameterId", "parameterPosition": "body"},
            {"type": "enum", "name": "size", "values": ["S", "L"], "id": "e",
             "parameterPosition": "query", "required": False, "descriptionPlaceholder": "which"},
            {"type": "const", "name": "strict", "value": "true", "constType": "boolean",
             "id": "c", "parameterPosition": "body"},
            {"type": "string", "name": "orderId", "id": "u", "parameterPosition": "url"},
        ]  # fmt: skip
        sent = {
            "endpointUrl": URL + "/{orderId}",
            "method": "PUT",
            "subtype": "zapier",
            "metadata": {"toolRequiresConfirmation": True},
            "timeoutSeconds": 2.5,
            "filler": "One moment.",
            "parameters": parameters,
        }
        made = await create(client, **sent)
        full = {"description": "", "descriptionPlaceholder": ""}
        asked = ("number", "string")
        assert made == {
            **BODY,
            **sent,
            "id": made["id"],
            "warnings": [],
            "parameters": [
                {**full, **({"required": True} if one["type"] in asked else {}), **one}
                for one in parameters
            ],
        }
        (loaded,) = await world.functions.load(world.user_id, [made["id"], "gone", made["id"]])
        assert loaded == Function(
            made["id"],
            BODY["name"],
            BODY["description"],
            URL + "/{orderId}",
            "PUT",
            (
                Parameter("MyExternalFunctionParameter", Kind.NUMBER, description="…"),
                Parameter("size", Kind.ENUM, Position.QUERY, choices=("S", "L"), required=False),
                Parameter("strict", Kind.BOOLEAN, static="true"),
                Parameter("orderId", position=Position.URL),
            ),
            2.5,
            "One moment.",
            confirm=True,
        )
        assert await world.functions.load("another", [made["id"]]) == []
        assert await world.functions.load(world.user_id, []) == ()

    async def test_only_what_is_sent_changes(self, client: httpx2.AsyncClient) -> None:
        made = await create(client, parameters=[const(KEY)], filler="Wait.", timeoutSeconds=3)
        path = f"{FUNCTIONS}/{made['id']}"
        changed = (await client.patch(path, json={"name": "New", "filler": None})).json()
        assert changed == {**made, "name": "New", "filler": None}
        asks = {"metadata": {"toolRequiresConfirmation": True}}
        assert (await client.patch(path, json=asks)).json() == {**changed, **asks}
        assert (await client.patch(path, json=changed)).json() == changed
        assert (await client.patch(path, json={})).json() == changed

    async def test_ids_are_made_where_there_are_none(self, client: httpx2.AsyncClient) -> None:
        parameters = [{"type": "string", "name": name} for name in "ab"]
        one, other = (await create(client, parameters=parameters))["parameters"]
        assert one["id"]
        assert one["id"] != other["id"]
        assert one["parameterPosition"] == "body"

    async def test_keys_nobody_reads_are_named(self, client: httpx2.AsyncClient) -> None:
        odd = {"type": "string", "name": "a", "requird": False, "values": ["x"]}
        made = await create(client, url="x", parameters=[odd], metadata={"x": 1}, id="mine")
        assert [one["field"] for one in made["warnings"]] == [
            "url",
            "parameters.0.requird",
            "parameters.0.values",
            "metadata.x",
        ]
        assert made["warnings"][1]["meant"] == "parameters.0.required"

    async def test_there_is_a_limit(self, tmp_path: Path) -> None:
        async with open_world(tmp_path / "b", max_functions=1) as world, world.client() as client:
            await create(client)
            answer = await client.post(FUNCTIONS, json=BODY)
            assert answer.status_code == 409
            assert "SAYSO_MAX_FUNCTIONS" in answer.json()["hint"]


class TestRefusing:
    @pytest.mark.parametrize(
        ("fields", "at", "said"),
        [
            ({"name": ""}, "name", "must not be empty"),
            ({"name": "x" * 251}, "name", "at most 250 characters"),
            ({"description": ""}, "description", "must not be empty"),
            ({"description": "x" * 501}, "description", "at most 500"),
            ({"endpointUrl": "https://a.example/" + "x" * 490}, "endpointUrl", "at most 500"),
            ({"endpointUrl": "a.example"}, "endpointUrl", "https:// or http://"),
            ({"endpointUrl": "https://u:p@a.example"}, "endpointUrl", "user name or password"),
            ({"endpointUrl": "https://{h}.example"}, "endpointUrl", "leave its host"),
            ({"endpointUrl": "https://a.example/{x"}, "endpointUrl", "without its partner"),
            ({"endpointUrl": "https://a.example/#x"}, "endpointUrl", "after #"),
            ({"endpointUrl": "https://a.example:x/"}, "endpointUrl", "not a valid URL"),
            ({"endpointUrl": "https://a.example/a b"}, "endpointUrl", "without spaces"),
            ({"endpointUrl": "https://a.example/{x}"}, "endpointUrl", "has a place {x}"),
            ({"endpointUrl": "http://169.254.169.254/"}, "endpointUrl", "cannot be called"),
            ({"method": "PATCH"}, "method", "'POST', 'GET', 'PUT' or 'DELETE'"),
            ({"subtype": "other"}, "subtype", "'custom', 'zapier' or 'make'"),
            ({"timeoutSeconds": 31}, "timeoutSeconds", "at most 30"),
            ({"filler": "x" * 251}, "filler", "at most 250"),
            ({"metadata": {"toolRequiresConfirmation": 1}}, "metadata.toolRequiresConfirmation",
             "must be true or false"),
        ],
    )  # fmt: skip
    async def test_a_field_that_does_not_fit(
        self, client: httpx2.AsyncClient, fields: dict[str, Any], at: str, said: str
    ) -> None:
        field, message = await refused(client, **fields)
        assert field == at
        assert said in message

    @pytest.mark.parametrize(
        ("parameter", "at", "said"),
        [
            ({"type": "object", "name": "a"}, "type", "must be one of 'number', 'string'"),
            ({"name": "a"}, "type", "is required"),
            ({"type": "string"}, "name", "is required"),
            ({"type": "number", "name": ""}, "name", "must not be empty"),
            ({"type": "enum", "name": "a"}, "values", "is required"),
            ({"type": "enum", "name": "a", "values": []}, "values", "at least 1"),
            ({"type": "const", "name": "a"}, "value", "is required"),
            ({"type": "const", "name": "a", "value": 5}, "value", "must be a string"),
            ({"type": "const", "name": "a", "value": "x", "constType": "number"}, "value",
             "must be a number"),
            ({"type": "const", "name": "a", "value": "x", "constType": "array"}, "constType",
             "must be one of"),
            ({"type": "string", "name": "a", "parameterPosition": "cookie"}, "parameterPosition",
             "'body', 'header', 'query' or 'url'"),
            ({"type": "string", "name": "a b", "parameterPosition": "header"}, "name",
             "not a valid header name"),
            ({"type": "string", "name": "Host", "parameterPosition": "header"}, "name",
             "belongs to the connection"),
            (const("a\nb"), "value", "line breaks"),
            ({"type": "const", "name": "a", "value": "..", "parameterPosition": "url"}, "value",
             "part of an address"),
            (const("••••"), "value", "holds a mask"),
        ],
    )  # fmt: skip
    async def test_a_parameter_that_does_not_fit(
        self, client: httpx2.AsyncClient, parameter: dict[str, Any], at: str, said: str
    ) -> None:
        field, message = await refused(client, parameters=[parameter])
        assert field == f"parameters.0.{at}"
        assert said in message

    async def test_two_of_a_name_are_refused_in_one_place(self, client: httpx2.AsyncClient) -> None:
        one = {"type": "string", "name": "a"}
        field, message = await refused(client, parameters=[one, {**one, "type": "number"}])
        assert (field, message) == ("parameters.1.name", "parameters.1.name is twice in the body.")
        await create(client, parameters=[one, {**one, "parameterPosition": "query"}])
        header = {**one, "parameterPosition": "header"}
        field, _ = await refused(client, parameters=[header, {**header, "name": "A"}])
        assert field == "parameters.1.name"

    async def test_an_optional_part_must_be_a_part_of_its_own(
        self, client: httpx2.AsyncClient
    ) -> None:
        part = {"type": "string", "name": "n", "parameterPosition": "url", "required": False}
        field, _ = await refused(client, endpointUrl=URL + "/x-{n}", parameters=[part])
        assert field == "parameters.0.required"
        await create(client, endpointUrl=URL + "/{n}", parameters=[part])

    async def test_private_addresses_are_the_operators_choice(self, tmp_path: Path) -> None:
        async with (
            open_world(tmp_path / "b", outbound_private=False) as world,
            world.client() as client,
        ):
            field, message = await refused(client, endpointUrl="http://127.0.0.1:9/")
            assert field == "endpointUrl"
            assert "SAYSO_OUTBOUND_PRIVATE" in message

    async def test_others_functions_are_theirs(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        made = await create(client)
        async with world.database.write() as session:
            session.add(UserRow(id="u2", created_at=datetime.now(UTC)))
            await session.flush()
            row = await session.get(FunctionRow, made["id"])
            assert row is not None
            row.owner_id = "u2"
        for path, status in ((made["id"], 403), ("nobody", 404), ("a b", 404)):
            for method in ("GET", "PATCH", "DELETE"):
                answer = await client.request(
                    method, f"{FUNCTIONS}/{path}", json={} if method == "PATCH" else None
                )
                assert answer.status_code == status
            assert (await client.post(f"{FUNCTIONS}/{path}/try", json={})).status_code == status
        assert (await client.get(FUNCTIONS)).json() == []
        refused_agent = await client.post(
            AGENTS, json={"displayName": "A", "actions": [made["id"]]}
        )
        assert refused_agent.status_code == 400
        async with world.client("") as nobody:
            assert (await nobody.get(FUNCTIONS)).status_code == 401


class TestSecrets:
    async def test_fixed_values_are_sealed_and_masked(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        parameters = [
            const(KEY),
            const("body-secret-1", name="tenant", parameterPosition="body", id="p2"),
            const("{{callerId}}", name="X-Caller", id="p3"),
            const("application/json", name="Accept", id="p4"),
            const("7", name="n", parameterPosition="query", constType="number", id="p5"),
        ]
        with capture_logs() as logs:
            made = await create(
                client, endpointUrl=URL + "?code=url-secret-9&page=2", parameters=parameters
            )
        assert [one["value"] for one in made["parameters"]] == [
            "••••6789",
            "••••",
            "{{callerId}}",
            "application/json",
            "••••",
        ]
        assert made["endpointUrl"] == URL + "?code=••••&page=••••"
        async with world.database.read() as session:
            row = (await session.scalars(select(FunctionRow))).one()
        stored = repr(dict(vars(row))) + repr(logs)
        assert not any(secret in stored for secret in ("canary", "body-secret", "url-secret"))
        (loaded,) = await world.functions.load(world.user_id, [made["id"]])
        assert loaded.url == URL + "?code=url-secret-9&page=2"
        assert [one.static for one in loaded.parameters] == [one["value"] for one in parameters]

    async def loaded(self, world: World, made: dict[str, Any]) -> Function:
        (found,) = await world.functions.load(world.user_id, [made["id"]])
        return found

    async def test_a_mask_keeps_the_stored_value(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        made = await create(client, endpointUrl=URL + "?code=s-1", parameters=[const(KEY)])
        path = f"{FUNCTIONS}/{made['id']}"
        before = await self.loaded(world, made)
        saved = await client.patch(path, json=made)
        assert saved.json() == made
        assert await self.loaded(world, made) == before
        renamed = {**made["parameters"][0], "name": "X-Key"}
        moved = made["endpointUrl"].replace("/orders", "/v2/orders")
        saved = await client.patch(path, json={"parameters": [renamed], "endpointUrl": moved})
        after = await self.loaded(world, made)
        assert (after.url, after.parameters[0].name, after.parameters[0].static) == (
            "https://shop.example.com/v2/orders?code=s-1",
            "X-Key",
            KEY,
        )
        await client.patch(path, json={"parameters": [{**renamed, "value": "new"}]})
        assert (await self.loaded(world, made)).parameters[0].static == "new"

    @pytest.mark.parametrize(
        ("changes", "at"),
        [
            ({"endpointUrl": "https://evil.example/"}, "parameters"),
            ({"endpointUrl": "http://shop.example.com/"}, "parameters"),
            ({"endpointUrl": "https://shop.example.com:444/"}, "parameters"),
            ({"endpointUrl": "https://evil.example/?code=••••"}, "parameters"),
            ({"endpointUrl": "https://evil.example/", "parameters": [const("••••6789")]},
             "parameters.0.value"),
            ({"endpointUrl": "https://evil.example/?code=••••", "parameters": []}, "endpointUrl"),
            ({"endpointUrl": URL + "?other=••••"}, "endpointUrl"),
            ({"parameters": [const("••••1111")]}, "parameters.0.value"),
            ({"parameters": [const("••••6789", name="Accept")]}, "parameters.0.value"),
            ({"parameters": [const("••••6789", id="x", name="Other")]}, "parameters.0.value"),
        ],
    )  # fmt: skip
    async def test_a_stored_value_goes_nowhere_else(
        self, world: World, client: httpx2.AsyncClient, changes: dict[str, Any], at: str
    ) -> None:
        made = await create(client, endpointUrl=URL + "?code=s-1", parameters=[const(KEY)])
        before = await self.loaded(world, made)
        answer = await client.patch(f"{FUNCTIONS}/{made['id']}", json=changes)
        assert (answer.status_code, answer.json()["field"]) == (400, at), answer.text
        assert "canary" not in answer.text
        assert await self.loaded(world, made) == before

    async def test_what_is_no_secret_may_go(self, world: World, client: httpx2.AsyncClient) -> None:
        made = await create(client, parameters=[const("text/csv", name="Accept")])
        path = f"{FUNCTIONS}/{made['id']}"
        saved = await client.patch(path, json={"endpointUrl": "https://other.example/"})
        assert saved.status_code == 200
        assert (await self.loaded(world, made)).parameters[0].static == "text/csv"


class TestAgents:
    async def test_an_agent_has_its_owners_functions_only(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        one, other = await create(client), await create(client)
        actions = [other["id"], one["id"]]
        agent = (await client.post(AGENTS, json={"displayName": "A", "actions": actions})).json()
        assert agent["actions"] == actions
        assert (await world.agents.load(agent["id"])).actions == tuple(actions)
        path = f"{AGENTS}/{agent['id']}"
        for bad in (client.post(AGENTS, json={"displayName": "B", "actions": ["x", one["id"]]}),
                    client.patch(path, json={"actions": ["x", one["id"]]})):  # fmt: skip
            answer = await bad
            assert (answer.status_code, answer.json()["field"]) == (400, "actions")
            assert "do not have: 'x'" in answer.json()["message"]
            assert [(d["field"], d["id"]) for d in answer.json()["details"]] == [("actions.0", "x")]
        assert (await client.get(path)).json() == agent
        assert (await client.patch(path, json={"actions": []})).json()["actions"] == []

    async def test_a_deleted_function_leaves_its_agents(self, client: httpx2.AsyncClient) -> None:
        one, other = await create(client), await create(client)
        both = [one["id"], other["id"]]
        first, second = [
            (await client.post(AGENTS, json={"displayName": "A", "actions": actions})).json()
            for actions in (both, [other["id"]])
        ]
        gone = await client.delete(f"{FUNCTIONS}/{one['id']}")
        assert (gone.status_code, gone.json()) == (
            200,
            {"id": one["id"], "removedFrom": [first["id"]]},
        )
        for agent in (first, second):
            read = (await client.get(f"{AGENTS}/{agent['id']}")).json()
            assert read["actions"] == [other["id"]]
        assert (await client.get(f"{FUNCTIONS}/{one['id']}")).status_code == 404
        alone = await client.delete(f"{FUNCTIONS}/{other['id']}")
        assert set(alone.json()["removedFrom"]) == {first["id"], second["id"]}


class TestTrying:
    async def test_a_function_is_tried_for_real(self, client: httpx2.AsyncClient) -> None:
        async with running_endpoint() as endpoint:
            made = await create(
                client,
                endpointUrl=f"{endpoint.url}/orders?code=url-canary-1",
                method="POST",
                parameters=[const(KEY), {"type": "number", "name": "n"}],
            )
            path = f"{FUNCTIONS}/{made['id']}/try"
            found = (await client.post(path, json={"arguments": {"n": "5"}})).json()
            assert endpoint.last.headers["authorization"] == KEY
            assert endpoint.last.body == '{"n": 5}'
        assert (found["ok"], found["finding"], found["status"], found["tries"]) == (
            True, "", 200, 1,
        )  # fmt: skip
        assert found["sent"] == {
            "method": "POST",
            "url": f"{endpoint.url}/orders?code=••••",
            "headers": {
                "Accept": ACCEPT,
                "Accept-Encoding": "identity",
                "Authorization": "••••6789",
                "Content-Type": "application/json",
            },
            "body": '{"n": 5}',
        }
        assert "[secret]" in found["result"]
        assert "canary" not in str(found)
        missing = (await client.post(path, json={})).json()
        assert (missing["ok"], missing["sent"], missing["finding"]) == (
            False, None, "arguments.missing",
        )  # fmt: skip

    async def test_trying_is_limited(self, tmp_path: Path) -> None:
        async with (
            open_world(tmp_path / "b", try_function_per_min=1) as world,
            world.client() as client,
        ):
            assert (await client.post(f"{FUNCTIONS}/x/try", json={})).status_code == 404
            assert (await client.post(f"{FUNCTIONS}/x/try", json={})).status_code == 429
