"""What an attack on the first version found, each as a test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, run

from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import NotJudgedError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.git.snapshots import GitIndexSnapshot, is_plain_revision
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.report.commands import quote
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.loss import lost_events
from jit_hooks.store.reader import read_json_lines
from jit_hooks.store.records import Record

if TYPE_CHECKING:
    from pathlib import Path


def test_more_than_the_cache_holds_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jit_hooks.git.objects._CACHE_BYTES", 1000)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".jit").mkdir()
    for number in range(20):
        (tmp_path / ".jit" / f"{number:02}").write_bytes(b"%d" % number * 200)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    snapshot = GitIndexSnapshot(Repository(Git(str(tmp_path))))
    assert snapshot.read("00") == b"0" * 200
    assert [path for path, data in snapshot.read_many(snapshot.entries()) if data is None] == []


def test_a_name_cannot_end_the_quotes_of_dash(tmp_path: Path) -> None:
    word = quote("\x01'; touch PWNED #.json")
    subprocess.run(["sh", "-c", f"true {word}"], cwd=tmp_path, check=False)
    assert not (tmp_path / "PWNED").exists()


def test_torn_lines_cannot_complete_each_other_with_a_number_that_only_equals_the_mark() -> None:
    assert read_json_lines([b'{"a":1},47.11e2,{"b":2}', b'{"c":[1', b"2]}"]) is None


def test_a_revision_of_thousands_of_steps_is_not_passed_on() -> None:
    assert not is_plain_revision("HEAD" + "^0" * 300)


def test_a_long_number_in_toml_is_a_fault_of_the_file() -> None:
    record = Record("config.toml", b"x = " + b"9" * 5000, Accepted())
    assert record.fault is not None
    assert record.fault.code == "toml-unparsable"


def test_a_linked_directory_is_not_read_through(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.json").write_text("{}")
    (tmp_path / ".jit").mkdir()
    (tmp_path / ".jit" / "issues").symlink_to(tmp_path / "outside")
    assert WorktreeSnapshot(str(tmp_path / ".jit")).read("issues/x.json") is None


def test_an_announced_issue_blocks_nobody(scratch: Scratch) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    issue = scratch.top / ".jit" / "issues" / "3f2a81c0-1111-4111-8111-111111111111.json"
    issue.write_text("{}")
    subprocess.run(["git", "add", "-N", str(issue)], cwd=scratch.top, check=True)
    done = subprocess.run(hook, cwd=scratch.top, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def check(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import check; check()", *arguments)


def test_what_a_sparse_checkout_leaves_out_is_not_gone(scratch: Scratch) -> None:
    (scratch.top / "src").mkdir()
    (scratch.top / "src" / "x").write_text("x")
    scratch.record()
    scratch.git("sparse-checkout", "set", "--cone", "src")
    assert not scratch.data.exists()
    done = check(scratch.top)
    assert (done.returncode, "is healthy" in done.stdout) == (0, True), done.stdout
    scratch.git("sparse-checkout", "disable")
    (scratch.data / "index.json").unlink()
    assert check(scratch.top).returncode == 1


@pytest.mark.parametrize("ignored", [False, True])
def test_a_document_that_was_never_staged_is_refused(scratch: Scratch, *, ignored: bool) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    for number in (0, 1):
        scratch.tracker.document_add(scratch.ids[number], "docs/de sign.md")
    scratch.lay()
    scratch.git("add", ".jit")
    assert run(scratch.top, *hook).returncode == 0, "a document that is nowhere blocks nobody"
    (scratch.top / "docs").mkdir()
    (scratch.top / "docs" / "de sign.md").write_text("x")
    if ignored:
        (scratch.top / ".gitignore").write_text("docs/\n")
        assert run(scratch.top, *hook).returncode == 0, "git add would not take it"
        return
    refused = run(scratch.top, *hook)
    assert (refused.returncode, "error[document-missing]" in refused.stdout) == (1, True), refused.stdout
    assert scratch.paste(refused.stdout) == "git add 'docs/de sign.md'"
    assert run(scratch.top, *hook).returncode == 0


def test_a_second_conflict_in_a_log_that_had_one_is_new(scratch: Scratch) -> None:
    log = scratch.data / "events.jsonl"
    block = "<<<<<<< ours\n=======\n>>>>>>> theirs\n"
    log.write_text(log.read_text() + block)
    scratch.record()
    assert check(scratch.top).returncode == 0
    log.write_text(log.read_text() + block)
    refused = check(scratch.top)
    assert (refused.returncode, refused.stdout.count("error[conflict-marker]")) == (1, 1), refused.stdout


def test_a_severity_in_git_config_leaves_the_hot_path(scratch: Scratch) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    scratch.tracker.create("Count the gulls", labels=["nope:x"])
    scratch.lay()
    scratch.add_all()
    assert run(scratch.top, *hook).returncode == 0
    scratch.git("config", "jit-hooks.severity.label-unregistered", "error")
    assert run(scratch.top, *hook).returncode == 1


def test_the_text_of_a_dependency_cannot_leave_its_quotes(scratch: Scratch) -> None:
    gone = "$(touch PWNED)"
    path = scratch.data / f"issues/{scratch.ids[0]}.json"
    document = json.loads(path.read_text())
    document["dependencies"].append(gone)
    path.write_text(json.dumps(document, indent=2))
    index = json.loads((scratch.data / "index.json").read_text())
    index["deleted_ids"].append(gone)
    (scratch.data / "index.json").write_text(json.dumps(index, indent=2))
    said = check(scratch.top).stdout
    assert f"jit dep rm {scratch.ids[0]} '{gone}'" in said


def test_a_settings_error_is_not_called_unjudged(scratch: Scratch) -> None:
    (scratch.data / "hooks.toml").write_text("severty = 1")
    scratch.add_all()
    done = run(scratch.top, sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit")
    assert (done.returncode, "not judged" in done.stdout, "did you mean `severity`" in done.stdout) == (2, False, True)


def test_a_judgement_ends_with_its_time(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jit_hooks.judging.case.find_problems", lambda *_: signal.pause())
    request = Request("git-index", str(scratch.data), Repository(Git(str(scratch.top))), seconds=0.01)
    with pytest.raises(NotJudgedError, match="time limit"):
        judge(request)


def test_ten_thousand_lost_events_cost_one_pass() -> None:
    lines = [
        b'{"id":"%08x-0000-4000-8000-000000000000","issue_id":"x","type":"issue_created"}' % number
        for number in range(40_000)
    ]
    before = b"\n".join(lines) + b"\n"
    assert len(list(lost_events(before, b"\n".join(lines[::-2]) + b"\n"))) == 20_000


def test_a_remedy_names_the_path(scratch: Scratch) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    (scratch.top / ".jit" / "worktree.json").write_text("{}")
    subprocess.run(["git", "add", "-f", ".jit/worktree.json"], cwd=scratch.top, check=True)
    done = subprocess.run(hook, cwd=scratch.top, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "git rm --cached .jit/worktree.json" in done.stdout
    assert "{path}" not in done.stdout


def hook_in(top: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(top, sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit", **variables)


def put_link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def test_a_link_whose_text_is_a_healthy_issue_is_refused(scratch: Scratch) -> None:
    issue = scratch.top / scratch.issue(scratch.ids[0])
    document = json.dumps(json.loads(issue.read_text(encoding="utf-8")))
    put_link(issue, document)
    scratch.add_all()
    refused = hook_in(scratch.top)
    assert (refused.returncode, "error[record-not-file]" in refused.stdout) == (1, True), refused.stdout


def test_the_text_of_a_link_is_no_settings(scratch: Scratch) -> None:
    put_link(scratch.data / "hooks.toml", '[[accept]]\ncode = "x"')
    scratch.add_all()
    done = hook_in(scratch.top)
    assert (done.returncode, "not a regular file" in done.stdout) == (2, True), done.stdout
    scratch.record()
    for source in (["--commit", "HEAD"], ["--staged"], ["--range", "HEAD"]):
        assert check(scratch.top, *source).returncode == 2


def test_the_text_of_a_link_is_no_configuration(scratch: Scratch) -> None:
    put_link(scratch.data / "config.toml", "../no toml")
    scratch.add_all()
    done = hook_in(scratch.top)
    assert (done.returncode, done.stdout) == (0, "")
    assert "config-malformed" not in check(scratch.top, "--staged").stdout


def test_one_broken_path_in_the_worktree_leaves_the_cure_of_the_others(scratch: Scratch) -> None:
    broken = scratch.top / scratch.issue(scratch.ids[0])
    whole = broken.read_bytes()
    issue = scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    broken.write_bytes(whole.replace(b'"normal"', b'"norml"'))
    git(scratch.top, "add", "--", scratch.issue(issue), str(broken))
    broken.write_bytes(whole[:-9])
    refused = hook_in(scratch.top)
    assert (refused.returncode, refused.stdout.count("error[")) == (1, 3), refused.stdout
    assert scratch.paste(refused.stdout) == "git add .jit/events.jsonl .jit/index.json"
    again = hook_in(scratch.top).stdout
    assert ("error[issue-malformed]" in again, again.count("error[")) == (True, 1), again


def test_what_only_a_broken_path_would_cure_is_not_offered(scratch: Scratch) -> None:
    issue = scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    path = scratch.top / scratch.issue(issue)
    path.write_bytes(path.read_bytes()[:-9])
    git(scratch.top, "add", "--", scratch.path("index.json"))
    refused = hook_in(scratch.top)
    assert (refused.returncode, "error[index-lists-missing]" in refused.stdout) == (1, True), refused.stdout
    assert "git add" not in refused.stdout


@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("way", ["instance", "value", "severity"])
def test_settings_that_would_excuse_a_refusal_and_are_not_staged_are_named(
    scratch: Scratch, *, tracked: bool, way: str
) -> None:
    settings = scratch.data / "hooks.toml"
    if tracked:
        settings.write_text('[severity]\nissue-isolated = "note"\n', encoding="utf-8")
        scratch.record()
    issue = scratch.top / scratch.issue(scratch.ids[0])
    issue.write_bytes(issue.read_bytes().replace(b'"normal"', b'"norml"'))
    git(scratch.top, "add", "--", str(issue))
    line = "the hooks.toml in your worktree would excuse one of these errors, but it is not staged: git add"
    assert line not in hook_in(scratch.top).stdout
    ways = {
        "instance": f'[[accept]]\ncode = "issue-malformed"\nrecord = "{scratch.issue(scratch.ids[0])}"\nreason = "x"\n',
        "value": '[accept]\npriorities = ["norml"]\n',
        "severity": '[severity]\nissue-malformed = "warning"\n',
    }
    settings.write_text(ways[way], encoding="utf-8")
    refused = hook_in(scratch.top)
    assert (refused.returncode, line in " ".join(refused.stdout.split())) == (1, True), refused.stdout
    assert scratch.paste(refused.stdout) == "git add .jit/hooks.toml"
    assert hook_in(scratch.top).returncode == 0


def test_settings_that_would_excuse_nothing_are_not_named(scratch: Scratch) -> None:
    git(scratch.top, "rm", "--quiet", "--cached", scratch.path("index.json"))
    for text in ('[severity]\nissue-isolated = "note"\n', "no toml"):
        (scratch.data / "hooks.toml").write_text(text, encoding="utf-8")
        assert "hooks.toml in your worktree" not in hook_in(scratch.top).stdout


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("jit-hooks.severity.index-mises-issue", "did you mean `index-misses-issue`?"),
        ("jit-hooks.severty.issue-isolated", "did you mean `jit-hooks.severity.issue-isolated`?"),
        ("jit-hooks.bogus", "there is only `jit-hooks.severity.CODE`"),
    ],
)
def test_a_key_of_git_config_that_means_nothing_is_refused(scratch: Scratch, key: str, said: str) -> None:
    scratch.git("config", key, "error")
    for done in (check(scratch.top), check(scratch.top, "--range", "HEAD")):
        assert (done.returncode, said in done.stdout) == (2, True), done.stdout
    scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    scratch.add_all()
    assert hook_in(scratch.top).returncode == 2


def test_several_files_of_one_machine_are_taken_out_at_once(scratch: Scratch) -> None:
    for name in ("worktree.json", "server.pid.json"):
        (scratch.data / name).write_text("{}", encoding="utf-8")
        git(scratch.top, "add", "--force", f".jit/{name}")
    refused = hook_in(scratch.top)
    command = refused.stdout.partition("next:  ")[2].splitlines()[0]
    assert command == "git rm --cached .jit/server.pid.json .jit/worktree.json", refused.stdout
    assert run(scratch.top, "sh", "-c", command).returncode == 0
    assert hook_in(scratch.top).returncode == 0


def test_a_long_remedy_of_several_codes_is_printed_once(scratch: Scratch) -> None:
    issue = scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    git(scratch.top, "add", "--", scratch.issue(issue))
    refused = hook_in(scratch.top).stdout
    assert refused.count("error[") == 2
    assert refused.count("git add") == 1
    assert scratch.paste(refused) == "git add .jit/events.jsonl .jit/index.json"
    assert refused.splitlines()[-2].startswith("next:  git add")
