"""The hooks that only tell, the push seen from the machine that pushes, and a tracker's pending transaction."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, forget_index, git, new_scratch, new_server, run

import jit_hooks
from jit_hooks.cli import shell
from jit_hooks.disk.pending import may_be_pending
from jit_hooks.errors import InstallError
from jit_hooks.install.gate import script
from jit_hooks.install.hook_files import install

if TYPE_CHECKING:
    from collections.abc import Callable
QUIET = ("-c", f"core.hooksPath={os.devnull}")
JOURNAL = "tmp/transactions/0001/journal.json"


@pytest.fixture
def guarded(scratch: Scratch) -> Scratch:
    install(str(scratch.top))
    return scratch


def broken_branch(scratch: Scratch, name: str = "side") -> None:
    """A branch with a corruption; main stays checked out, and clean."""
    git(scratch.top, *QUIET, "checkout", "--quiet", "-b", name)
    forget_index(scratch)
    git(scratch.top, *QUIET, "checkout", "--quiet", "--", ".jit")
    git(scratch.top, *QUIET, "checkout", "--quiet", "main")


def pend(scratch: Scratch) -> Path:
    """The journal of a transaction that the tracker did not finish."""
    journal = scratch.data / JOURNAL
    journal.parent.mkdir(parents=True)
    journal.write_text("{}")
    return journal


def spoken(scratch: Scratch, *command: str) -> str:
    """What a git command says that must succeed."""
    return scratch.git(*command)


# After a checkout


def test_a_checkout_is_told_in_one_line_a_code_and_succeeds(guarded: Scratch) -> None:
    broken_branch(guarded)
    said = spoken(guarded, "checkout", "side")
    assert "jit-hooks: after this checkout the issue store has 1 error" in said
    assert said.count("error[index-misses-issue]") == 1
    assert "next:  jit-check --all" in said
    assert "Nothing was changed." in said
    assert guarded.git("branch", "--show-current").strip() == "side"
    assert "jit-hooks" not in spoken(guarded, "checkout", "main")


def test_many_of_one_code_are_one_line(guarded: Scratch) -> None:
    git(guarded.top, *QUIET, "checkout", "--quiet", "-b", "side")
    before = guarded.tracker.files["index.json"]
    for title in ("One", "Two", "Three"):
        guarded.tracker.create(title)
    guarded.lay()
    (guarded.data / "index.json").write_bytes(before)
    guarded.record()
    git(guarded.top, *QUIET, "checkout", "--quiet", "main")
    said = spoken(guarded, "checkout", "side")
    assert "has 3 errors" in said
    assert said.count("error[index-misses-issue]") == 1
    assert "(and 2 more)" in said


@pytest.mark.parametrize(
    "command",
    [
        ("checkout", "--", "notes.txt"),
        ("checkout", "main"),
        ("checkout", "-b", "same"),
        ("checkout", "other"),
        ("worktree", "add", "--quiet", "../linked", "side"),
        ("clone", "--quiet", "--branch", "side", ".", "../cloned"),
    ],
)
def test_what_brings_no_other_store_is_silent(guarded: Scratch, command: tuple[str, ...], tmp_path: Path) -> None:
    broken_branch(guarded)
    git(guarded.top, *QUIET, "branch", "other")
    assert "jit-hooks" not in spoken(guarded, *command)


def test_the_hooks_that_tell_never_fail(guarded: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, an interpreter that is gone: git must not fail for it after its work is done."""
    broken_branch(guarded)
    hooks = guarded.top / ".git" / "hooks"
    (hooks / "post-checkout").write_text(script("post-checkout", "/gone", "/gone", ".jit/", "0.1.0"))
    said = spoken(guarded, "checkout", "side")
    assert "cannot judge, for this is gone" in said
    install(str(guarded.top))
    (guarded.data / "index.json").unlink()
    (guarded.data / "index.json").symlink_to("nowhere")
    git(guarded.top, *QUIET, "checkout", "--force", "--quiet", "main")
    for hook, words, given in (
        ("post-checkout", ["x", "y", "1"], ""),
        ("post-checkout", [], ""),
        ("post-rewrite", ["rebase"], "not an id\n"),
        ("post-rewrite", ["amend"], f"{'1' * 40} {'2' * 40}\n"),
        ("post-rewrite", [], ""),
    ):
        done = run(guarded.top, str(hooks / hook), *words, stdin=given)
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout


# After a rewrite


