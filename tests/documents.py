"""Reads the documents: pages, headings, tables, fenced blocks, and the programs that draw them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


def pages() -> list[Path]:
    """Every page people read."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def program(name: str) -> ModuleType:
    """A program of `docs/` as a module: the folder is no package."""
    spec = spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(language: str) -> list[Block]:
    """All fenced blocks in `language`."""
    return [block for page in pages() for block in _blocks(page) if block.language == language]


def _blocks(page: Path) -> Iterator[Block]:
    fence, language = 0, ""
    inside: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            if fence:
                yield Block(name_of(page), fence, language, "\n".join(inside) + "\n")
                fence = 0
            else:
                fence, language, inside = number, line.strip("` "), []
        elif fence:
            inside.append(line)
    assert not fence, f"{page}:{fence}: the block never ends"


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text("utf-8"))


def section(page: str, heading: str) -> str:
    """The text below `heading`, up to the next heading of its level or a higher one."""
    text = (ROOT / page).read_text("utf-8")
    level = len(heading) - len(heading.lstrip("#"))
    match = re.search(rf"(?ms)^{re.escape(heading)}$\n(.*?)(?=^#{{1,{level}}} |\Z)", text)
    assert match, f"{page} has no heading {heading!r}"
    return match[1]


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below `heading`, without its head."""
    lines = [line for line in section(page, heading).splitlines() if line]
    begin = next(n for n, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows[2:]


def marked(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)
