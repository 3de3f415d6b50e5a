"""The picture of a turn is drawn from the turn that its page shows."""

from __future__ import annotations

from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from documents import ROOT, program

PAGE = ROOT / "docs/guide/latency.md"


@pytest.fixture(scope="module")
def waterfall() -> ModuleType:
    return program("waterfall")


def test_the_picture_is_current(waterfall: ModuleType) -> None:
    drawn = waterfall.draw(waterfall.read_timings(PAGE.read_text("utf-8")))
    assert PAGE.with_suffix(".svg").read_text("utf-8") == drawn, "run `python docs/waterfall.py`"


def test_each_step_has_a_bar_that_ends_at_its_mark(waterfall: ModuleType) -> None:
    marks = (0.2, 0.4, 0.35, 0.37, 0.39, 0.41)
    names = [name for name, *_ in waterfall.STEPS]
    timings = {f"{name}_s": mark for name, mark in zip(names, marks, strict=True)}
    svg = ET.fromstring(waterfall.draw(timings))
    bars = [one for one in svg.iter() if one.tag.endswith("rect") and one.get("rx") == "3"]
    ends = [float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in bars]
    scale = (ends[1] - waterfall.LEFT) / 0.4
    assert ends == pytest.approx([waterfall.LEFT + mark * scale for mark in marks], abs=0.2)


def test_a_page_without_a_turn_is_refused(waterfall: ModuleType) -> None:
    with pytest.raises(LookupError, match="timings"):
        waterfall.read_timings('```json\n{"id": 1}\n```\n')
