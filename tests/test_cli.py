from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from sayso import __version__
from sayso.accounts.schema import NewAccount
from sayso.accounts.service import Accounts
from sayso.caller import _why_unreadable, socket_url, write_wav
from sayso.cli import _locate, app, main
from sayso.config import Settings
from sayso.security.secrets import KEY_FILE, load_secrets
from sayso.serve import with_accounts
from sayso.store.database import migrate

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["talk"], ["check-llm"], ["fake-llm"], ["keys"], ["link"]]
)
def test_every_command_has_help(command: list[str]) -> None:
    result = RUN.invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_package_is_the_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "sayso", "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in result.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from sayso.cli import app; "
        "heavy = {'numpy', 'fastapi', 'sqlalchemy', 'aiohttp', 'av', 'onnxruntime'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def lay(settings: Settings) -> None:
    """What a server lays at its first start: an empty database, and a master key."""
    migrate(settings.database)
    load_secrets(settings.data_dir, settings.master_key)


class Fails:
    """Runs a command as the terminal does, and gives what it said when it failed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        self._monkeypatch.setattr(sys, "argv", ["sayso", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        told = self._capsys.readouterr().err
        assert "Traceback" not in told
        return told


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fails:
    return Fails(monkeypatch, capsys)


def test_a_bad_setting_is_a_sentence(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_PORT", "a lot")
    assert "SAYSO_PORT" in fails("serve")


def test_before_the_first_start_there_are_no_keys(fails: Fails) -> None:
    assert "sayso: " in fails("keys", "list")


def test_before_the_first_start_nobody_can_sign_in(fails: Fails) -> None:
    lay(Settings())
    assert "no account yet" in fails("link")


@pytest.mark.parametrize("words", [["link"], ["keys", "list"], ["keys", "new"]])
def test_in_another_folder_nothing_is_made_and_the_folder_is_named(
    fails: Fails, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    monkeypatch.delenv("SAYSO_DATA_DIR")
    monkeypatch.chdir(tmp_path)
    told = fails(*words)
    assert str(tmp_path / "sayso-data") in told
    assert "SAYSO_DATA_DIR" in told
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_not_made_for_a_database_that_has_another(fails: Fails) -> None:
    settings = Settings()
    lay(settings)
    (settings.data_dir / KEY_FILE).unlink()
    assert f"{KEY_FILE} is not there" in fails("link")
    assert not (settings.data_dir / KEY_FILE).exists()


def test_a_link_signs_the_owner_in_or_whose_email_is_named(
    fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_SIGN_UP", "open")
    settings = Settings()
    lay(settings)
    ada = NewAccount(email="ada@b.c", password=SecretStr("a long password"))

    async def fill(accounts: Accounts) -> None:
        await accounts.ensure_owner()
        await accounts.people.sign_up(ada, "here")

    asyncio.run(with_accounts(settings, fill))
    urls = set()
    ways: list[list[str]] = [[], ["--email", "Ada@b.c"], ["--url", "https://talk.example/"]]
    for words in ways:
        printed = RUN.invoke(app, ["link", *words]).stdout.strip()
        url, _, token = printed.partition("/sign-in#")
        urls.add(url)

        async def use(accounts: Accounts, token: str = token, words: list[str] = words) -> None:
            browser = await accounts.sessions.begin_by_link(SecretStr(token))
            person = await accounts.people.find(browser.user_id)
            assert person.email == ("ada@b.c" if "--email" in words else None)

        asyncio.run(with_accounts(settings, use))
    assert urls == {"http://127.0.0.1:8400", "https://talk.example"}
    assert "no account with the email" in fails("link", "--email", "nobody@b.c")


@pytest.mark.usefixtures("restored_logs")
def test_a_taken_port_is_said_before_anything_is_loaded(fails: Fails) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "SAYSO_PORT" in fails("serve", "--port", port)
        assert "--port names another" in fails("fake-llm", "--port", port)


def test_a_quirk_that_there_is_not_is_named_with_the_one_that_was_meant() -> None:
    refused = RUN.invoke(app, ["fake-llm", "--quirk", "empy"])
    assert refused.exit_code == 2
    assert "there is no quirk 'empy'; empty is one" in " ".join(refused.output.split())


def test_the_version_is_the_packages() -> None:
    assert RUN.invoke(app, ["--version"]).stdout == f"sayso {__version__}\n"


def test_a_script_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    refused = RUN.invoke(app, ["fake-llm", "--script", str(tmp_path / "none.txt")])
    assert refused.exit_code == 2
    assert "does not exist" in " ".join(refused.output.split())


class TestTalk:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--text", " "], "nothing to say"),
            (["--text", "Hi", "--out", "nowhere/a.wav"], "no such folder"),
        ],
    )
    def test_what_cannot_end_well_is_refused_first(
        self, fails: Fails, words: list[str], told: str
    ) -> None:
        assert told in fails("talk", "agent", *words)

    def test_the_server_is_named_by_option_page_variable_and_settings(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAYSO_PORT", "1111")
        assert _locate("a", None) == ("http://127.0.0.1:1111", "a")
        monkeypatch.setenv("SAYSO_URL", "https://v.example")
        assert _locate("a", None) == ("https://v.example", "a")
        assert _locate("http://here/agent/a", None) == ("http://here", "a")
        assert _locate("http://here/agent/a", "http://there") == ("http://there", "a")

    def test_without_a_server_says_so(self, fails: Fails) -> None:
        told = fails("talk", "http://127.0.0.1:9/agent/nobody", "--text", "Hi")
        assert "cannot be reached" in told
        assert "make serve" in told

    def test_a_file_that_is_no_sound_says_so(self, fails: Fails, tmp_path: Path) -> None:
        path = tmp_path / "question.wav"
        path.write_text("not sound")
        told = fails("talk", "agent", "--in", str(path))
        assert "question.wav cannot be read as sound" in told
        assert "such as a WAV" in told
        assert "Errno" not in told
        write_wav(tmp_path / "short.wav", np.zeros(0, np.float32))
        for name, reason in (
            ("none.wav", f"there is no file {tmp_path}/none.wav"),
            (".", "is a folder"),
            ("short.wav", "has no sound in it"),
        ):
            assert reason in fails("talk", "agent", "--in", str(tmp_path / name))

    def test_a_film_without_sound_and_a_locked_file_say_so(self, tmp_path: Path) -> None:
        path = tmp_path / "film.mp4"
        assert _why_unreadable(path, IndexError()) == f"{path} has no sound in it"
        assert "by this user" in _why_unreadable(path, PermissionError())

    @pytest.mark.parametrize(
        ("url", "with_key", "expected"),
        [
            ("http://127.0.0.1:8400", True, "ws://127.0.0.1:8400/v1/talk/a"),
            ("https://v.example/", False, "wss://v.example/v1/agents/a/start-conversation"),
            ("https://v.example/x/", True, "wss://v.example/x/v1/talk/a"),
        ],
    )
    def test_the_socket_follows_from_the_url(self, url: str, with_key: bool, expected: str) -> None:
        assert socket_url(url, "a", with_key=with_key) == expected


class TestCheckLlm:
    def test_a_closed_port_fails_with_the_finding(self) -> None:
        result = RUN.invoke(app, ["check-llm", "http://127.0.0.1:9"])
        assert result.exit_code == 1
        assert "connect.refused" in result.output

    def test_a_wait_has_a_limit(self) -> None:
        result = RUN.invoke(app, ["check-llm", "http://127.0.0.1:9", "--wait", "3601"])
        assert result.exit_code == 2
        assert "3600" in result.output

    def test_json_is_for_programs(self) -> None:
        result = RUN.invoke(app, ["check-llm", "http://127.0.0.1:9", "--json"])
        assert '"ok": false' in result.stdout


def test_a_variable_without_a_value_is_refused_before_anybody_is_called() -> None:
    result = RUN.invoke(app, ["talk", "agent", "--text", "Hi", "--variable", "name"])
    assert result.exit_code == 2
    assert "write name=value" in result.output
