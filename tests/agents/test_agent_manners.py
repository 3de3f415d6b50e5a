"""How an agent takes turns, speaks and hangs up, and what it may do by itself."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from agents.agent_api import AGENTS, create, patch
from rest_world import World


async def test_how_an_agent_speaks_and_hangs_up_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    manners: dict[str, Any] = {
        "applyTextNormalization": "off",
        "messagePlan": {
            "idleMessages": ["Hello?"],
            "idleTimeoutSeconds": 7.5,
            "idleMessageMaxSpokenCount": 3,
        },
        "silenceTimeoutSeconds": 60,
        "maxDurationSeconds": 600,
        "endCallMessage": "Bye.",
        "endCallPhrases": ["goodbye"],
    }
    agent = await create(client, **manners)
    assert {key: agent[key] for key in manners} == manners
    loaded = await world.agents.load(agent["id"])
    assert loaded.apply_text_normalization == "off"
    assert loaded.idle_messages == ("Hello?",)
    assert (loaded.idle_timeout_s, loaded.idle_messages_max) == (7.5, 3)
    assert (loaded.silence_timeout_s, loaded.max_duration_s) == (60, 600)
    assert (loaded.end_call_message, loaded.end_call_phrases) == ("Bye.", ("goodbye",))
    cleared = (await patch(client, agent["id"], messagePlan=None, endCallMessage=None)).json()
    assert cleared == {**agent, "messagePlan": None, "endCallMessage": None}


async def test_null_is_the_usual_and_empty_is_nothing(
    world: World, client: httpx2.AsyncClient
) -> None:
    usual = await create(client, messagePlan={"idleMessages": None}, endCallPhrases=None)
    assert (usual["endCallMessage"], usual["endCallPhrases"]) == (None, [])
    loaded = await world.agents.load(usual["id"])
    assert (loaded.idle_messages, loaded.end_call_message, loaded.end_call_phrases) == (
        None,
        None,
        (),
    )
    silent = {"messagePlan": {"idleMessages": []}, "endCallMessage": "", "endCallPhrases": []}
    agent = (await patch(client, usual["id"], **silent)).json()
    assert (agent["messagePlan"]["idleMessages"], agent["endCallMessage"]) == ([], "")
    loaded = await world.agents.load(agent["id"])
    assert (loaded.idle_messages, loaded.end_call_message) == ((), "")
    assert (await patch(client, agent["id"], endCallPhrases=None)).json() == agent
    assert (await patch(client, agent["id"], endCallMessage=" … ")).json() == agent


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"endCallPhrases": ["bye", ""]}, "endCallPhrases.1 must have a word in it."),
        ({"endCallPhrases": ["!"]}, "endCallPhrases.0 must have a word in it."),
        (
            {"messagePlan": {"idleMessages": ["***"]}},
            "messagePlan.idleMessages.0 must have a word in it.",
        ),
        (
            {"messagePlan": {"idleTimeoutSeconds": 0.01}},
            "messagePlan.idleTimeoutSeconds must be at least 1, or 0 for never.",
        ),
        (
            {"messagePlan": {"idleTimeoutSeconds": -1}},
            "messagePlan.idleTimeoutSeconds must be at least 0.",
        ),
        ({"silenceTimeoutSeconds": 1}, "silenceTimeoutSeconds must be at least 5."),
        ({"voice": 1}, "voice must be a string."),
    ],
)
async def test_what_an_agent_cannot_do_is_said_of_the_field_as_it_was_sent(
    client: httpx2.AsyncClient, wrong: dict[str, Any], message: str
) -> None:
    refused = await client.post(AGENTS, json={"displayName": "A", **wrong})
    assert (refused.status_code, refused.json()["message"]) == (400, message)


async def test_how_an_agent_takes_turns_is_kept(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, patience="patient", interruptible=False)
    assert (agent["patience"], agent["interruptible"]) == ("patient", False)
    loaded = await world.agents.load(agent["id"])
    assert (loaded.patience, loaded.interruptible) == ("patient", False)
    changed = (await patch(client, agent["id"], patience=None, interruptible=True)).json()
    assert (changed["patience"], changed["interruptible"]) == (None, True)


async def test_what_an_agent_may_do_by_itself_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    actions = ["current-time", "end-call", "current-time"]
    agent = await create(client, builtInActions=actions, timeZone=" europe/vienna")
    assert (agent["builtInActions"], agent["timeZone"]) == (actions[:2], "Europe/Vienna")
    loaded = await world.agents.load(agent["id"])
    assert loaded.built_in_actions == ("current-time", "end-call")
    assert loaded.time_zone == "Europe/Vienna"
    changed = (await patch(client, agent["id"], builtInActions=None, timeZone=None)).json()
    assert (changed["builtInActions"], changed["timeZone"]) == ([], None)
    refused = await patch(client, agent["id"], timeZone="Mars")
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "timeZone is no time zone; write its IANA name, such as Europe/Vienna."
    )
    refused = await patch(client, agent["id"], builtInActions=["fly"])
    assert refused.json()["field"] == "builtInActions.0"
    assert "end-call" in refused.json()["message"]


async def test_to_whom_an_agent_hands_callers_on_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    desk = {"name": "Desk", "phoneNumber": "+1 555 010-0123", "when": "they want a table"}
    kept = {**desk, "phoneNumber": "+15550100123", "message": None}
    agent = await create(client, transferDestinations=[desk])
    assert agent["transferDestinations"] == [kept]
    (loaded,) = (await world.agents.load(agent["id"])).transfer_destinations
    assert (loaded.phone_number, loaded.message) == ("+15550100123", None)

    async def send(*destinations: object) -> dict[str, Any]:
        answered = await patch(client, agent["id"], transferDestinations=list(destinations))
        return dict(answered.json())

    again = await send(kept)
    assert (again["transferDestinations"], again["warnings"]) == ([kept], [])
    assert (await send(desk, desk))["message"] == "transferDestinations has two named 'Desk'."
    refused = await send({**kept, "phoneNumber": "1"})
    assert refused["field"] == "transferDestinations.0.phoneNumber"
    assert "such as +15550100123, or a SIP address" in refused["message"]
    assert "number is not known" in (await send({**kept, "number": "1"}))["message"]
    untouched = (await patch(client, agent["id"], greeting="Hi")).json()
    assert untouched["transferDestinations"] == [kept]
    cleared = (await patch(client, agent["id"], transferDestinations=None)).json()
    assert cleared["transferDestinations"] == []


async def test_a_patience_that_is_none_names_those_there_are(client: httpx2.AsyncClient) -> None:
    agent = await create(client, patience="eager")
    for refused in (
        await client.post(AGENTS, json={"displayName": "A", "patience": "very"}),
        await patch(client, agent["id"], patience="Patient"),
    ):
        assert refused.status_code == 400
        assert (error := refused.json())["field"] == "patience"
        assert error["message"] == "patience must be one of 'eager', 'normal' or 'patient'."
    refused = await patch(client, agent["id"], interruptible="no")
    assert refused.json()["message"] == "interruptible must be true or false."
    assert (await client.get(f"{AGENTS}/{agent['id']}")).json() == agent
