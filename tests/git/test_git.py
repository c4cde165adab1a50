"""The reader of git: names and bytes of the git index and of trees, in every kind of repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from jit_hooks.errors import GitError, MissingObjectError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.git.snapshots import GitIndexSnapshot, TreeSnapshot, is_plain_revision
from jit_hooks.store.snapshot import Entry, Snapshot, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "index.json": b'{"schema_version": 2}',
    "issues/a.json": b"{}",
    "issues/name with é and\nnewline.json": b"[]",
    "events.jsonl": b"",
}


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of this machine, no variables of a calling hook."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")


def git(top: Path, *arguments: str) -> str:
    """One git command in a repository."""
    done = subprocess.run(["git", *arguments], cwd=top, capture_output=True, text=True, check=True)
    return done.stdout


def write(top: Path, files: dict[str, bytes], prefix: str = ".jit") -> None:
    """Files below a store."""
    for path, data in files.items():
        target = top / prefix / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


VARIANTS: dict[str, tuple[list[str], list[tuple[str, ...]]]] = {
    "plain": ([], []),
    "sha256": (["--object-format=sha256"], []),
    "index-v4": ([], [("config", "index.version", "4")]),
    "split-index": ([], [("config", "core.splitIndex", "true"), ("update-index", "--split-index")]),
    "sparse": ([], [("sparse-checkout", "set", "--cone", "--sparse-index", "elsewhere")]),
    "many-files": ([], [("config", "feature.manyFiles", "true")]),
}


@pytest.fixture(params=list(VARIANTS))
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    """A repository of each kind with a store committed."""
    options, after = VARIANTS[request.param]
    top = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", "-b", "main", *options, str(top)], check=True)
    write(top, FILES)
    (top / "elsewhere").mkdir()
    (top / "elsewhere" / "x").write_text("x")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "store")
    for command in after:
        git(top, *command)
    if request.param == "index-v4":
        git(top, "update-index", "--force-write-index")
    made = Repository(Git(str(top)))
    yield made
    made.close()


def contents(snapshot: Snapshot) -> dict[str, object]:
    """Every file of a snapshot, read in one batch."""
    return dict(snapshot.read_many(list(snapshot.entries())))


def test_the_git_index_is_read_in_every_kind_of_repository(repository: Repository) -> None:
    assert contents(GitIndexSnapshot(repository)) == FILES


def test_a_tree_is_read_in_every_kind_of_repository(repository: Repository) -> None:
    head = repository.commits.resolve("HEAD")
    assert head is not None
    assert contents(TreeSnapshot(repository, head)) == FILES


def test_one_path_is_found_without_a_listing(repository: Repository) -> None:
    snapshot = GitIndexSnapshot(repository, unmerged=())
    assert snapshot.read("issues/a.json") == b"{}"
    assert snapshot.entry("issues/b.json") is None
    assert (
        snapshot.entry("issues") == TreeSnapshot(repository, "HEAD").entry("issues") or snapshot.entry("issues") is None
    )
    assert TreeSnapshot(repository, "HEAD").read("index.json") == FILES["index.json"]


def test_changes_name_what_stood_before_and_after(repository: Repository) -> None:
    assert repository.changes("diff-index", "--cached", "HEAD") == {}
    empty = repository.git.text("hash-object", "-t", "tree", os.devnull)
    found = repository.changes("diff-index", "--cached", empty)
    assert set(found) == set(FILES)
    assert all(before is None and after is not None and after.kind == "file" for before, after in found.values())


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A plain repository with a committed store."""
    made = tmp_path / "plain"
    subprocess.run(["git", "init", "-q", "-b", "main", str(made)], check=True)
    write(made, FILES)
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "store")
    return made


def test_an_announced_file_is_not_in_the_commit(top: Path) -> None:
    write(top, {"issues/later.json": b"{}", "issues/empty.json": b""})
    git(top, "add", "-N", ".jit/issues/later.json")
    git(top, "add", ".jit/issues/empty.json")
    entries = GitIndexSnapshot(Repository(Git(str(top)))).entries()
    assert "issues/later.json" not in entries
    assert "issues/empty.json" in entries


def test_links_and_submodules_are_entries_without_content(top: Path) -> None:
    (top / ".jit" / "issues" / "link.json").symlink_to("/etc/passwd")
    git(top, "add", "-A")
    commit = git(top, "rev-parse", "HEAD").strip()
    git(top, "update-index", "--add", "--cacheinfo", f"160000,{commit},.jit/issues/module.json")
    snapshot = GitIndexSnapshot(Repository(Git(str(top))))
    assert snapshot.entries()["issues/link.json"].kind == "link"
    assert snapshot.entries()["issues/module.json"].kind == "submodule"
    assert snapshot.read("issues/link.json") is None


def test_the_sides_of_a_conflict_are_named(top: Path) -> None:
    git(top, "checkout", "-q", "-b", "side")
    write(top, {"issues/a.json": b'{"side": 1}'})
    git(top, "commit", "-q", "-a", "-m", "side")
    git(top, "checkout", "-q", "main")
    write(top, {"issues/a.json": b'{"main": 1}'})
    git(top, "commit", "-q", "-a", "-m", "main")
    subprocess.run(["git", "merge", "-q", "side"], cwd=top, capture_output=True, check=False)
    snapshot = GitIndexSnapshot(Repository(Git(str(top))))
    assert list(snapshot.unmerged()) == ["issues/a.json"]
    assert "issues/a.json" not in snapshot.entries()


