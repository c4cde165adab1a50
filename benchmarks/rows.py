"""The rows: what is measured against what, and what each must reach."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import BARE, BenchError, Sample, interleave
from workload import PROJECT, Bench, Staged

from jit_hooks.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JUDGE_ONCE = str(Path(__file__).parent / "judge_once.py")
LIVE_SEED = 7
VALIDATE_10X = 86.0
"""`jit validate`, whole process, at 10x: 1.12 s where a bare interpreter took 13 ms at the slowest."""


@dataclass
class Row:
    """One line of the table.

    Attributes:
        name: ``P1`` to ``P6``, ``M1``, ``M2``.
        what: what was run.
        target: what it must reach, in words.
        measured: what it reached, in words.
        floor: what it was measured against, and what that took.
        met: whether the target is reached; None where there is none, or nothing was measured.
        details: everything else, for the file.
    """

    name: str
    what: str
    target: str = ""
    measured: str = ""
    floor: str = ""
    met: bool | None = None
    details: dict[str, object] = field(default_factory=dict)


def gate(bench: Bench) -> Iterator[Row]:
    """P1: the hook file when nothing under the store is staged."""
    top = bench.clone(bench.repository(bench.scale(1)), "gate", files=False)
    hook = bench.install(top)
    blob = bench.git(top, "hash-object", "-w", "--stdin", data=b"two\n")
    bench.git(top, "update-index", "--cacheinfo", f"100644,{blob},notes.txt")
    ours = bench.command(str(hook), where=top, GIT_INDEX_FILE=".git/index")
    # It says that something is staged: that file outside the store.
    words = ("git", "diff-index", "--cached", "--quiet", "HEAD")
    git = bench.command(*words, where=top, GIT_INDEX_FILE=".git/index", codes=(1,))
    times = interleave(bench.runs(60), ours=lambda _: ours.run(), git=lambda _: git.run())
    ratio = times.ratio("ours", "git")
    yield Row(
        "P1",
        "hook file, nothing staged in the store",
        "< 2x",
        f"{ratio:.2f}x",
        f"git diff-index --cached --quiet: {1000 * times.median('git'):.1f} ms",
        ratio < 2,
        {"ratio": ratio, "ratio_cpu": times.ratio("ours", "git", "cpu"), "times_ms": times.as_json()},
    )


def _hook_runs(bench: Bench, scale: int, runs: int) -> tuple[list[Staged], Callable[[int], Sample]]:
    """Commits to judge, one a round, and what runs the installed hook file on them."""
    staged = bench.staged(scale, runs + 1)
    if any(one.records != 3 for one in staged):
        raise BenchError("a staged commit is not of three records")
    hook = staged[0].top / ".git" / "hooks" / "pre-commit"

    def run(number: int) -> Sample:
        one = staged[number]
        return bench.command(str(hook), where=one.top, GIT_INDEX_FILE=str(one.index)).run()

    return staged, run


def _take_hot_path(bench: Bench, one: Staged) -> None:
    """Refuse to measure a commit that leaves the hot path: its time would be that of something else.

    Raises:
        BenchError: it does.
    """
    program = (
        "import subprocess, sys\n"
        "from jit_hooks.git.command import Git\n"
        "from jit_hooks.git.repository import Repository\n"
        "from jit_hooks.hooks.hot import is_plainly_healthy\n"
        "words = 'git diff-index --cached --raw --no-abbrev --no-renames HEAD -- .jit'.split()\n"
        "sys.exit(not is_plainly_healthy(subprocess.check_output(words), Repository(Git(), '.jit/')))\n"
    )
    bench.command(sys.executable, "-c", program, where=one.top, GIT_INDEX_FILE=str(one.index)).run()


def hook(bench: Bench) -> Iterator[Row]:
    """P2: the hook file with three records staged, other ones each time."""
    runs = bench.runs(40)
    staged, run = _hook_runs(bench, bench.scale(1), runs)
    _take_hot_path(bench, staged[0])
    times = interleave(runs, ours=run, bare=bench.bare)
    ratio = times.in_x("ours")
    yield Row(
        "P2",
        "hook file, 3 records staged",
        "<= 4x",
        f"{ratio:.2f}x",
        f"x = {1000 * times.median('bare') / 0.73:.1f} ms",
        ratio <= 4,
        {"ratio": ratio, "ratio_cpu": times.in_x("ours", "cpu"), "stretch": 3.3, "times_ms": times.as_json()},
    )


def growth(bench: Bench) -> Iterator[Row]:
    """P2b: the same at ten times the size, without what git needs to hand over the two logs."""
    runs = bench.runs(15)
    candidates: dict[str, Callable[[int], Sample]] = {}
    for name, scale in (("small", bench.scale(1)), ("big", bench.scale(10))):
        staged, run = _hook_runs(bench, scale, runs)
        _take_hot_path(bench, staged[0])
        candidates[name] = run
        candidates[f"{name}_logs"] = _log_reader(bench, staged)
    times = interleave(runs, **candidates)
    small = times.median("small") - times.median("small_logs")
    big = times.median("big") - times.median("big_logs")
    yield Row(
        "P2b",
        "the same at 10x, less cat-file of the logs",
        "<= 1.3 of 1x",
        f"{big / small:.2f}",
        f"at 1x: {1000 * small:.1f} ms",
        big / small <= 1.3,
        {"ratio": big / small, "big_ms": 1000 * big, "small_ms": 1000 * small, "times_ms": times.as_json()},
    )


def _log_reader(bench: Bench, staged: list[Staged]) -> Callable[[int], Sample]:
    def read(number: int) -> Sample:
        one = staged[number]
        return bench.command("git", "cat-file", "--batch", where=one.top, given=one.logs, reads=True).run()

    return read


def full(bench: Bench) -> Iterator[Row]:
    """P3: the whole store, judged in process and by the command."""
    real = bench.real_store()
    yield from _full_at(bench, real or bench.repository(bench.scale(1)), "real store" if real else "1x", bench.runs(15))
    yield from _full_at(bench, bench.repository(bench.scale(10)), "10x", bench.runs(5))


def _full_at(bench: Bench, top: Path, size: str, runs: int) -> Iterator[Row]:
    # The corpus holds the store alone: none of the documents that its issues name.
    judged = bench.command(sys.executable, JUDGE_ONCE, "--ignore", "document", where=top, reads=True)
    whole = bench.command(*bench.ours("jit-check", "--quiet", "--ignore", "document"), where=top)
    empty = bench.command(*bench.ours("empty-typer"), where=top)
    inside: dict[int, dict[str, object]] = {}

    def judge(number: int) -> Sample:
        sample = judged.run()
        inside[number] = json.loads(sample.output)
        seconds = inside[number]["seconds"]
        assert type(seconds) is float
        return Sample(seconds, seconds, sample.peak)

    times = interleave(runs, judged=judge, whole=lambda _: whole.run(), empty=lambda _: empty.run(), bare=bench.bare)
    in_process, process, start = times.in_x("judged"), times.in_x("whole"), times.in_x("empty")
    details = {**inside[1], "judged_x": in_process, "whole_x": process, "empty_x": start, "times_ms": times.as_json()}
    floor = f"x = {1000 * times.median('bare') / 0.73:.1f} ms"
    is_one = size != "10x"
    yield Row(
        "P3",
        f"full check in process, {size}",
        "<= 8x" if is_one else "",
        f"{in_process:.1f}x",
        floor,
        in_process <= 8 if is_one else None,
        details,
    )
    limit = start + 8 if is_one else VALIDATE_10X
    yield Row(
        "P3",
        f"jit-check, {size}",
        f"<= empty typer command + 8x = {limit:.1f}x" if is_one else f"< `jit validate`: {limit:.0f}x",
        f"{process:.1f}x",
        f"empty typer command: {start:.1f}x",
        process <= limit,
        details,
    )


def history(bench: Bench) -> Iterator[Row]:
    """P4: every commit of a history."""
    top = bench.real_store() or bench.history(20 if bench.quick else 300)
    commits = int(bench.git(top, "rev-list", "--count", "HEAD"))
    words = bench.ours("jit-check", "--quiet", "--ignore", "document", "--range", "HEAD")
    errors = ",".join(row.code for row in CHECKS if row.severity == "error")
    ours = bench.command(*words, "--select", errors, where=top, codes=(0, 1))
    full = bench.command(*words, where=top, codes=(0, 1))
    times = interleave(bench.runs(3), ours=lambda _: ours.run(), full=lambda _: full.run(), bare=bench.bare)
    floor = f"x = {1000 * times.median('bare') / 0.73:.1f} ms"
    for name, what in (("ours", "all checks of severity error"), ("full", "all checks")):
        speed = commits / times.median(name)
        yield Row(
            "P4",
            f"jit-check --range HEAD, {commits} commits, {what}",
            ">= 200 commits/s" if name == "ours" else "",
            f"{speed:.0f} commits/s",
            floor,
            speed >= 200 if name == "ours" else None,
            {"commits_a_second": speed, "commits_a_x": commits / times.in_x(name), "times_ms": times.as_json()},
        )


def memory(bench: Bench) -> Iterator[Row]:
    """P5: peak memory of the largest of the processes of a full check, at a hundred times the size."""
    scale = bench.scale(100)
    top = bench.tracked_store(scale)
    # A process begins with the peak of the one that starts it, so a small one stands between.
    between = (
        "import os, sys; child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n"
        "_, status, usage = os.wait4(child, 0); print(usage.ru_maxrss); sys.exit(os.waitstatus_to_exitcode(status))\n"
    )
    words = (*BARE[:-1], between, *bench.ours("jit-check", "--quiet"))
    sample = bench.command(*words, where=top, reads=True).run()
    kilobytes = int(sample.output.split()[-1])
    megabytes = kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024)
    yield Row(
        "P5",
        f"peak memory of jit-check, {scale}x",
        "< 300 MB",
        f"{megabytes:.0f} MB",
        f"took {sample.wall:.1f} s",
        megabytes < 300,
        {"megabytes": megabytes, "seconds": sample.wall},
    )


def alive(bench: Bench) -> Iterator[Row]:
    """P6: a thousand checks beside eight live writers; a fresh store now and then, for writers make it grow."""
    rounds, checks = (1, 20) if bench.quick else (20, 50)
    sys.path.append(str(PROJECT / "tests"))
    writers = import_module("live_writers")
    answers: Counter[str] = Counter()
    false: Counter[str] = Counter()
    seconds = 0.0
    for number in range(rounds):
        top = bench.scratch / f"alive-{number}"
        top.mkdir()
        writers.lay_out(top, LIVE_SEED + number)
        bench.git(top, "init", "--quiet", "--initial-branch=main", "--template=", ".")
        bench.git(top, "add", "--all")
        bench.git(top, "commit", "--quiet", "--message=store")
        with _live_writers(bench, writers, top, LIVE_SEED + number):
            sample = bench.command(sys.executable, JUDGE_ONCE, "--times", str(checks), where=top, reads=True).run()
        seconds += sample.wall
        for line in sample.output.splitlines():
            told = json.loads(line)
            answers[told["verdict"]] += 1
            false.update(told["errors"])
        shutil.rmtree(top)
    yield Row(
        "P6",
        f"{rounds * checks} checks beside {writers.COUNT} live writers",
        "0 false errors",
        f"{false.total()} false errors",
        f"{answers['healthy']} healthy, {answers['busy']} busy",
        false.total() == 0 and answers["healthy"] > 0.9 * rounds * checks,
        {"answers": dict(answers), "false": dict(false), "seconds": seconds},
    )


@contextlib.contextmanager
def _live_writers(bench: Bench, writers: object, top: Path, seed: int) -> Iterator[None]:
    """Writers of both trackers on one store, until the end; each must have done something.

    Raises:
        BenchError: one of them failed or stood still.
    """
    stop = top / "stop"
    program, count = str(getattr(writers, "__file__", "")), int(getattr(writers, "COUNT", 0))
    children = [
        subprocess.Popen(
            (sys.executable, program, str(number), str(seed), str(top / ".jit"), str(stop), "1000000"),
            env=bench.environment,
            stdout=subprocess.PIPE,
        )
        for number in range(count)
    ]
    try:
        yield
    finally:
        stop.touch()
        done = [int(child.communicate(timeout=300)[0] or 0) for child in children]
    if min(done) == 0 or any(child.returncode for child in children):
        message = f"a writer stood still or failed: {done}"
        raise BenchError(message)


ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "P1": gate,
    "P2": hook,
    "P2b": growth,
    "P3": full,
    "P4": history,
    "P5": memory,
    "P6": alive,
}