def test_a_rebase_that_drops_an_event_of_its_own_is_told(guarded: Scratch) -> None:
    """Both sides append to the log; whoever resolves the conflict keeps one side only."""
    git(guarded.top, *QUIET, "checkout", "--quiet", "-b", "side")
    mine = guarded.tracker.fork()
    mine.rng.seed("mine")
    mine.update(guarded.ids[0], title="Build the long pier")
    guarded.lay(mine)
    guarded.record("mine")
    git(guarded.top, *QUIET, "checkout", "--quiet", "main")
    guarded.tracker.update(guarded.ids[1], title="Draw the long pier")
    guarded.lay()
    guarded.record("theirs")
    theirs = guarded.tracker.files["events.jsonl"]
    git(guarded.top, *QUIET, "checkout", "--quiet", "side")
    (guarded.top / ".git" / "info" / "attributes").unlink()  # the merge driver would leave nothing to resolve
    assert guarded.try_git("rebase", "main").returncode == 1
    (guarded.data / "events.jsonl").write_bytes(theirs)
    git(guarded.top, "add", ".jit")
    done = guarded.try_git("rebase", "--continue", GIT_EDITOR="true")
    assert done.returncode == 0
    assert "error[event-lost]" in done.stdout


def test_what_a_rebase_drops_on_purpose_is_not_told(guarded: Scratch) -> None:
    git(guarded.top, *QUIET, "checkout", "--quiet", "-b", "side")
    guarded.tracker.update(guarded.ids[0], title="Build the long pier")
    guarded.lay()
    guarded.record("to drop")
    (guarded.top / "notes.txt").write_text("two\n")
    guarded.record("to keep")
    done = guarded.try_git("rebase", "--interactive", "main", GIT_SEQUENCE_EDITOR="sed -i.bak 1s/^pick/drop/")
    assert done.returncode == 0
    assert "jit-hooks" not in done.stdout


def fixup_over_another(scratch: Scratch) -> str:
    """A rebase that stops where a fixup moves before a commit that has written the log, too; that commit's line."""
    git(scratch.top, *QUIET, "checkout", "--quiet", "-b", "side")
    mine = scratch.tracker.fork()
    mine.rng.seed("mine")
    for message, number, change in (
        ("first", 0, {"title": "Build the long pier"}),
        ("second", 1, {"title": "Draw the long pier"}),
        ("fixup! first", 0, {"title": "Build the longest pier", "description": "With lamps"}),
    ):
        mine.update(scratch.ids[number], **change)
        scratch.lay(mine)
        scratch.record(message)
    git(scratch.top, *QUIET, "checkout", "--quiet", "main")
    (scratch.top / "notes.txt").write_text("two\n")
    scratch.record("elsewhere")
    git(scratch.top, *QUIET, "checkout", "--quiet", "side")
    stopped = scratch.try_git("rebase", "--interactive", "--autosquash", "main", GIT_SEQUENCE_EDITOR="true")
    assert stopped.returncode == 1
    return mine.files["events.jsonl"].decode().splitlines(keepends=True)[-2]


def test_a_fixup_that_moved_before_another_commit_is_not_told(guarded: Scratch) -> None:
    """What that other commit brings comes later, and what the fixup overrode is gone on purpose."""
    between = fixup_over_another(guarded)
    log = guarded.data / "events.jsonl"
    log.write_text(log.read_text().replace(between, ""))
    git(guarded.top, "add", ".jit")
    done = guarded.try_git("rebase", "--continue", GIT_EDITOR="true")
    assert done.returncode == 0, done.stdout
    assert between in log.read_text()
    assert "jit-hooks" not in done.stdout, done.stdout


def test_what_a_fixup_loses_on_its_way_is_told(guarded: Scratch) -> None:
    between = fixup_over_another(guarded)
    git(guarded.top, "checkout", "HEAD", "--", guarded.issue(guarded.ids[0]), ".jit/events.jsonl")
    (guarded.top / "notes.txt").write_text("three\n")
    git(guarded.top, "add", "--all")
    done = guarded.try_git("rebase", "--continue", GIT_EDITOR="true")
    assert done.returncode == 0, done.stdout
    assert between in (guarded.data / "events.jsonl").read_text()
    assert "error[event-lost]" in done.stdout, done.stdout
    assert "error[merge-lost-edit]" in done.stdout, done.stdout


