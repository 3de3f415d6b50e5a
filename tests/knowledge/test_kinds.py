"""Files are judged by their bytes, and by their names where bytes do not tell."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papers import docx_of, paragraph, pdf_of, zip_of
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.kinds import READABLE, TITLES, Judged, Kind, judge

PDF = pdf_of([["hello"]])
DOCX = docx_of(paragraph("hello"))
PAGE = b"<!-- x --><!DOCTYPE html><html><body>hi</body></html>"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.pdf", PDF, Kind.PDF),
        ("a.PDF", b"\n\n" + PDF, Kind.PDF),
        ("a.docx", DOCX, Kind.DOCX),
        ("a.html", PAGE, Kind.HTML),
        ("a.htm", b"<p>no first tags", Kind.HTML),
        ("a.xhtml", b'<?xml version="1.0"?>\n<html xmlns="x"><body/></html>', Kind.HTML),
        ("a.html", "<!doctype html><p>hi".encode("utf-16"), Kind.HTML),
        ("a", b'<!DOCTYPE l [<!ENTITY a "x">]><html><body>hi', Kind.HTML),
        ("a", b'<!DOCTYPE l ["]>"]><html><body>hi', Kind.TEXT),
        ("a.md", b"# hi", Kind.MARKDOWN),
        ("a.csv", b"a,b\n1,2\n", Kind.CSV),
        ("a.tsv", b"a\tb\n1\t2\n", Kind.CSV),
        ("a.txt", b"hello", Kind.TEXT),
        ("a.txt", "héllo".encode("latin-1"), Kind.TEXT),
        ("a.txt", "hello there".encode("utf-16-le"), Kind.TEXT),
        ("a.txt", "hello there".encode("utf-16-be"), Kind.TEXT),
        ("README", b"hello", Kind.TEXT),
        ("notes.log", b"hello", Kind.TEXT),
        ("a.txt", b"BMW and MZ make engines", Kind.TEXT),
    ],
)
def test_a_file_is_what_it_looks_like(name: str, data: bytes, kind: Kind) -> None:
    assert judge(name, data) == Judged(kind)


@pytest.mark.parametrize(
    ("name", "data", "kind", "note"),
    [
        ("r.pdf", DOCX, Kind.DOCX, "r.pdf is a Word document, not a PDF; it is read as one."),
        ("r.docx", PDF, Kind.PDF, "r.docx is a PDF, not a Word document; it is read as one."),
        ("r.pdf", PAGE, Kind.HTML, "r.pdf is a web page, not a PDF; it is read as one."),
        ("r.csv", PAGE, Kind.HTML, "r.csv is a web page, not a CSV table; it is read as one."),
        ("r.pdf", b"hello", Kind.TEXT, "r.pdf is plain text, not a PDF; it is read as one."),
        ("r.txt", PDF, Kind.PDF, "r.txt is a PDF, not plain text; it is read as one."),
    ],
)
def test_a_wrong_name_is_told(name: str, data: bytes, kind: Kind, note: str) -> None:
    assert judge(name, data) == Judged(kind, note)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"MZ\x90\0\3\0\0\0" + bytes(60), "a program"),
        (b"\x7fELF\2\1\1" + bytes(60), "a program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "a picture"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "a picture"),
        (b"GIF89a" + bytes(60), "a picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "a picture"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "a film"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a sound recording"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "a picture (.svg)"),
        (b'<!-- x --><!DOCTYPE svg PUBLIC "-" "-"><svg/>', "a picture (.svg)"),
        (b'<!DOCTYPE svg [<!ENTITY a "x"><!ENTITY b "&a;">]><!-- y --><svg/>', "a picture (.svg)"),
        ('\ufeff<svg xmlns="x"/>'.encode(), "a picture (.svg)"),
        ('<svg xmlns="x"/>'.encode("utf-16"), "a picture (.svg)"),
        (b"{\\rtf1 hello}", "a rich-text file (.rtf)"),
        (b"\x1f\x8b\x08" + bytes(60), "a packed archive"),
        (zip_of({"a.txt": "hello"}), "a packed archive"),
        (zip_of({"xl/workbook.xml": "<x/>"}), "an Excel workbook; save it as CSV"),
        (zip_of({"ppt/presentation.xml": "<x/>"}), "a PowerPoint presentation; save it as PDF"),
        (zip_of({"mimetype": "x", "META-INF/MANIFEST.MF": "x"}), "a program"),
        (b"PK\5\6" + bytes(18), "an empty archive"),
        (OLD + "WordDocument".encode("utf-16-le"), "an old Word document (.doc); save it as DOCX"),
        (OLD + "Workbook".encode("utf-16-le"), "an old Excel workbook (.xls); save it as CSV"),
        (OLD, "an old Office file (.doc, .xls, .ppt) or one with a password"),
        (bytes(range(256)) * 8, "neither text nor a document"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, what: str) -> None:
    with pytest.raises(ReadError) as refused:
        judge("thing.pdf", data, data[-100:])
    assert refused.value.code is ReadCode.WRONG_KIND
    assert str(refused.value) == f"thing.pdf is {what}. {READABLE}"


def test_a_zip_called_docx_is_left_to_its_reader() -> None:
    assert judge("a.docx", zip_of({"other/document.xml": "<x/>"})).kind is Kind.DOCX


def test_a_word_document_may_say_so_at_its_end_only() -> None:
    assert judge("a.bin", b"PK\3\4" + bytes(50), b"word/document.xml").kind is Kind.DOCX


def test_a_password_is_told() -> None:
    with pytest.raises(ReadError, match=r"a\.docx is protected by a password") as refused:
        judge("a.docx", OLD, "EncryptedPackage".encode("utf-16-le"))
    assert refused.value.code is ReadCode.ENCRYPTED


@pytest.mark.parametrize("data", [b"", b" \n\t"])
def test_nothing_is_empty(data: bytes) -> None:
    with pytest.raises(ReadError) as refused:
        judge("a.txt", data)
    assert refused.value.code is ReadCode.EMPTY


def test_every_kind_has_a_title() -> None:
    assert set(TITLES) == set(Kind)


@settings(deadline=None)
@given(st.text(max_size=20), st.binary(max_size=300))
def test_any_bytes_are_judged_or_refused(name: str, data: bytes) -> None:
    try:
        assert judge(name, data, data[-10:]).kind in Kind
    except ReadError as refused:
        assert name in str(refused)  # noqa: PT017 - either is right


def test_whatever_is_named_a_drawing_is_one() -> None:
    with pytest.raises(ReadError, match=r"it\.svg is a picture"):
        judge("it.svg", b"<g/>")


@pytest.mark.parametrize("head", [b"<!---->" * 9_000, b"<!DOCTYPE a [" + b"] ]" * 20_000])
def test_looking_at_a_beginning_made_to_last_takes_no_time(head: bytes) -> None:
    assert judge("a.txt", head) == Judged(Kind.TEXT)
