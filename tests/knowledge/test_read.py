"""Reading in a child: what comes back, what is told on the way, what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from papers import docx_of, heading, paragraph, pdf_of, table
from sayso.config import Settings
from sayso.errors import InstallationError, ReadCode, ReadError
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.kinds import Judged, Kind
from sayso.knowledge.passages import Page
from sayso.knowledge.read import Progress, read, recognise
from sayso.knowledge.split import split


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


FILES = {
    "a.pdf": (pdf_of([["We open at nine."]]), Kind.PDF, Page("We open at nine.", 1)),
    "a.docx": (
        docx_of(heading("Hours") + paragraph("We open at nine.")),
        Kind.DOCX,
        Page("We open at nine.", None, "Hours"),
    ),
    "a.html": (b"<html><h1>Hours</h1><p>At nine.", Kind.HTML, Page("At nine.", None, "Hours")),
    "a.md": (b"# Hours\nAt nine.", Kind.MARKDOWN, Page("At nine.", None, "Hours")),
    "a.txt": ("Über neun.".encode("utf-16"), Kind.TEXT, Page("Über neun.")),
    "a.csv": (b"Day,Hours\nMonday,9 to 5\n", Kind.CSV, Page("Day: Monday; Hours: 9 to 5", 2)),
}


@pytest.mark.parametrize("name", FILES)
async def test_every_kind_of_file(name: str, tmp_path: Path) -> None:
    data, kind, page = FILES[name]
    path = put(tmp_path, name, data)
    assert await recognise(path, name) == Judged(kind)
    assert await read(path, kind) == [page]


async def test_two_hundred_pages_and_their_progress(tmp_path: Path) -> None:
    line = "The river guide says that page %d has forty lines of text, each as wide as this."
    path = put(tmp_path, "a.pdf", pdf_of([[line % n] * 40 for n in range(1, 201)]))
    told: list[Progress] = []
    pages = await read(path, Kind.PDF, told=told.append)
    assert [page.number for page in pages] == list(range(1, 201))
    assert told[0] == Progress(1, 200)
    assert told[-1] == Progress(200, 200)
    assert [one.done for one in told] == sorted(one.done for one in told)
    passages = split(pages)
    assert len(passages) > 800
    assert all(f"page {passage.number} has" in passage.text for passage in passages)


async def test_a_long_text_comes_whole(tmp_path: Path) -> None:
    text = "\n".join(f"Línea número {n} “of” 日本 text." for n in range(20_000))
    path = put(tmp_path, "a.txt", text.encode())
    assert [page.text for page in await read(path, Kind.TEXT)] == [text]


async def test_a_large_table(tmp_path: Path) -> None:
    rows = [["Boat", "Seats", "Price"], *([f"b{n}", "4", "12"] for n in range(5_000))]
    path = put(tmp_path, "a.docx", docx_of(table(rows)))
    (page,) = await read(path, Kind.DOCX)
    assert page.text.count("Boat: b") == 5_000


async def test_notes_are_told(tmp_path: Path) -> None:
    path = put(tmp_path, "0123.bin", pdf_of([["One."], []]))
    told: list[Progress] = []
    await read(path, Kind.PDF, name="hours.pdf", told=told.append)
    assert [one.note for one in told if one.note] == [
        "1 of 2 pages of hours.pdf has no text; it may be a picture."
    ]


async def test_a_wrong_name_is_noticed(tmp_path: Path) -> None:
    path = put(tmp_path, "upload", FILES["a.docx"][0])
    judged = await recognise(path, "report.pdf")
    assert judged.note == "report.pdf is a Word document, not a PDF; it is read as one."
    with pytest.raises(ReadError) as refused:
        await read(path, Kind.PDF, name="report.pdf")  # whoever insists is told
    assert refused.value.code is ReadCode.DAMAGED


async def test_the_end_of_a_zip_is_looked_at(tmp_path: Path) -> None:
    path = put(tmp_path, "a.bin", docx_of(paragraph(os.urandom(100_000).hex())))
    assert (await recognise(path, "a.bin")).kind is Kind.DOCX


# Limits ---------------------------------------------------------------------------------------


async def refusal(path: Path, kind: Kind, limits: ReadLimits | None = None) -> ReadError:
    with pytest.raises(ReadError) as refused:
        await read(path, kind, limits, name="it")
    return refused.value


async def test_limits_are_the_operators() -> None:
    settings = Settings(max_document_bytes=2048, max_document_pages=3, read_cpu_s=7)
    limits = ReadLimits.of(settings)
    assert (limits.max_bytes, limits.max_pages, limits.cpu_s) == (2048, 3, 7)
    assert ReadLimits.of(Settings()) == ReadLimits()


async def test_too_big_is_known_before_a_byte_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.pdf"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)  # takes no room on the disk
    error = await refusal(path, Kind.PDF)
    assert error.code is ReadCode.TOO_BIG
    assert str(error) == "it has 2,000.0 MB; at most 26.2 MB are read."
    with pytest.raises(ReadError, match=r"big\.pdf has 2,000\.0 MB"):
        await recognise(path, "big.pdf")


async def test_nothing_is_empty(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", b"")
    assert (await refusal(path, Kind.TEXT)).code is ReadCode.EMPTY
    with pytest.raises(ReadError, match="is empty"):
        await recognise(path, "a.txt")


async def test_too_slow_by_the_clock(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", b"hello")
    error = await refusal(path, Kind.TEXT, ReadLimits(wall_s=0.001))
    assert error.code is ReadCode.TOO_SLOW
    assert str(error) == "it takes longer than 0.001 s to be read."


async def test_too_slow_by_its_cpu(tmp_path: Path) -> None:
    path = put(tmp_path, "a.html", b"<!--" * 2_000_000)
    error = await refusal(path, Kind.HTML, ReadLimits(cpu_s=1))
    assert str(error) == "it takes longer than 1 s of CPU to be read."


async def test_too_much_memory(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", b"hello there\n" * 2_000_000)
    error = await refusal(path, Kind.TEXT, ReadLimits(memory_mib=80))
    assert str(error) == "it needs more than 80 MiB of memory to be read."
    assert error.code is ReadCode.TOO_MUCH_MEMORY


# What a child may do --------------------------------------------------------------------------


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is run in place of the child; the first line it prints is true."""
    place = tmp_path / "child"
    place.write_text("#!/bin/sh\necho '{\"begun\": true}'\n")
    place.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(place))
    return place


