import sys
from pathlib import Path

import pytest

from sayso.errors import InstallationError
from sayso.models import locate
from sayso.models.session import EXACT_SUMS, open_session


def test_a_session_has_one_thread_and_never_spins() -> None:
    options = open_session(locate("silero-vad.onnx")).get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_the_sums_of_small_numbers_are_exact_on_every_processor() -> None:
    options = open_session(locate("smart-turn.onnx")).get_session_options()
    assert options.get_session_config_entry(EXACT_SUMS) == "1"


def test_what_is_no_model_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ear.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(InstallationError, match=r"cannot read the model .*ear\.onnx"):
        open_session(path)


def test_a_missing_runtime_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InstallationError, match="onnxruntime, which runs"):
        open_session(Path("any"))
