"""Time and memory of real processes, and medians of interleaved runs.

Absolute times do not travel, and a busy machine slows whatever runs at that moment. So what is compared runs in
turns, A B A B, and only the ratio of the medians is kept.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BARE_SHARE = 0.73
"""What ``python -I -S -c pass`` costs of one ``x``."""

BARE = (sys.executable, "-I", "-S", "-c", "pass")


class BenchError(Exception):
    """A process that was to be measured did not do what it was to do: its time would mean nothing."""


@dataclass(frozen=True)
class Sample:
    """One run of a process: seconds on the clock, seconds of processor time, peak kilobytes, and what it printed."""

    wall: float
    cpu: float
    peak: int
    output: bytes = b""


@dataclass(frozen=True)
class Command:
    """A process to start.

    Attributes:
        words: program and arguments.
        where: the directory to start it in.
        environment: all of its environment.
        given: a file it reads as stdin.
        reads: whether its output is read while it runs, as a caller would; else it goes to a file.
        codes: exit codes that mean it did what it was to do.
    """

    words: Sequence[str]
    where: Path
    environment: Mapping[str, str]
    given: Path | None = None
    reads: bool = False
    codes: tuple[int, ...] = (0,)

    def run(self) -> Sample:
        """Run it once.

        Raises:
            BenchError: it ended with another exit code.
        """
        os.chdir(self.where)
        said = Path(self.environment["HOME"]) / "said"
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, str(self.given or os.devnull), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(said), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pipe = os.pipe() if self.reads else None
        if pipe is not None:
            actions[1] = (os.POSIX_SPAWN_DUP2, pipe[1], 1)
            actions[2] = (os.POSIX_SPAWN_OPEN, 2, str(said), flags, 0o600)
        began = time.perf_counter()
        child = os.posix_spawnp(self.words[0], list(self.words), self.environment, file_actions=actions)
        output = b""
        if pipe is not None:
            os.close(pipe[1])
            output = _drain(pipe[0])
            os.close(pipe[0])
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - began
        code = os.waitstatus_to_exitcode(status)
        if code not in self.codes:
            text = (output + said.read_bytes())[-2000:].decode("utf-8", "replace")
            message = f"{' '.join(self.words)} ended with {code}, not {self.codes}:\n{text}"
            raise BenchError(message)
        return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, output)


def _drain(descriptor: int) -> bytes:
    pieces: list[bytes] = []
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


@dataclass
class Times:
    """The runs of several candidates, taken in turns."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def median(self, name: str, kind: str = "wall") -> float:
        """The median of one candidate: ``wall`` or ``cpu`` seconds."""
        return statistics.median(sample.wall if kind == "wall" else sample.cpu for sample in self.samples[name])

    def ratio(self, name: str, floor: str, kind: str = "wall") -> float:
        """The ratio of two medians."""
        return self.median(name, kind) / self.median(floor, kind)

    def in_x(self, name: str, kind: str = "wall") -> float:
        """A median in units of ``x``; wants ``bare`` among the candidates."""
        return self.ratio(name, "bare", kind) * BARE_SHARE

    def as_json(self) -> dict[str, dict[str, float]]:
        """Median, quartiles and processor time of each candidate, in milliseconds."""
        told = {}
        for name, samples in self.samples.items():
            walls = sorted(1000 * sample.wall for sample in samples)
            quarter = len(walls) // 4
            told[name] = {
                "runs": len(walls),
                "median": round(statistics.median(walls), 3),
                "lower": round(walls[quarter], 3),
                "upper": round(walls[-1 - quarter], 3),
                "cpu": round(1000 * self.median(name, "cpu"), 3),
            }
        return told


def interleave(runs: int, **candidates: Callable[[int], Sample]) -> Times:
    """Run every candidate once a round, round after round; each is told the number of the round.

    Round 0 warms up and is not counted; every second round goes backwards, so that nobody always follows the same
    other one.
    """
    times = Times({name: [] for name in candidates})
    for number in range(runs + 1):
        order = list(candidates.items())
        for name, candidate in order if number % 2 == 0 else reversed(order):
            sample = candidate(number)
            if number:
                times.samples[name].append(sample)
    return times
