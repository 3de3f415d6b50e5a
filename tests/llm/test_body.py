from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Endpoint, Message, Tell, Told, Tool, ToolCall
from sayso.llm.body import (
    DEFAULT_MODEL,
    MAX_METADATA,
    OPENING,
    Amendment,
    amend,
    build_body,
    shape,
    tell_body,
    tell_headers,
)
from sayso.llm.profile import STRANGER, Limit, Profile

ASKED = [Message("system", "Be kind."), Message("user", "Hello!")]
TOLD = Told("conv-1", "agent-1", "+1555")
FULL = Endpoint(
    "http://h", model="m", temperature=0.5, max_tokens=9, extra={"top_p": 1, "seed": 2},
    tell=Tell.BODY,
)  # fmt: skip


def test_what_nobody_set_is_not_sent() -> None:
    assert build_body(Endpoint("http://h"), ASKED[1:]) == {
        "model": DEFAULT_MODEL,
        "messages": [{"role": "user", "content": "Hello!"}],
        "stream": True,
    }


def test_extra_fields_do_not_replace_ours() -> None:
    body = build_body(Endpoint("http://h", extra={"stream": False, "messages": []}), ASKED)
    assert body["stream"] is True
    assert body["messages"]


def test_all_that_is_set_is_sent() -> None:
    assert build_body(FULL, ASKED, STRANGER, TOLD) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hello!"},
        ],
        "stream": True,
        "temperature": 0.5,
        "max_tokens": 9,
        "top_p": 1,
        "seed": 2,
        "user": "+1555",
        "metadata": {"conversation_id": "conv-1", "agent_id": "agent-1", "caller_id": "+1555"},
    }


@pytest.mark.parametrize(
    ("profile", "gone", "there"),
    [
        (replace(STRANGER, temperature=False), {"temperature"}, set()),
        (replace(STRANGER, limit=Limit.NONE), {"max_tokens"}, set()),
        (
            replace(STRANGER, limit=Limit.MAX_COMPLETION_TOKENS),
            {"max_tokens"},
            {"max_completion_tokens"},
        ),
        (STRANGER.refusing("seed").refusing("metadata"), {"seed", "metadata"}, {"user"}),
        (STRANGER.refusing("messages").refusing("stream"), {"stream"}, {"messages"}),
    ],
)
def test_what_an_endpoint_does_not_tolerate_is_left_out(
    profile: Profile, gone: set[str], there: set[str]
) -> None:
    body = build_body(FULL, ASKED, profile, TOLD)
    assert not gone & set(body)
    assert there <= set(body)


@pytest.mark.parametrize("tell", [Tell.OFF, Tell.HEADERS])
def test_the_body_tells_nothing_unless_asked_to(tell: Tell) -> None:
    body = build_body(replace(FULL, tell=tell), ASKED, STRANGER, TOLD)
    assert not {"user", "metadata"} & set(body)


def test_who_is_not_known_is_not_named() -> None:
    told = Told("conv-1", "agent-1")
    assert tell_headers(told) == {"X-Conversation-Id": "conv-1", "X-Agent-Id": "agent-1"}
    body = build_body(FULL, ASKED, STRANGER, told)
    assert body["user"] == "conv-1"
    assert body["metadata"] == {"conversation_id": "conv-1", "agent_id": "agent-1"}


def test_variables_stand_behind_the_ids_in_metadata_as_far_as_openai_takes_them() -> None:
    given = {"caller_id": "forged", "note": "x" * 513, "empty": "", "order": "42"}
    told = Told("conv-1", "agent-1", variables=given | {f"v{n}": "1" for n in range(20)})
    metadata = tell_body(told)["metadata"]
    assert isinstance(metadata, dict)
    assert list(metadata)[:4] == ["conversation_id", "agent_id", "order", "v0"]
    assert len(metadata) == MAX_METADATA
    assert "forged" not in metadata.values()


@given(st.dictionaries(st.text(max_size=80), st.text(max_size=600)), st.text(max_size=600))
def test_metadata_keeps_within_openais_bounds(variables: dict[str, str], caller: str) -> None:
    metadata = tell_body(Told("conv-1", "agent-1", caller, "", variables))["metadata"]
    assert isinstance(metadata, dict)
    assert len(metadata) <= 16
    assert all(len(name) <= 64 and len(value) <= 512 for name, value in metadata.items())
    assert metadata["conversation_id"] == "conv-1"


