"""The guide to retrieval of one's own says what is so."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from documents import ROOT, blocks
from sayso.agents import knowledge_checks
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.clock import SystemClock
from sayso.errors import KnowledgeError
from sayso.knowledge import remote
from sayso.knowledge.place import Place
from sayso.knowledge.remote import MAX_RECORD_CHARS, Retrieval, make_body, read_records

GUIDE = ROOT / "docs/guide/own-retrieval.md"
OPENAPI = json.loads((ROOT / "docs/reference/retrieval.openapi.json").read_text("utf-8"))
SHOWN = [block for block in blocks("json") if block.page.endswith("own-retrieval.md")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[str]:
    notes = tmp_path / "notes.txt"
    notes.write_text("We open at nine.\nOn Sunday we are closed.\n", "utf-8")
    command = [sys.executable, "examples/retrieval_server.py", str(notes), "--port", "0"]
    with subprocess.Popen(
        [*command, "--key", "rk"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        try:
            yield run.stdout.readline().strip()
        finally:
            run.terminate()


async def test_the_example_answers_as_a_conversation_asks(example: str) -> None:
    retrieval = Retrieval()
    await retrieval.open()
    try:
        place = Place(example, SecretStr("rk"), timeout_s=5.0)
        found = await retrieval.ask(place, "Are you closed on Sunday?", ["Hello."])
        assert found[0].passage.text == "On Sunday we are closed."
        assert found[0].passage.source_name == "notes.txt"
        with pytest.raises(KnowledgeError, match="answered 403"):
            await retrieval.ask(Place(example, timeout_s=5.0), "Sunday?", [])
    finally:
        await retrieval.close()


async def test_an_agent_is_saved_with_the_example_and_without_a_warning(example: str) -> None:
    retrieval = Retrieval()
    await retrieval.open()
    try:
        ask = partial(retrieval.ask, context=())
        checks = KnowledgeChecks(SystemClock(), ask, longest_s=5.0)
        assert await checks.demand(Place(example, SecretStr("rk"))) == []
        assert await ask(Place(example, SecretStr("rk")), "Sell tickets?") == []
    finally:
        await retrieval.close()


def test_the_request_shown_is_the_one_that_is_sent() -> None:
    sent = make_body(Place("http://r.test"), "x", [])
    shown = json.loads(SHOWN[0].text)
    assert set(shown) == set(sent) == set(schema("Question"))
    assert set(shown["retrieval_setting"]) == set(sent["retrieval_setting"])


def test_the_answer_shown_is_read() -> None:
    found = read_records(Place("http://r.test"), SHOWN[1].text.encode())
    assert found[0].passage.page == 3
    assert found[0].passage.source_name == "house-rules.pdf"
    assert str(MAX_RECORD_CHARS) in schema("Record")["content"]["description"]


def test_every_code_has_a_row() -> None:
    code = "".join(map(inspect.getsource, (remote, knowledge_checks)))
    raised = set(re.findall(r'"(retrieval\.\w+)"', code))
    rows = set(re.findall(r"(?m)^\| `(retrieval\.\w+)`", GUIDE.read_text("utf-8")))
    assert rows == raised


def schema(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = OPENAPI["components"]["schemas"][name]["properties"]
    return properties
