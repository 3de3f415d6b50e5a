"""A web page's words, without its menus."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papers import read_bytes, texts
from sayso.errors import ReadCode, ReadError
from sayso.knowledge.formats.webpage import read_webpage


def of(text: str) -> list[tuple[str, str]]:
    return texts(read_bytes(read_webpage, text.encode()))


def body(text: str) -> list[str]:
    return [line for _, page in of(text) for line in page.split("\n")]


def test_a_page_as_they_are() -> None:
    page = """<!doctype html><html><head><title>Boats &amp; more</title>
      <script>var x = "<p>no</p>";</script><style>p {}</style></head><body>
      <header><a href=/>Acme</a><nav><ul><li><a href=/a>One</a><li><a href=/b>Two</a></ul></nav>
      </header><div class="cookie-banner">We use cookies <button>OK</button></div>
      <main><h1>Our boats</h1><p>We have <b>two</b>
      boats.<p>Both float.<ul><li>Anna<li>Otto</ul>
      <h2>Prices</h2><table><thead><tr><th>Boat<th>Price<tbody><tr><td>Anna<td>12
      <tr><td>Otto<td>9</table></main>
      <footer><p>12 River Road<br>Oldtown</p>
      <ul><li><a>Terms</a><li><a>Privacy</a><li><a>Jobs</a><li><a>Press</a></ul></footer>
      </body></html>"""
    assert of(page) == [
        ("Boats & more", "Acme"),
        ("Boats & more › Our boats", "We have two boats.\nBoth float.\n- Anna\n- Otto"),
        (
            "Boats & more › Our boats › Prices",
            "Boat: Anna; Price: 12\nBoat: Otto; Price: 9",
        ),
    ]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("<main><p>We are open.</main><footer>Imprint</footer>", ["We are open."]),
        ("<article>Open.</article><footer><p>Imprint<p>Terms</footer>more", ["Open.", "more"]),
        ("<main><footer>By Ann</footer>Open.</main>", ["By Ann", "Open."]),
        ("<p>We are open.<footer>12 River Road</footer>", ["We are open.", "12 River Road"]),
        ("<main></main><div>Open.</div><footer>12 River Road</footer>", ["Open.", "12 River Road"]),
    ],
)
def test_a_footer_goes_where_something_else_is_the_main_text(page: str, lines: list[str]) -> None:
    assert body(page) == lines


def test_menus_go_and_links_in_the_text_stay() -> None:
    links = "".join(f"<li><a href=/{n}>Page {n}</a>" for n in range(9))
    assert body(f"<ul>{links}</ul><p>Hello there.") == ["Hello there."]
    assert len(body(f"<main><ul>{links}</ul></main>")) == 9
    assert len(body("<ul><li><a>One</a><li><a>Two</a></ul>")) == 2


def test_folded_answers_are_kept() -> None:
    page = '<h3>When?</h3><div hidden style="display:none">At nine.</div>'
    assert of(page) == [("When?", "At nine.")]


def test_tables_of_names_and_values() -> None:
    page = "<table><tr><th>Monday<td>9 to 5<tr><th>Sunday<td>closed</table>"
    assert body(page) == ["Monday: 9 to 5", "Sunday: closed"]


def test_a_table_around_a_table_is_layout() -> None:
    page = (
        "<table><tr><td>Left<td><p>Right</p><table><tr><th>A</th><th>B</th></tr><tr><td>1</td>"
        "<td>2</td></tr></table>after</td></tr></table>end"
    )
    assert body(page) == ["Left: Right", "A: 1; B: 2", "after", "end"]


def test_lines_of_code_stay_lines() -> None:
    assert body("<pre>one\ntwo</pre>") == ["one", "two"]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("<p>a</div></b>b", ["ab"]),
        ("<div><p>a<div>b</span>c</div>d", ["a", "bc", "d"]),
        ("<nav>no<p>no</nav>yes", ["yes"]),
        ("<![if IE]>a<![endif]>", ["a"]),
        ("<title>t</title><svg><title>no</title></svg>a", ["a"]),
        ("<dl><dt>Who<dd>Ann<dt>Where<dd>here</dl>", ["Who", "Ann", "Where", "here"]),
        ("x&nbsp;&eacute;&#8212;&bogus;", ["x é—&bogus;"]),
    ],
)
def test_whatever_is_wrong_with_its_tags(page: str, lines: list[str]) -> None:
    assert body(page) == lines


@pytest.mark.parametrize("page", ["a<b", "a<!-- never", "a<", "a</", "a<!", "a&"])
def test_a_page_that_is_cut_off(page: str) -> None:
    assert body(page)[0].startswith("a")


def test_a_declared_encoding() -> None:
    page = '<meta charset="koi8-r"><p>Привет'.encode("koi8-r")
    assert read_bytes(read_webpage, page)[0].text == "Привет"


def test_a_page_of_scripts_says_so() -> None:
    with pytest.raises(ReadError, match="filled in by scripts") as refused:
        of("<title>App</title><div id=root></div><script src=a.js></script>")
    assert refused.value.code is ReadCode.NO_TEXT


def test_entities_cannot_be_defined() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><p>&b;'
    assert body(bomb) == []
    assert body(f"{bomb} &c; said &amp; done") == ["&c; said & done"]


@pytest.mark.parametrize("page", ["<!DOCTYPE x [<p>a", "<!DOCTYPE x [ ]<p>a"])
def test_a_document_type_that_is_never_closed(page: str) -> None:
    assert "a" in "".join(body(page))


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li", "p"])
def test_nesting_overflows_nothing(tag: str) -> None:
    assert body(f"<{tag}>" * 5_000 + "deep")[-1].endswith("deep")


def test_nesting_has_an_end() -> None:
    with pytest.raises(ReadError, match="nested"):
        of("<b>" * 100_001)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "<p> </p> <b> </b> <table> <tr> <td> <th> </td> </table> <ul> <li> </ul> <nav> </nav> "
            "<h1> </h1> <br> <script> </script> <a> </a> <pre> word & < <!-- --> <![x]>".split()
        ),
        max_size=40,
    )
)
def test_any_tags_in_any_order(parts: list[str]) -> None:
    try:
        assert all(page.strip() for _, page in of(" ".join(parts)))
    except ReadError as refused:
        assert refused.code is ReadCode.NO_TEXT  # noqa: PT017 - either is right
