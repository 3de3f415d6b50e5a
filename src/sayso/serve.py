"""Starts a server: prepares what it needs, shows progress, prints whom to talk to."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import typer
import uvicorn
from pydantic import SecretStr

from sayso.accounts.schema import read_rules
from sayso.accounts.service import Accounts
from sayso.app import Server
from sayso.clock import SystemClock
from sayso.config import Settings
from sayso.errors import InstallationError
from sayso.memory import settle
from sayso.observe.logs import set_up_logs
from sayso.security.secrets import KEY_FILE, load_secrets
from sayso.store.database import Database, find_file, migrate
from sayso.transport.breath import BreathingWebSocket
from sayso.welcome import Welcome

PING_INTERVAL_S, PING_TIMEOUT_S = 10.0, 20.0


def run_server(settings: Settings) -> None:
    """Run until interrupted.

    Raises:
        InstallationError: something this machine needs is missing; says what.
    """
    set_up_logs(settings.log_level, settings.log_format)
    _refuse_taken_port(settings)
    with _step("Preparing the database"):
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrate(settings.database)
    with _step("Reading the code of the server"):
        server = Server(settings)
    with _step("Loading ears, voice and mind") as done:

        def loaded() -> None:
            settle()
            done()

        _Announcing(uvicorn_config(server, settings), server, settings, loaded).run()


def _refuse_taken_port(settings: Settings) -> None:
    """Say so before anything is loaded, not after."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.create_server((settings.host, settings.port), family=family):
            return
    except OSError as error:
        raise InstallationError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}",
            hint="Another server may be running there; SAYSO_PORT names another port.",
        ) from None


def uvicorn_config(server: Server, settings: Settings) -> uvicorn.Config:
    """Uvicorn as a voice server needs it.

    Deflate is off: it costs a third more CPU a call and mostly undoes base64. Messages are
    bounded; the drain is ours (`Door.empty`), so uvicorn need not wait long for sockets.
    """
    return uvicorn.Config(
        server.app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        ws=BreathingWebSocket,
        ws_per_message_deflate=False,
        ws_max_size=settings.max_message_bytes,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        timeout_graceful_shutdown=max(1, round(settings.drain_s)),
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
    )


class _Announcing(uvicorn.Server):
    """Prints the welcome once the socket is open, when it is true."""

    def __init__(
        self, config: uvicorn.Config, server: Server, settings: Settings, done: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._server = server
        self._settings = settings
        self._done = done

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started and self._server.welcome is not None:
            self._done()
            port = self.servers[0].sockets[0].getsockname()[1]
            settings = self._settings.model_copy(update={"port": port})
            typer.echo(describe(self._server.welcome, settings))

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Say goodbye to callers first: uvicorn would just close their lines."""
        await self._server.door.empty(self._settings.drain_s)
        await super().shutdown(sockets)  # type: ignore[arg-type]


def describe(welcome: Welcome, settings: Settings) -> str:
    """What a person at the terminal needs now: where to sign in, and whom to talk to."""
    url = settings.url
    lines = [
        "",
        f"  Sayso is ready at {url}",
        "",
        f"  Sign in    {sign_in_url(url, welcome.link)}",
        f"             {_once(settings)}",
    ]
    if welcome.agent_id:
        page = f"{url}/agent/{welcome.agent_id}"
        lines += [
            "",
            f"  Talk       {page}",
            f'  or here    {_command()} talk {page} --text "What is Sayso?"',
        ]
    lines += ["", f"  User id    {welcome.user_id}"]
    if welcome.api_key is not None:
        lines += [
            f"  API key    {welcome.api_key.get_secret_value()}",
            "             Write it down: it is shown only this once.",
        ]
    return "\n".join([*lines, f"  REST API   {url}/docs", "", "  Ctrl+C stops the server.", ""])


def _once(settings: Settings) -> str:
    return f"Once, for {settings.sign_in_link_min:g} minutes; `{_command()} link` prints another."


def sign_in_url(url: str, link: SecretStr) -> str:
    """The page that signs in with `link`, behind a `#`: browsers send that to no server."""
    return f"{url}/sign-in#{link.get_secret_value()}"


def _command() -> str:
    """How this program was started, as it can be typed again here."""
    started = os.path.relpath(sys.argv[0])
    return "sayso" if started.startswith("..") else started


@contextmanager
def _step(what: str) -> Iterator[Callable[[], None]]:
    """Say what is being done, and how long it took once the given function is called."""
    started_s = time.monotonic()
    typer.echo(f"{what} …", nl=False)
    told = False

    def done() -> None:
        nonlocal told
        if not told:
            told = True
            typer.echo(f" {time.monotonic() - started_s:.1f} s")

    try:
        yield done
    finally:
        done()


async def with_accounts(settings: Settings, act: Callable[[Accounts], Awaitable[None]]) -> None:
    """Let `act` work on the accounts of the installation, with or without a running server.

    Raises:
        InstallationError: there is no installation here; none is made.
    """
    _refuse_no_installation(settings)
    await asyncio.to_thread(migrate, settings.database)
    database = Database(settings.database)
    try:
        secrets = load_secrets(settings.data_dir, settings.master_key)
        await act(Accounts(database, secrets, SystemClock(), read_rules(settings)))
    finally:
        await database.close()


def _refuse_no_installation(settings: Settings) -> None:
    """What a server makes at its first start must be there: whoever asks may be in a wrong folder.

    A database and a master key made here would be another installation, of no use to anyone.
    """
    needed = [find_file(settings.database)]
    if settings.master_key is None:
        needed.append(settings.data_dir / KEY_FILE)
    missing = [path for path in needed if path is not None and not path.exists()]
    if missing:
        raise InstallationError(
            f"there is no account yet in {settings.data_dir.absolute()}: {missing[0].name} is "
            "not there",
            hint="If a server runs, set SAYSO_DATA_DIR to its data folder, or go to where it was "
            "started. If none does, `sayso serve` makes the folder and an account.",
        )
