"""Opens a model with ONNX Runtime the way a server of many conversations needs it.

One thread per run and no spinning: two threads barely help (Moonshine 86 -> 99 ms), while a
spinning pool takes the core that another conversation's run is waiting for.

And the same answers on every processor: one without VNNI (AMD before Zen 4, most Intel desktops
before Alder Lake) adds products of 8-bit numbers in 16 bits, which overflow. Smart Turn then takes
55 of 100 halves of sentences for finished ones, 45 with the exact sums, which cost it 5 %.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sayso.errors import InstallationError

ERRORS_ONLY = 3
EXACT_SUMS = "session.x64quantprecision"


def open_session(path: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Load the model at `path`; the session may be run from several threads at once.

    Raises:
        InstallationError: ONNX Runtime is missing, or cannot read the model.
    """
    try:
        import onnxruntime as ort  # noqa: PLC0415 - 120 ms that only a serving process pays
    except ImportError as error:
        raise InstallationError(
            f"onnxruntime, which runs the bundled speech models, cannot be loaded: {error}",
            hint="Run `pip install onnxruntime`.",
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry(EXACT_SUMS, "1")
    options.log_severity_level = ERRORS_ONLY
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, straight below Exception
        raise InstallationError(f"ONNX Runtime cannot read the model {path}: {error}") from error
