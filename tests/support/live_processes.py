"""Processes that work beside a test until it tells them to stop."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGUN = "begun\n"
"""What a process says once it is at work."""


@contextmanager
def live(program: str, count: int, *arguments: str, stop: Path) -> Iterator[list[int]]:
    """So many processes of a program, all of them at work; gives, at the end, how much each has done.

    Each is told its number, then the arguments; it stops when the stop file is there, and says how much it has done.
    """
    children = [
        subprocess.Popen([sys.executable, program, str(number), *arguments], stdout=subprocess.PIPE, text=True)
        for number in range(count)
    ]
    done: list[int] = []
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == BEGUN
        yield done
    finally:
        stop.touch()
        done += [int(child.communicate(timeout=120)[0] or -1) for child in children]
        stop.unlink()
    assert all(child.returncode == 0 for child in children)


def say_begun() -> None:
    """Tell the test that this process is at work."""
    sys.stdout.write(BEGUN)
    sys.stdout.flush()