def test_nobodys_variable_replaces_the_systems_own() -> None:
    forged = dict.fromkeys(("conversationId", "agentId", "callerId", "agentName"), "forged")
    assert Told("c", "a", "", "Desk", forged | {"order": "42"}).values == {
        "conversationId": "c",
        "agentId": "a",
        "agentName": "Desk",
        "order": "42",
    }


def test_a_caller_id_is_one_line_of_a_header() -> None:
    assert tell_headers(replace(TOLD, caller_id="a\r\nX-Evil: 1"))["X-Caller-Id"] == "a X-Evil: 1"


# Roles ----------------------------------------------------------------------------------------


def lines(*pairs: tuple[str, str]) -> list[Message]:
    return [Message(role, content) for role, content in pairs]  # type: ignore[arg-type]


TALK = lines(
    ("system", "S"), ("assistant", "Hi."), ("user", "A"), ("user", "B"), ("assistant", "C"),
    ("user", "D"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "shaped"),
    [
        (
            STRANGER,
            lines(("system", f"S\n\n{OPENING}Hi."), ("user", "A B"), ("assistant", "C"),
                  ("user", "D")),
        ),
        (replace(STRANGER, alternates=False), TALK),
        (
            replace(STRANGER, system=False),
            lines(("user", f"S\n\n{OPENING}Hi.\n\nA B"), ("assistant", "C"), ("user", "D")),
        ),
        (
            replace(STRANGER, system=False, alternates=False),
            lines(("assistant", "Hi."), ("user", "S\n\nA"), ("user", "B"), ("assistant", "C"),
                  ("user", "D")),
        ),
    ],
)  # fmt: skip
def test_roles_are_as_the_template_wants_them(profile: Profile, shaped: list[Message]) -> None:
    assert shape(TALK, profile) == shaped


def test_instructions_alone_are_still_said() -> None:
    system = [Message("system", "S")]
    assert shape(system, STRANGER) == system
    assert shape(system, replace(STRANGER, system=False)) == [Message("user", "S")]
    assert shape([Message("user", "A")], STRANGER) == [Message("user", "A")]


ROLES = st.sampled_from(["system", "user", "assistant"])


@given(
    st.lists(st.builds(Message, ROLES, st.text("ab", min_size=1, max_size=3)), max_size=8),
    st.booleans(),
)
def test_any_talk_alternates_and_loses_nothing(talk: list[Message], system: bool) -> None:
    shaped = shape(talk, replace(STRANGER, system=system))
    turns = [line.role for line in shaped if line.role != "system"]
    assert all(a != b for a, b in itertools.pairwise(turns))
    assert turns[:1] in ([], ["user"])
    assert [line.role for line in shaped].count("system") <= system
    everything = " ".join(line.content for line in shaped)
    assert all(line.content in everything for line in talk)


# Refusals -------------------------------------------------------------------------------------


def refusal(message: str, param: str | None = None, **more: object) -> str:
    return json.dumps({"error": {"message": message, "param": param, **more}})


def learned(status: int, text: str, profile: Profile = STRANGER) -> Amendment | None:
    return amend(profile, build_body(FULL, ASKED, profile, TOLD), status, text)


