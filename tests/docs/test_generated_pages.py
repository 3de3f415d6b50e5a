"""The pages made from the code are what the code says."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from documents import ROOT, program, table
from sayso.config import Settings
from sayso.llm.catalogue import CATALOGUE


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return program("generate")


def test_every_page_is_current(generate: ModuleType) -> None:
    assert generate.stale_pages() == [], "run `python docs/generate.py`"


def test_a_changed_page_is_noticed(
    generate: ModuleType, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    assert generate.stale_pages() == list(generate.PAGES)


def test_every_variable_of_the_commands_is_listed(generate: ModuleType) -> None:
    source = (ROOT / "src/sayso/cli.py").read_text("utf-8")
    read = set(re.findall(r'(?:envvar=|environ.get\()"(\w+)"', source))
    assert read == set(generate.ENVIRONMENT)


def test_every_setting_is_listed_once(generate: ModuleType) -> None:
    page = generate.settings_page()
    assert all(page.count(f"| `SAYSO_{name.upper()}` |") == 1 for name in Settings.model_fields)


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_finding_is_listed_once(generate: ModuleType) -> None:
    page = generate.findings_page()
    assert all(page.count(f"</a>`{code}` |") == 1 for code in CATALOGUE)


def test_every_endpoint_is_listed(generate: ModuleType) -> None:
    listed = [row[0].split("`")[1] for row in table("docs/reference/rest.md", "## Endpoints")]
    served = [
        f"{method.upper()} {path}"
        for path, operations in generate.openapi()["paths"].items()
        for method in operations
    ]
    assert sorted(listed) == sorted(served)


def test_the_forms_of_files_are_listed(generate: ModuleType) -> None:
    rows = table("docs/reference/rest.md", "### Forms")
    assert [(row[0].split("`")[1].partition(" ")[0], row[1]) for row in rows] == [
        ("POST", "`file`"),
        ("PUT", "`file`"),
    ]


def test_every_body_that_is_named_has_a_section(generate: ModuleType) -> None:
    page, known = generate.rest_page(), generate.openapi()["components"]["schemas"]
    sections = set(re.findall(r"(?m)^### (\w+)", page))
    named = {
        word
        for row in re.findall(r"(?m)^\| `\w+`.*", page)
        for word in re.findall(r"\w+", row.split("|")[2])
    }
    assert named & set(known) <= sections
