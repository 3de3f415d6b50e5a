from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from sayso.agents.llm_schema import BuiltIn, OpenAiCompatible
from sayso.agents.llms import make_endpoint
from sayso.agents.schema import DEFAULT_VOICE, AgentChanges, NewAgent
from sayso.bodies import refuse_unstorable
from sayso.errors import BadRequestError

MINIMAL = {"displayName": "A"}


def test_only_the_name_is_required_and_unknown_keys_are_ignored() -> None:
    agent = NewAgent.model_validate({"displayName": "A", "unknown": {"x": 1}})
    assert agent.voice == DEFAULT_VOICE
    assert (agent.visibility, agent.language, agent.tts_model) == (
        "public",
        "english",
        "PlayHT2.0-turbo",
    )
    assert agent.answer_only_from_critical_knowledge is False
    assert (agent.description, agent.greeting, agent.llm, agent.actions) == ("", None, None, [])


@pytest.mark.parametrize(
    ("field", "longest"),
    [
        ("displayName", 250),
        ("description", 500),
        ("greeting", 250),
        ("prompt", 10_000),
        ("criticalKnowledge", 20_000),
    ],
)
def test_texts_have_the_contracts_limits(field: str, longest: int) -> None:
    NewAgent.model_validate({**MINIMAL, field: "x" * longest})
    with pytest.raises(ValidationError):
        NewAgent.model_validate({**MINIMAL, field: "x" * (longest + 1)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"displayName": ""},
        {"displayName": None},
        {"displayName": 5},
        {"description": None},
        {"voice": ""},
        {"voiceSpeed": 0.4},
        {"voiceSpeed": 1.6},
        {"voiceSpeed": "1.2"},
        {"voiceSpeed": True},
        {"ttsModel": "PlayHT3"},
        {"visibility": "secret"},
        {"language": "klingon"},
        {"patience": "slow"},
        {"patience": 1},
        {"interruptible": None},
        {"builtInActions": ["transfer"]},
        {"builtInActions": ["end-call"] * 21},
        {"builtInActions": "end-call"},
        {"timeZone": "Mars"},
        {"timeZone": 1},
        {"answerOnlyFromCriticalKnowledge": "yes"},
        {"actions": [1]},
        {"actions": ["x"] * 101},
        {"llm": "https://x.example"},
        {"llm": {}},
        {"llm": {"type": "other", "baseURL": "https://x.example"}},
        {"llm": {"type": {}, "baseURL": "https://x.example"}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"temperature": 1.1}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"maxTokens": 0}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"maxTokens": 1.5}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"model": 1}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"more": "x" * 20_001}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"defaultHeaders": {"a b": "c"}}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"defaultHeaders": {"a": "b\nc"}}}},
        {"llm": {"baseURL": "https://x.example", "baseParams": {"defaultHeaders": {"a": "ä"}}}},
        {"llm": {"baseURL": "https://x.example", "apiKey": "sk a"}},
        {"llm": {"baseURL": "https://x.example", "apiKey": "sk\nx"}},
        {"llm": {"baseURL": "https://x.example", "apiKey": 5}},
    ],
)
def test_what_is_outside_the_limits_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewAgent.model_validate({**MINIMAL, **wrong})


def test_a_whole_number_may_be_written_with_a_point() -> None:
    llm = {"baseURL": "https://x.example", "baseParams": {"maxTokens": 9.0}}
    llm |= {"timeouts": {"connectMs": 500.0}}
    agent = NewAgent.model_validate(
        {**MINIMAL, "llm": llm, "messagePlan": {"idleMessageMaxSpokenCount": 2.0}}
    )
    assert isinstance(agent.llm, OpenAiCompatible)
    assert agent.llm.base_params is not None
    assert agent.llm.timeouts is not None
    assert agent.message_plan is not None
    numbers = (
        agent.llm.base_params.max_tokens,
        agent.llm.timeouts.connect_ms,
        agent.message_plan.idle_message_max_spoken_count,
    )
    assert [(number, type(number)) for number in numbers] == [(9, int), (500, int), (2, int)]


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.example.com",
        "http://127.0.0.1:11434/v1/",
        "http://[::1]:8000/v1",
        " https://llm.example.com/v1 ",
        "https://llm.example.com/v1?version=2",
    ],
)
def test_base_urls_that_are_taken(url: str) -> None:
    assert OpenAiCompatible.model_validate({"baseURL": url}).base_url == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "llm.example.com/v1",
        "ftp://llm.example.com",
        "https://",
        "https:///v1",
        "https://user:secret@llm.example.com",
        "https://good.example\\@evil.example",
        "https://good.example /v1",
        "https://x.example/#part",
        "https://x.example:99999",
        "https://[::1",
        "https://x.example/\x00",
        "https://x.example/" + "x" * 2048,
    ],
)
def test_base_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OpenAiCompatible.model_validate({"baseURL": url})
    assert "secret" not in str(caught.value)


