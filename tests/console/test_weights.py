"""What the pages weigh, packed, as a browser fetches them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sayso.console.built import CONSOLE
from sayso.console.files import STATIC, WIDGET

MAX_CONSOLE_BYTES = 150_000
MAX_WIDGET_BYTES = 25_000
FIRST = re.compile(r'(?:src|href)="/static/(console/[^"]+)"')


def weigh(path: Path) -> int:
    """Bytes of a file as it is sent."""
    packed = path.with_name(f"{path.name}.gz")
    if packed.exists():
        assert gzip.decompress(packed.read_bytes()) == path.read_bytes(), f"{packed.name} is old"
        return packed.stat().st_size
    return len(gzip.compress(path.read_bytes()))


def test_the_console_begins_with_150_kb_at_most(
    record_property: Callable[[str, object], None],
) -> None:
    if not (CONSOLE / "index.html").exists():
        pytest.skip("needs the built console: `make console`")
    first = FIRST.findall((CONSOLE / "index.html").read_text("utf-8"))
    scripts = [STATIC / name for name in first if name.endswith(".js")]
    main = sum(weigh(script) for script in scripts)
    rest = sum(weigh(path) for path in (CONSOLE / "assets").glob("*.js")) - main
    record_property(
        "told", f"console: {main:,} bytes of script gzipped, {rest:,} more for all its pages"
    )
    assert scripts
    assert main <= MAX_CONSOLE_BYTES
    assert max(weigh(path) for path in (CONSOLE / "assets").glob("*.js")) <= MAX_CONSOLE_BYTES


def test_the_element_is_25_kb_at_most(record_property: Callable[[str, object], None]) -> None:
    if not (WIDGET / "widget.js").exists():
        pytest.skip("needs the built widget: `make console`")
    element = sum(weigh(WIDGET / name) for name in ("widget.js", "sound.js"))
    record_property("told", f"<sayso-talk>: {element:,} bytes gzipped")
    assert element <= MAX_WIDGET_BYTES
