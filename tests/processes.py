"""Whether a process is there."""

from __future__ import annotations

import os


def is_alive(pid: int) -> bool:
    """Whether there is one of this number; one that has ended counts until it is waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
