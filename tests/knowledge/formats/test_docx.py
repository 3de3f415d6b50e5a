"""Word documents in reading order, and what is done to who makes them to do harm."""

from __future__ import annotations

import io
import zipfile

import pytest

from papers import WORD, docx_of, heading, paragraph, read_bytes, source_of, table, texts, zip_of
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.formats.docx import read_docx


def of(body: str) -> list[tuple[str, str]]:
    return texts(read_bytes(read_docx, docx_of(body)))


def refusal(data: bytes, limits: ReadLimits | None = None) -> ReadError:
    with pytest.raises(ReadError) as refused:
        list(read_docx(source_of(data, "a.docx", limits)))
    return refused.value


def test_headings_paragraphs_lists_and_tables() -> None:
    item = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    body = (
        heading("The Handbook", "Title")
        + heading("Boats")
        + paragraph("We have two.")
        + paragraph("Anna", item)
        + paragraph("Otto", item)
        + heading("Prices", "berschrift2")
        + table([["Boat", "Seats", "Price"], ["Anna", "4", "12"], ["Otto", "2", "9"]])
        + paragraph("After all.")
        + heading("Hours", "Mine")
        + table([["Monday", "9 to 5"], ["Sunday", "closed"]])
        + heading("Deep", "Level3")
        + paragraph("Down here.", '<w:pStyle w:val="Loop"/>')
        + paragraph("Own level", '<w:outlineLvl w:val="0"/>')
        + paragraph("Body level", '<w:outlineLvl w:val="9"/>')
    )
    assert of(body) == [
        ("The Handbook › Boats", "We have two.\n- Anna\n- Otto"),
        (
            "The Handbook › Boats › Prices",
            "Boat: Anna; Seats: 4; Price: 12\nBoat: Otto; Seats: 2; Price: 9\nAfter all.",
        ),
        ("The Handbook › Hours", "Monday: 9 to 5\nSunday: closed"),
        ("The Handbook › Hours › Deep", "Down here."),
        ("The Handbook › Own level", "Body level"),
    ]


def test_a_table_says_which_row_names_its_columns() -> None:
    header = "<w:trPr><w:tblHeader/></w:trPr>"
    assert of(table([["Boat", "Price"], ["Anna", "12"]], header)) == [("", "Boat: Anna; Price: 12")]


def test_a_table_in_a_table_is_text_of_its_cell() -> None:
    inner = table([["a", "b"]])
    body = f"<w:tbl><w:tr><w:tc>{paragraph('x')}{inner}</w:tc></w:tr></w:tbl>"
    assert of(body) == [("", "x a: b")]


def test_tabs_breaks_and_links() -> None:
    body = (
        "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/></w:r>"
        "<w:hyperlink><w:r><w:t>th</w:t><w:noBreakHyphen/><w:t>ree</w:t></w:r></w:hyperlink></w:p>"
    )
    assert of(body) == [("", "one two\nth-ree")]


def test_what_is_deleted_moved_or_said_twice() -> None:
    box = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
    body = (
        "<w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom>"
        f'<mc:AlternateContent xmlns:mc="{box[1:-1]}"><mc:Choice><w:r><w:t> box</w:t></w:r>'
        "</mc:Choice><mc:Fallback><w:r><w:t>box again</w:t></w:r></mc:Fallback>"
        "</mc:AlternateContent><w:r><w:instrText>PAGE</w:instrText></w:r>"
        '<a:t xmlns:a="other">of a drawing</a:t></w:p>'
    )
    assert of(body) == [("", "new box")]


def test_the_text_may_be_elsewhere() -> None:
    data = docx_of(heading("A") + paragraph("a"), main="word/document2.xml")
    assert texts(read_bytes(read_docx, data)) == [("A", "a")]


def test_a_document_without_styles_or_relations() -> None:
    body = f'<w:document xmlns:w="{WORD}">{heading("A")}</w:document>'
    assert texts(read_bytes(read_docx, zip_of({"word/document.xml": body}))) == [("", "A")]


def test_a_zip_that_is_no_word_document() -> None:
    assert str(refusal(zip_of({"a": "b"}))) == "a.docx is damaged: it is no Word document."


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_off(keep: float) -> None:
    data = docx_of(paragraph("hello"))
    assert refusal(data[: int(keep * len(data))]).code is ReadCode.DAMAGED


def test_parts_that_do_not_match_their_sum() -> None:
    data = bytearray(docx_of(paragraph("hello " * 100)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("word/document.xml")
    for at in range(info.header_offset + 60, info.header_offset + 90):
        data[at] ^= 0x55
    assert refusal(bytes(data)).code is ReadCode.DAMAGED


def test_xml_that_is_none() -> None:
    error = refusal(docx_of("<w:p>"))
    assert str(error) == "a.docx is damaged: word/document.xml is not XML from line 1 on."


def test_entities_are_refused_where_they_are_declared() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
    before = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    error = refusal(docx_of(paragraph("x").replace(">x<", ">&l29;<"), before=before))
    assert "declares a document type" in str(error)


def test_a_bomb_is_refused_by_what_it_says_of_itself() -> None:
    bomb = zip_of({"word/document.xml": b" " * 100_000_000})
    assert len(bomb) < 200_000
    error = refusal(bomb)
    assert error.code is ReadCode.TOO_LONG
    assert "unpacks to more than 64 MiB" in str(error)
    assert "save it anew" in str(error.hint)


def test_a_bomb_that_lies_about_itself_is_refused_while_it_unpacks() -> None:
    body = docx_of(paragraph("a" * 30_000_000))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    lying = body.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert refusal(lying).code is ReadCode.DAMAGED
    assert "200 times as much" in str(refusal(body))


def test_a_part_has_a_size_it_may_unpack_to() -> None:
    body = "".join(paragraph(f"{n} {n * 7919 % 9973}") for n in range(20_000))
    error = refusal(docx_of(body), ReadLimits(max_inflated_bytes=1_048_576))
    assert error.code is ReadCode.TOO_LONG
    assert "Split" in str(error.hint), "it is honest, and long"


def test_nesting_has_an_end() -> None:
    assert "deep" in str(refusal(docx_of("<w:sdt>" * 1_001 + "</w:sdt>" * 1_001)))


def test_a_zip_with_a_password() -> None:
    data = bytearray(docx_of(paragraph("hello")))
    at = 0
    while (at := data.find(b"PK\1\2", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    assert refusal(bytes(data)).code is ReadCode.ENCRYPTED


def test_a_zip_of_very_many_parts() -> None:
    assert "10,000 parts" in str(refusal(zip_of({str(n): "" for n in range(10_001)})))
