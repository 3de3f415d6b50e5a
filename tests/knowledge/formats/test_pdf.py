"""PDF: page numbers that are true, and an error where there is nothing to read."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader, PdfWriter

from papers import pdf_objects, pdf_of, pdf_with, read_bytes, source_of, stream
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.formats.pdf import read_pdf
from sayso.knowledge.passages import Page

PICTURE = (
    b"/XObject << /Im << /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 "
    b"/ColorSpace /DeviceGray /Length 1 >> >>"
)
PROSE = "the boat is made ready at the old pier early on"


def of(data: bytes) -> list[Page]:
    return read_bytes(read_pdf, data, "a.pdf")


def refusal(data: bytes, limits: ReadLimits | None = None) -> ReadError:
    with pytest.raises(ReadError) as refused:
        list(read_pdf(source_of(data, "a.pdf", limits)))
    return refused.value


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pages_have_their_numbers_and_blank_ones_are_left_out() -> None:
    assert of(pdf_of([["One."], [], ["Three (3)."]])) == [Page("One.", 1), Page("Three (3).", 3)]


def test_broken_lines_are_paragraphs() -> None:
    (page,) = of(pdf_of([[f"When {PROSE}", f"and {PROSE}.", "- an item", "- another"]]))
    assert page.text == f"When {PROSE} and {PROSE}.\n- an item\n- another"


def test_a_sentence_that_goes_on_overleaf_is_ended_on_its_page() -> None:
    pages = of(pdf_of([[f"When {PROSE}"], [f"and {PROSE}. Then", "it leaves."]]))
    assert [page.text for page in pages] == [f"When {PROSE} and {PROSE}.", "Then it leaves."]


def test_a_word_cut_overleaf_is_one() -> None:
    pages = of(pdf_of([["There is infor-"], ["mation here. More."]]))
    assert [page.text for page in pages] == ["There is information here.", "More."]


def test_running_heads_and_page_numbers_are_left_out() -> None:
    bodies = [[f"Boats of type {kind} float.", "They do.", f"So says {kind}."] for kind in "ABCDEF"]
    pages = of(
        pdf_of([["The Handbook", *body, f"Page {n} of 6"] for n, body in enumerate(bodies, 1)])
    )
    assert [page.text for page in pages] == ["\n".join(body) for body in bodies]


def test_a_page_of_heads_only_is_text() -> None:
    assert len(of(pdf_of([["Same"]] * 6))) == 6


def test_the_outline_gives_titles() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of([[f"P{n}."] for n in range(5)]))))
    first = writer.add_outline_item(title="Boats", page_number=1)
    writer.add_outline_item(title="Anna", page_number=2, parent=first)
    writer.add_outline_item(title="Otto", page_number=3, parent=first)
    writer.add_outline_item(title="Prices", page_number=4)
    titles = [page.title for page in of(written(writer))]
    assert titles == ["", "Boats", "Boats › Anna", "Boats › Otto", "Prices"]


def test_ligatures_are_letters() -> None:
    difference = (
        b"/Font << /F1 1 0 R /F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << "
    )
    difference += b"/Differences [65 /fi] >> >> >>"
    assert of(pdf_with([stream(b"BT /F2 9 Tf (Ald) Tj ET")], difference))[0].text == "fild"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_password_is_told_and_an_empty_one_is_none(algorithm: str) -> None:
    for password, opens in (("", True), ("secret", False)):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of([["Open."]]))))
        writer.encrypt(password, owner_password="owner", algorithm=algorithm)
        if opens:
            assert of(written(writer)) == [Page("Open.", 1)]
        else:
            assert refusal(written(writer)).code is ReadCode.ENCRYPTED


def test_a_scan_says_so() -> None:
    error = refusal(pdf_with([stream(b"q /Im Do Q")], PICTURE))
    assert error.code is ReadCode.NO_TEXT
    assert str(error) == "a.pdf has no text in it: its pages are pictures, as from a scanner."
    assert error.hint
    assert "OCR" in error.hint


def test_a_blank_one_says_so() -> None:
    assert "blank" in str(refusal(pdf_of([[], []])))


def test_fonts_without_letters_are_told() -> None:
    error = refusal(pdf_of([["/g12/g13/g14/g15/g16"] * 5]))
    assert error.code is ReadCode.NO_TEXT
    assert "which letters" in str(error)


def notes_of(data: bytes) -> list[str]:
    notes: list[str] = []
    source = source_of(data, "a.pdf")
    object.__setattr__(source, "told", lambda _done, _of, note: notes.append(note))
    list(read_pdf(source))
    return [note for note in notes if note]


def test_pages_that_are_pictures_are_counted() -> None:
    assert notes_of(pdf_of([["One."], []])) == [
        "1 of 2 pages of a.pdf has no text; it may be a picture."
    ]


def test_a_page_that_cannot_be_read_is_named_and_left_out() -> None:
    good = stream(b"BT /F1 9 Tf (Good page.) Tj ET")
    bomb = stream(b" " * 90_000_000)
    assert notes_of(pdf_with([good, bomb]))[0] == (
        "Page 2 of a.pdf cannot be read and is left out."
    )
    assert "unpacks to far more than it is" in str(refusal(pdf_with([bomb])))
    odd = b"<< /Length 9 /Filter /Nonsense >>\nstream\n123456789\nendstream"
    assert "none of its pages" in str(refusal(pdf_with([odd])))


def test_very_many_bad_pages_are_counted() -> None:
    good, bomb = stream(b"BT /F1 9 Tf (Good page.) Tj ET"), b"<< /Length 9 /Filter /Nonsense >>"
    bomb += b"\nstream\n123456789\nendstream"
    notes = notes_of(pdf_with([good, *[bomb] * 25]))
    assert "25 pages of a.pdf are left out." in notes
    assert len(notes) < 25


def test_limits() -> None:
    data = pdf_of([["Some words."]] * 6)
    assert str(refusal(data, ReadLimits(max_pages=5))) == (
        "a.pdf is too long: it says that it has 6 pages, and at most 5 are read."
    )
    assert "50 characters" in str(refusal(data, ReadLimits(max_chars=50)))


@pytest.mark.parametrize("keep", [0.1, 0.3])
def test_a_file_cut_off(keep: float) -> None:
    data = pdf_of([["Some words."]] * 3)
    assert refusal(data[: int(keep * len(data))]).code is ReadCode.DAMAGED


def test_no_pages() -> None:
    empty = [b"<< /Type /Pages /Count 0 /Kids [] >>", b"<< /Type /Catalog /Pages 1 0 R >>"]
    assert "no pages" in str(refusal(pdf_objects(empty, root=2)))


def test_a_tree_of_pages_that_bites_its_tail() -> None:
    loop = [b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"]
    loop += [b"<< /Type /Pages /Count 1 /Kids [1 0 R] >>", b"<< /Type /Catalog /Pages 1 0 R >>"]
    assert refusal(pdf_objects(loop, root=3)).code is ReadCode.DAMAGED