def test_an_issue_that_a_rebase_left_behind_is_told(guarded: Scratch) -> None:
    git(guarded.top, *QUIET, "checkout", "--quiet", "-b", "side")
    mine = guarded.tracker.fork()
    mine.rng.seed("mine")
    mine.create("Moor the boats")
    guarded.lay(mine)
    (guarded.top / "notes.txt").write_text("mine\n")
    guarded.record("mine")
    git(guarded.top, *QUIET, "checkout", "--quiet", "main")
    (guarded.top / "notes.txt").write_text("theirs\n")
    guarded.record("theirs")
    git(guarded.top, *QUIET, "checkout", "--quiet", "side")
    assert guarded.try_git("rebase", "main").returncode == 1
    git(guarded.top, "checkout", "main", "--", ".jit")
    git(guarded.top, "rm", "--quiet", "--force", *guarded.git("diff", "--cached", "--name-only", "main").split())
    (guarded.top / "notes.txt").write_text("both\n")
    git(guarded.top, "add", "notes.txt")
    done = guarded.try_git("rebase", "--continue", GIT_EDITOR="true")
    assert done.returncode == 0, done.stdout
    assert "error[issue-vanished]" in done.stdout, done.stdout


def test_a_healthy_rewrite_is_silent(guarded: Scratch) -> None:
    git(guarded.top, *QUIET, "checkout", "--quiet", "-b", "side")
    guarded.tracker.update(guarded.ids[0], title="Build the long pier")
    guarded.lay()
    guarded.record("work")
    assert "jit-hooks" not in spoken(guarded, "commit", "--amend", "--message=reworded")
    git(guarded.top, *QUIET, "checkout", "--quiet", "main")
    (guarded.top / "notes.txt").write_text("two\n")
    guarded.record("elsewhere")
    git(guarded.top, *QUIET, "checkout", "--quiet", "side")
    assert "jit-hooks" not in spoken(guarded, "rebase", "main")


# A pending transaction


def test_a_commit_beside_a_pending_transaction_is_judged_and_warned_of(guarded: Scratch) -> None:
    journal = pend(guarded)
    guarded.tracker.create("Moor the boats")
    guarded.lay()
    git(guarded.top, "add", ".jit/issues", ".jit/index.json", ".jit/events.jsonl")
    said = spoken(guarded, "commit", "--message=whole")
    warned = [line for line in said.splitlines() if line.startswith("jit-hooks")]
    assert len(warned) == 1
    assert f".jit/{JOURNAL}" in warned[0]
    assert warned[0].endswith("jit recover")
    assert journal.exists()
    issue = guarded.tracker.create("Half of a change")
    guarded.lay()
    git(guarded.top, "add", "--", guarded.issue(issue))
    done = guarded.try_git("commit", "--message=half")
    assert done.returncode == 1
    assert "error[index-misses-issue]" in done.stdout
    assert "jit recover" in done.stdout


def test_an_empty_directory_of_transactions_is_nothing(guarded: Scratch) -> None:
    pend(guarded).unlink()
    (guarded.data / JOURNAL).parent.rmdir()
    (guarded.top / ".jit-bootstrap" / "transactions").mkdir(parents=True)
    assert not may_be_pending(str(guarded.data), str(guarded.top))
    (guarded.top / "jit-stage-1").mkdir()
    assert may_be_pending(str(guarded.data), str(guarded.top))


def test_a_merge_beside_a_pending_transaction_is_warned_of(guarded: Scratch) -> None:
    git(guarded.top, *QUIET, "branch", "side")
    (guarded.top / "notes.txt").write_text("two\n")
    guarded.record("ours")
    git(guarded.top, *QUIET, "checkout", "--quiet", "side")
    (guarded.top / "other.txt").write_text("x\n")
    guarded.record("theirs")
    git(guarded.top, *QUIET, "checkout", "--quiet", "main")
    pend(guarded)
    assert "jit-hooks: pre-merge-commit: a transaction of the tracker waits in the worktree" in " ".join(
        guarded.try_git("merge", "--no-edit", "side").stdout.split()
    )


def move_by_checkout(scratch: Scratch) -> str:
    return spoken(scratch, "checkout", "side")


def move_by_merge(scratch: Scratch) -> str:
    return spoken(scratch, "merge", "side")


def move_by_rebase(scratch: Scratch) -> str:
    git(scratch.top, *QUIET, "checkout", "--quiet", "-b", "own")
    (scratch.top / "notes.txt").write_text("two\n")
    git(scratch.top, *QUIET, "commit", "--quiet", "--all", "--message=own")
    return spoken(scratch, "rebase", "side")


