from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from sayso.config import Settings, read_settings
from sayso.errors import InstallationError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SAYSO_{name.upper()}", raising=False)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_PORT", "9000")
    monkeypatch.setenv("SAYSO_TTS_OPTIONS", '{"delay_ms": "20"}')
    settings = read_settings({})
    assert settings.port == 9000
    assert settings.tts_options == {"delay_ms": "20"}


def test_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_PORT", "9000")
    assert read_settings({"port": 9001}).port == 9001


def test_a_bad_value_is_a_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAYSO_MAX_CONVERSATIONS", "none")
    with pytest.raises(InstallationError, match="SAYSO_MAX_CONVERSATIONS") as refused:
        read_settings({})
    assert refused.value.hint


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        setattr(Settings(), "port", 1)  # noqa: B010 - mypy knows that it is frozen


def test_what_follows_from_others() -> None:
    settings = Settings(data_dir=Path("here"), host="127.0.0.1", port=81)
    assert settings.database == "sqlite+aiosqlite:///here/sayso.db"
    assert settings.url == "http://127.0.0.1:81"
    assert Settings(public_url="https://voice.example/").url == "https://voice.example"
    assert Settings(database_url="postgresql://x/y").database == "postgresql://x/y"


def test_a_databases_password_is_not_shown() -> None:
    assert "canary" not in repr(Settings(database_url="postgresql://u:canary@x/y"))


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    "url", ["collector:4318", "http://user:key@c:4318", "https://c/?key=secret", "ftp://c", ""]
)
def test_a_collector_is_a_bare_url_without_keys(url: str) -> None:
    """Keys go into `OTEL_EXPORTER_OTLP_HEADERS`: a URL is quoted in logs."""
    with pytest.raises(InstallationError, match="SAYSO_TRACES_URL") as refused:
        read_settings({"traces_url": url})
    assert "secret" not in str(refused.value)
    assert read_settings({"traces_url": "https://c:4318/otlp"}).traces_url == "https://c:4318/otlp"
