"""`python -m sayso.models`: lay the model files, or print NOTICE."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sayso.errors import InstallationError
from sayso.models import COMMAND, MODELS_DIR
from sayso.models.fetch import fetch
from sayso.models.notice import write_notice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when the folder is complete, 1 with a sentence when it is not."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Lay the bundled model files.")
    parser.add_argument("--models-dir", type=Path, default=MODELS_DIR, help="where to lay them")
    parser.add_argument("--notice", action="store_true", help="print NOTICE and do nothing else")
    chosen = parser.parse_args(arguments)
    if chosen.notice:
        sys.stdout.write(write_notice())
        return 0
    try:
        fetch(chosen.models_dir, say=_say)
    except InstallationError as error:
        _say(f"models: {error}")
        if error.hint:
            _say(f"models: {error.hint}")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