@pytest.mark.parametrize("move", [move_by_checkout, move_by_merge, move_by_rebase])
def test_files_that_git_changes_under_a_pending_transaction_are_told(
    guarded: Scratch, move: Callable[[Scratch], str]
) -> None:
    broken_branch(guarded)
    pend(guarded)
    said = move(guarded)
    assert "git has just changed .jit/" in said
    assert "while a transaction of the tracker was pending" in said
    assert "to fix:  jit recover" in said


def test_a_checkout_of_files_beside_a_pending_transaction_is_told(guarded: Scratch) -> None:
    pend(guarded)
    assert "jit recover" in spoken(guarded, "checkout", "--", "notes.txt")


# A push, where it begins


def pushed(scratch: Scratch, *words: str, ok: bool, says: str = "") -> str:
    done = scratch.try_git("push", *words)
    assert (done.returncode == 0) is ok, done.stdout
    assert says in done.stdout, done.stdout
    return done.stdout


@pytest.fixture
def pushing(guarded: Scratch) -> Scratch:
    """A clone whose server has no guard of its own."""
    server = new_server(guarded)
    (server / "hooks" / "pre-receive").unlink()
    return guarded


def test_a_push_is_refused_here_and_says_the_way_round(pushing: Scratch) -> None:
    forget_index(pushing)
    said = pushed(pushing, "origin", "main", ok=False, says="error[index-misses-issue]  .jit/index.json")
    assert "jit-hooks: this push would break the issue store: 1 error" in said
    assert "Way round in an emergency: git push --no-verify" in said
    pushed(pushing, "--no-verify", "origin", "main", ok=True)
    pushing.record("with its entry")
    assert "jit-hooks" not in pushed(pushing, "origin", "main", ok=True)


def test_only_what_the_remote_lacks_is_judged(pushing: Scratch) -> None:
    forget_index(pushing)
    pushed(pushing, "--no-verify", "origin", "main", ok=True)
    git(pushing.top, *QUIET, "checkout", "--quiet", "--", ".jit")
    (pushing.top / "notes.txt").write_text("two\n")
    pushing.record("innocent")
    pushed(pushing, "origin", "main:new", ok=True)
    pushed(pushing, "origin", "main", ok=True)
    pushed(pushing, "origin", ":new", ok=True)
    pushed(pushing, str(pushing.top.with_name("server.git")), "main:again", ok=False, says="error[index-misses-issue]")


def test_every_ref_of_a_push_is_judged(pushing: Scratch) -> None:
    git(pushing.top, "branch", "innocent")
    broken_branch(pushing)
    pushed(pushing, "origin", "innocent", "side", "innocent:more", ok=False, says="refused: refs/heads/side")
    pushed(pushing, "--all", "origin", ok=False, says="refused: refs/heads/side")


@pytest.mark.parametrize(
    ("name", "other"), [("a", "a/b"), ("a*", "abc"), ("[a]", "a"), ("we ird", "we"), ("-x", "x"), ("\u00e9", "e")]
)
def test_what_another_remote_holds_is_lacking_in_this_one(pushing: Scratch, name: str, other: str) -> None:
    """A remote's name is no pattern, and no directory of other remotes."""
    server = pushing.top.with_name("server.git")
    for remote, tracked in ((name, "refs/remotes/tracked"), (other, f"refs/remotes/{other}")):
        git(pushing.top, "config", f"remote.{remote}.url", str(server))
        git(pushing.top, "config", f"remote.{remote}.fetch", f"+refs/heads/*:{tracked}/*")
    broken_branch(pushing)
    git(pushing.top, "update-ref", f"refs/remotes/{other}/side", "side")
    pushed(pushing, "--", name, "side", ok=False, says="error[index-misses-issue]")
    pushed(pushing, "--", name, "main:new", ok=True)


def test_what_the_remote_holds_is_left_out_whatever_its_name(pushing: Scratch) -> None:
    git(pushing.top, "remote", "rename", "origin", "a/b.c")
    git(pushing.top, "remote", "add", "a/b.c/d", "elsewhere")
    broken_branch(pushing)
    git(pushing.top, "update-ref", "refs/remotes/a/b.c/side", "side")
    pushed(pushing, "a/b.c", "side", ok=True)


