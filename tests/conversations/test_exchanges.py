from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sayso.conversations.exchanges import (
    MASK,
    MAX_ARGUMENTS_CHARS,
    MAX_CALLS,
    MAX_REQUEST_BYTES,
    MAX_RESPONSE_CHARS,
    pack,
    size_of,
)
from sayso.conversations.views import exchange_view
from sayso.llm import Exchanged, ToolCall
from sayso.store.tables import ExchangeRow

PLAIN = Exchanged(
    llm="https://llm.example.com/v1/chat/completions",
    model="m",
    request=b'{"model":"m","messages":[]}',
    response="Hello!",
    calls=(),
    outcome="answered",
    finding="",
    status=200,
    first_token_ms=1.0,
    total_ms=2.0,
)


def request_of(packed: dict[str, Any]) -> str:
    return zlib.decompress(packed["request"]).decode()


def response_of(packed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(packed["response"]))
    return found


def test_a_request_is_kept_byte_for_byte() -> None:
    body = '{ "model":"m",\n"messages":[{"role":"user","content":"Grüße 🌍"}]}'.encode()
    packed = pack(replace(PLAIN, request=body))
    assert zlib.decompress(packed["request"]) == body
    assert (packed["request_cut"], packed["response_cut"], packed["finding"]) == (
        False,
        False,
        None,
    )


@pytest.mark.parametrize("secret", ["sk-abcdef", 'sk-"quoted"', "sk-ümlaut", "sk\\back"])
def test_secrets_are_masked_however_they_are_written(secret: str) -> None:
    body = {"messages": [{"role": "system", "content": f"key {secret}"}], "user": secret}
    for written in (json.dumps(body).encode(), msgspec.json.encode(body)):
        packed = pack(
            replace(
                PLAIN,
                llm=f"https://x/{secret}",
                request=written,
                response=f"your key {secret} is wrong",
                calls=(ToolCall("1", "f", json.dumps({"k": secret})),),
                secrets=(secret,),
            )
        )
        kept = request_of(packed) + json.dumps(response_of(packed)) + packed["llm"]
        assert secret not in kept
        assert json.dumps(secret)[1:-1] not in kept
        assert kept.count(MASK) == 5


def test_values_that_are_named_like_keys_are_masked_and_numbers_are_not() -> None:
    body = {"api_key": "abc", "max_tokens": 5, "access_token": "t", "messages": []}
    kept = json.loads(request_of(pack(replace(PLAIN, request=json.dumps(body).encode()))))
    assert kept == {"api_key": MASK, "max_tokens": 5, "access_token": MASK, "messages": []}


