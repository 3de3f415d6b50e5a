from __future__ import annotations

import pytest

from sayso.sources.views import name_url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Example.org/", "example.org"),
        ("https://example.org/help/hours/?lang=en#top", "example.org/help/hours"),
        ("http://127.0.0.1:8470/", "127.0.0.1:8470"),
        ("http://127.0.0.1:8470/index.html", "127.0.0.1:8470/index.html"),
        ("http://[::1]:8470/a", "[::1]:8470/a"),
        ("https://user:secret@example.org:444/a", "example.org:444/a"),
    ],
)
def test_a_page_is_named_by_host_port_and_path(url: str, name: str) -> None:
    assert name_url(url) == name
