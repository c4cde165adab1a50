"""Live agents that take and give back leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import claim_writer
from live_processes import live

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


def claimers(control: Path, stop: Path, count: int = 3) -> AbstractContextManager[list[int]]:
    """Live agents that take and give back leases; gives, at the end, how often each has."""
    (control / "locks").mkdir(parents=True)
    return live(claim_writer.__file__, count, str(control), str(stop), stop=stop)
