"""Draws where the time of a turn went, from what `GET …/turns` says.

    python docs/waterfall.py docs/guide/latency.md       writes docs/guide/latency.svg

The turn is the page's first JSON block with `timings`. The LLM's bar begins with the transcript, as
it does with speculation (docs/decisions/0010-drafts.md). `tests/docs` compares page and picture.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 190, 90, 44, 34
BAR: Final = 18
GRID_MS: Final = 100

STEPS: Final = (
    ("transcript", "words written down", "caller", ""),
    ("endpoint", "pause long enough", "caller", ""),
    ("llm_first_token", "LLM's first token", "llm", "transcript"),
    ("first_clause", "first clause", "llm", "llm_first_token"),
    ("tts_first_sound", "voice", "voice", "first_clause"),
    ("first_sound_sent", "first sound sent", "voice", "tts_first_sound"),
)
"""Each bar: the mark that ends it, its name, its colour, and the mark it begins at."""

STYLE: Final = """\
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .took { paint-order: stroke; stroke: #ffffff; stroke-width: 5px }
  .faint, .took { fill: #59636e } .paper { fill: #ffffff } .grid { stroke: #d1d9e0 }
  .caller { fill: #0969da } .llm { fill: #bc4c00 } .voice { fill: #1a7f37 }
  .sounds { stroke: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .took { stroke: #0d1117 }
    .faint, .took { fill: #9198a1 } .paper { fill: #0d1117 } .grid { stroke: #3d444d }
    .caller { fill: #4493f8 } .llm { fill: #f0883e } .voice { fill: #3fb950 }
    .sounds { stroke: #3fb950 }
  }"""


def read_timings(page: str) -> Mapping[str, Any]:
    """The timings of the first turn a page shows. Raises LookupError if it shows none."""
    for block in re.findall(r"(?ms)^```json\n(.*?)^```$", page):
        shown = json.loads(block)
        if isinstance(shown, dict) and "timings" in shown:
            timings: Mapping[str, Any] = shown["timings"]
            return timings
    raise LookupError("the page has no JSON block with timings")


def draw(timings: Mapping[str, Any]) -> str:
    """The waterfall up to the first sound, as SVG; light and dark as the reader likes."""
    marks_ms = {name: timings[f"{name}_s"] * 1000 for name, *_ in STEPS}
    heard_ms = marks_ms["first_sound_sent"]
    end_ms = GRID_MS * (heard_ms // GRID_MS + 1)
    scale = (WIDTH - LEFT - RIGHT) / end_ms
    height = TOP + ROW * len(STEPS) + 40
    told = f"From the end of speech to the first sound: {heard_ms:.0f} ms"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{told}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text x="16" y="26" class="title">{told}</text>',
        *_grid(end_ms, scale, height),
        _line(
            "sounds", LEFT + heard_ms * scale, height, ' stroke-width="2" stroke-dasharray="4 3"'
        ),
        *_bars(marks_ms, scale),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(end_ms: float, scale: float, height: int) -> Iterator[str]:
    for at_ms in range(0, int(end_ms) + 1, GRID_MS):
        x = LEFT + at_ms * scale
        yield _line("grid", x, height)
        yield _text(x, height - 12, f"{at_ms} ms", "faint", "middle")


def _bars(marks_ms: Mapping[str, float], scale: float) -> Iterator[str]:
    for row, (name, label, colour, after) in enumerate(STEPS):
        y = TOP + ROW * row
        begin_ms, end_ms = marks_ms.get(after, 0.0), marks_ms[name]
        x, width = LEFT + begin_ms * scale, max(2.0, (end_ms - begin_ms) * scale)
        yield _text(LEFT - 12, y + 18, label, "", "end")
        yield (
            f'<rect class="{colour}" x="{x:.1f}" y="{y + 4}" width="{width:.1f}" '
            f'height="{BAR}" rx="3"/>'
        )
        took_ms = end_ms - begin_ms
        told = f"{took_ms:.0f} ms" if took_ms >= 1 else "< 1 ms"
        yield _text(x + width + 8, y + 18, escape(told), "took", "start")


def _line(kind: str, x: float, height: int, more: str = "") -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 30}"{more}/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{text}</text>'


def main() -> None:
    """Draw the turn of the page that is named."""
    page = Path(sys.argv[1])
    page.with_suffix(".svg").write_text(draw(read_timings(page.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
