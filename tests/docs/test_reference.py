"""The pages written by hand name what the code has: messages, keys, codes, errors, phrases."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec

from documents import ROOT, marked, section, table
from sayso import errors, variables
from sayso.api import refusals
from sayso.api.mistakes import describe_json
from sayso.audio.formats import InputEncoding, OutputFormat
from sayso.door import _CLOSE_CODES, Door
from sayso.errors import Blame, RefusedError, SaysoError, TalkCode
from sayso.knowledge.bounds import ReadLimits
from sayso.llm import Told, body
from sayso.talk.phrases import ENGLISH
from sayso.transport import line, playai

SOCKET = "docs/reference/websocket.md"
ERRORS = "docs/reference/errors.md"

CODES: Mapping[str, int] = {
    name: value
    for name, value in vars(TalkCode).items()
    if isinstance(value, int) and name.isupper()
}


def keys_of(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


# The socket ----------------------------------------------------------------------------------


def test_every_talk_url_is_listed() -> None:
    needed = {field.name: None for field in dataclasses.fields(Door) if field.init}
    door = Door(**cast("Any", {k: v for k, v in needed.items() if not k.startswith("_")}))
    listed = [marked(row[0])[0].partition("?")[0] for row in table(SOCKET, "## Where")]
    assert [path.replace("agentId", "agent_id") for path in listed] == [
        route.path for route in door.routes
    ]


def test_every_key_of_setup_is_listed() -> None:
    listed = [marked(row[0])[0] for row in table(SOCKET, "### `setup`")]
    assert set(listed) == keys_of(playai.Setup) | {"type"}
    assert len(listed) == len(set(listed))


def test_every_encoding_and_format_is_listed() -> None:
    cells = {marked(row[0])[0]: row[1] for row in table(SOCKET, "### `setup`")}
    assert set(marked(cells["inputEncoding"])) == set(InputEncoding)
    assert set(marked(cells["outputFormat"])) == set(OutputFormat)


def test_the_limits_of_setup_are_the_codes() -> None:
    text = section(SOCKET, "### `setup`")
    assert f"{playai.MIN_RATE_HZ} to {playai.MAX_RATE_HZ}" in text
    assert f"{playai.MAX_TEXT_CHARS:,} characters" in text
    assert f"{playai.MAX_PATIENCE_MS:,} are taken" in text


def test_every_client_message_is_listed_with_its_keys() -> None:
    listed = {marked(row[0])[0]: set(marked(row[1])) for row in table(SOCKET, "### Afterwards")}
    known = {
        str(kind.__struct_config__.tag): keys_of(kind) for kind in get_args(playai.ClientMessage)
    }
    assert listed == known


EXAMPLES: tuple[line.Outgoing, ...] = (
    line.GreetingBegan("hello"),
    line.GreetingEnded("hello"),
    line.CallerStarted(),
    line.CallerStopped(),
    line.CallerText("hi"),
    line.CallerTextSoFar("h"),
    line.ReplyHeld(),
    line.ReplyResumed(),
    line.ReplyBegan(1),
    line.ReplySound(1, b"."),
    line.AgentText(1, "hello"),
    line.ReplyEnded(1, "hello"),
    line.Interrupted(1, "he"),
    line.CustomEvent("change-text", {"text": "hi"}),
    line.HandOn("The owner", "+15550100123"),
    line.Fault(4500, "no", fatal=False),
    line.Goodbye("agent"),
)


def test_every_server_message_is_listed_with_its_exact_keys() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(line.Outgoing))
    init = playai.init_frame(owner_id="o", conversation_id="c", recording_url="r", language="e")
    sent = {}
    for frame in [init, *(frame for out in EXAMPLES for frame in playai.frames(out))]:
        message = json.loads(frame)
        sent[message["type"]] = set(message) - {"type"}
    rows = table(SOCKET, "## From the server")
    assert {marked(row[0])[0]: set(marked(row[1])) for row in rows} == sent


def test_every_code_is_listed_with_its_close_code() -> None:
    listed = {int(row[0]): int(row[1]) for row in table(SOCKET, "## Codes")}
    assert listed == {code: _CLOSE_CODES.get(code, code) for code in CODES.values()}


def test_the_rules_of_variables_are_the_codes() -> None:
    page = "docs/reference/variables.md"
    rules, told = section(page, "## Rules"), section(page, "## What the LLM is told")
    for limit in (
        f"at most {variables.MAX_NAME_CHARS} characters",
        f"at most {variables.MAX_VALUE_CHARS:,} characters",
        f"{variables.MAX_VARIABLES}\n  for an agent",
        f"at most {variables.MAX_INSERTED_CHARS:,} characters to one text",
        f"{variables.MAX_INSERTED_HEADER_CHARS:,} to one header",
    ):
        assert limit in rules
    for limit in (
        f"{body.MAX_METADATA} pairs",
        f"names of {body.MAX_METADATA_NAME_CHARS}",
        f"values of {body.MAX_METADATA_CHARS} characters",
    ):
        assert limit in told
    system = {
        name for row in table(page, "## Where values come from")[:1] for name in marked(row[1])
    }
    assert system == set(Told("c", "a", "x", "n").values)
    text = section(SOCKET, "### `setup`")
    assert f"at most {playai.MAX_CALLER_ID_CHARS} characters on one line" in text


# Errors --------------------------------------------------------------------------------------


def test_every_code_is_listed_with_its_name() -> None:
    listed = {row[1].strip("`"): int(row[0]) for row in table(ERRORS, "## Conversations")}
    assert listed == CODES


def test_every_reason_a_document_cannot_be_read_is_listed() -> None:
    listed = [marked(row[0])[0] for row in table(ERRORS, "## Documents")]
    assert listed == [code.value for code in errors.ReadCode]
    text = section(ERRORS, "## Documents")
    assert f"{ReadLimits().max_pieces:,} rows or sections" in text
    assert f"unpacks to more than {ReadLimits().max_inflated_bytes // 1_048_576} MiB" in text


def subclasses(kind: type[SaysoError]) -> set[type[SaysoError]]:
    below = {sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__}
    return below.union(*(subclasses(sub) for sub in below))


def test_every_error_is_listed() -> None:
    listed = [marked(row[0])[0] for row in table(ERRORS, "## In the code")]
    assert set(listed) == {kind.__name__ for kind in subclasses(SaysoError)}


def test_every_code_of_a_web_page_is_listed() -> None:
    listed = [marked(row[0])[0] for row in table(ERRORS, "## Web pages")]
    assert listed == list(errors.FetchCode)


def test_every_status_is_listed_with_its_id() -> None:
    listed = {int(row[0]): marked(row[1])[0] for row in table(ERRORS, "## REST")}
    refused = {
        cast("type[RefusedError]", kind)
        for kind in subclasses(SaysoError)
        if hasattr(kind, "status")
    }
    known = {kind.status: kind.error_id for kind in refused}
    assert listed == {**known, **refusals._HTTP_IDS, 500: "INTERNAL_ERROR"}


def test_the_example_is_what_the_server_answers() -> None:
    found = re.search(r"(?s)```json\n(.*?)```", section(ERRORS, "## REST"))
    assert found
    shown = json.loads(found[1])
    fields = {field.alias for field in refusals.ErrorBody.model_fields.values()}
    assert set(shown) == fields - {"details", "signUpOpen"}
    body = '{"displayName":"x",}'
    assert shown["message"] == describe_json(body, body.index("}"))


def test_every_blame_is_listed() -> None:
    assert [row[0].strip("`") for row in table(ERRORS, "# Errors")] == list(Blame)


def test_every_phrase_is_listed() -> None:
    spoken = set(dataclasses.astuple(ENGLISH))
    text = section(ERRORS, "## Conversations")
    assert {phrase for phrase in spoken if f"| {phrase} |" not in text} == set()


# Words and decisions -------------------------------------------------------------------------


def test_words_stand_in_order_and_once() -> None:
    words = [row[0] for row in table("docs/reference/words.md", "# Words")]
    assert words == sorted(set(words), key=str.lower)


def test_every_dependency_answers_its_three_questions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    rows = table("docs/decisions/0003-libraries.md", "## Decision")
    listed = [marked(row[0])[0] for row in rows if all(row)]
    needed = [re.split(r"[^\w-]", need)[0] for need in project["dependencies"]]
    assert sorted(listed) == sorted(needed)


def test_every_decision_has_its_parts_and_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    decisions = sorted(folder.glob("0*.md"))
    listed = (folder / "README.md").read_text("utf-8")
    for number, page in enumerate(decisions, 1):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {number:04} "), f"{page.name}: numbers have no gaps"
        headings = re.findall(r"(?m)^## (.+)$", text)
        assert headings == ["Context", "Decision", "Consequences"], page.name
        assert f"({page.name})" in listed
        assert text.splitlines()[0][7:] in listed, f"{page.name}: its title in the list"