def append(place: Path, line: str) -> None:
    with place.open("a") as file:
        file.write(line + "\n")


@pytest.mark.parametrize(
    ("does", "code"),
    [
        ("kill -KILL $$", ReadCode.TOO_MUCH_MEMORY),
        ("kill -SEGV $$", ReadCode.DAMAGED),
        ("exit 77", ReadCode.TOO_MUCH_MEMORY),
        ("exit 1", ReadCode.DAMAGED),
        ("echo nonsense", ReadCode.DAMAGED),
        ("printf '%s' '{\"ended\"'", ReadCode.DAMAGED),
        ('echo \'{"done": "x"}\'', ReadCode.DAMAGED),
        ('echo \'{"failed": "no_such_code"}\'', ReadCode.DAMAGED),
        ('echo \'{"failed": "no_text", "why": "none"}\'', ReadCode.NO_TEXT),
        ("head -c 900000 /dev/zero | tr '\\0' '['; echo", ReadCode.DAMAGED),
        ("head -c 90000 /dev/zero | tr '\\0' '['; echo", ReadCode.DAMAGED),
        ('while :; do echo \'{"text": "a few words"}\'; done', ReadCode.DAMAGED),
        ("while :; do echo '{\"done\": 1}'; done", ReadCode.DAMAGED),
        ('while :; do echo \'{"text": ""}\'; done', ReadCode.DAMAGED),
    ],
)
async def test_a_child_out_of_hand(child: Path, does: str, code: ReadCode) -> None:
    append(child, does)
    error = await refusal(child, Kind.TEXT, ReadLimits(max_chars=2_000, max_pieces=50))
    assert error.code is code


async def test_a_child_that_cannot_start(child: Path) -> None:
    put(child.parent, child.name, b"#!/bin/sh\nexit 1\n")
    with pytest.raises(InstallationError, match="ended with 1"):
        await read(child, Kind.TEXT)
    put(child.parent, child.name, b"#!/no/such/shell\n")
    with pytest.raises(InstallationError, match="does not start"):
        await read(child, Kind.TEXT)


async def test_a_package_that_is_missing(child: Path) -> None:
    append(child, "exit 78")
    with pytest.raises(InstallationError, match="a package is missing"):
        await read(child, Kind.TEXT)


async def test_the_child_gets_nothing_of_ours(
    child: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_MASTER_KEY", "secret")
    append(child, "{ /usr/bin/env; pwd; } > " + str(tmp_path / "seen") + "; echo '{\"ended\": 0}'")
    assert await read(child, Kind.TEXT) == []
    seen = (tmp_path / "seen").read_text()
    assert "secret" not in seen
    assert seen.splitlines()[-1] == "/"


async def test_who_cancels_leaves_no_child(child: Path, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    append(child, f"sleep 600 & echo $! $$ > {note}; echo '{{\"done\": 1}}'; wait")
    begun = asyncio.Event()
    task = asyncio.create_task(read(child, Kind.TEXT, told=lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for pid in map(int, note.read_text().split()):
        assert await gone(pid), "the whole group is to end"


def state_of(pid: int) -> str:
    """The letter Linux has for a process's state; "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "" if sys.platform == "linux" else "?"


async def gone(pid: int) -> bool:
    """Whether a process ends within 5 s; one that nobody asked about may be a zombie."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if state_of(pid) in ("", "Z"):
            return True
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return False


async def test_the_loop_goes_on_while_a_document_is_read(tmp_path: Path) -> None:
    """Counted in turns of the loop rather than in time: the machine may be busy."""
    path = put(tmp_path, "a.pdf", pdf_of([["Some words."] * 20] * 100))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await read(path, Kind.PDF)
    task.cancel()
    assert turns > 100
    assert task.cancelling()
