from __future__ import annotations

import pytest

from sayso.sizes import show_bytes


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1_500, "1,500 bytes"),
        (1_048_575, "1,048,575 bytes"),
        (1_048_576, "1 MiB (1048576 bytes)"),
        (26_214_400, "25 MiB (26214400 bytes)"),
        (1_600_000, "1.5 MiB (1600000 bytes)"),
        (2_000_000_000, "1,907.3 MiB (2000000000 bytes)"),
    ],
)
def test_a_size_is_shown_as_a_setting_has_it(count: int, shown: str) -> None:
    assert show_bytes(count) == shown
