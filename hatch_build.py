"""Puts the built console into every wheel and sdist; hatch finds this file by its name."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Console(BuildHookInterface[Any]):
    """Builds the pages before a package is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatch; who works on the code runs `make console` when they want it."""
        del build_data
        if version == "editable" or os.environ.get("SAYSO_CONSOLE") == "skip":
            return
        build = runpy.run_path(str(Path(self.root) / "console" / "build.py"))
        try:
            build["build_pages"]()
        except build["BuildError"] as error:
            if not build["is_built"]():
                raise
            self.app.display_warning(f"the pages in this package may be old: {error}")
