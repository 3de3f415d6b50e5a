from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sayso.agents.llm_schema import OpenAiCompatible
from sayso.agents.schema import DEFAULT_VOICE, AgentChanges, NewAgent

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


def test_a_change_holds_only_what_was_sent() -> None:
    changes = AgentChanges.model_validate({"greeting": None, "unknown": 1})
    assert changes.model_fields_set == {"greeting"}
    assert AgentChanges.model_validate({}).model_fields_set == set()
    schema = TypeAdapter(AgentChanges).json_schema(mode="validation")
    assert "required" not in schema
    assert not any("default" in field for field in schema["properties"].values())


def test_shapes_that_take_nothing_else_say_so() -> None:
    shapes = NewAgent.model_json_schema()["$defs"]
    closed = {name for name, shape in shapes.items() if shape.get("additionalProperties") is False}
    ours = {"Knowledge", "LlmTimeouts", "McpServerBody", "MessagePlan", "TransferDestination"}
    assert closed == ours
