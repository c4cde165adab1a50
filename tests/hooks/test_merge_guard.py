"""No bad merge gets into history in silence: real git, with the hooks and the driver installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import LONG_AGO, Scratch, git, new_scratch, run

from jit_hooks.install.hook_files import install
from jit_hooks.install.hook_place import find_hook_place
from jit_hooks.install.merge_driver import DRIVER, attributes_path, configured
from jit_hooks.problem import Problem
from jit_hooks.repairs.context import Context
from jit_hooks.repairs.merge import merge_lost_edit
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jit_hooks.testing.tracker import Tracker

    Edit = Callable[[Tracker], object]


CHECK = "import sys; from jit_hooks import cli; sys.argv[0] = 'jit-check'; cli.check()"


@pytest.fixture
def guarded(scratch: Scratch) -> Scratch:
    install(str(scratch.top))
    return scratch


def diverge(scratch: Scratch, ours: Edit, theirs: Edit) -> None:
    """`side` with the work of theirs, `main` with that of ours."""
    git(scratch.top, "checkout", "-q", "-b", "side")
    side = scratch.at(scratch.top)
    side.tracker.rng.seed("side")
    theirs(side.tracker)
    side.lay()
    side.record("theirs")
    git(scratch.top, "checkout", "-q", "main")
    ours(scratch.tracker)
    scratch.laid = set(side.laid) & {path for path in side.laid if (scratch.data / path).exists()}
    scratch.lay()
    scratch.record("ours")


def one_issue(scratch: Scratch, ours: dict[str, str], theirs: dict[str, str]) -> str:
    """Both branches change one issue; its path."""
    issue = scratch.ids[0]
    diverge(scratch, lambda t: t.update(issue, **ours), lambda t: t.update(issue, **theirs))
    return scratch.issue(issue)


CONFLICT = {"title": "Ours"}, {"title": "Theirs", "priority": "high"}


def replace_driver(scratch: Scratch, line: str) -> None:
    git(scratch.top, "config", f"merge.{DRIVER}.driver", line)


def refused(scratch: Scratch, *arguments: str, code: str) -> str:
    """A git command that must not make a commit, and says why; what it says."""
    before = git(scratch.top, "rev-parse", "HEAD")
    done = run(scratch.top, "git", *arguments)
    assert done.returncode != 0, done.stdout
    assert f"error[{code}]" in done.stdout, done.stdout
    assert git(scratch.top, "rev-parse", "HEAD") == before
    return done.stdout


def stopped(scratch: Scratch, *arguments: str) -> str:
    """A git command that stops with a conflict; what it says."""
    done = run(scratch.top, "git", *arguments)
    assert done.returncode != 0, done.stdout
    assert "UU " in git(scratch.top, "status", "--porcelain")
    return done.stdout


def edit(path: Path, **members: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | members, indent=2), encoding="utf-8")


MERGE = ("merge", "--no-edit", "side")


# -- what the driver leaves ----------------------------------------------------------------------------


def test_work_on_two_branches_merges_and_passes(guarded: Scratch) -> None:
    one_issue(guarded, {"title": "Ours"}, {"priority": "high"})
    git(guarded.top, *MERGE)
    document = json.loads((guarded.top / guarded.issue(guarded.ids[0])).read_bytes())
    assert (document["title"], document["priority"]) == ("Ours", "high")


def test_markers_are_not_committed(guarded: Scratch) -> None:
    one_issue(guarded, *CONFLICT)
    stopped(guarded, *MERGE)
    refused(guarded, "commit", "-am", "merged", code="conflict-marker")


def test_a_conflict_finished_by_hand_passes(guarded: Scratch) -> None:
    path = one_issue(guarded, *CONFLICT)
    stopped(guarded, *MERGE)
    git(guarded.top, "checkout", "--theirs", "--", path)
    edit(guarded.top / path, title="Both")
    git(guarded.top, "add", "--all")
    git(guarded.top, "commit", "--no-edit")


@pytest.mark.parametrize("how", ["one file", "everything"])
def test_our_side_taken_for_all_is_refused(guarded: Scratch, how: str) -> None:
    path = one_issue(guarded, *CONFLICT)
    stopped(guarded, *MERGE)
    git(guarded.top, "checkout", "--ours", "--", path if how == "one file" else ".")
    if how == "everything":
        git(guarded.top, "checkout", "HEAD", "--", ".jit")
    git(guarded.top, "add", "--all")
    code = "merge-lost-edit" if how == "one file" else "merge-side-discarded"
    said = refused(guarded, "commit", "--no-edit", code=code)
    if how == "one file":
        assert f"git checkout -m -- :/{path}" in " ".join(said.split())
        git(guarded.top, "checkout", "-m", "--", f":/{path}")
        assert "<<<<<<< ours: title" in (guarded.top / path).read_text(encoding="utf-8")


# -- a driver that does not work -----------------------------------------------------------------------


def gone(line: str) -> str:
    return line.replace(sys.executable, "/no/such/python")


def killed(_: str) -> str:
    return "kill -9 $$"


def failing(_: str) -> str:
    return "false"


@pytest.mark.parametrize("how", [gone, killed, failing])
def test_a_driver_that_does_not_work_loses_nothing_in_silence(guarded: Scratch, how: Callable[[str], str]) -> None:
    one_issue(guarded, *CONFLICT)
    replace_driver(guarded, how(configured(find_hook_place(str(guarded.top)))))
    done = run(guarded.top, "git", *MERGE)
    assert done.returncode != 0, done.stdout
    said = run(guarded.top, "git", "commit", "-am", "merged")
    assert said.returncode != 0, said.stdout
    assert "error[conflict-marker]" in said.stdout or "error[merge-" in said.stdout, said.stdout
    assert len(git(guarded.top, "rev-list", "--parents", "-1", "HEAD").split()) == 2


def test_a_driver_that_hangs_and_is_ended_leaves_everything_as_it_was(guarded: Scratch, tmp_path: Path) -> None:
    one_issue(guarded, *CONFLICT)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    replace_driver(guarded, f"read line <{pipe}")
    before = git(guarded.top, "rev-parse", "HEAD")
    merging = subprocess.Popen(["git", *MERGE], cwd=guarded.top, start_new_session=True, stderr=subprocess.DEVNULL)
    with pipe.open("w", encoding="utf-8"):  # opens when the driver reads
        os.killpg(merging.pid, signal.SIGTERM)
        merging.wait(timeout=60)
    assert git(guarded.top, "rev-parse", "HEAD") == before
    assert git(guarded.top, "status", "--porcelain", "--untracked-files=no") == ""
    assert run(guarded.top, "git", "commit", "-am", "merged").returncode != 0


def without_driver(scratch: Scratch) -> None:
    """As in a clone where only the hooks were installed."""
    os.unlink(attributes_path(find_hook_place(str(scratch.top))))


# -- merges that git calls clean -----------------------------------------------------------------------


def test_a_side_thrown_away_is_refused_unless_it_is_accepted(guarded: Scratch) -> None:
    one_issue(guarded, *CONFLICT)
    refused(guarded, "merge", "-s", "ours", "--no-edit", "side", code="merge-side-discarded")
    accept = '[[accept]]\ncode = "merge-side-discarded"\nrecord = ".jit/index.json"\nreason = "a dead end"\n'
    (guarded.data / "hooks.toml").write_text(accept, encoding="utf-8")
    git(guarded.top, "add", "--all")
    git(guarded.top, "commit", "--no-edit")


@pytest.mark.parametrize("driver", [True, False], ids=["driver", "text"])
def test_an_edit_that_a_rename_brings_to_another_issue_is_refused(tmp_path: Path, driver: bool) -> None:
    scratch = new_scratch(tmp_path / "work")
    text = "the same long text of two issues\n" * 30
    gone_issue = scratch.tracker.create("Old", labels=["type:task"], description=text)
    scratch.lay()
    scratch.record("old")
    install(str(scratch.top))
    if not driver:
        without_driver(scratch)

    def replace(tracker: Tracker) -> None:
        tracker.delete(gone_issue)
        tracker.create("Old", labels=["type:task"], description=text)

    def change(tracker: Tracker) -> None:
        path = f"issues/{gone_issue}.json"
        tracker.files[path] = tracker.files[path].replace(b'"priority": "normal"', b'"priority": "high"')

    diverge(scratch, replace, change)
    if driver:
        assert "different records" in stopped(scratch, *MERGE)
        refused(scratch, "commit", "-am", "merged", code="conflict-marker")
    else:
        refused(scratch, *MERGE, code="merge-misplaced-edit")


def test_an_octopus_that_two_branches_collide_in_touches_nothing(guarded: Scratch) -> None:
    one_issue(guarded, {"title": "Ours"}, {"priority": "high"})
    git(guarded.top, "branch", "third", "side~1")
    before = git(guarded.top, "rev-parse", "HEAD")
    git(guarded.top, "checkout", "-q", "third")
    (guarded.top / "notes.txt").write_text("two\n", encoding="utf-8")
    git(guarded.top, "commit", "-qam", "third", **LONG_AGO)
    git(guarded.top, "checkout", "-q", "main")
    done = run(guarded.top, "git", "merge", "--no-edit", "side", "third")
    assert done.returncode == 2, done.stdout
    assert git(guarded.top, "rev-parse", "HEAD") == before
    git(guarded.top, "reset", "-q", "--hard")
    git(guarded.top, *MERGE)
    git(guarded.top, "merge", "--no-edit", "third")


def test_a_relation_that_two_branches_break_is_refused_with_both_named(guarded: Scratch) -> None:
    first, second = guarded.ids[0], guarded.ids[2]
    lone = guarded.tracker.create("Lone", labels=["type:task"])
    guarded.lay()
    guarded.record()
    diverge(guarded, lambda t: t.dep_add(first, lone), lambda t: t.dep_add(lone, second))
    said = " ".join(refused(guarded, *MERGE, code="dependency-cycle").split())
    assert "comes from the first parent" in said
    assert "comes from the second parent" in said


# -- commits applied elsewhere -------------------------------------------------------------------------


def test_a_pick_that_loses_an_edit_is_refused(guarded: Scratch) -> None:
    path = one_issue(guarded, *CONFLICT)
    stopped(guarded, "cherry-pick", "side")
    git(guarded.top, "checkout", "--ours", "--", path)
    git(guarded.top, "add", "--all")
    said = refused(guarded, "commit", "--no-edit", code="merge-lost-edit")
    assert "the commit being applied" in " ".join(said.split())
    edit(guarded.top / path, priority="high")
    git(guarded.top, "add", "--all")
    git(guarded.top, "commit", "--no-edit")


def test_a_pick_of_which_nothing_is_left_is_refused(guarded: Scratch) -> None:
    path = one_issue(guarded, *CONFLICT)
    stopped(guarded, "cherry-pick", "side")
    git(guarded.top, "checkout", "HEAD", "--", ".jit")
    git(guarded.top, "add", "--all")
    assert git(guarded.top, "diff", "--cached", "--name-only") == ""
    said = refused(guarded, "commit", "--allow-empty", "--no-edit", code="merge-lost-edit")
    assert path in said


def test_a_revert_that_loses_an_edit_is_refused(guarded: Scratch) -> None:
    issue = guarded.ids[0]
    for members in ({"title": "One", "priority": "high"}, {"title": "Two"}):
        guarded.tracker.update(issue, **members)
        guarded.lay()
        guarded.record()
    stopped(guarded, "revert", "--no-edit", "HEAD~1")
    git(guarded.top, "checkout", "--ours", "--", guarded.issue(issue))
    git(guarded.top, "add", "--all")
    refused(guarded, "commit", "--no-edit", code="merge-lost-edit")


def test_a_rebase_that_loses_an_edit_is_told(guarded: Scratch) -> None:
    path = one_issue(guarded, {"title": "Mine", "priority": "low"}, {"title": "Theirs"})
    stopped(guarded, "rebase", "side")
    git(guarded.top, "checkout", "--ours", "--", path)
    git(guarded.top, "add", "--all")
    done = run(guarded.top, "git", "-c", "core.editor=true", "rebase", "--continue")
    assert done.returncode == 0, done.stdout
    assert "error[merge-lost-edit]" in done.stdout, done.stdout
    assert "`priority`" in done.stdout


def test_an_honest_rebase_is_not_told(guarded: Scratch) -> None:
    one_issue(guarded, {"title": "Mine"}, {"priority": "high"})
    done = run(guarded.top, "git", "rebase", "side")
    assert done.returncode == 0, done.stdout
    assert "jit-hooks:" not in done.stdout, done.stdout


def test_old_news_of_a_conflict_refuse_nothing(guarded: Scratch) -> None:
    path = one_issue(guarded, *CONFLICT)
    stopped(guarded, "cherry-pick", "side")
    git(guarded.top, "checkout", "--theirs", "--", path)
    git(guarded.top, "add", "--all")
    git(guarded.top, "commit", "--no-edit")
    guarded.tracker.files[path.removeprefix(".jit/")] = (guarded.top / path).read_bytes()
    edit(guarded.top / path, priority="normal")
    git(guarded.top, "commit", "-am", "later")


def test_what_a_merge_lost_comes_back_by_a_repair(scratch: Scratch) -> None:
    """`git checkout --ours` on a file that both sides changed is refused; the repair merges it again, and undo."""
    issue = scratch.issue(scratch.ids[0])
    install(str(scratch.top))
    (scratch.top / ".git" / "info" / "attributes").unlink()
    scratch.git("checkout", "--quiet", "-b", "side")
    mine = scratch.tracker.fork()
    mine.rng.seed("mine")
    mine.update(scratch.ids[0], title="Build the long pier")
    scratch.lay(mine)
    scratch.record("mine")
    scratch.git("checkout", "--quiet", "main")
    scratch.tracker.update(scratch.ids[0], priority="critical")
    scratch.lay()
    scratch.record("theirs")
    assert scratch.try_git("merge", "side").returncode == 1
    log = (scratch.data / "events.jsonl").read_bytes().splitlines(keepends=True)
    whole = b"".join(line for line in log if line.startswith(b"{"))
    (scratch.data / "events.jsonl").write_bytes(whole)
    scratch.git("checkout", "--ours", "--", issue)
    scratch.git("add", "--all")
    refused = scratch.try_git("commit", "--message=merged")
    assert (refused.returncode, "error[merge-lost-edit]" in refused.stdout) == (1, True), refused.stdout
    before = (scratch.top / issue).read_bytes()
    planned = run(scratch.top, sys.executable, "-c", CHECK, "--fix", "--dry-run")
    assert "--fix would mend: 1 merge-lost-edit" in planned.stdout
    assert (scratch.top / issue).read_bytes() == before
    done = run(scratch.top, sys.executable, "-c", CHECK, "--fix")
    assert (done.returncode, "mended: 1 merge-lost-edit" in done.stdout) == (0, True), done.stdout
    after = json.loads((scratch.top / issue).read_bytes())
    assert (after["title"], after["priority"]) == ("Build the long pier", "critical")
    again = run(scratch.top, sys.executable, "-c", CHECK, "--fix")
    assert "mended" not in again.stdout
    undone = run(scratch.top, sys.executable, "-c", CHECK.replace("check", "hooks"), "undo")
    assert undone.returncode == 0
    assert (scratch.top / issue).read_bytes() == before
    assert run(scratch.top, sys.executable, "-c", CHECK, "--fix").returncode == 0
    scratch.git("add", "--all")
    scratch.git("commit", "--quiet", "--message=merged")


def test_what_both_sides_changed_is_left_to_a_person(scratch: Scratch) -> None:
    issue = json.loads((scratch.top / scratch.issue(scratch.ids[0])).read_bytes())
    sides = [("a", "low"), ("b", "low"), ("c", "high")]
    files = [json.dumps(issue | {"title": title, "priority": priority}, indent=2).encode() for title, priority in sides]
    path = f"issues/{scratch.ids[0]}.json"
    stores = [Store(Files({path: data})) for data in files]
    problem = Problem("merge-lost-edit", path, "lost", subject="priority")
    two = Context(parents=(stores[1], stores[2]), bases=(stores[0],), accepted=Accepted())
    contested = merge_lost_edit(stores[1], [problem], two)
    assert contested.changes == {}
    assert contested.left[problem.identity] == "both sides changed the same value: a person chooses"
    edited = merge_lost_edit(Store(Files({path: files[1].replace(b'"b"', b'"d"')})), [problem], two)
    assert edited.changes == {}
    assert "neither side's" in edited.left[problem.identity]
    octopus = Context(parents=(*stores,), bases=(stores[0],), accepted=Accepted())
    assert merge_lost_edit(stores[1], [problem], octopus).changes == {}
