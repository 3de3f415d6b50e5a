"""What the reading child prints, and what it takes away from itself."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.errors import ReadCode, ReadError
from sayso.knowledge import parse
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.formats import Reader, Source
from sayso.knowledge.kinds import Kind
from sayso.knowledge.passages import Page


def printed(reader: Reader, limits: ReadLimits | None = None) -> list[dict[str, object]]:
    out = io.BytesIO()
    parse.print_pages(reader, io.BytesIO(), "it", limits or ReadLimits(), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_page_is_a_line() -> None:
    assert printed(lambda _: [Page("a", 3, "t"), Page("--"), Page("b")]) == [
        {"number": 3, "title": "t", "text": "a"},
        {"number": None, "title": "", "text": "b"},
    ]


def test_a_long_page_is_several_lines() -> None:
    text = "0123456789" * 4000
    lines = list(parse.lines_of(Page(text)))
    assert all(len(str(line)) < parse.LINE_CHARS + 100 for line in lines)
    assert "".join(str(line.get("text", line.get("more"))) for line in lines) == text


def test_halves_of_characters_are_printed_as_question_marks() -> None:
    assert printed(lambda _: [Page("a\ud800")])[0]["text"] == "a?"


def test_progress_is_told_now_and_then() -> None:
    def reader(source: Source) -> list[Page]:
        for number in range(1, 51):
            source.told(number, 50, "left out" if number == 7 else "")
        return [Page("a")]

    told = [line for line in printed(reader) if "done" in line]
    assert [line["done"] for line in told] == [1, 7, 20, 40, 50]
    assert told[1] == {"done": 7, "of": 50, "note": "left out"}


@pytest.mark.parametrize(
    ("pages", "limits", "code"),
    [
        ([], ReadLimits(), ReadCode.NO_TEXT),
        ([Page("…")], ReadLimits(), ReadCode.NO_TEXT),
        ([Page("abc"), Page("def")], ReadLimits(max_chars=5), ReadCode.TOO_LONG),
        ([Page("abc"), Page("def")], ReadLimits(max_pieces=1), ReadCode.TOO_LONG),
    ],
)
def test_too_much_and_nothing(pages: list[Page], limits: ReadLimits, code: ReadCode) -> None:
    with pytest.raises(ReadError) as refused:
        printed(lambda _: pages, limits)
    assert refused.value.code is code


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_reader(kind: Kind) -> None:
    assert callable(parse.load_reader(kind))


def in_child(code: str) -> str:
    """What a fresh interpreter prints for `code`."""
    start = "import resource, sys; from sayso.knowledge import parse;"
    start += "from sayso.knowledge.bounds import ReadLimits;"
    done = subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_limits_are_set_and_cannot_be_raised() -> None:
    told = in_child(
        "parse.confine(ReadLimits(cpu_s=7, memory_mib=300));"
        "print([resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in "
        "('CPU', 'FSIZE', 'CORE', 'NPROC', 'AS')])"
    )
    memory = (300 * 1_048_576,) * 2 if sys.platform == "linux" else resource.RLIM_INFINITY
    assert told == str([(7, 8), (0, 0), (0, 0), (0, 0), memory])


def test_the_child_imports_only_what_it_needs() -> None:
    heavy = "numpy", "pydantic", "aiohttp", "sqlalchemy", "fastapi", "asyncio", "pypdf", "msgspec"
    told = in_child(f"print([name for name in {heavy} if name in sys.modules])")
    assert told == "[]"


def test_files_have_no_room(tmp_path: Path) -> None:
    told = in_child(
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"parse.confine(ReadLimits()); f = open({str(tmp_path / 'x')!r}, 'wb', 0)\n"
        "try: f.write(b'x')\nexcept OSError: print('refused')"
    )
    assert told == "refused"
