"""Files made to do harm, and files that are broken: each ends in a sentence, in bounded time.

They go the whole way, through a real child. Time is bounded by the child's CPU, so that a busy
machine fails no test; the parent's memory by how much it ever had.
"""

from __future__ import annotations

import random
import resource
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from papers import WORD, docx_of, heading, paragraph, pdf_objects, pdf_of, pdf_with, zip_of
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.kinds import Kind
from sayso.knowledge.passages import Page
from sayso.knowledge.read import read

LIMITS = ReadLimits(max_bytes=200_000_000, cpu_s=30, memory_mib=512)
MOST_MORE_MIB = 64
"""How much more memory the parent may ever have had for reading a file."""


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else 1_048_576)


async def read_it(path: Path, kind: Kind) -> list[Page]:
    before = peak_mib()
    try:
        return await read(path, kind, LIMITS)
    finally:
        assert peak_mib() - before < MOST_MORE_MIB


async def refusal(folder: Path, kind: Kind, data: bytes) -> ReadError:
    path = folder / f"it.{kind.value}"
    path.write_bytes(data)
    with pytest.raises(ReadError) as refused:
        await read_it(path, kind)
    assert str(refused.value).startswith("it."), "a sentence names the file"
    return refused.value


# PDF ------------------------------------------------------------------------------------------

CATALOGUE = b"<< /Type /Catalog /Pages 1 0 R >>"


async def test_a_tree_of_pages_that_bites_its_tail(tmp_path: Path) -> None:
    loop = [
        b"<< /Type /Pages /Count 2 /Kids [3 0 R 1 0 R] >>",
        CATALOGUE,
        b"<< /Type /Pages /Count 1 /Kids [1 0 R] >>",
    ]
    assert (await refusal(tmp_path, Kind.PDF, pdf_objects(loop, 2))).code is ReadCode.DAMAGED


async def test_a_million_pages_that_are_one(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 9 9] >>"
    kids = b"3 0 R " * 1_000_000
    tree = b"<< /Type /Pages /Count 1000000 /Kids [%s] >>" % kids
    error = await refusal(tmp_path, Kind.PDF, pdf_objects([tree, CATALOGUE, page], 2))
    assert error.code is ReadCode.TOO_LONG
    assert "1,000,000 pages, and at most 2,000" in str(error)


async def test_a_million_pages_whose_number_comes_last(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 9 9] >>"
    tree = b"<< /Type /Pages /Kids [%s] /Count 1000000 >>" % (b"3 0 R " * 1_000_000)
    error = await refusal(tmp_path, Kind.PDF, pdf_objects([tree, CATALOGUE, page], 2))
    assert "1,000,000 pages, and at most 2,000" in str(error)


async def test_a_million_pages_of_which_it_says_nothing(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 9 9] >>"
    tree = b"<< /Type /Pages /Kids [%s] >>" % (b"3 0 R " * 1_000_000)
    error = await refusal(tmp_path, Kind.PDF, pdf_objects([tree, CATALOGUE, page], 2))
    assert error.code is ReadCode.DAMAGED


async def test_a_million_pages_that_are_not_there(tmp_path: Path) -> None:
    tree = b"<< /Type /Pages /Count 1000000 /Kids [3 0 R] >>"
    page = b"<< /Type /Page /Parent 1 0 R /MediaBox [0 0 9 9] >>"
    error = await refusal(tmp_path, Kind.PDF, pdf_objects([tree, CATALOGUE, page], 2))
    assert error.code is ReadCode.TOO_LONG
    assert "says that it has 1,000,000 pages" in str(error)
    assert "print it to a new PDF" in str(error.hint)


async def test_a_page_that_unpacks_to_very_much(tmp_path: Path) -> None:
    part = b" " * 10_000_000

    packer = zlib.compressobj(1)
    packed = b"".join([packer.compress(part) for _ in range(40)] + [packer.flush()])
    body = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    error = await refusal(tmp_path, Kind.PDF, pdf_with([body]))
    assert error.code in {ReadCode.DAMAGED, ReadCode.TOO_MUCH_MEMORY}
    if error.code is ReadCode.DAMAGED:
        assert "unpacks to far more than it is" in str(error)


async def test_a_page_that_draws_itself(tmp_path: Path) -> None:
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 2 0 R >> "
    )
    form += b">> /Length 6 >>\nstream\n/F Do \nendstream"
    page = b"/XObject << /F 2 0 R >>"
    error = await refusal(tmp_path, Kind.PDF, pdf_with([form], page))
    assert error.code in {ReadCode.NO_TEXT, ReadCode.DAMAGED}


async def test_arrays_in_arrays(tmp_path: Path) -> None:
    tree = b"<< /Type /Pages /Count 1 /Kids " + b"[" * 200_000 + b" >>"
    error = await refusal(tmp_path, Kind.PDF, pdf_objects([tree, CATALOGUE], 2))
    assert error.code is ReadCode.DAMAGED


# Word -----------------------------------------------------------------------------------------


