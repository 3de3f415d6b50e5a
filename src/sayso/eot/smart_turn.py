"""Smart Turn v3.2 on ONNX Runtime: the bundled end-of-turn judge.

It looks at the last 8 s of a turn and hears whether the melody is closed. About 100 ms of one core
for each pause, so it runs in threads of its own, and a judgement that could not come in time is not
begun: the words decide alone then.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.eot import LISTENS_BACK_S
from sayso.eot.mel import draw_mel
from sayso.errors import LESS_WORK, SpeechError
from sayso.models import locate
from sayso.models.session import open_session

INPUT_SAMPLES = int(LISTENS_BACK_S * EAR_RATE_HZ)

MAX_WAITING_PER_WORKER = 4
"""Judgements that may wait for each worker. The fifth would come 0.5 s later, when the pause is
over anyway."""


class SmartTurn:
    """The engine; see `sayso.eot.Eot`. Each worker is one thread; all share the session."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._most = config.workers * (1 + MAX_WAITING_PER_WORKER)
        self._asked = 0
        self._session: Any = None
        self._workers: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        self._workers = ThreadPoolExecutor(self._config.workers, thread_name_prefix="smart-turn")
        self._session = await asyncio.get_running_loop().run_in_executor(
            self._workers, load_judge, self._config.models_dir
        )

    async def judge(self, samples: Samples) -> float | None:
        """How likely the turn is over; None while too many others wait for an answer.

        Raises:
            SpeechError: the judge is not open, failed, or took too long.
        """
        if self._session is None or self._workers is None:
            raise SpeechError("the end-of-turn judge is not open")
        if self._asked >= self._most:
            return None
        work = asyncio.get_running_loop().run_in_executor(
            self._workers, judge_turn, self._session, samples
        )
        self._asked += 1
        try:
            return await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError as error:
            raise SpeechError(
                f"no judgement came within {self._config.timeout_s:g} s; this machine is too busy",
                hint=f"{LESS_WORK}, or set SAYSO_EOT=rules, which needs hardly any; "
                "SAYSO_EOT_WORKERS helps only where cores are idle.",
            ) from error
        finally:
            self._asked -= 1

    async def close(self) -> None:
        """Let go of the model; a judgement under way is left to end by itself."""
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = self._session = None


def load_judge(models_dir: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """The model, warmed by one run over silence."""
    session = open_session(locate("smart-turn.onnx", models_dir))
    judge_turn(session, np.zeros(EAR_RATE_HZ, np.float32))
    return session


def judge_turn(session: Any, samples: Samples) -> float:  # noqa: ANN401
    """How likely the turn that ends with `samples` is over. Raises SpeechError."""
    try:
        picture = draw_mel(fit(samples))
        (answer,) = session.run(None, {"input_features": picture[None]})
    except Exception as error:  # onnxruntime raises its own classes, straight below Exception
        raise SpeechError(f"the end-of-turn judge failed: {error}") from error
    return float(answer.ravel()[0])


def fit(samples: Samples) -> Samples:
    """The last 8 s, with silence before what is shorter."""
    last = np.asarray(samples, np.float32)[-INPUT_SAMPLES:]
    return np.pad(last, (INPUT_SAMPLES - len(last), 0))
