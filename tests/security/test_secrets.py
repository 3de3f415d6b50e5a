from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from sayso.errors import InstallationError
from sayso.security.secrets import Secrets, load_secrets, parse_key

KEY = bytes(range(32))
SECRETS = Secrets(KEY)
PLACE = "agents:llm_key:front-desk-1"


@given(st.text(), st.text(max_size=50))
def test_what_is_sealed_opens_at_its_place(text: str, place: str) -> None:
    envelope = SECRETS.seal(text, place)
    assert envelope.startswith(f"v1.{SECRETS.key_id}.")
    assert SECRETS.open(envelope, place) == text


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert SECRETS.seal("x", PLACE) != SECRETS.seal("x", PLACE)


def test_a_sealed_text_cannot_be_moved_to_another_row() -> None:
    envelope = SECRETS.seal("sk-canary", PLACE)
    with pytest.raises(InstallationError, match="another place") as caught:
        SECRETS.open(envelope, "agents:llm_key:other-2")
    assert "sk-canary" not in str(caught.value)


def test_another_master_key_is_named() -> None:
    other = Secrets(os.urandom(32))
    with pytest.raises(InstallationError, match=f"{SECRETS.key_id}, not {other.key_id}"):
        other.open(SECRETS.seal("x", PLACE), PLACE)


@given(st.integers(min_value=0), st.integers(0, 255))
def test_a_changed_byte_is_noticed(at: int, flip: int) -> None:
    version, key_id, body = SECRETS.seal("secret", PLACE).split(".")
    sealed = bytearray(base64.urlsafe_b64decode(body))
    sealed[at % len(sealed)] ^= flip or 1
    broken = f"{version}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"
    with pytest.raises(InstallationError):
        SECRETS.open(broken, PLACE)


@pytest.mark.parametrize("envelope", ["", "v1", "v2.a.b", f"v1.{SECRETS.key_id}.", "v1.x.y"])
def test_what_is_no_envelope_is_refused(envelope: str) -> None:
    with pytest.raises(InstallationError):
        SECRETS.open(envelope, PLACE)


def test_fingerprints_depend_on_key_and_master_key_and_nothing_else() -> None:
    assert SECRETS.fingerprint("ak-1") == Secrets(KEY).fingerprint("ak-1")
    assert SECRETS.fingerprint("ak-1") != SECRETS.fingerprint("ak-2")
    assert SECRETS.fingerprint("ak-1") != Secrets(os.urandom(32)).fingerprint("ak-1")
    assert SECRETS.fingerprint("\ud800")
    assert KEY.hex() not in repr(SECRETS)


def test_the_first_run_makes_a_key_only_its_owner_can_read(tmp_path: Path) -> None:
    made = load_secrets(tmp_path / "new", None)
    path = tmp_path / "new" / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["master.key"]
    assert load_secrets(tmp_path / "new", None).key_id == made.key_id


def test_a_key_others_can_read_is_warned_about(tmp_path: Path) -> None:
    load_secrets(tmp_path, None)
    (tmp_path / "master.key").chmod(0o644)
    with capture_logs() as logs:
        load_secrets(tmp_path, None)
    assert [line["event"] for line in logs] == ["master_key_open"]


@pytest.mark.parametrize(
    "text",
    [KEY.hex(), f" {KEY.hex()}\n", base64.b64encode(KEY).decode(),
     base64.urlsafe_b64encode(KEY).decode().rstrip("=")],
)  # fmt: skip
def test_the_setting_takes_hex_and_base64(tmp_path: Path, text: str) -> None:
    assert load_secrets(tmp_path, SecretStr(text)).key_id == SECRETS.key_id
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "00" * 31, "password", "ü" * 32, "!" * 44])
def test_a_bad_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InstallationError, match="32 bytes") as caught:
        parse_key(text, "SAYSO_MASTER_KEY")
    assert not text or text not in str(caught.value)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallationError, match=r"master\.key"):
        load_secrets(tmp_path / "file", None)


def test_when_another_process_is_first_its_key_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = load_secrets(tmp_path, None)
    read_text, calls = Path.read_text, iter([FileNotFoundError()])

    def late(self: Path, *args: str, **kwargs: str) -> str:
        for error in calls:
            raise error
        return read_text(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", late)
    assert load_secrets(tmp_path, None).key_id == theirs.key_id
