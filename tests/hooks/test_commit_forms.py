"""Every way a commit comes about, in real git: honest work passes, planted corruption is refused.

Each form is tried under native hooks and under both frameworks. A refusal leaves HEAD where it was; what it prints
is pasted into a shell, and then the commit passes.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, new_scratch
from guards import framework, native
from proofs import part, proof

from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.hooks.bodies import HOOK_CHECKS
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.testing.tracker import Tracker

LOG = "events.jsonl"
INDEX = "index.json"


@dataclass
class Attempt:
    """What is typed, and what it must come to.

    Attributes:
        command: git's arguments.
        code: the problem that a planted corruption must be refused with.
        answers: typed into the command.
        mend: makes the worktree right where staging alone does not.
        again: what is typed then; the same command when empty.
        answers_again: typed into that.
        only_told: git does not ask this hook, so the problem is told and nothing is refused.
    """

    command: list[str]
    code: str
    answers: str = ""
    mend: Callable[[], None] | None = None
    again: tuple[str, ...] = ()
    answers_again: str = ""
    only_told: bool = False


COMMIT = ["commit", "--message=work"]


# The forms: each prepares a repository and says what to type.


def plain(scratch: Scratch, *, wrong: bool) -> Attempt:
    issue = scratch.tracker.create("Moor the boats")
    scratch.lay()
    git(scratch.top, "add", "--", scratch.issue(issue) if wrong else ".")
    return Attempt(COMMIT, "index-misses-issue")


def everything_tracked(scratch: Scratch, *, wrong: bool) -> Attempt:
    issue = scratch.tracker.create("Moor the boats")
    scratch.lay()
    if not wrong:
        git(scratch.top, "add", "--", scratch.issue(issue))
    return Attempt([*COMMIT, "--all"], "index-lists-missing")


def some_paths(scratch: Scratch, *, wrong: bool) -> Attempt:
    issue = scratch.tracker.create("Moor the boats")
    scratch.lay()
    (scratch.top / "notes.txt").write_text("two\n", encoding="utf-8")
    scratch.add_all()
    named = scratch.issue(issue) if wrong else scratch.prefix
    return Attempt([*COMMIT, "--", named], "index-misses-issue", again=(*COMMIT, "--", scratch.prefix))


def chosen_hunks(scratch: Scratch, *, wrong: bool) -> Attempt:
    issue = scratch.tracker.create("Moor the boats")
    scratch.lay()
    git(scratch.top, "add", "--", scratch.issue(issue))
    # Asked by name: first the log, then the issue index.
    return Attempt(
        [*COMMIT, "--patch"], "index-misses-issue", answers="y\nn\n" if wrong else "y\ny\n", answers_again="y\ny\n"
    )


def amend(scratch: Scratch, *, wrong: bool) -> Attempt:
    """A line that the amended commit itself had added may go; one that stood before may not."""
    scratch.tracker.update(scratch.ids[0], title="Build the long pier")
    scratch.lay()
    scratch.record()
    log = scratch.data / LOG
    lines = log.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines[:-1])
    log.write_bytes(b"".join(lines[:-2] + lines[-1:]) if wrong else whole)
    return Attempt(["commit", "--amend", "--no-edit", "--all"], "event-lost", mend=lambda: put(log, whole))


def deletion_only(scratch: Scratch, *, wrong: bool) -> Attempt:
    issue = scratch.tracker.create("A slip of the pen")
    scratch.lay()
    scratch.record()
    scratch.tracker.delete(issue)
    scratch.lay()
    if wrong:
        git(scratch.top, "rm", "--quiet", "--cached", "--", scratch.issue(issue))
    else:
        scratch.add_all()
    return Attempt(COMMIT, "index-lists-missing")


def conflicted_merge(scratch: Scratch, *, wrong: bool) -> Attempt:
    side = branch(scratch, lambda tracker: tracker.create("Theirs"))
    scratch.tracker.create("Ours")
    scratch.lay()
    scratch.record()
    both = united(scratch.tracker, side)
    assert scratch.try_git("merge", "--no-edit", "side").returncode == 1
    write(scratch, both | {INDEX: scratch.tracker.files[INDEX]} if wrong else both)
    return Attempt(["commit", "--no-edit", "--all"], "index-misses-issue", mend=lambda: write(scratch, both))


def clean_merge(scratch: Scratch, *, wrong: bool) -> Attempt:
    """One side deletes an issue, the other comes to depend on it: git sees no conflict."""
    attribute(scratch, f"{LOG} merge=union")
    lone = scratch.tracker.create("A slip of the pen")
    scratch.lay()
    scratch.record()
    first = scratch.ids[1]
    if wrong:
        branch(scratch, lambda tracker: tracker.delete(lone))
        before = scratch.tracker.files[f"issues/{first}.json"]
        scratch.tracker.dep_add(first, lone)
    else:
        branch(scratch, lambda tracker: tracker.update(lone, title="No slip"))
        before = b""
        scratch.tracker.update(first, title="Draw the long pier")
    scratch.lay()
    scratch.record()
    return Attempt(
        ["merge", "--no-edit", "side"],
        "dependency-missing",
        mend=lambda: put(scratch.data / "issues" / f"{first}.json", before),
        again=("commit", "--no-edit", "--all"),
    )


def missing_driver(scratch: Scratch, *, wrong: bool) -> Attempt:
    """Git keeps our side and nothing is staged: only the other parent tells."""
    attribute(scratch, f"{LOG} merge=gone")
    git(scratch.top, "config", "merge.gone.driver", "no-such-driver %O %A %B")
    side = branch(
        scratch, lambda tracker: tracker.write_event("issue_updated", scratch.ids[0], updated_by="x", fields=[])
    )
    scratch.tracker.write_event("issue_updated", scratch.ids[1], updated_by="x", fields=[])
    scratch.lay()
    scratch.record()
    assert scratch.try_git("merge", "--no-edit", "side").returncode == 1
    whole = united(scratch.tracker, side)
    if not wrong:
        write(scratch, whole)
    git(scratch.top, "add", "--", scratch.path(LOG))
    assert (git(scratch.top, "diff", "--cached", "--name-only") == "") is wrong
    return Attempt(
        ["commit", "--no-edit"],
        "merge-side-discarded",
        mend=lambda: write(scratch, whole),
        again=("commit", "--no-edit", "--all"),
    )


def pull_forward(scratch: Scratch, *, wrong: bool) -> Attempt:
    upstream_works(scratch, wrong=wrong)
    return Attempt(["pull", "--ff-only", "origin", "main"], "index-misses-issue", only_told=True)


def pull_and_merge(scratch: Scratch, *, wrong: bool) -> Attempt:
    index = upstream_works(scratch, wrong=wrong)
    (scratch.top / "notes.txt").write_text("two\n", encoding="utf-8")
    scratch.record()
    return Attempt(
        ["pull", "--no-rebase", "--no-edit", "origin", "main"],
        "index-misses-issue",
        mend=lambda: put(scratch.data / INDEX, index),
        again=("commit", "--no-edit", "--all"),
    )


def first_commit(scratch: Scratch, *, wrong: bool) -> Attempt:
    scratch.add_all()
    if wrong:
        git(scratch.top, "rm", "--quiet", "--cached", "--", scratch.issue(scratch.ids[0]))
    return Attempt(COMMIT, "index-lists-missing")


def upstream_works(scratch: Scratch, *, wrong: bool) -> bytes:
    """Another clone, without hooks, makes a commit; gives the issue index as it should be there."""
    upstream = scratch.top.with_name("upstream")
    git(scratch.top.parent, "clone", "--quiet", str(scratch.top), str(upstream))
    git(scratch.top, "remote", "add", "origin", str(upstream))
    other = scratch.at(upstream)
    other.tracker.create("Theirs")
    other.lay()
    whole = (other.data / INDEX).read_bytes()
    if wrong:
        other.data.joinpath(INDEX).write_bytes(scratch.tracker.files[INDEX])
    other.record()
    return whole


def branch(scratch: Scratch, work: Callable[[Tracker], object]) -> Tracker:
    """Commit work on a branch `side`, and go back."""
    tracker = scratch.tracker.fork()
    tracker.rng.seed("side")  # or both sides draw the same ids
    work(tracker)
    git(scratch.top, "checkout", "--quiet", "-b", "side")
    scratch.lay(tracker)
    scratch.record("side")
    git(scratch.top, "checkout", "--quiet", "-")
    scratch.laid = set(scratch.tracker.files)
    return tracker


def united(ours: Tracker, theirs: Tracker) -> dict[str, bytes]:
    """The store with what both sides have made."""
    index = json.loads(ours.files[INDEX])
    index["all_ids"] = list(dict.fromkeys([*index["all_ids"], *json.loads(theirs.files[INDEX])["all_ids"]]))
    known = set(ours.files[LOG].splitlines())
    lines = [line + b"\n" for line in theirs.files[LOG].splitlines() if line not in known]
    files = theirs.files | ours.files
    return files | {INDEX: json.dumps(index, indent=2).encode(), LOG: ours.files[LOG] + b"".join(lines)}


def attribute(scratch: Scratch, text: str) -> None:
    common = Path(git(scratch.top, "rev-parse", "--git-common-dir").strip())
    attributes = scratch.top / common / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(f"{scratch.prefix}{text}\n", encoding="utf-8")


def write(scratch: Scratch, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        put(scratch.data / path, content)


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


# The repositories.


def usual(top: Path) -> Scratch:
    return new_scratch(top)


def unborn(top: Path) -> Scratch:
    return new_scratch(top, commit=False)


def linked(top: Path) -> Scratch:
    main = new_scratch(top.with_name("main"))
    git(main.top, "worktree", "add", "--quiet", "-b", "other", str(top))
    return main.at(top)


def submodule(top: Path) -> Scratch:
    inner = new_scratch(top.with_name("inner"))
    outer = top.with_name("outer")
    git(top.parent, "init", "--quiet", "--template=", str(outer))
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "part")
    git(outer, "commit", "--quiet", "--message=outer")
    return inner.at(outer / "part")


def sha256(top: Path) -> Scratch:
    return new_scratch(top, init=("--object-format=sha256",))


def index_version_4(top: Path) -> Scratch:
    scratch = new_scratch(top)
    git(top, "update-index", "--index-version", "4")
    return scratch


def split_index(top: Path) -> Scratch:
    scratch = new_scratch(top)
    git(top, "config", "core.splitIndex", "true")
    git(top, "update-index", "--split-index")
    return scratch


def sparse_index(top: Path) -> Scratch:
    scratch = new_scratch(top)
    for name in ("near", "far"):
        (top / name).mkdir()
        (top / name / "file").write_text("x\n", encoding="utf-8")
    scratch.record()
    git(top, "sparse-checkout", "set", "--cone", "--sparse-index", ".jit", "near")
    assert "040000" in git(top, "ls-files", "--sparse", "--stage")
    return scratch


def with_blanks(top: Path) -> Scratch:
    return new_scratch(top.with_name("it's my work"), prefix="the tracker's [data]/.jit/")


def from_below(top: Path) -> Scratch:
    scratch = new_scratch(top)
    scratch.start = top / ".jit" / "issues"
    return scratch


def from_beside(top: Path) -> Scratch:
    scratch = new_scratch(top)
    scratch.start = top / "some where"
    scratch.start.mkdir()
    return scratch


# The guards.


# Tried under every guard.
FORMS = {
    "commit": (usual, plain),
    "-a": (usual, everything_tracked),
    "-- path": (usual, some_paths),
    "-p": (usual, chosen_hunks),
    "--amend": (usual, amend),
    "deletion only": (usual, deletion_only),
    "conflicted merge": (usual, conflicted_merge),
    "clean merge": (usual, clean_merge),
    "missing driver": (usual, missing_driver),
    "pull --ff": (usual, pull_forward),
    "pull": (usual, pull_and_merge),
    "unborn": (unborn, first_commit),
    "linked worktree": (linked, plain),
    "submodule": (submodule, plain),
}

# Tried under native hooks: what frameworks do does not depend on it.
KINDS = {
    "from below": (from_below, plain),
    "missing driver in submodule": (submodule, missing_driver),
    "missing driver in linked worktree": (linked, missing_driver),
    "merge in linked worktree": (linked, conflicted_merge),
    "linked worktree -a": (linked, everything_tracked),
    "sha256": (sha256, plain),
    "sha256 merge": (sha256, conflicted_merge),
    "index version 4": (index_version_4, plain),
    "split index": (split_index, plain),
    "sparse index": (sparse_index, plain),
    "sparse index -a": (sparse_index, everything_tracked),
    "blanks": (with_blanks, plain),
    "blanks -- path": (with_blanks, some_paths),
    "from beside": (from_beside, plain),
    "from below -- path": (from_below, some_paths),
}


# What only a framework has to find out: nobody told it where the store is.
FOUND = {"store below": (with_blanks, plain), "store below, -a": (with_blanks, everything_tracked)}


def rows() -> list[object]:
    """Every form and kind of repository under hooks of our own; under a framework those that this run makes."""
    made: list[object] = [pytest.param("native", *row, id=f"native: {name}") for name, row in (FORMS | KINDS).items()]
    for guard in ("pre-commit", "prek"):
        marks = [proof, pytest.mark.skipif(shutil.which(guard) is None, reason=f"{guard} is not installed")]
        table = part((FORMS | FOUND).items(), few=4, of=guard)
        made += [pytest.param(guard, *row, id=f"{guard}: {name}", marks=marks) for name, row in table]
    return made


def set_up(tmp_path: Path, guard: str, make: Callable[[Path], Scratch]) -> Scratch:
    scratch = make(tmp_path / "work")
    (native if guard == "native" else framework(guard))(scratch)
    return scratch


def head(scratch: Scratch) -> str:
    return scratch.try_git("rev-parse", "--verify", "--quiet", "HEAD").stdout


@pytest.mark.parametrize(("guard", "make", "form"), rows())
def test_honest_work_passes(
    tmp_path: Path, guard: str, make: Callable[..., Scratch], form: Callable[..., Attempt]
) -> None:
    scratch = set_up(tmp_path, guard, make)
    attempt = form(scratch, wrong=False)
    before = head(scratch)
    done = scratch.try_git(*arguments(scratch, attempt.command), stdin=attempt.answers)
    assert done.returncode == 0, done.stdout
    assert head(scratch) != before
    assert "error[" not in done.stdout, done.stdout


@pytest.mark.parametrize(("guard", "make", "form"), rows())
def test_planted_corruption_is_refused(
    tmp_path: Path, guard: str, make: Callable[..., Scratch], form: Callable[..., Attempt]
) -> None:
    scratch = set_up(tmp_path, guard, make)
    attempt = form(scratch, wrong=True)
    before = head(scratch)
    done = scratch.try_git(*arguments(scratch, attempt.command), stdin=attempt.answers)
    assert f"error[{attempt.code}]" in done.stdout, done.stdout
    assert "jit-hooks" in done.stdout.rstrip().rpartition("error[")[2]
    if attempt.only_told:
        assert head(scratch) != before
        return
    assert done.returncode != 0, done.stdout
    assert head(scratch) == before
    again = mend(scratch, guard, attempt, done.stdout)
    done = scratch.try_git(*arguments(scratch, again), stdin=attempt.answers_again)
    assert done.returncode == 0, done.stdout
    assert head(scratch) != before
    assert_whole(scratch)
    if form in (plain, some_paths, chosen_hunks, everything_tracked):
        # Pasting once is enough: what belongs to the issue is in the commit, its events too.
        left = git(scratch.top, "status", "--porcelain", "--untracked-files=all", "--", f":(literal){scratch.prefix}")
        assert left == ""


def assert_whole(scratch: Scratch) -> None:
    """Nothing in HEAD's store is an error, whatever its parent had."""
    repository = Repository(Git(str(scratch.top)), scratch.prefix)
    try:
        report = judge(Request(repository.commits.resolve("HEAD") or "", "", repository, checks=HOOK_CHECKS))
    finally:
        repository.close()
    assert not report.errors, report.errors


def mend(scratch: Scratch, guard: str, attempt: Attempt, said: str) -> list[str]:
    """Do what the refusal says; what to type then."""
    again = list(attempt.again or attempt.command)
    if attempt.mend is not None:
        attempt.mend()
        scratch.add_all()
    elif guard == "native" or (attempt.code == "index-lists-missing" and "git add" in said):
        pasted = shlex.split(scratch.paste(said))[2:]
        if "--" in attempt.command:
            # With paths given, what is staged besides is not committed: they are repeated with these paths, too.
            again = [*attempt.command, *pasted]
    else:
        # Frameworks put unstaged edits out of sight, so that no hook can tell that they would mend it.
        scratch.add_all()
    return again


def arguments(scratch: Scratch, command: list[str]) -> list[str]:
    """A command's arguments as typed where git is started."""
    if scratch.start is None or "--" not in command:
        return command
    at = command.index("--") + 1
    return [
        *command[:at],
        *(
            word if not (scratch.top / word).exists() else os.path.relpath(scratch.top / word, scratch.start)
            for word in command[at:]
        ),
    ]
