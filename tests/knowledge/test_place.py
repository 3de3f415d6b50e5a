"""Where an owner's retrieval server is, and what of it is secret."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from sayso.knowledge.place import Place


@pytest.mark.parametrize(
    "base", ["http://r.test/v1", "http://r.test/v1/", " http://r.test/v1/retrieval "]
)
def test_the_path_is_added_once(base: str) -> None:
    assert Place(base).url == "http://r.test/v1/retrieval"


def test_a_query_stays_behind_the_path() -> None:
    assert Place("http://r.test/v1?code=x").url == "http://r.test/v1/retrieval?code=x"


@pytest.mark.parametrize("key", ["sk-1", " Bearer sk-1 ", "Bearer sk-1"])
def test_a_key_is_the_same_however_it_was_pasted(key: str) -> None:
    assert Place("http://r.test", SecretStr(key)).token == "sk-1"


def test_no_secret_may_be_quoted_whatever_its_dress() -> None:
    place = Place(
        "http://r.test/?code=a%2Fbcdef&sk-bare-key&v=1",
        SecretStr("Bearer sk-secret"),
        headers={"Authorization": "Bearer sk-secret-2", "X-Version": "1"},
    )
    assert place.secrets[0] == "Bearer sk-secret-2"
    assert set(place.secrets) == {
        "sk-secret",
        "Bearer sk-secret-2",
        "sk-secret-2",
        "a%2Fbcdef",
        "a/bcdef",
        "sk-bare-key",
    }
    assert "secret" not in repr(place)


def test_variables_are_filled_into_headers() -> None:
    place = Place("http://r.test", headers={"X-Shop": "{{shop}}", "X-Call": "{{nothing}}"})
    filled = place.fill({"shop": "A\nB"})
    assert filled.headers == {"X-Shop": "A B", "X-Call": ""}
    assert filled.key != place.key


def test_it_is_waited_for_as_long_as_the_operator_allows() -> None:
    assert Place("http://r.test", timeout_s=3.0).within(2.0).timeout_s == 2.0
    assert Place("http://r.test", timeout_s=1.0).within(2.0).timeout_s == 1.0


def test_who_fails_together_has_one_key() -> None:
    one, other = (Place("http://r.test", SecretStr("k"), headers={"a": "b"}) for _ in range(2))
    assert hash(one.key) == hash(other.key)
    assert one.key == other.key
    assert one.key != Place("http://r.test", SecretStr("other"), headers={"a": "b"}).key
