"""Variables: the examples people expect, and what holds for every text and every value."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.variables import (
    MAX_INSERTED_CHARS,
    MAX_INSERTED_HEADER_CHARS,
    MAX_NAME_CHARS,
    MAX_NUMBER,
    MAX_REPORTED,
    MAX_VALUE_CHARS,
    MAX_VARIABLES,
    NAME,
    Variable,
    choose,
    clean,
    fill_header,
    fill_text,
    find_missing,
    find_problem,
    show,
    show_all,
)

names = st.from_regex(rf"\A{NAME}\Z")
written = names.map(lambda name: f"{{{{{name}}}}}") | names.map(lambda name: f"{{{{ {name}\t}}}}")
plain = st.text("ab ,.!?\n\t(){}%\\:|\"'", max_size=8)
templates = st.lists(st.one_of(plain, written), max_size=8).map("".join)
few_names = st.sampled_from(["a", "b", "name", "order.id"])
few_written = few_names.map(lambda name: f"{{{{{name}}}}}")
sentences = st.lists(
    st.one_of(few_written, st.sampled_from(["Hi", ",", " ", "  ", ".", "\n", "(", "yes", "!"])),
    max_size=12,
).map("".join)
values = st.dictionaries(few_names, st.text(max_size=20))
some_values = st.dictionaries(few_names, st.text(min_size=1).filter(str.strip), max_size=4)

VARIABLE = re.compile(rf"\{{\{{[ \t]*({NAME})[ \t]*\}}\}}")


# What people write ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("Hello {{name}}!", "Hello Ann!"),
        ("Hello {{ name }}!", "Hello Ann!"),
        ("{{name}}{{order.id}}", "Ann42"),
        ("{{name}} {{order.id}}, hi", "Ann 42, hi"),
        ('{"order": {{order.id}}}', '{"order": 42}'),
        ("{{{name}}}", "{Ann}"),
        ("{{braces}}", "{{name}}"),
        ("{{lines}}", "one\ntwo"),
    ],
)
def test_a_value_takes_the_place_of_its_name(text: str, filled: str) -> None:
    values = {"name": "Ann", "order.id": "42", "braces": "{{name}}", "lines": "one\ntwo"}
    assert fill_text(text, values) == filled


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hello {{name}}, welcome.", "Hello, welcome."),
        ("Hello {{name}}!", "Hello!"),
        ("Hello {{name}} again", "Hello again"),
        ("Thanks, {{name}}.", "Thanks."),
        ("Thanks, {{name}}", "Thanks"),
        ("Well, {{name}}, thanks", "Well, thanks"),
        ("{{name}}, how are you?", "how are you?"),
        ("Hi. {{name}}, how are you?", "Hi. how are you?"),
        ("{{name}} is here", "is here"),
        ("Hi {{name}} {{family}}, hello", "Hi, hello"),
        ("Hi {{known}} {{family}}!", "Hi Ann!"),
        ("Hi {{name}} {{known}}!", "Hi Ann!"),
        ("{{name}} {{known}}", "Ann"),
        ("a, {{name}} b", "a, b"),
        ("x{{name}}y", "xy"),
        ("{{name}}, {{family}}", ""),
        ("Hi {{name}}, {{family}}, {{known}}!", "Hi, Ann!"),
        ("Thanks {{name}}, {{family}}.", "Thanks."),
        ("{{known}}{{name}} {{family}}, hi", "Ann, hi"),
        ("{{known}} {{name}}{{known}}", "Ann Ann"),
        ("Rules:\n  {{name}} first\n- {{name}}\nlast", "Rules:\n  first\n-\nlast"),
        ("{{empty}} {{blank}}", ""),
        ("Hi {{empty}}, and {{blank}}.", "Hi, and."),
    ],
)
def test_around_a_missing_value_a_voice_stumbles_over_nothing(text: str, filled: str) -> None:
    assert fill_text(text, {"known": "Ann", "empty": "", "blank": "  "}) == filled


@pytest.mark.parametrize(
    "text",
    [
        '{ "a": {{ "b": 1 }} }',
        "{% if name %} {{# each }} {{/each}}",
        "{{a b}} {{}} {{ }} {name} {{name} {name}} {{1a}} {{a|b}}",
        "{{ä}} {{name",
        "{{\nname}}",
        f"{{{{{'a' * (MAX_NAME_CHARS + 1)}}}}}",
    ],
)
def test_what_only_looks_similar_stays(text: str) -> None:
    assert fill_text(text, {"name": "Ann", "a": "x"}) == text
    assert fill_header(text, {"name": "Ann", "a": "x"}) == text
    assert find_missing([text], {}) == []


def test_behind_a_backslash_it_is_no_variable() -> None:
    text = r"Write \{{name}}, {{name}} or \{{ other }}."
    assert fill_text(text, {"name": "Ann"}) == "Write {{name}}, Ann or {{ other }}."
    assert fill_header(text, {"name": "Ann"}) == "Write {{name}}, Ann or {{ other }}."
    assert find_missing([text], {}) == ["name"]


def test_in_a_header_nothing_is_tidied() -> None:
    assert fill_header("id={{a}}, b={{ b }}, ", {"b": "2"}) == "id=, b=2, "
    assert fill_header("{{evil}}", {"evil": " a\r\nX-Evil: 1\0\u2028"}) == "a X-Evil: 1"


def test_missing_names_are_listed_once_and_not_without_end() -> None:
    texts = ["{{b}} {{ a }} {{known}}", "{{a}}", "", *(f"{{{{z{n}}}}}" for n in range(100))]
    missing = find_missing(texts, {"known": ""})
    assert missing[:2] == ["a", "b"]
    assert len(missing) == MAX_REPORTED


def test_texts_do_not_grow_without_end() -> None:
    value = "x" * MAX_VALUE_CHARS
    assert len(fill_text("{{a}};" * 4000, {"a": value})) <= MAX_INSERTED_CHARS + 4000
    assert len(fill_header("{{a}};" * 500, {"a": value})) <= MAX_INSERTED_HEADER_CHARS + 500


# What holds for all ---------------------------------------------------------------------------


@given(st.text(), values)
def test_a_text_without_variables_stays_as_it_is(text: str, values: dict[str, str]) -> None:
    if not VARIABLE.search(text):
        assert fill_text(text, values) == fill_header(text, values) == text


@given(sentences, some_values)
def test_with_all_values_it_is_what_replacing_gives(text: str, some: dict[str, str]) -> None:
    full = {name: some.get(name, "{{a}}") for name in ("a", "b", "name", "order.id")}
    assert fill_text(text, full) == VARIABLE.sub(lambda match: full[match[1]], text)
    assert find_missing([text], full) == []


@given(templates)
def test_without_any_value_only_variables_blanks_and_commas_go(text: str) -> None:
    def words(text: str) -> str:
        return re.sub(r"[ \t,]", "", text)

    unmarked = re.sub(r"\\(?=\{\{)", "", text)
    if unmarked == text:
        filled = fill_text(text, {})
        assert words(filled) == words(VARIABLE.sub("", text))
        assert len(filled) <= len(text)


@given(sentences)
def test_leaving_one_out_makes_no_gap(text: str) -> None:
    even = re.sub(r"[ ]+", " ", text)
    filled = fill_text(even, {})
    if "  " not in VARIABLE.sub("x", even):
        assert "  " not in filled.strip(" ,")
    assert "{{" not in filled


@given(templates, st.dictionaries(names, st.text(max_size=20), max_size=4))
def test_names_are_missing_or_filled_in(text: str, values: dict[str, str]) -> None:
    missing = find_missing([text], values)
    assert not set(missing) & set(values)
    if len(missing) < MAX_REPORTED:
        assert fill_text(text, values) == fill_text(text, values | dict.fromkeys(missing, ""))


@given(st.text(), st.text())
def test_a_value_is_never_expanded_again(value: str, other: str) -> None:
    values = {"a": f"{{{{b}}}}{value}", "b": other}
    assert fill_text("<{{a}}>", values) == f"<{{{{b}}}}{value}>"
    assert fill_header("<{{a}}>", values).startswith("<{{b}}")


@given(st.text() | st.text("\r\n\0\t\x85\u2028 a"))
def test_no_value_breaks_a_header(value: str) -> None:
    sent = fill_header("x{{a}}y", {"a": value})
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in sent)
    assert clean(clean(value)) == clean(value)


@pytest.mark.parametrize("piece", ["{{", "{{ ", "{{a", "{{a}}", " ", ", ", "\\{{", "{{a}} "])
def test_long_texts_take_linear_time(piece: str) -> None:
    """A quadratic pattern would take minutes here; the limit of a test run would tell."""
    text = piece * (200_000 // len(piece)) + "{{"
    fill_text(text, {})
    fill_header(text, {})


# Values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "a"), (True, "true"), (False, "false"), (12, "12"), (-3, "-3"), (5.0, "5"),
        (100.0, "100"), (0.1, "0.1"), (1e-7, "0.0000001"), (1e15, "1000000000000000"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_write_them(value: Variable, shown: str) -> None:
    assert show(value) == shown
    assert show_all({"a": value, "b": "x"}) == {"a": shown, "b": "x"}


@given(st.floats(-MAX_NUMBER, MAX_NUMBER) | st.integers(-MAX_NUMBER, MAX_NUMBER))
def test_a_number_keeps_its_value(value: float) -> None:
    assert float(show(value)) == value
    assert "e" not in show(value).lower()
    assert find_problem({"a": value}) is None


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"": 1}, "holds the name ''"),
        ({"1a": 1}, "a name is a letter or _"),
        ({"a b": 1}, "holds the name 'a b'"),
        ({"a\n": 1}, "holds the name"),
        ({"a" * 65: 1}, "at most 64 characters"),
        ({"a": None}, "holds a 'a' that is not a string, a number or a boolean"),
        ({"a": [1]}, "not a string"),
        ({"ok": 1, "a": {}}, "holds a 'a'"),
        ({"a": "x" * 1001}, "more than 1,000 characters"),
        ({"a": 10**16}, "from -1e15 to 1e15"),
        ({"a": float("nan")}, "from -1e15 to 1e15"),
        ({f"a{n}": n for n in range(51)}, "holds 51 variables; at most 50 are taken"),
    ],
)
def test_bad_ones_are_named(variables: dict[str, object], problem: str) -> None:
    assert problem in (find_problem(variables) or "")


def test_the_limits_themselves_are_taken() -> None:
    most: dict[str, object] = {f"a{n}": "x" * MAX_VALUE_CHARS for n in range(MAX_VARIABLES - 1)}
    most["_" * MAX_NAME_CHARS] = True
    assert find_problem(most) is None
    assert find_problem({}) is None


def test_a_conversations_value_wins_and_comes_first() -> None:
    chosen = choose({"b": "own", "c": ""}, {"a": "default", "b": "default", "c": "default"})
    assert list(chosen.items()) == [("b", "own"), ("c", ""), ("a", "default")]
