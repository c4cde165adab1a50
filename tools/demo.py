"""The main job, shown: four commits that would corrupt an issue store are refused, and mended by what was printed.

Everything happens in a scratch repository, through the installed hooks and plain git; each command is shown as it is
run. Exits with 1 when a step does not end as it should.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from jit_hooks.testing.tracker import Tracker, Write

BIN = Path(sys.executable).parent


class Demo:
    """A scratch repository with a store, and a tracker that writes it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.store = top / ".jit"
        self.tracker = Tracker(1, "june")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_EDITOR": "true",
            "HOME": str(top),
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }

    def track(self, operation: str, *arguments: object, **named: object) -> list[Write]:
        """Let the tracker run one command; what it wrote, already on disk."""
        writes = self.tracker.do(operation, *arguments, **named)
        for write in writes:
            self.apply(write)
        return writes

    def apply(self, write: Write) -> None:
        """One write of the tracker, on disk."""
        path = self.store / write.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if write.kind == "mkdir":
            path.mkdir(exist_ok=True)
        elif write.data is None:
            path.unlink()
        elif write.kind == "append":
            with path.open("ab") as log:
                log.write(write.data)
        else:
            path.write_bytes(write.data)

    def shell(self, command: str, *, expect: int = 0) -> str:
        """Show a command, run it as typed, show what it says."""
        print(f"$ {command}", flush=True)
        done = subprocess.run(
            command, shell=True, cwd=self.top, env=self.environment, text=True, capture_output=True, check=False
        )
        said = done.stdout + done.stderr
        print("".join(f"  {line}\n" for line in said.splitlines()), flush=True)
        if done.returncode != expect:
            sys.exit(f"the demo failed: `{command}` ended with {done.returncode}, not {expect}")
        return said

    def refused(self, command: str, code: str) -> str:
        """A commit that must be refused with this code; the remedy it prints."""
        said = self.shell(command, expect=1)
        lines = [line.strip() for line in said.splitlines()]
        at = next((number for number, line in enumerate(lines) if line.startswith("to fix:")), None)
        remedy = "" if at is None else lines[at].removeprefix("to fix:").strip()
        if at is not None and remedy.endswith(":"):
            remedy = lines[at + 1]
        if f"[{code}]" not in said or not remedy:
            sys.exit(f"the demo failed: `{command}` was not refused with {code} and a remedy")
        return remedy


def title(number: int, text: str) -> None:
    """The heading of one scene."""
    print(f"\n=== {number}. {text}\n", flush=True)


def main() -> None:
    """Play the four scenes in a scratch repository and remove it."""
    top = Path(tempfile.mkdtemp(prefix="jit-hooks-demo-"))
    try:
        play(Demo(top))
    finally:
        shutil.rmtree(top)
    print("Four commits were refused, each was mended by the command it printed, and the store is healthy.")


def play(demo: Demo) -> None:
    """All scenes, in order."""
    print("A scratch repository with a small issue store, and the hooks installed.\n")
    demo.track("init")
    demo.track("create", "Plan the release")
    demo.track("create", "Write the notes")
    plan, notes = demo.tracker.ids()
    demo.track("dep_add", plan, notes)
    demo.shell("git init -q -b main . && git add .jit && git commit -q -m 'A store of two issues'")
    demo.shell("jit-hooks install")
    forgotten_index(demo)
    forgotten_dependency(demo, notes)
    torn_log(demo, notes)
    conflict_markers(demo, plan)
    title(5, "What is left of it all")
    demo.shell("jit-check --range HEAD")
    demo.shell("jit-check")


def forgotten_index(demo: Demo) -> None:
    """An issue is committed, the issue index is not."""
    title(1, "An issue is staged, the issue index is forgotten: every clone would hide the issue")
    demo.track("create", "Add retry")
    demo.shell(f"git add .jit/issues/{demo.tracker.ids()[-1]}.json .jit/events.jsonl")
    remedy = demo.refused("git commit -q -m 'Add retry'", "index-misses-issue")
    demo.shell(remedy)
    demo.shell("git commit -q -m 'Add retry'")


def forgotten_dependency(demo: Demo, notes: str) -> None:
    """An issue is committed that depends on one nobody staged."""
    title(2, "An issue depends on another that was never staged: no clone could load the graph")
    retry = demo.tracker.ids()[-1]
    demo.track("create", "Measure first")
    demo.track("dep_add", demo.tracker.ids()[-1], retry)
    demo.track("dep_add", notes, demo.tracker.ids()[-1])
    demo.shell(f"git add .jit/issues/{notes}.json")
    remedy = demo.refused("git commit -q -m 'Measure before writing'", "dependency-missing")
    demo.shell(remedy)
    demo.shell("git commit -q -m 'Measure before writing'")


def torn_log(demo: Demo, notes: str) -> None:
    """The event log is staged while a writer is in the middle of a line."""
    title(3, "The event log is staged in the middle of a write: no clone could read its history")
    *before, text, newline = demo.tracker.do("update", notes, priority="high")
    assert text.data is not None
    for write in before:
        demo.apply(write)
    half = len(text.data) // 2
    demo.apply(Write(text.path, text.data[:half], "append"))
    demo.shell("git add .jit")
    demo.apply(Write(text.path, text.data[half:], "append"))
    demo.apply(newline)
    remedy = demo.refused("git commit -q -m 'Raise a priority'", "event-unparsable")
    demo.shell(remedy)
    demo.shell("git commit -q -m 'Raise a priority'")


def conflict_markers(demo: Demo, plan: str) -> None:
    """A conflicted merge is concluded with the markers still in the file."""
    title(4, "Two branches retitle one issue, and the markers of their conflict are committed")
    demo.shell("git switch -q -c side")
    aside = demo.tracker.fork()
    aside.rng.seed("another machine")
    demo.track("update", plan, title="Plan the first release")
    demo.track("create", "From the side")
    demo.shell("git add .jit && git commit -q -m 'An issue and a title on a branch' && git switch -q main")
    demo.tracker = aside
    demo.track("update", plan, title="Plan the release well")
    demo.track("create", "From main")
    demo.shell("git add .jit && git commit -q -m 'An issue and a title on main'")
    print("(the merge driver puts both new issues into the issue index, and all events into the log)\n")
    demo.shell("git merge -q side", expect=1)
    demo.shell("git diff")
    demo.shell("git add .jit")
    remedy = demo.refused("git commit -q -m 'Merge side'", "conflict-marker")
    print("(an editor opens the issue; one title stays, the markers go)\n")
    keep_ours(demo.store / "issues" / f"{plan}.json")
    demo.shell(remedy)
    demo.shell("git commit -q -m 'Merge side'")


def keep_ours(path: Path) -> None:
    """What an editor does to a file in conflict: of the alternatives the first one stays."""
    kept, stays = [], True
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
            stays = line.startswith(("<", ">"))
        elif stays:
            kept.append(line)
    path.write_text("".join(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