@pytest.mark.parametrize(
    ("status", "text", "changes"),
    [
        (  # OpenAI, reasoning models
            400,
            refusal("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                    "'max_completion_tokens' instead.", "max_tokens"),
            {"limit": Limit.MAX_COMPLETION_TOKENS},
        ),
        (
            400,
            refusal("Unsupported value: 'temperature' does not support 0.5 with this model. Only "
                    "the default (1) value is supported.", "temperature"),
            {"temperature": False, "refused": frozenset({"temperature"})},
        ),
        (  # Azure before it knew of metadata
            400,
            refusal("The 'metadata' parameter is only allowed when 'store' is enabled.",
                    "metadata.agent_id"),
            {"refused": frozenset({"metadata"})},
        ),
        (  # FastAPI with extra="forbid"
            422,
            json.dumps({"detail": [
                {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs"},
                {"type": "extra_forbidden", "loc": ["body", "user"], "msg": "Extra inputs"},
            ]}),
            {"refused": frozenset({"seed", "user"})},
        ),
        (  # vLLM
            400,
            json.dumps({"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': "
                        "('body', 'metadata'), 'msg': 'Extra inputs are not permitted'}]"}),
            {"refused": frozenset({"metadata"})},
        ),
        (  # Mistral
            422,
            json.dumps({"message": {"detail": [{"loc": ["body", "user"]}]}, "x": '"user"'})
            + " extra fields not permitted",
            {"refused": frozenset({"user"})},
        ),
        (400, 'unknown field "seed"', {"refused": frozenset({"seed"})}),
        (400, "Unrecognized request argument supplied: user", {"refused": frozenset({"user"})}),
        (400, "property 'top_p' is unsupported", {"refused": frozenset({"top_p"})}),
        (400, "user is not supported here", {"refused": frozenset({"user"})}),
        (400, "`stream` is not supported", {"refused": frozenset({"stream"})}),
        (400, refusal("System role not supported"), {"system": False}),
        (400, "Developer instruction is not enabled for models/gemma-3", {"system": False}),
        (400, "Only user and assistant roles are supported!", {"system": False}),
        (
            500,  # llama.cpp
            refusal("Jinja Exception: Conversation roles must alternate user/assistant/..."),
            {"system": False},
        ),
    ],
)  # fmt: skip
def test_a_refusal_teaches(status: int, text: str, changes: dict[str, Any]) -> None:
    found = learned(status, text)
    assert found is not None
    assert found.profile == replace(STRANGER, **changes)
    assert found.lasting


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Bad Request"),
        (400, refusal("The model `m` does not exist", "model")),
        (400, refusal("roles: user and assistant messages are too long", "messages")),
        (400, "This user is blocked"),
        (401, refusal("Unsupported parameter: temperature", "temperature")),
        (404, 'unknown field "seed"'),
        (500, "temperature sensor on fire"),
        (400, "[" * 10_000),
        (422, '{"detail": [1, {"loc": "body"}, {"loc": ["body"]}, {"loc": ["query", "page"]}]}'),
        (422, '{"detail": {"loc": 1}}'),
    ],
)  # fmt: skip
def test_a_refusal_that_teaches_nothing(status: int, text: str) -> None:
    assert learned(status, text) is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("max_tokens is too large: 9. This model supports at most 4", Limit.NONE),
        ("max_tokens: at most 4 may be asked for", Limit.NONE),
    ],
)
def test_a_value_that_is_refused_is_left_out_for_this_agent_only(text: str, limit: Limit) -> None:
    found = learned(400, refusal(text, "max_tokens"))
    assert found is not None
    assert (found.profile.limit, found.lasting, found.culprit) == (limit, False, "max_tokens")


def test_the_longest_answer_is_given_up_in_the_end() -> None:
    new = replace(STRANGER, limit=Limit.MAX_COMPLETION_TOKENS)
    text = "max_completion_tokens is not supported"
    found = learned(400, text, new)
    assert found is not None
    assert found.profile.limit is Limit.NONE
    back = learned(400, "unknown field max_completion_tokens, use max_tokens", new)
    assert back is not None
    assert back.profile.limit is Limit.MAX_TOKENS


def test_roles_are_put_in_order_before_the_instructions_are_moved() -> None:
    loose = replace(STRANGER, alternates=False)
    found = learned(400, "Conversation roles must alternate", loose)
    assert found is not None
    assert found.profile == replace(STRANGER, alternates=True)


def test_instructions_that_were_not_sent_cannot_be_refused() -> None:
    assert amend(STRANGER, {"messages": None}, 400, "System role not supported") is None
    folded = replace(STRANGER, system=False)
    assert learned(400, "System role not supported", folded) is None


@given(st.text(max_size=80), st.sampled_from([400, 422, 500]))
def test_no_refusal_breaks_anything(text: str, status: int) -> None:
    found = learned(status, text)
    assert found is None or found.profile != STRANGER


# Functions -------------------------------------------------------------------------------------

HOURS = Tool("hours", "Says when we are open.", {"type": "object"})
CALL = ToolCall("c1", "hours", '{"day": "Monday"}')
ROUND = [*ASKED, Message("assistant", "", (CALL,)), Message("tool", "9 to 5", call_id="c1")]
OFFERING: dict[str, object] = {"messages": [{"role": "user", "content": "Hi"}], "tools": [{}]}
CALLED: dict[str, object] = {
    "messages": [{"role": "assistant", "content": None}, {"role": "tool", "content": "x"}],
    "tools": [{}],
}