def test_a_push_of_a_branch_whose_store_is_not_checked_out(pushing: Scratch) -> None:
    """Under a framework no script says where the store is."""
    broken_branch(pushing)
    tip = pushing.git("rev-parse", "side").strip()
    git(pushing.top, *QUIET, "checkout", "--quiet", "--orphan", "pages")
    git(pushing.top, "rm", "--quiet", "-r", "--force", ".jit")
    pushing.record("no store here")
    assert not pushing.data.exists()
    package = str(Path(jit_hooks.__file__).parents[1])
    start = f"import sys; sys.path.insert(0, {package!r}); from jit_hooks.cli import hooks; hooks()"
    given = f"refs/heads/side {tip} refs/heads/side {'0' * 40}\n"
    done = run(pushing.top, sys.executable, "-c", start, "pre-push", "origin", "x", stdin=given)
    assert done.returncode == 1, done.stdout
    assert "refused: refs/heads/side" in done.stdout
    pushed(pushing, "origin", "side", ok=False, says="refused: refs/heads/side")


def test_a_push_from_a_linked_worktree(pushing: Scratch) -> None:
    broken_branch(pushing)
    linked = pushing.top.with_name("linked")
    git(pushing.top, *QUIET, "worktree", "add", "--quiet", str(linked), "side")
    assert run(linked, "git", "push", "origin", "side").returncode == 1


def test_an_old_ref_that_is_not_here(pushing: Scratch) -> None:
    """Somebody else pushed meanwhile: what is forced over it is judged against what is known of the remote."""
    other = new_scratch(pushing.top.with_name("other"))
    git(pushing.top.with_name("server.git"), "fetch", "--quiet", "--force", str(other.top), "main:main")
    (pushing.top / "notes.txt").write_text("two\n")
    pushing.record("innocent")
    pushed(pushing, "--force", "origin", "main", ok=True)
    git(pushing.top.with_name("server.git"), "fetch", "--quiet", "--force", str(other.top), "main:main")
    forget_index(pushing)
    pushed(pushing, "--force", "origin", "main", ok=False, says="error[index-misses-issue]")


def test_a_first_push_goes_by_its_own_settings(guarded: Scratch) -> None:
    """On the machine that pushes a person publishes his own history, with what he has said of it."""
    git(guarded.top.parent, "init", "--quiet", "--bare", "--template=", "empty.git")
    git(guarded.top, "remote", "add", "origin", str(guarded.top.with_name("empty.git")))
    forget_index(guarded)
    pushed(guarded, "origin", "main", ok=False, says="error[index-misses-issue]")
    git(guarded.top, *QUIET, "checkout", "--quiet", "--", ".jit")
    accept = '[[accept]]\ncode = "index-misses-issue"\nrecord = ".jit/index.json"\nreason = "known"\n'
    (guarded.data / "hooks.toml").write_text(accept)
    guarded.record("known")
    pushed(guarded, "origin", "main", ok=True)


def test_a_shallow_clone_says_not_judged_where_a_parent_is_missing(pushing: Scratch, tmp_path: Path) -> None:
    pushing.tracker.update(pushing.ids[0], title="Build the long pier")
    pushing.lay()
    pushing.record("work")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", pushing.top.as_uri(), str(shallow))
    done = run(shallow, "git", "log", "--format=%H")
    assert len(done.stdout.split()) == 1
    install(str(shallow))
    git(tmp_path, "init", "--quiet", "--bare", "--template=", "empty.git")
    said = run(shallow, "git", "push", str(tmp_path / "empty.git"), "main")
    assert said.returncode == 1
    assert "not judged" in said.stdout
    assert "git fetch --unshallow" in said.stdout


# Other repositories, other callers


def test_a_chained_hook_of_a_push_comes_first_with_arguments_input_and_exit_code(pushing: Scratch) -> None:
    hooks = pushing.top / ".git" / "hooks"
    seen = pushing.top.with_name("seen")
    (hooks / "pre-push").unlink()
    (hooks / "pre-push").write_text(f'#!/bin/sh\necho "$1" >{seen}\ncat >>{seen}\nexit $(cat {seen}.code)\n')
    (hooks / "pre-push").chmod(0o755)
    install(str(pushing.top), chain=True)
    code = seen.with_name("seen.code")
    broken_branch(pushing)
    code.write_text("7")
    assert "jit-hooks" not in pushed(pushing, "origin", "side", "main:new", ok=False)
    tip = pushing.git("rev-parse", "side").strip()
    name, *lines = seen.read_text().splitlines()
    assert name == "origin"
    assert sorted(line.split()[0] for line in lines) == ["refs/heads/main", "refs/heads/side"]
    assert any(line.split()[1] == tip for line in lines)
    code.write_text("0")
    pushed(pushing, "origin", "side", "main:new", ok=False, says="refused: refs/heads/side")
    pushed(pushing, "origin", "main:new", ok=True)
    pushed(pushing, "origin", "main:new", ok=True, says="up-to-date")


