"""A PostgreSQL cluster of one's own: on loopback, with a password, thrown away at the end.

By hand: `python tests/postgres.py` runs one until Ctrl+C, and prints the URL of an empty database.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from ports import free_port
from sayso.store.database import migrate

PASSWORD = "canary-postgres-password"
START_WITHIN_S = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Nothing has to outlive the tests, and disks are slow.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "log_min_messages": "fatal",
}


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`; Debian keeps it from the PATH."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts)
    if there:
        return there[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@dataclass
class Cluster:
    """A running cluster."""

    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _template: str | None = None

    def url(self, database: str) -> str:
        """Where a database of this cluster is."""
        return f"postgresql://sayso:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def make_empty(self, *, encoding: str = "UTF8") -> str:
        """Make a database without tables; its URL."""
        name = f"empty{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
        return self.url(name)

    def make(self) -> str:
        """Make a database with all tables; its URL."""
        if self._template is None:
            url = self.make_empty()
            migrate(url)
            self._template = url.rpartition("/")[2]
        name = f"made{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever still uses it."""
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def run(self, statement: str, *, database: str = "postgres") -> list[Any]:
        """Run one statement, from outside of any event loop."""
        return asyncio.run(self.ask(statement, database=database))

    async def ask(self, statement: str, *, database: str = "postgres") -> list[Any]:
        """Run one statement."""
        import asyncpg

        connection = await asyncpg.connect(self.url(database))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()


@contextmanager
def running_postgres() -> Iterator[Cluster]:
    """Run a new cluster until the end of the block; as the user `postgres` where this is root."""
    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory(prefix="sayso-postgres-") as name:
        folder = Path(name)
        as_user = _user_of(folder)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "sayso", "-E", "UTF8", "-N",
             "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={secret}"],
            check=True, capture_output=True, cwd=folder, **as_user,
        )  # fmt: skip
        cluster = Cluster(free_port())
        settings = {**SETTINGS, "port": str(cluster.port)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*_ends_with_us(), programs / "postgres", "-D", folder / "data", *options],
                cwd=folder, stdout=log, stderr=log, **as_user,
            )  # fmt: skip
        try:
            _wait_for(cluster, server, folder / "log")
            yield cluster
        finally:
            server.send_signal(2)  # whoever is connected is thrown out
            server.wait(30)


def _user_of(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _ends_with_us() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _wait_for(cluster: Cluster, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_WITHIN_S
    while True:
        try:
            cluster.run("SELECT 1")
        except Exception:  # noqa: BLE001 it is not there yet, in whatever way
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(log.read_text()) from None
            time.sleep(0.02)
        else:
            return


def main() -> None:
    with running_postgres() as cluster:
        print(cluster.make_empty(), flush=True)
        try:
            time.sleep(float("inf"))
        except (KeyboardInterrupt, OverflowError):
            return


if __name__ == "__main__":
    main()
