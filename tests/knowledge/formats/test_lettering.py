"""Every byte becomes a letter, the right one wherever it can be known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.knowledge.formats.lettering import decode

SAID = "Café Übergröße, 12 €"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_found(encoding: str) -> None:
    assert decode(SAID.encode(encoding)) == SAID


def test_a_declared_encoding_is_believed_unless_it_is_wrong() -> None:
    assert decode("Привет".encode("koi8-r"), "koi8-r") == "Привет"
    assert decode(SAID.encode("cp1252"), "no-such-thing") == SAID
    assert decode(SAID.encode(), "koi8-r") == SAID


def test_bytes_that_windows_does_not_know_are_kept() -> None:
    assert decode(b"a\x81b\xe9") == "a\x81bé"


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "big5", "rot13", "base64", "\0"]))
def test_nothing_fails(data: bytes, declared: str) -> None:
    assert isinstance(decode(data, declared), str)