def test_secret_arguments_of_functions_are_in_neither_direction() -> None:
    arguments = '{"pin": "1234", "name": "Ann"}'
    call = {"id": "1", "function": {"name": "pay", "arguments": arguments}}
    body = {"messages": [{"role": "assistant", "tool_calls": [call]}, {"role": "tool"}]}
    packed = pack(
        replace(
            PLAIN,
            request=json.dumps(body).encode(),
            calls=(ToolCall("1", "pay", arguments), ToolCall("2", "look", arguments)),
            hidden={"pay": ("pin",)},
        )
    )
    sent = json.loads(request_of(packed))["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"pin": MASK, "name": "Ann"}
    paid, looked = response_of(packed)["calls"]
    assert json.loads(paid["arguments"]) == {"pin": MASK, "name": "Ann"}
    assert looked["arguments"] == arguments


@pytest.mark.parametrize("secret", ["true", "1024", "null", "messages", "role"])
def test_a_request_is_json_whatever_its_secrets_read(secret: str) -> None:
    body = {"stream": True, "n": 1024, "x": None, "messages": [{"role": secret, "content": "é\n"}]}
    for written in (json.dumps(body).encode(), msgspec.json.encode(body)):
        kept = json.loads(request_of(pack(replace(PLAIN, request=written, secrets=(secret,)))))
        assert kept == {**body, "messages": [{"role": MASK, "content": "é\n"}]}


WRITTEN = {
    "hermes": r'<tool_call>{"name": "pay", "arguments": {"pin": "12\"3", "to": "Ann"}}</tool_call>',
    "a number": '<tool_call>{"name": "pay", "arguments": {"pin": 123, "to": "Ann"}}</tool_call>',
    "told again": """<tool_result name="pay" arguments='{"pin":"123", "to": "Ann"}'>ok</""",
    "in JSON": r'{"name": "pay", "arguments": "{\"pin\": \"123\", \"to\": \"Ann\"}"}',
    "qwen": "<function=pay><parameter=to>Ann</parameter><parameter=pin>\n123\n</parameter>",
    "glm": "pay <arg_key>pin</arg_key><arg_value>123</arg_value> Ann",
    "python": "[pay(to='Ann', pin='123')]",
    "cut": 'functions.pay:0 {"to": "Ann", "pin": "123',
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_secret_arguments_are_hidden_in_calls_that_are_words(written: str) -> None:
    body = {"messages": [{"role": "assistant", "content": written}]}
    request = json.dumps(body).encode()
    packed = pack(replace(PLAIN, request=request, response=written, hidden={"pay": ("pin",)}))
    for kept in (
        json.loads(request_of(packed))["messages"][0]["content"],
        response_of(packed)["content"],
    ):
        assert "12" not in kept
        assert "Ann" in kept
        assert MASK in kept


def test_what_is_no_call_of_theirs_keeps_its_words() -> None:
    schema = '{"name": "pay", "parameters": {"pin": {"type": "string"}}}'
    other = '<tool_call>{"name": "look", "arguments": {"pin": "123"}}</tool_call>'
    for text in (schema, other, "To pay, the pin: four digits."):
        packed = pack(replace(PLAIN, response=text, hidden={"pay": ("pin",)}))
        assert response_of(packed)["content"] == text


def test_the_values_of_secret_arguments_are_masked_in_all_words() -> None:
    packed = pack(
        replace(
            PLAIN,
            request=b'{"messages":[{"content":"it is 9876, yes"}]}',
            response="I pay with 9876 now.",
            calls=(
                ToolCall("1", "pay", '{"pin": 9876, "ok": true}'),
                ToolCall("2", "pay", "[" * 9),
            ),
            hidden={"pay": ("pin", "ok", "none")},
        )
    )
    assert json.loads(request_of(packed))["messages"][0]["content"] == f"it is {MASK}, yes"
    assert response_of(packed)["content"] == f"I pay with {MASK} now."


def test_a_request_that_was_stored_damaged_is_shown_as_text() -> None:
    packed = {**pack(PLAIN), "request": zlib.compress(b'{"stream":[secret]}')}
    at = datetime(2024, 5, 1, tzinfo=UTC)
    row = ExchangeRow(id="e", conversation_id="c", reply=1, at=at, **packed)
    assert exchange_view(row).request == '{"stream":[secret]}'


def test_half_an_emoji_is_stored_as_a_mark() -> None:
    packed = pack(replace(PLAIN, response="\ud83d \ud83d\ude00", model="\ude00"))
    assert (packed["model"], response_of(packed)["content"]) == ("\ufffd", "\ufffd \U0001f600")


@pytest.mark.parametrize("damaged", ['{"pin": "12', '["1234"]'])
def test_arguments_that_cannot_be_read_are_masked_whole(damaged: str) -> None:
    packed = pack(replace(PLAIN, calls=(ToolCall("1", "pay", damaged),), hidden={"pay": ("pin",)}))
    assert response_of(packed)["calls"] == [{"name": "pay", "arguments": MASK}]


def test_what_is_too_long_is_cut_and_marked() -> None:
    long = json.dumps({"messages": [{"content": "ü" * MAX_REQUEST_BYTES}]}, ensure_ascii=False)
    packed = pack(
        replace(
            PLAIN,
            request=long.encode(),
            response="x" * (MAX_RESPONSE_CHARS + 1),
            calls=(ToolCall("1", "f", "y" * (MAX_ARGUMENTS_CHARS + 1)),) * (MAX_CALLS + 1),
        )
    )
    assert packed["request_cut"]
    assert MAX_REQUEST_BYTES - 4 < len(request_of(packed).encode()) <= MAX_REQUEST_BYTES
    assert long.startswith(request_of(packed))
    answer = response_of(packed)
    assert packed["response_cut"]
    assert len(answer["content"]) == MAX_RESPONSE_CHARS
    assert len(answer["calls"]) == MAX_CALLS
    assert len(answer["calls"][0]["arguments"]) == MAX_ARGUMENTS_CHARS


def test_what_postgres_does_not_take_is_left_out() -> None:
    packed = pack(replace(PLAIN, model="a\0b", response="c\0d"))
    assert (packed["model"], response_of(packed)["content"]) == ("ab", "cd")


def test_its_size_is_about_what_it_holds() -> None:
    assert size_of(PLAIN) > len(PLAIN.request) + len(PLAIN.response)
