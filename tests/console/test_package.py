"""The package carries the built pages: sdist, wheel of the sdist, and what is installed of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

from console.programs import READY, running
from sayso.console.built import CONSOLE

ROOT = Path(__file__).parents[2]
SCRIPT = re.compile(r'src="(/static/console/assets/[^"]+)"')


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the sdist, as whoever publishes it makes it, where there is no Node."""
    if find_spec("hatchling") is None:
        pytest.skip("needs hatchling")
    if not (CONSOLE / "index.html").exists():
        pytest.skip("needs the built console: `make console`")
    folder = tmp_path_factory.mktemp("package")
    build("sdist", ROOT, folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    build("wheel", next((folder / "unpacked").iterdir()), folder)
    return next(folder.glob("*.whl"))


def build(kind: str, source: Path, folder: Path) -> None:
    """Pack `source`; with what was built, and nothing to build it with."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder],
        cwd=source, env=os.environ | {"PATH": "/nowhere"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "may be old" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel in it.

    What it stands on is lent from the environment of the tests: the lock file is tested elsewhere.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home)  # without pip, which takes longer to install than the wheel
    python = home / "bin" / "python"
    own = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python,
         "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
    )  # fmt: skip
    (Path(own) / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def test_an_installed_wheel_serves_the_console(installed: Path, tmp_path: Path) -> None:
    environment = {"SAYSO_DATA_DIR": str(tmp_path), "SAYSO_PORT": "0", "PYTHONPATH": ""}
    with running(READY, "serve", python=installed, **environment) as found:
        origin = found[1].partition("/sign-in")[0]
        page = read(f"{origin}/")
        assert '<div id="root">' in page
        [script] = SCRIPT.findall(page)
        assert len(read(origin + script)) > 1000
        assert "customElements" in read(f"{origin}/widget.js")
    where = subprocess.run(
        [installed, "-c", "import sayso; print(sayso.__file__)"],
        env=os.environ | {"PYTHONPATH": ""}, cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed.parents[1]))


def read(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        text: str = answer.read().decode()
        return text
