"""An agent's `llm` as it is sent, and as it is called."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from sayso.agents.llm_schema import BuiltIn, OpenAiCompatible
from sayso.agents.own_llm import make_endpoint
from sayso.agents.schema import NewAgent

MINIMAL = {"displayName": "A"}


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
