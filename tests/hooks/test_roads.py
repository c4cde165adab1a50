"""Every road into history, in real git: which guard meets a planted corruption first, and whether it stops there.

The same rows stand in `docs/reference/hooks.md`.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, forget_index, git, new_scratch, new_server, run
from guards import framework, native
from project import ROOT
from proofs import part, proof

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

QUIET = ("-c", f"core.hooksPath={os.devnull}")
SPOKE = re.compile(r"^ *(?:remote: )?jit-hooks \S+, ([a-z-]+)\.", re.MULTILINE)
TABLE = ROOT / "docs" / "reference" / "hooks.md"


def quietly(scratch: Scratch, *arguments: str) -> str:
    """A git command that runs no hook of ours."""
    return git(scratch.top, *QUIET, *arguments)


def plant(scratch: Scratch, *, also: str = "", message: str = "") -> None:
    """Commit a corruption past all hooks and leave a clean worktree; with another line in `notes.txt`, if given."""
    if also:
        (scratch.top / "notes.txt").write_text(also, encoding="utf-8")
    forget_index(scratch)
    if message:
        quietly(scratch, "commit", "--quiet", "--amend", f"--message={message}")
    quietly(scratch, "checkout", "--quiet", "--", ".jit")


def note(scratch: Scratch, text: str, name: str = "notes.txt") -> None:
    """Commit an innocent change past all hooks."""
    (scratch.top / name).write_text(text, encoding="utf-8")
    scratch.record(text.strip())


def half_staged(scratch: Scratch) -> None:
    """Stage an issue and not its entry."""
    issue = scratch.tracker.create("Moor the boats")
    scratch.lay()
    git(scratch.top, "add", "--", scratch.issue(issue))


def side(scratch: Scratch, *, also: str = "", back: bool = True) -> None:
    """A branch `side` with a corruption."""
    quietly(scratch, "checkout", "--quiet", "-b", "side")
    plant(scratch, also=also)
    if back:
        quietly(scratch, "checkout", "--quiet", "main")


def upstream(scratch: Scratch) -> None:
    """Somebody else's corruption is on the server, past its guard."""
    side(scratch)
    git(scratch.top.with_name("server.git"), "fetch", "--quiet", str(scratch.top), "side:main")
    quietly(scratch, "branch", "--quiet", "-D", "side")


@dataclass(frozen=True)
class Road:
    """A way that commits come about.

    Attributes:
        prepare: what stands before, made past all hooks.
        commands: git's arguments, one command after the other; a callable does something between them.
        guard: the hook that speaks first; empty when there is nothing to guard.
        stops: whether the last command is refused.
        variables: for git.
    """

    prepare: Callable[[Scratch], object]
    commands: tuple[list[str] | Callable[[Scratch], object], ...]
    guard: str
    stops: bool
    variables: tuple[tuple[str, str], ...] = ()


def resolved(scratch: Scratch) -> None:
    (scratch.top / "notes.txt").write_text("both\n", encoding="utf-8")
    git(scratch.top, "add", "notes.txt")


def diverged(scratch: Scratch, *, also: str = "") -> None:
    side(scratch, also=also)
    note(scratch, "ours\n")


def topic(scratch: Scratch, *, also: str = "") -> None:
    """On `side`, a corruption; `main` has moved on."""
    diverged(scratch, also=also)
    quietly(scratch, "checkout", "--quiet", "side")


def octopus(scratch: Scratch) -> None:
    diverged(scratch)
    quietly(scratch, "checkout", "--quiet", "-b", "third", "main~1")
    note(scratch, "third\n", "third.txt")
    quietly(scratch, "checkout", "--quiet", "main")


def mended_upstream(scratch: Scratch) -> None:
    """A corruption and its cure, both known to the server."""
    forget_index(scratch)
    scratch.record("with its entry")
    git(scratch.top.with_name("server.git"), "fetch", "--quiet", str(scratch.top), "main:main")
    quietly(scratch, "fetch", "--quiet", "origin")