async def test_a_zip_bomb(tmp_path: Path) -> None:
    bomb = docx_of(paragraph("a" * 60_000_000))
    assert len(bomb) < 200_000
    error = await refusal(tmp_path, Kind.DOCX, bomb)
    assert error.code is ReadCode.DAMAGED
    assert "unpacks to far more than it is" in str(error)
    assert "save it anew" in str(error.hint)


async def test_a_bomb_beyond_any_measure(tmp_path: Path) -> None:
    error = await refusal(tmp_path, Kind.DOCX, docx_of(paragraph("a" * 100_000_000)))
    assert error.code is ReadCode.TOO_LONG
    assert "save it anew" in str(error.hint)
    assert "Split" not in str(error.hint)


async def test_a_billion_laughs(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    before = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    body = paragraph("x").replace(">x<", ">&l9;<")
    error = await refusal(tmp_path, Kind.DOCX, docx_of(body, before=before))
    assert "declares a document type" in str(error)


async def test_a_file_of_this_machine_is_not_let_in(tmp_path: Path) -> None:
    before = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = paragraph("x").replace(">x<", ">&f;<")
    error = await refusal(tmp_path, Kind.DOCX, docx_of(body, before=before))
    assert error.code is ReadCode.DAMAGED


async def test_xml_within_xml(tmp_path: Path) -> None:
    deep = f'<w:document xmlns:w="{WORD}">' + "<w:tbl>" * 300_000
    error = await refusal(tmp_path, Kind.DOCX, zip_of({"word/document.xml": deep}))
    assert error.code is ReadCode.DAMAGED


# The others -----------------------------------------------------------------------------------


async def test_tags_within_tags(tmp_path: Path) -> None:
    error = await refusal(tmp_path, Kind.HTML, b"<div>" * 1_000_000)
    assert "nested" in str(error)


async def test_a_line_of_a_hundred_megabytes(tmp_path: Path) -> None:
    error = await refusal(tmp_path, Kind.CSV, b"a,b\n" + b"x" * 100_000_000)
    assert error.code in {ReadCode.DAMAGED, ReadCode.TOO_MUCH_MEMORY}


async def test_a_row_of_a_million_cells(tmp_path: Path) -> None:
    row = b"\n".join([b"a,b", b"," * 900_000])
    assert (await refusal(tmp_path, Kind.CSV, row)).code is ReadCode.TOO_LONG


async def test_more_text_than_is_taken(tmp_path: Path) -> None:
    error = await refusal(tmp_path, Kind.TEXT, b"word " * 2_000_000)
    assert error.code is ReadCode.TOO_LONG


async def test_more_rows_than_are_taken(tmp_path: Path) -> None:
    error = await refusal(tmp_path, Kind.CSV, b"a,b\n" + b"1,2\n" * 30_000)
    assert "20,000 sections or rows" in str(error)


# Broken ones ----------------------------------------------------------------------------------

PARAGRAPHS = "".join(heading(f"H{n}") + paragraph(f"Word {n}. " * 40) for n in range(40))
WHOLE: dict[Kind, Callable[[], bytes]] = {
    Kind.PDF: lambda: pdf_of([[f"Line {n} of {page}." for n in range(30)] for page in range(20)]),
    Kind.DOCX: lambda: docx_of(PARAGRAPHS),
    Kind.HTML: lambda: b"<html><table><tr><td>Some</table><p>words<!-- and -->" * 20,
    Kind.MARKDOWN: lambda: b"# One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n" * 20,
    Kind.TEXT: lambda: "Wörter und Wörter.\n".encode("utf-16") * 20,
    Kind.CSV: lambda: b'a,b\n"1, 2",3\n' * 20,
}


async def read_or_refuse(folder: Path, kind: Kind, data: bytes) -> None:
    """Either pages with words, or a sentence."""
    path = folder / "it"
    path.write_bytes(data)
    try:
        assert all(page.text.strip() for page in await read_it(path, kind))
    except ReadError as refused:
        assert str(refused).startswith("it ")  # noqa: PT017 - either is right


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("kind", list(Kind))
async def test_files_cut_off(kind: Kind, keep: float, tmp_path: Path) -> None:
    whole = WHOLE[kind]()
    await read_or_refuse(tmp_path, kind, whole[: int(keep * len(whole))])


@pytest.mark.parametrize("kind", list(Kind))
async def test_noise(kind: Kind, tmp_path: Path) -> None:
    chance = random.Random(kind.value)
    await read_or_refuse(tmp_path, kind, chance.randbytes(50_000))
    head = {Kind.PDF: b"%PDF-1.7\n", Kind.DOCX: b"PK\3\4"}.get(kind, b"")
    await read_or_refuse(tmp_path, kind, head + chance.randbytes(50_000))


@pytest.mark.parametrize("kind", [Kind.PDF, Kind.DOCX])
async def test_bytes_changed_here_and_there(kind: Kind, tmp_path: Path) -> None:
    chance = random.Random(kind.value)
    for _ in range(3):
        data = bytearray(WHOLE[kind]())
        for _ in range(60):
            data[chance.randrange(len(data))] = chance.randrange(256)
        await read_or_refuse(tmp_path, kind, bytes(data))