def test_ours_stand_in_place_of_the_owners() -> None:
    extra = {"tools": ["theirs"], "tool_choice": "auto", "seed": 1}
    endpoint = Endpoint("http://h", extra=extra)
    body = build_body(endpoint, ASKED, tools=[HOURS])
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "hours",
                "description": "Says when we are open.",
                "parameters": {"type": "object"},
            },
        }
    ]
    assert body["tool_choice"] == "auto"
    assert build_body(endpoint, ASKED)["tools"] == ["theirs"]
    told = build_body(endpoint, ASKED, Profile(tools=False), tools=[HOURS])
    assert set(told) == {"model", "messages", "stream", "seed"}


@pytest.mark.parametrize("profile", [Profile(tools=False), Profile(refused=frozenset({"tools"}))])
def test_who_takes_no_tools_is_told_of_them(profile: Profile) -> None:
    text = json.dumps(build_body(Endpoint("http://h"), ROUND, profile, tools=[HOURS]))
    assert "<tool_call>" in text
    assert '"tools"' not in text
    assert '"tool_calls"' not in text


def test_calls_and_results_stay_apart_where_roles_alternate() -> None:
    both = [
        *ASKED,
        Message("assistant", "One moment.", (CALL, replace(CALL, id="c2"))),
        Message("tool", "a", call_id="c1"),
        Message("tool", "b", call_id="c2"),
        Message("assistant", "It is a."),
        Message("user", "And"),
        Message("user", "now?"),
    ]
    assert shape(both, STRANGER) == [*both[:-2], Message("user", "And now?")]


def test_an_opening_that_calls_is_not_told_as_words() -> None:
    begins = [Message("assistant", "", (CALL,)), Message("tool", "a", call_id="c1")]
    assert shape(begins, STRANGER) == begins


REFUSING = [
    (400, '"registry.ollama.ai/library/gemma:2b" does not support tools'),
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (404, "No endpoints found that support tool use."),
    (500, "tools param requires --jinja flag"),
    (400, "`tool calling` is not supported with this model"),
    (400, "This model does not support function calling"),
    (422, '{"detail": [{"loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}]}'),
    (400, '{"error": {"message": "Unknown parameter", "param": "tools"}}'),
    (400, "Only user, assistant and system roles are supported, got tool."),
    (501, "Tools are not available"),
]


@pytest.mark.parametrize(("status", "refusal"), REFUSING)
def test_refusals_of_tools(status: int, refusal: str) -> None:
    amended = amend(Profile(alternates=True), OFFERING, status, refusal)
    assert amended is not None
    assert amended.profile.tools is False
    assert amended.lasting


def test_an_unexplained_refusal_is_laid_to_tools_for_this_conversation() -> None:
    assert amend(STRANGER, OFFERING, 400, "Bad request") == Amendment(
        Profile(tools=False), False, "tools"
    )
    assert amend(STRANGER, OFFERING, 500, "Internal error") is None
    assert amend(STRANGER, OFFERING, 429, "does not support tools") is None
    assert amend(STRANGER, {"messages": []}, 400, "does not support tools") is None


def test_another_culprit_is_not_laid_to_tools() -> None:
    sent = {**OFFERING, "parallel_tool_calls": True, "temperature": 1}
    amended = amend(STRANGER, sent, 400, "'parallel_tool_calls' is not supported with this model")
    assert amended is not None
    assert amended.profile == STRANGER.refusing("parallel_tool_calls")
    amended = amend(STRANGER, sent, 400, "'temperature' is not supported with this model")
    assert amended is not None
    assert amended.profile.tools is None


@pytest.mark.parametrize(
    "refusal",
    [
        "messages.1.content: Input should be a valid string, got null",
        "content must be a string",
        "Missing 'content'",
        "Invalid value for 'content': expected a string, got null.",
    ],
)
def test_a_server_without_null(refusal: str) -> None:
    amended = amend(STRANGER, CALLED, 400, refusal)
    assert amended == Amendment(Profile(blank=True), True, "content")
    again = amend(Profile(blank=True), CALLED, 400, refusal)
    assert again is not None
    assert again.profile.tools is False
    line = build_body(Endpoint("http://h"), ROUND, Profile(blank=True), tools=[HOURS])
    assert '"content": ""' in json.dumps(line)