def fixup(scratch: Scratch) -> None:
    quietly(scratch, "checkout", "--quiet", "-b", "side")
    note(scratch, "work\n", "work.txt")
    plant(scratch, message="fixup! work")


def edited(scratch: Scratch) -> None:
    quietly(scratch, "checkout", "--quiet", "-b", "side")
    note(scratch, "work\n", "work.txt")


def patch(scratch: Scratch) -> None:
    side(scratch)
    git(
        scratch.top,
        "format-patch",
        "--quiet",
        "--output-directory",
        str(scratch.top.with_name("patches")),
        "-1",
        "side",
    )


def gone(scratch: Scratch) -> None:
    git(scratch.top.with_name("server.git"), "branch", "gone", "main")


def own_work_and_upstream(scratch: Scratch) -> None:
    upstream(scratch)
    note(scratch, "ours\n")


PUSH = ["push", "origin", "main"]
COMMIT = ["commit", "--message=work"]
CONTINUE = (("GIT_EDITOR", "true"),)

ROADS = {
    "commit": Road(half_staged, (COMMIT,), "pre-commit", stops=True),
    "commit --amend": Road(half_staged, (["commit", "--amend", "--no-edit"],), "pre-commit", stops=True),
    "merge, clean": Road(diverged, (["merge", "--no-edit", "side"],), "pre-merge-commit", stops=True),
    "merge, conflicted, concluded by commit": Road(
        lambda scratch: diverged(scratch, also="theirs\n"),
        (["merge", "--no-edit", "side"], resolved, ["commit", "--no-edit"]),
        "pre-commit",
        stops=True,
    ),
    "merge, fast-forward": Road(side, (["merge", "side"],), "post-merge", stops=False),
    "merge --squash": Road(side, (["merge", "--squash", "side"],), "post-merge", stops=False),
    "merge, octopus": Road(octopus, (["merge", "--no-edit", "side", "third"],), "pre-merge-commit", stops=True),
    "pull, merging": Road(
        own_work_and_upstream, (["pull", "--no-rebase", "--no-edit", "origin", "main"],), "pre-merge-commit", stops=True
    ),
    "pull, fast-forward": Road(upstream, (["pull", "--ff-only", "origin", "main"],), "post-merge", stops=False),
    "pull --rebase": Road(
        own_work_and_upstream, (["pull", "--rebase", "origin", "main"],), "post-checkout", stops=False
    ),
    "rebase": Road(topic, (["rebase", "main"],), "post-rewrite", stops=False),
    "rebase, conflicted": Road(
        lambda scratch: topic(scratch, also="theirs\n"),
        (["rebase", "main"], resolved, ["rebase", "--continue"]),
        "post-rewrite",
        stops=False,
        variables=CONTINUE,
    ),
    "rebase --interactive, edit": Road(
        edited,
        (["rebase", "--interactive", "main"], half_staged, ["commit", "--amend", "--no-edit"]),
        "pre-commit",
        stops=True,
        variables=(("GIT_SEQUENCE_EDITOR", "sed -i.bak s/^pick/edit/"),),
    ),
    "rebase --autosquash, fixup": Road(
        fixup,
        (["rebase", "--interactive", "--autosquash", "main"],),
        "post-rewrite",
        stops=False,
        variables=(("GIT_SEQUENCE_EDITOR", "true"),),
    ),
    "cherry-pick, then push": Road(side, (["cherry-pick", "side"], PUSH), "pre-push", stops=True),
    "cherry-pick, conflicted": Road(
        lambda scratch: diverged(scratch, also="theirs\n"),
        (["cherry-pick", "side"], resolved, ["cherry-pick", "--continue"]),
        "pre-commit",
        stops=True,
        variables=CONTINUE,
    ),
    "revert, then push": Road(mended_upstream, (["revert", "--no-edit", "HEAD"], PUSH), "pre-push", stops=True),
    "am, then push": Road(
        patch, (["am", "../patches/0001-Moor-the-boats-without-its-entry.patch"], PUSH), "pre-push", stops=True
    ),
    "stash pop, then commit": Road(
        half_staged, (["stash"], ["stash", "pop", "--index"], COMMIT), "pre-commit", stops=True
    ),
    "reset, then push": Road(side, (["reset", "--hard", "side"], PUSH), "pre-push", stops=True),
    "checkout of a branch": Road(side, (["checkout", "side"],), "post-checkout", stops=False),
    "worktree add, then push": Road(
        side,
        (["worktree", "add", "../linked", "side"], ["-C", "../linked", "push", "origin", "side"]),
        "pre-push",
        stops=True,
    ),
    "commit --no-verify, then push": Road(half_staged, ([*COMMIT, "--no-verify"], PUSH), "pre-push", stops=True),
    "push --force": Road(topic, (["push", "--force", "origin", "side:main"],), "pre-push", stops=True),
    "push of a tag": Road(
        side, (["tag", "--annotate", "--message=x", "v1", "side"], ["push", "origin", "v1"]), "pre-push", stops=True
    ),
    "push of a new branch": Road(side, (["push", "origin", "side"],), "pre-push", stops=True),
    "push --no-verify": Road(side, (["push", "--no-verify", "origin", "side"],), "pre-receive", stops=True),
    "push that deletes a branch": Road(gone, (["push", "origin", ":gone"],), "", stops=False),
}

