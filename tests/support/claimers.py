"""Live agents that take and give back leases."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import claim_writer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def claimers(control: Path, stop: Path, count: int = 3) -> Iterator[list[int]]:
    """Live agents that take and give back leases; gives, at the end, how often each has."""
    (control / "locks").mkdir(parents=True)
    program = str(Path(claim_writer.__file__))
    children = [
        subprocess.Popen([sys.executable, program, str(number), str(control), str(stop)], stdout=subprocess.PIPE)
        for number in range(count)
    ]
    done: list[int] = []
    try:
        yield done
    finally:
        stop.touch()
        done += [int(child.communicate(timeout=120)[0] or -1) for child in children]
    assert all(child.returncode == 0 for child in children)
