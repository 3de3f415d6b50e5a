import hashlib
from pathlib import Path

import pytest

import sayso.models
from sayso.errors import InstallationError
from sayso.models import MODELS_DIR, find_entry, locate, read_manifest


def test_every_entry_of_the_manifest_is_pinned_and_licensed() -> None:
    files, libraries = read_manifest()
    names = [file.name for file in files]
    assert len(set(names)) == len(names)
    for file in files:
        assert len(file.sha256) == 64
        assert file.version
        assert file.notice
        assert file.licence in {"MIT", "Apache-2.0", "BSD-2-Clause"}
    assert {"soxr", "av"} <= {library.name for library in libraries}


def test_the_manifest_and_the_dependencies_name_the_same_hibari() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert find_entry("hibari.onnx").source in project.read_text()


@pytest.mark.parametrize("file", read_manifest()[0], ids=lambda file: file.name)
def test_every_file_is_here_and_is_the_pinned_one(file: sayso.models.ModelFile) -> None:
    assert locate(file.name).is_file()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InstallationError, match="no model file is called 'whisper'"):
        locate("whisper")


def test_a_missing_file_names_the_command_and_the_package(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="voice activity detection model") as caught:
        locate("silero-vad.onnx", tmp_path)
    assert caught.value.hint is not None
    assert "python -m sayso.models" in caught.value.hint
    assert "silero-vad==6.2.3" in caught.value.hint


def test_a_damaged_file_is_refused_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "silero-vad.onnx"
    path.write_bytes(b"damaged")
    begins = hashlib.sha256(b"damaged").hexdigest()[:12]
    with pytest.raises(InstallationError, match=f"begins {begins}, not 7671cd04b004"):
        locate("silero-vad.onnx", tmp_path)
    path.write_bytes((MODELS_DIR / "silero-vad.onnx").read_bytes())
    assert locate("silero-vad.onnx", tmp_path) == path


def test_a_file_is_verified_once_per_process(tmp_path: Path) -> None:
    path = tmp_path / "minilm-tokenizer.json"
    path.write_bytes((MODELS_DIR / path.name).read_bytes())
    locate(path.name, tmp_path)
    path.unlink()
    assert locate(path.name, tmp_path) == path


def test_a_dependency_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> None:
        return None

    monkeypatch.setattr(sayso.models, "find_spec", find_nothing)
    with pytest.raises(InstallationError, match=r"hibari-tts==0\.2\.1.* is not installed"):
        locate("hibari.onnx")


def test_another_version_of_a_dependency_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sayso.models, "digest_file", lambda path: "f" * 64)
    sayso.models._verify_once.cache_clear()
    with pytest.raises(
        InstallationError, match=r"is not the one from hibari-tts==0\.2\.1"
    ) as caught:
        locate("hibari.onnx")
    assert caught.value.hint is not None
    assert "installed now: 0.2.1" in caught.value.hint


def test_a_version_that_cannot_be_told_is_left_out() -> None:
    entry = sayso.models.ModelFile("n", "no-such-package", "1", "i", "s", "MIT", "n", "u")
    assert sayso.models._installed_now(entry) == ""