def test_a_key_is_never_in_an_error_or_a_repr() -> None:
    body = {"llm": {"baseURL": "x", "apiKey": "sk-canary"}, "displayName": 1}
    with pytest.raises(ValidationError) as caught:
        NewAgent.model_validate(body)
    assert "canary" not in str(caught.value)
    llm = OpenAiCompatible.model_validate({"baseURL": "https://x.example", "apiKey": "sk-canary"})
    assert "canary" not in repr(llm)


def test_an_llm_is_openai_compatible_unless_it_says_built_in() -> None:
    for kind in ({}, {"type": "openai-compatible"}):
        agent = NewAgent.model_validate({**MINIMAL, "llm": {"baseURL": "http://x", **kind}})
        assert isinstance(agent.llm, OpenAiCompatible)
    agent = NewAgent.model_validate({**MINIMAL, "llm": {"type": "built-in", "model": "gpt-4o"}})
    assert isinstance(agent.llm, BuiltIn)


def test_a_change_holds_only_what_was_sent() -> None:
    changes = AgentChanges.model_validate({"greeting": None, "unknown": 1})
    assert changes.model_fields_set == {"greeting"}
    assert AgentChanges.model_validate({}).model_fields_set == set()
    schema = TypeAdapter(AgentChanges).json_schema(mode="validation")
    assert "required" not in schema
    assert not any("default" in field for field in schema["properties"].values())


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": {"b": [0, float("nan")]}}, "a.b.1"),
        ({"a": float("inf")}, "a"),
        ({"a": "x\0"}, "a"),
        ({"a": "\ud800"}, "a"),
        ({"a": {"\0": 1}}, "a"),
        ("\0", None),
    ],
)
def test_what_no_database_takes_is_refused_with_its_place(value: object, field: str | None) -> None:
    with pytest.raises(BadRequestError) as caught:
        refuse_unstorable(value)
    assert caught.value.field == field


def test_nesting_has_a_limit() -> None:
    deep: object = 1
    for _ in range(32):
        deep = [deep]
    refuse_unstorable(deep)
    with pytest.raises(BadRequestError, match="32 levels"):
        refuse_unstorable([deep])


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("k"), inner),
    max_leaves=10,
)  # fmt: skip


@given(json_values)
def test_what_a_database_takes_passes_unchanged(value: object) -> None:
    assert refuse_unstorable(value) is value


def test_an_endpoint_is_made_from_the_contracts_names() -> None:
    endpoint = make_endpoint(
        "https://x.example/v1/",
        SecretStr("k"),
        {
            "model": "m",
            "temperature": 0,
            "maxTokens": 3000,
            "top_p": 0.5,
            "stream": False,
            "messages": [],
            "defaultHeaders": {"ignored": "here"},
        },
        {"x-my-extra-key": "value", "x-null": None},
    )
    assert endpoint.base_url == "https://x.example/v1/"
    assert (endpoint.model, endpoint.temperature, endpoint.max_tokens) == ("m", 0, 3000)
    assert endpoint.headers == {"x-my-extra-key": "value"}
    assert endpoint.extra == {"top_p": 0.5}


def test_shapes_that_take_nothing_else_say_so() -> None:
    shapes = NewAgent.model_json_schema()["$defs"]
    closed = {name for name, shape in shapes.items() if shape.get("additionalProperties") is False}
    ours = {"Knowledge", "LlmTimeouts", "McpServerBody", "MessagePlan", "TransferDestination"}
    assert closed == ours