def test_what_lies_beside_the_store_is_seen(top: Path) -> None:
    (top / ".jit-bootstrap.lock").touch()
    (top / "jit-stage-1" / "deep").mkdir(parents=True)
    (top / "jit-stage-1" / "deep" / "x").touch()
    (top / "unrelated").touch()
    git(top, "add", "-A")
    repository = Repository(Git(str(top)))
    found = [path for path in GitIndexSnapshot(repository).entries() if path.startswith("../")]
    assert sorted(found) == ["../.jit-bootstrap.lock", "../jit-stage-1/deep/x"]


def test_a_store_in_a_sub_directory(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True)
    write(tmp_path / "r", FILES, "a [1]/b*/.jit")
    (tmp_path / "r" / "a [1]" / "b*" / ".jit-bootstrap.lock").touch()
    (tmp_path / "r" / ".jit-bootstrap.lock").touch()
    git(tmp_path / "r", "add", "-A")
    repository = Repository(Git(str(tmp_path / "r")), "a [1]/b*/.jit/")
    snapshot = GitIndexSnapshot(repository)
    assert set(snapshot.entries()) == {*FILES, "../.jit-bootstrap.lock"}
    assert snapshot.entries()["../.jit-bootstrap.lock"].kind == "file"
    assert repository.top_path("../.jit-bootstrap.lock") == "a [1]/b*/.jit-bootstrap.lock"


def test_the_index_git_is_about_to_commit_is_read(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(top, {"issues/a.json": b'{"staged": 1}'})
    other = str(top / ".git" / "other-index")
    subprocess.run(["git", "read-tree", "HEAD"], cwd=top, env={**os.environ, "GIT_INDEX_FILE": other}, check=True)
    subprocess.run(["git", "add", "-A"], cwd=top, env={**os.environ, "GIT_INDEX_FILE": other}, check=True)
    assert GitIndexSnapshot(Repository(Git(str(top)))).read("issues/a.json") == b"{}"
    monkeypatch.setenv("GIT_INDEX_FILE", other)
    assert GitIndexSnapshot(Repository(Git(str(top)))).read("issues/a.json") == b'{"staged": 1}'
    assert GitIndexSnapshot(Repository(Git(str(top), inherit=False))).read("issues/a.json") == b"{}"


def test_a_large_object_is_not_read(top: Path) -> None:
    write(top, {"issues/a.json": b"x" * 100_000, "issues/b.json": b"y"})
    git(top, "add", "-A")
    repository = Repository(Git(str(top)))
    entries = GitIndexSnapshot(repository).entries()
    names = [entries[f"issues/{name}.json"].identity or "" for name in "ab"]
    answers = list(repository.blobs.read_many((name, 1000) for name in names))
    assert isinstance(answers[0][1], TooLarge)
    assert answers[0][1].size == 100_000
    assert answers[1][1] == b"y"


def test_thousands_of_names_do_not_block(top: Path) -> None:
    repository = Repository(Git(str(top)))
    name = GitIndexSnapshot(repository).entries()["index.json"].identity or ""
    answers = repository.blobs.read_many((f"{'0' * 38}{n % 90 + 10}" if n % 2 else name, 10_000) for n in range(5000))
    found = [content for _, content in answers]
    assert found[::2] == [FILES["index.json"]] * 2500
    assert found[1::2] == [None] * 2500


def test_a_missing_object_is_no_pass(top: Path) -> None:
    repository = Repository(Git(str(top)))
    snapshot = GitIndexSnapshot(repository, {"index.json": Entry("file", "1" * 40)})
    with pytest.raises(MissingObjectError):
        snapshot.read("index.json")


def test_a_failing_command_says_what_git_said(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Git(str(tmp_path)).run("rev-parse", "--show-toplevel")


def test_output_is_read_while_git_runs(top: Path) -> None:
    assert b"events.jsonl" in b" ".join(Git(str(top)).lines("ls-files", "-z", separator=b"\0"))
    with pytest.raises(GitError):
        list(Git(str(top)).lines("log", "--no-such-option"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("HEAD", True),
        ("v1.0~2^", True),
        ("0123abc", True),
        ("", False),
        ("--upload-pack=x", False),
        ("HEAD^{/a+}", False),
        (":/search", False),
        ("main@{yesterday}", False),
        ("a..b", False),
        ("a b", False),
    ],
)
def test_a_revision_from_a_record_is_passed_on_only_when_it_is_a_name(text: str, plain: bool) -> None:
    assert is_plain_revision(text) is plain


def test_documents_are_looked_for_in_the_source_and_at_commits(top: Path) -> None:
    (top / "plan.md").write_text("plan")
    git(top, "add", "plan.md")
    repository = Repository(Git(str(top)))
    staged, head = GitIndexSnapshot(repository), TreeSnapshot(repository, "HEAD")
    assert staged.has_document("plan.md", None) is True
    assert head.has_document("plan.md", None) is False
    assert staged.has_document("plan.md", "HEAD") is False
    assert staged.has_document(".jit/index.json", "HEAD") is True
    assert staged.has_document("../outside", None) is False
    assert staged.has_document("plan.md", "HEAD^{/x}") is None
    assert staged.has_document(".jit/index.json", "no-such-revision") is False
