"""Finds speech engines by entry point, ours and anybody's.

A package adds an engine by declaring, say,

    [project.entry-points."sayso.stt"]
    mine = "my_package:MyStt"

where `MyStt(config)` takes one `EngineConfig` and satisfies `sayso.stt.Stt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from sayso.errors import InstallationError


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What every engine is made from.

    Attributes:
        models_dir: folder with the bundled model files (`sayso.models`).
        workers: how many inferences may run at the same time.
        timeout_s: the longest one inference may take, in seconds.
        options: the operator's `SAYSO_<ROOM>_OPTIONS`, engine-specific strings; keys are among
            them, so that no `repr` shows them.
        outbound_private: whether private and loopback addresses may be called
            (`SAYSO_OUTBOUND_PRIVATE`), for engines that ask a server.
    """

    models_dir: Path
    workers: int = 1
    timeout_s: float = 15.0
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    outbound_private: bool = True


def load_engine(group: str, name: str, config: EngineConfig) -> Any:  # noqa: ANN401
    """Make the engine `name` of entry-point group `group` (`sayso.stt`, `sayso.tts`, `sayso.vad`).

    Raises:
        InstallationError: no installed package declares that engine.
    """
    found = {point.name: point for point in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise InstallationError(
            f"no {group} engine is called {name!r} (installed: {known})",
            hint="Check the setting, or install the package that carries the engine.",
        )
    factory = cast("Callable[[EngineConfig], Any]", found[name].load())
    return factory(config)
