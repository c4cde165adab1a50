"""The frameworks, for comparison: a trivial hook under pre-commit and prek beside our native hook, on one commit."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Command, Sample, interleave
from rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workload import Bench

TRIVIAL = """repos:
- repo: local
  hooks:
  - {id: trivial, name: trivial, language: system, entry: "true", files: ^\\.jit/, pass_filenames: false}
"""


def peers(bench: Bench) -> Iterator[Row]:
    """Our hook on three staged records, and the frameworks running ``true`` on the same commit."""
    found = {
        name: program
        for name in ("pre-commit", "prek")
        if (program := shutil.which(name, path=f"{Path(sys.executable).parent}:{bench.environment['PATH']}"))
    }
    staged = bench.staged(bench.scale(1), 1)[0]
    top = staged.top
    bench.git(top, "checkout", "--quiet", "--force", "main")
    shutil.copyfile(staged.index, top / ".git" / "index")
    bench.git(top, "checkout-index", "--all", "--force")
    (top / ".pre-commit-config.yaml").write_text(TRIVIAL, encoding="utf-8")
    bench.git(top, "add", ".pre-commit-config.yaml")
    ours = bench.command(str(top / ".git" / "hooks" / "pre-commit"), where=top)
    candidates: dict[str, Callable[[int], Sample]] = {"ours": lambda _: ours.run(), "bare": bench.bare}
    for name, program in found.items():
        candidates[name] = _runner(bench.command(program, "run", "--hook-stage", "pre-commit", where=top))
    times = interleave(bench.runs(15), **candidates)
    for name in ("ours", *found):
        yield Row(
            "peers",
            f"{name} running `true`" if name != "ours" else "our hook, judging 3 records",
            measured=f"{times.in_x(name):.1f}x",
            floor="" if name == "ours" else f"{times.ratio(name, 'ours'):.1f} times ours",
            details={"x": times.in_x(name), "times_ms": times.as_json()},
        )


def _runner(command: Command) -> Callable[[int], Sample]:
    return lambda _: command.run()
