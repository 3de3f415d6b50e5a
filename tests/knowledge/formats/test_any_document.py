"""What holds of every format: words come out as they went in, in order, or a sentence does."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papers import docx_of, heading, paragraph, pdf_of, read_bytes, table
from sayso.errors import ReadError
from sayso.knowledge.formats import Reader
from sayso.knowledge.formats.docx import read_docx
from sayso.knowledge.formats.markdown import read_markdown
from sayso.knowledge.formats.pdf import read_pdf
from sayso.knowledge.formats.plain import read_plain
from sayso.knowledge.formats.tabular import read_tabular
from sayso.knowledge.formats.webpage import read_webpage
from sayso.knowledge.passages import Page
from sayso.knowledge.split import split

FEW = settings(deadline=None, max_examples=40)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9)
SENTENCES = st.lists(WORDS, min_size=3, max_size=9).map(
    lambda words: " ".join(words).capitalize() + "."
)
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=8)
AWKWARD = st.text(
    st.sampled_from("<>&\"'\\;|`*_#[](){}%~ab 1")
    | st.characters(codec="utf-8", exclude_categories=["C"]),
    min_size=1,
    max_size=40,
)

Writer = Callable[[Sequence[str]], bytes]


def write_docx(paragraphs: Sequence[str]) -> bytes:
    return docx_of("".join(map(paragraph, paragraphs)))


def write_webpage(paragraphs: Sequence[str]) -> bytes:
    body = "".join(f"<p>{html.escape(one)}</p>" for one in paragraphs)
    return f"<!doctype html><html><body>{body}</body></html>".encode()


def write_plain(paragraphs: Sequence[str]) -> bytes:
    return "\n\n".join(paragraphs).encode()


def write_pdf(paragraphs: Sequence[str]) -> bytes:
    return pdf_of([paragraphs])


WRITTEN: dict[str, tuple[Reader, Writer]] = {
    "docx": (read_docx, write_docx),
    "html": (read_webpage, write_webpage),
    "markdown": (read_markdown, write_plain),
    "text": (read_plain, write_plain),
    "pdf": (read_pdf, write_pdf),
}
formats = pytest.mark.parametrize("kind", list(WRITTEN))


def words_of(pages: Sequence[Page]) -> list[str]:
    return " ".join(page.text for page in pages).split()


@formats
@FEW
@given(paragraphs=PARAGRAPHS)
def test_every_word_comes_out_in_order(kind: str, paragraphs: list[str]) -> None:
    reader, write = WRITTEN[kind]
    said = " ".join(paragraphs).split()
    pages = read_bytes(reader, write(paragraphs))
    assert words_of(pages) == said
    passages = split(pages)
    assert set(words_of(passages)) == set(said), "splitting loses none"


@pytest.mark.parametrize("kind", ["docx", "html"])
@FEW
@given(text=AWKWARD)
def test_marks_within_text_are_text(kind: str, text: str) -> None:
    """What looks like a tag, an entity or a formula is what somebody wrote."""
    reader, write = WRITTEN[kind]
    pages = read_bytes(reader, write([f"Before {text} after."]))
    assert "".join(words_of(pages)) == "".join(f"Before {text} after.".split())


@formats
@FEW
@given(data=st.data(), paragraphs=PARAGRAPHS)
def test_a_damaged_document_gives_words_or_a_sentence(
    kind: str, data: st.DataObject, paragraphs: list[str]
) -> None:
    reader, write = WRITTEN[kind]
    whole = bytearray(write(paragraphs))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(whole)))
    check_pages_or_refusal(reader, bytes(whole[:cut]))


@pytest.mark.parametrize("kind", [kind for kind in WRITTEN if kind != "pdf"])
@FEW
@given(noise=st.binary(max_size=400))
def test_noise_gives_words_or_a_sentence(kind: str, noise: bytes) -> None:
    check_pages_or_refusal(WRITTEN[kind][0], noise)
    check_pages_or_refusal(read_tabular, noise)


def check_pages_or_refusal(reader: Reader, data: bytes) -> None:
    try:
        pages = read_bytes(reader, data)
    except ReadError as refused:
        assert refused.message.startswith("it "), "a sentence names the file"  # noqa: PT017
        return
    numbers = [page.number for page in pages if page.number is not None]
    assert numbers == sorted(numbers)
    assert all(page.text.strip() for page in pages)


# Tables ---------------------------------------------------------------------------------------

NAMES = st.lists(WORDS, min_size=2, max_size=4, unique=True)
CELLS = st.text(st.sampled_from("abc 12,;|\"'\n.é"), max_size=12).map(str.strip)


@FEW
@given(names=NAMES, data=st.data(), mark=st.sampled_from([",", ";", "\t", "|"]))
def test_every_row_of_a_csv_is_a_page_of_its_own_with_its_columns(
    names: list[str], data: st.DataObject, mark: str
) -> None:
    rows = data.draw(
        st.lists(st.lists(WORDS, min_size=len(names), max_size=len(names)), min_size=1, max_size=9)
    )
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows([names, *rows])
    pages = read_bytes(read_tabular, out.getvalue().encode())
    assert [page.number for page in pages] == list(range(2, len(rows) + 2))
    for page, row in zip(pages, rows, strict=True):
        assert page.text == "; ".join(f"{a}: {b}" for a, b in zip(names, row, strict=True))


@FEW
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_no_cell_is_lost_whatever_is_quoted(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["one", "two", "three"], *rows])
    text = " ".join(page.text for page in read_bytes(read_tabular, out.getvalue().encode()))
    for cell in (cell for row in rows for cell in row):
        assert " ".join(cell.split()) in text


@FEW
@given(names=NAMES, data=st.data())
def test_a_table_in_a_document_says_each_cell_in_its_row(
    names: list[str], data: st.DataObject
) -> None:
    row = st.lists(WORDS, min_size=len(names), max_size=len(names))
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    lines = "\n".join(
        page.text for page in read_bytes(read_docx, docx_of(table([names, *rows])))
    ).split("\n")
    for one in rows:
        assert any(all(cell in line for cell in one) for line in lines)


# Headings ---------------------------------------------------------------------------------------


@FEW
@given(st.lists(st.tuples(WORDS, SENTENCES), min_size=1, max_size=6))
def test_text_stands_under_the_heading_above_it(sections: list[tuple[str, str]]) -> None:
    word = docx_of("".join(heading(name) + paragraph(text) for name, text in sections))
    written = "\n\n".join(f"# {name}\n\n{text}" for name, text in sections)
    web = "".join(f"<h1>{name}</h1><p>{text}</p>" for name, text in sections)
    for reader, data in (
        (read_docx, word),
        (read_markdown, written.encode()),
        (read_webpage, f"<html><body><main>{web}</main></body></html>".encode()),
    ):
        pages = read_bytes(reader, data)
        assert [(page.title, page.text) for page in pages] == sections


@pytest.mark.parametrize("tag", ["script", "style", "noscript", "template", "svg", "nav"])
@FEW
@given(hidden=WORDS.map("zz".__add__), said=SENTENCES)
def test_what_a_browser_does_not_show_is_not_known(tag: str, hidden: str, said: str) -> None:
    page = f"<html><body><p>{said}</p><{tag}>{hidden}</{tag}></body></html>"
    assert hidden not in " ".join(words_of(read_bytes(read_webpage, page.encode())))
