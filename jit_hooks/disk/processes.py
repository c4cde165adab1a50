"""The processes of this machine."""

from __future__ import annotations

import os


def is_dead(process: int) -> bool:
    """True if no process of this machine has this id; asking does nothing to one that has."""
    if not 0 < process < 1 << 31:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
