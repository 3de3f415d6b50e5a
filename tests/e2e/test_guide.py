"""The commands of the front page and the guides, pasted into a shell in their order."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documents import ROOT, Block, blocks
from ports import free_port
from served import Served

GUIDE = "docs/guide/bring-your-own-llm.md"
FIRST = "docs/guide/first-conversation.md"
FRONT = "README.md"


def lines_below(page: str, heading: str) -> range:
    """The lines of the section below `heading`."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    begin = lines.index(heading)
    level = heading.partition(" ")[0]
    ends = [n for n, line in enumerate(lines) if n > begin and line.startswith(f"{level} ")]
    return range(begin + 1, ends[0] if ends else len(lines))


def commands_of(page: str, *headings: str) -> list[Block]:
    """The shell commands below `headings`, or of the whole page."""
    found = [block for block in blocks("bash") if block.page == page]
    within = [lines_below(page, heading) for heading in headings]
    return [one for one in found if not within or any(one.line in lines for lines in within)]


def script_of(served: Served, pasted: list[Block]) -> str:
    """All that is pasted, for the server and the port at hand; each block after a mark."""
    text = "\n".join(f"echo '@@ {block.line}'\n{block.text}" for block in pasted)
    port = free_port()
    for shown, actual in (
        (". .venv/bin/activate", f"export PATH={Path(sys.executable).parent}:$PATH"),
        ("http://127.0.0.1:8400", served.url),
        ("ak-…    # yours", served.key),
        ("--port 3000", f"--port {port}"),
        ("127.0.0.1:3000", f"127.0.0.1:{port}"),
    ):
        assert shown in text, f"the page has {shown} no more"
        text = text.replace(shown, actual)
    return f"set -eu\ntrap 'kill $(jobs -p)' EXIT\n{text}\n"


async def paste(served: Served, pasted: list[Block], folder: Path) -> str:
    """Run the commands once, in their order; `set -e` stops at the first that fails."""
    run = await asyncio.to_thread(
        subprocess.run,
        ["bash"],
        input=script_of(served, pasted),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert run.stdout.count("@@") == len(pasted)
    return str(run.stdout)


async def test_the_guide_can_be_pasted(rehearsed: Served, tmp_path: Path) -> None:
    recipes = lines_below(GUIDE, "## Recipes").start
    pasted = [block for block in commands_of(GUIDE) if block.line < recipes]
    told = await paste(rehearsed, pasted, tmp_path)
    assert '"content": "Hello"' in told
    assert re.search(r"passed  http://127.0.0.1:\d+/chat/completions", told)
    assert "it was tried and works" in told
    for finding in ("http.html", "body.json_not_sse", "max_tokens.renamed", "auth.refused"):
        assert finding in told
    assert "stream.reasoning_only" in told
    assert "agent:  Can you hear me?" in told
    assert '"field": "llm"' in told, "the refused change says where"
    assert re.search(r"x-call: \w{12,}", told), "the LLM was told the conversation"
    assert "agent:  Who answers?" in told
    assert "stream.buffered" in told
    assert "sk-my-own-key-0001" not in (tmp_path / "agent.json").read_text()
    assert "…0001" in (tmp_path / "requests.txt").read_text()


@pytest.mark.speech
async def test_the_first_conversation_can_be_pasted(served: Served, tmp_path: Path) -> None:
    """With real ears: its second question is the sound of its first answer."""
    pasted = [block for block in commands_of(FIRST) if block.text != "make serve\n"]
    told = await paste(served, pasted, tmp_path)
    assert re.search(r"passed  http://127.0.0.1:\d+/chat/completions", told)
    assert "What to do: Set baseURL to" in told
    assert "agent:  Can you hear me?" in told
    assert '"content": "Can you hear me?"' in told, "the transcript"
    assert "agent:  Breakfast is from seven to ten." in told
    assert (tmp_path / "answer.wav").stat().st_size > 1000


async def test_the_front_page_can_be_pasted(rehearsed: Served, tmp_path: Path) -> None:
    (key, *_) = commands_of(FRONT, "## Give an agent your LLM")
    assert key.text.startswith("export SAYSO_API_KEY=")
    given = "export SAYSO_API_KEY='ak-…    # yours' SAYSO_URL=http://127.0.0.1:8400\n"
    export = Block(FRONT, key.line, "bash", given)
    told = await paste(rehearsed, [export, *commands_of(FRONT, "## No LLM at hand")], tmp_path)
    assert re.search(r"passed  http://127.0.0.1:\d+/chat/completions", told)
    assert "agent:  Can you hear me?" in told