ROWS = [
    *(("native", name) for name in ROADS),
    *(
        pytest.param(guard, name, marks=proof)
        for guard in ("pre-commit", "prek")
        for name in part(ROADS, few=4, of=guard)
    ),
]
"""Every road under hooks of our own; under a framework those that this run makes."""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A directory with a guarded repository and its server, made once for each kind of guard."""
    ready: dict[str, Path] = {}

    def find(guard: str) -> Path:
        if guard not in ready:
            top = tmp_path_factory.mktemp(guard) / "work"
            scratch = new_scratch(top)
            (native if guard == "native" else framework(guard))(scratch)
            new_server(scratch)
            git(top, "remote", "set-url", "origin", "../server.git")
            ready[guard] = top.parent
        return ready[guard]

    return find


def copied(guarded: Callable[[str], Path], guard: str, tmp_path: Path) -> Scratch:
    shutil.copytree(guarded(guard), tmp_path, symlinks=True, dirs_exist_ok=True)
    fresh = new_scratch(tmp_path / "unused")
    return Scratch(tmp_path / "work", fresh.tracker, fresh.ids, laid=set(fresh.tracker.files))


def travelled(scratch: Scratch, road: Road) -> tuple[str, subprocess.CompletedProcess[str]]:
    """All that the commands say, and how the last one ended."""
    said, done = "", None
    for command in road.commands:
        if not isinstance(command, list):
            command(scratch)
            continue
        done = run(scratch.top, "git", *command, **dict(road.variables))
        said += done.stdout
    assert done is not None
    return said, done


@pytest.mark.parametrize(("guard", "name"), ROWS)
def test_no_road_is_without_a_guard(guarded: Callable[[str], Path], tmp_path: Path, guard: str, name: str) -> None:
    if guard != "native" and shutil.which(guard) is None:
        pytest.skip(f"{guard} is not installed")
    scratch = copied(guarded, guard, tmp_path)
    road = ROADS[name]
    road.prepare(scratch)
    said, done = travelled(scratch, road)
    assert (SPOKE.findall(said) or [""])[0] == road.guard, said
    assert (done.returncode != 0) is road.stops, said
    assert ("error[index-misses-issue]" in said) is bool(road.guard), said
    assert "Traceback" not in said


def test_the_table_of_the_documentation_is_this_one() -> None:
    row = re.compile(r"^\| ([^|]+) \| (?:`([a-z-]+)`|nobody) \| (refuses|tells|-) \|", re.MULTILINE)
    verdict = {name: "-" if not road.guard else "refuses" if road.stops else "tells" for name, road in ROADS.items()}
    assert row.findall(TABLE.read_text()) == [(name, road.guard, verdict[name]) for name, road in ROADS.items()]
