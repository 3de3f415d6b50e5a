"""What is shown can be pasted: snippets parse, commands exist, requests are valid."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from documents import ROOT, Block, blocks, pages
from sayso.accounts.schema import NewKeyBody
from sayso.agents.reports import NewCheck, NewKnowledgeCheck
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.agents.ticket_routes import NewTicket
from sayso.cli import app
from sayso.functions.mcp.schema import NewMcpCheck
from sayso.functions.schema import NewFunction, NewTrial
from sayso.sources.schema import NewKnowledgePage

BASH = blocks("bash")


def test_the_front_page_has_two_set_up_commands() -> None:
    first = next(block for block in BASH if block.page == "README.md")
    assert first.text == "make serve\nmake test\n"


@pytest.mark.parametrize("block", BASH, ids=str)
def test_shell_snippets_parse(block: Block) -> None:
    run = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("block", [*BASH, *blocks("sh")], ids=str)
def test_shell_snippets_call_the_server_and_its_key_by_the_same_names(block: Block) -> None:
    given = re.sub(r"^export SAYSO_URL=.*$", "", block.text, flags=re.MULTILINE)
    assert "127.0.0.1:8400" not in given, "write $SAYSO_URL"
    calls = [line for line in given.splitlines() if "/api/v1" in line]
    assert all("$SAYSO_URL/api/v1" in line for line in calls)
    assert not re.search(r"\$\{?(?:SAYSO|KEY|API_KEY|SAYSO_KEY)\b(?!_)", given), "$SAYSO_API_KEY"


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_snippets_compile(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_snippets_parse(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_toml_snippets_parse(block: Block) -> None:
    tomllib.loads(block.text)


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in blocks("")] == []


KINDS = {
    "/chat/completions": "completion",
    "/mcp-checks": "mcp check",
    "/llm-checks": "check",
    "/knowledge-checks": "knowledge check",
    "/knowledge-pages": "page",
    "/api-keys": "key",
    "/tickets": "ticket",
    "/try": "try",
    "/external-functions": "function",
    "PATCH": "PATCH",
}
"""What a `curl` command asks for, by what stands in it: the first that does."""


def kind_of(command: str) -> str:
    """What a `curl` command asks for."""
    return next((kind for part, kind in KINDS.items() if part in command), "POST")


def bodies() -> list[tuple[Block, str, str]]:
    """What `curl` sends in the snippets, and for what."""
    return [
        (block, kind_of(command), body)
        for block in BASH
        for command in re.split(r"(?m)^(?=.*\bcurl )", block.text)
        for body in re.findall(r"(?s)--(?:data|json) '(.*?)'", command)
    ]


SHAPES: Mapping[str, type[BaseModel]] = {
    "POST": NewAgent,
    "PATCH": AgentChanges,
    "check": NewCheck,
    "function": NewFunction,
    "try": NewTrial,
    "knowledge check": NewKnowledgeCheck,
    "mcp check": NewMcpCheck,
    "page": NewKnowledgePage,
    "key": NewKeyBody,
    "ticket": NewTicket,
}


@pytest.mark.parametrize(("block", "kind", "body"), bodies(), ids=str)
def test_requests_are_valid(block: Block, kind: str, body: str) -> None:
    sent = json.loads(body)
    if kind == "completion":
        assert set(sent) == {"model", "messages", "stream"}
    else:
        SHAPES[kind].model_validate(sent)


def test_there_are_requests_to_check() -> None:
    assert {kind for _, kind, _ in bodies()} == {*SHAPES, "completion"}


def commands() -> list[tuple[Block, str]]:
    """Every call of `sayso` in the snippets."""
    lines = [(b, line.split("  #")[0]) for b in BASH for line in b.text.splitlines()]
    return [
        (block, found[1])
        for block, line in lines
        if (found := re.search(r"(?:^|\s|/)sayso ((?:[a-z-]+)[^|&]*)", line))
    ]


@pytest.mark.parametrize(("block", "command"), commands(), ids=str)
def test_commands_and_their_options_exist(block: Block, command: str) -> None:
    words = command.split()
    found: Any = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    assert not hasattr(found, "commands"), f"there is no `sayso {command}`"
    known = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_there_are_commands_to_check() -> None:
    assert {command.split()[0] for _, command in commands()} >= {"fake-llm", "check-llm", "talk"}


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    named = {
        target
        for page in pages()
        for target in re.findall(r"(?m)(?:`|^)make ([a-z]+)", page.read_text("utf-8"))
    }
    assert named <= targets