def test_a_push_that_another_hook_makes(pushing: Scratch) -> None:
    """`git commit -a` runs its hooks with a git index of its own; what it leaks must not be what is judged."""
    after = pushing.top / ".git" / "hooks" / "post-commit"
    after.write_text("#!/bin/sh\ngit push --quiet origin HEAD\n")
    after.chmod(0o755)
    broken_branch(pushing)
    (pushing.top / "notes.txt").write_text("two\n")
    assert "jit-hooks" not in spoken(pushing, "commit", "--all", "--message=work")
    server = pushing.top.with_name("server.git")
    assert git(server, "rev-parse", "main") == pushing.git("rev-parse", "main")
    git(pushing.top, *QUIET, "checkout", "--quiet", "side")
    (pushing.top / "notes.txt").write_text("three\n")
    said = spoken(pushing, "commit", "--all", "--message=work")
    assert "this push would break the issue store" in said


def test_a_push_of_a_submodule(pushing: Scratch) -> None:
    outer = pushing.top.with_name("outer")
    git(pushing.top.parent, "init", "--quiet", "--template=", str(outer))
    server = pushing.top.with_name("server.git")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(server), "part")
    part = pushing.at(outer / "part")
    install(str(part.top))
    git(part.top, *QUIET, "checkout", "--quiet", "main")
    forget_index(part)
    pushed(part, "origin", "main", ok=False, says="error[index-misses-issue]")


def test_sha256_on_both_sides(tmp_path: Path) -> None:
    one = new_scratch(tmp_path / "work", init=("--object-format=sha256",))
    server = new_server(one)
    forget_index(one)
    pushed(one, "origin", "main", ok=False, says="remote: error[index-misses-issue]")
    (server / "hooks" / "pre-receive").unlink()
    install(str(one.top))
    pushed(one, "origin", "main", ok=False, says="Way round in an emergency: git push --no-verify")
    one.record("with its entry")
    pushed(one, "origin", "main", ok=True)


def test_a_sparse_worktree_without_the_store(guarded: Scratch) -> None:
    """What git does not lay out is not gone; what is wrong with it is told all the same."""
    (guarded.top / "near").mkdir()
    (guarded.top / "near" / "file").write_text("x\n")
    guarded.record("near")
    git(guarded.top, *QUIET, "branch", "healthy")
    guarded.tracker.update(guarded.ids[0], title="Build the long pier")
    guarded.lay()
    guarded.record("work")
    git(guarded.top, "sparse-checkout", "set", "--cone", "near")
    assert not guarded.data.exists()
    assert "jit-hooks" not in spoken(guarded, "checkout", "healthy")
    assert "jit-hooks" not in spoken(guarded, "merge", "main")
    assert shell.run("jit-check", "check_app", [str(guarded.top)]) == 0
    git(guarded.top, "sparse-checkout", "disable")
    broken_branch(guarded)
    git(guarded.top, "sparse-checkout", "set", "--cone", "near")
    assert "error[index-misses-issue]" in spoken(guarded, "checkout", "side")
    git(guarded.top, *QUIET, "checkout", "--quiet", "healthy")
    assert "error[index-misses-issue]" in spoken(guarded, "merge", "side")
    assert shell.run("jit-check", "check_app", [str(guarded.top)]) == 0


def test_a_hooks_path_for_all_repositories_is_not_written_to_and_the_way_out_works(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "for all"
    shared.mkdir()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    git(scratch.top, "config", "--global", "core.hooksPath", str(shared))
    with pytest.raises(InstallError) as caught:
        install(str(scratch.top))
    assert run(tmp_path, "sh", "-c", caught.value.remedy.split(" && ")[0]).returncode == 0
    install(str(scratch.top))
    broken_branch(scratch)
    assert "error[index-misses-issue]" in spoken(scratch, "checkout", "side")
    assert not list(shared.iterdir())
