"""Every link inside the documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documents import ROOT, name_of, pages, prose


def links(page: Path) -> list[str]:
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors GitHub makes of a page's headings, and those that are written."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(page))
    made = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }
    return made | set(re.findall(r'<a id="([^"]+)"></a>', prose(page)))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} does not exist"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert not anchor or anchor in anchors(target), f"{link} has no such heading"


def test_every_page_can_be_reached_from_the_front_page() -> None:
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        todo += [
            (page.parent / link.partition("#")[0]).resolve()
            for link in links(page)
            if not link.startswith(("http", "#"))
        ]
    assert set(pages()) - reached == set()


@pytest.mark.parametrize("page", [*pages(), *(ROOT / "src/sayso").rglob("*.py")], ids=name_of)
def test_pages_named_in_code_exist(page: Path) -> None:
    for name in re.findall(r"docs/[\w/-]+\.md", page.read_text("utf-8")):
        assert (ROOT / name).exists(), name
