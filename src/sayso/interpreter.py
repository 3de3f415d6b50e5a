"""Children that run our own code: the same interpreter, and nothing else of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def make_command(module: str, *arguments: str) -> list[str]:
    """What runs `module` of ours in a process of its own."""
    return [sys.executable, "-P", "-s", "-m", module, *arguments]


def make_environment() -> dict[str, str]:
    """Where it finds its imports; no setting and no secret is among it."""
    places = [place for place in sys.path if Path(place).is_absolute()]
    return {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
