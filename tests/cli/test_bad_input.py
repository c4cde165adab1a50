"""Bad input of every kind gets one clear line and the right exit code, never a traceback, and nothing is written."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from git_scratch import commit_all, git

from jit_hooks.testing.stores import healthy_tracker
from jit_hooks.testing.tracker import documents_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CHECK = "from jit_hooks.cli import check; check()"
HOOKS = "from jit_hooks.cli import hooks; hooks()"
QUICK = 30
"""Seconds after which a command counts as hanging, on a busy machine too."""


class Said:
    """What a command gave."""

    def __init__(self, made: subprocess.CompletedProcess[bytes]) -> None:
        self.code = made.returncode
        self.out = made.stdout.decode()
        self.err = made.stderr.decode()

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}{self.err}"


def run(top: Path, program: str, *words: str, **more: Any) -> Said:
    """One command as a process; no traceback, no word of a fault of ours."""
    command = [sys.executable, "-c", program, *words]
    settings: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": QUICK}
    said = Said(subprocess.run(command, cwd=top, check=False, **(settings | more)))
    assert "Traceback" not in said.err, said
    assert "fault of ours" not in said.err, said
    return said


def check(top: Path, *words: str, **more: Any) -> Said:
    return run(top, CHECK, *words, **more)


def pre_commit(top: Path, **more: Any) -> Said:
    return run(top, HOOKS, "pre-commit", **more)


def is_one_line(said: Said) -> bool:
    """Whether a failure is one line on stderr, with at most a remedy and the hook's name after it."""
    lines = said.err.splitlines()
    rest = [line for line in lines[1:] if not line.startswith(("  to fix:", "jit-hooks "))]
    return said.out == "" and bool(lines) and not rest and lines[0].startswith(("jit-check: ", "jit-hooks: "))


def listing(top: Path) -> list[tuple[str, int, int]]:
    found = []
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            status = os.lstat(os.path.join(folder, name))
            found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
    return sorted(found)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository whose one commit holds a healthy store."""
    tracker = healthy_tracker(0, "v1")
    inside = {f".jit/{path}": data for path, data in tracker.files.items()}
    made = tmp_path / "repository"
    for path, data in {**inside, **documents_of(tracker.files)}.items():
        target = made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    commit_all(made)
    return made


def an_issue(top: Path) -> Path:
    return min((top / ".jit" / "issues").glob("*.json"))


# -- the store


def as_file(top: Path) -> None:
    shutil.rmtree(top / ".jit")
    (top / ".jit").write_text("not a store\n")


def as_link(top: Path) -> None:
    (top / ".jit").rename(top.parent / "elsewhere")
    (top / ".jit").symlink_to(top.parent / "elsewhere")


def as_nothing(top: Path) -> None:
    shutil.rmtree(top / ".jit")
    (top / ".jit").mkdir()


def keep_only(name: str) -> Callable[[Path], None]:
    def make(top: Path) -> None:
        for path in (top / ".jit").iterdir():
            if path.name != name:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return make


STORES: dict[str, tuple[Callable[[Path], None], int, str, int]] = {
    "a file": (as_file, 3, "is a file, not the directory of a store", 1),
    "a link": (as_link, 3, "is a symbolic link", 1),
    "empty": (as_nothing, 1, "issue-vanished", 1),
    "issues alone": (keep_only("issues"), 1, "index-absent", 1),
    "issue index alone": (keep_only("index.json"), 1, "index-lists-missing", 1),
    "configuration alone": (keep_only("config.toml"), 1, "issue-vanished", 1),
}


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_is_none(top: Path, name: str) -> None:
    make, code, says, staged = STORES[name]
    make(top)
    before = listing(top)
    said = check(top)
    assert (said.code, says in said.out + said.err) == (code, True), said
    assert code == 1 or is_one_line(said)
    assert listing(top) == before
    git(top, "add", "-A")
    said = pre_commit(top)
    assert said.code == staged, said
    assert "git commit --no-verify" in said.out


def test_an_empty_store_outside_git(tmp_path: Path) -> None:
    (tmp_path / ".jit").mkdir()
    assert check(tmp_path).code == 0


def test_no_store_at_all(tmp_path: Path) -> None:
    assert (check(tmp_path).code, "nothing to judge" in check(tmp_path).out) == (0, True)


def fill_socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)  # a socket's name may not be long
    here = os.open(".", os.O_RDONLY)
    try:
        os.fchdir(folder)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)
        os.close(folder)


THINGS: dict[str, Callable[[Path], object]] = {
    "directory": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "socket": fill_socket,
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize(
    ("place", "thing"),
    [*(("issue", thing) for thing in THINGS), ("index.json", "pipe"), ("events.jsonl", "pipe"), ("gates.toml", "pipe")],
)
def test_something_else_where_a_record_belongs(top: Path, place: str, thing: str) -> None:
    path = an_issue(top) if place == "issue" else top / ".jit" / place
    path.unlink()
    THINGS[thing](path)
    said = check(top)
    assert said.code == 1, said
    assert path.name in said.out


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("hooks.toml", "directory"),
        ("hooks.toml", "pipe"),
        ("hooks.toml", "link to nothing"),
        (".repo-write.lock", "pipe"),
        (".index.lock", "link to a device"),
        (".events.lock", "directory"),
    ],
)
def test_something_else_where_settings_or_locks_belong(top: Path, name: str, thing: str) -> None:
    THINGS[thing](top / ".jit" / name)
    an_issue(top).write_bytes(b"{")  # so that locks are asked for
    said = check(top)
    if name == "hooks.toml":
        assert (said.code, is_one_line(said), "regular file" in said.err) == (2, True, True), said
    else:
        assert said.code == 1, said


# -- the repository


def lose_blob(top: Path) -> None:
    name = git(top, "rev-parse", "HEAD:.jit/index.json").strip()
    (top / ".git" / "objects" / name[:2] / name[2:]).unlink()
    (top / ".jit" / "index.json").write_bytes((top / ".jit" / "index.json").read_bytes() + b"\n")
    git(top, "add", "-A")


def spoil_blob(top: Path) -> None:
    lose_blob(top)
    name = git(top, "rev-parse", "HEAD:.jit/index.json").strip()
    (top / ".git" / "objects" / name[:2]).mkdir(exist_ok=True)
    (top / ".git" / "objects" / name[:2] / name[2:]).write_bytes(b"not zlib")


def lose_tree(top: Path) -> None:
    name = git(top, "rev-parse", "HEAD^{tree}").strip()
    (top / ".git" / "objects" / name[:2] / name[2:]).unlink()


def lose_commit(top: Path) -> None:
    (top / ".git" / "refs" / "heads" / "main").write_text(f"{'12' * 20}\n")


def lose_directory(top: Path) -> None:
    shutil.rmtree(top / ".git")
    (top / ".git").write_text("nonsense\n")


REPOSITORIES: dict[str, Callable[[Path], object]] = {
    "a blob lost": lose_blob,
    "a blob spoilt": spoil_blob,
    "a tree lost": lose_tree,
    "a commit lost": lose_commit,
    "HEAD spoilt": lambda top: (top / ".git" / "HEAD").write_text("nonsense\n"),
    "git index spoilt": lambda top: (top / ".git" / "index").write_bytes(b"nonsense"),
    "no directory of git": lose_directory,
}


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_damaged_repository_is_not_judged(top: Path, name: str) -> None:
    REPOSITORIES[name](top)
    before = listing(top)
    for words in ((), ("--staged",)) if name == "git index spoilt" else ((), ("--commit", "HEAD")):
        said = check(top, *words)
        assert (said.code, is_one_line(said)) == (3, True), (words, said)
    said = pre_commit(top)
    assert (said.code, is_one_line(said)) == (3, True), said
    assert "--no-verify" in said.err
    assert listing(top) == before


def test_a_bare_repository(top: Path) -> None:
    bare = top.parent / "bare.git"
    git(top, "clone", "-q", "--bare", str(top), str(bare))
    assert check(bare).code == 0
    for option in ("--staged", "--fix"):
        said = check(bare, option)
        assert (said.code, is_one_line(said)) == (2, True), said


def test_a_line_break_in_the_name_of_a_directory(top: Path) -> None:
    odd = top.rename(top.parent / "two\nlines")
    assert check(odd).code == 0
    (odd / ".jit/index.json").unlink()
    assert check(odd, "--fix").code == 0
    assert pre_commit(odd).code == 0


def test_directories_deeper_than_calls_can_nest(top: Path) -> None:
    before = os.open(".", os.O_RDONLY)
    os.chdir(top / ".jit/issues")
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
    os.fchdir(before)
    os.close(before)
    said = check(top)
    os.removedirs(top.joinpath(".jit/issues", *["d"] * 1100))  # what clears up after tests nests calls, too
    assert (said.code, said.err) == (0, ""), said


def test_a_shallow_clone(top: Path) -> None:
    (top / "more").touch()
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "more")
    shallow = top.parent / "shallow"
    git(top, "clone", "-q", "--depth", "1", top.as_uri(), str(shallow))
    assert check(shallow).code == 0
    assert check(shallow, "--commit", "HEAD").code == 0
    said = check(shallow, "--range", "HEAD")
    assert (said.code, is_one_line(said)) == (3, True), said


def test_a_repository_without_commits(top: Path) -> None:
    git(top, "update-ref", "-d", "HEAD")
    assert check(top).code == 0
    assert check(top, "--staged").code == 0
    assert pre_commit(top).code == 0
    said = check(top, "--commit", "HEAD")
    assert (said.code, is_one_line(said)) == (3, True), said
    an_issue(top).write_bytes(b"{")
    git(top, "add", "-A")
    assert check(top).code == 1
    assert pre_commit(top).code == 1  # the first commit is judged whole


# -- settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[severity]\nindex-misses-isue = "note"\n', "index-misses-issue"),
        ('[severty]\nindex-misses-issue = "note"\n', "severity"),
        ('[accept]\nstats = ["paused"]\n', "states"),
        ('[[accept]]\ncode = "event-lots"\nrecord = "x"\nreason = "y"\n', "event-lost"),
        ("[severity\n", "not TOML"),
        ("a = " + "[" * 100_000, "TOML"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_settings_with_a_typo(top: Path, text: str, says: str) -> None:
    (top / ".jit" / "hooks.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    said = check(top)
    assert (said.code, is_one_line(said), says in said.err) == (2, True, True), said
    git(top, "add", "-A")
    said = pre_commit(top)
    assert (said.code, is_one_line(said), says in said.err) == (2, True, True), said


# -- size


@pytest.mark.parametrize("name", ["issue", "index.json", "gates.toml", "config.toml", "events.jsonl"])
def test_a_file_that_is_too_long_is_not_read(top: Path, name: str) -> None:
    path = an_issue(top) if name == "issue" else top / ".jit" / name
    os.truncate(path, 1 << 30 if name != "events.jsonl" else (1 << 30) + 1)
    said = run(top, f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); {CHECK}")
    assert (said.code, "limit-exceeded" in said.out) == (1, True), said


def test_settings_that_are_too_long(top: Path) -> None:
    (top / ".jit" / "hooks.toml").touch()
    os.truncate(top / ".jit" / "hooks.toml", 1 << 30)
    said = check(top)
    assert (said.code, is_one_line(said)) == (2, True), said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("issue", "[" * 100_000 + "]" * 100_000),
        ("index.json", '{"a":' * 100_000 + "1" + "}" * 100_000),
        ("events.jsonl", "[" * 100_000 + "]" * 100_000 + "\n"),
        ("gates.toml", "a = " + "[" * 100_000 + "]" * 100_000),
        ("issue", "9" * 100_000),
    ],
)
def test_a_record_without_end(top: Path, name: str, text: str) -> None:
    path = an_issue(top) if name == "issue" else top / ".jit" / name
    path.write_text(text)
    assert check(top).code == 1
    git(top, "add", "-A")
    assert pre_commit(top).code == 1


def test_very_many_files(top: Path) -> None:
    folder = top / ".jit" / "issues"
    for number in range(20_000):
        (folder / f"{number}.txt").touch()
    assert check(top).code == 0


# -- names

NAMES = (
    b"a\nerror[forged]  .jit\x1b[31m.json",
    b"\xff\xfe.json",
    b"--help.json",
    b"-rf.json",
    "\u202egnp.json".encode(),
    b" $(touch made) `x`;'\".json",
)


def test_names_cannot_forge_a_report(top: Path) -> None:
    for name in NAMES:
        with open(os.path.join(os.fsencode(top), b".jit", b"issues", name), "wb") as file:
            file.write(b"{")
    git(top, "add", "-A")
    for said in (check(top), check(top, "--staged"), pre_commit(top), check(top, "--staged", "--json")):
        assert said.code == 1, said
        text = said.out + said.err
        assert not any(mark in text for mark in ("\x1b", "\u202e", "\r")), repr(text)
        assert not any(line.startswith("error[forged]") for line in text.splitlines())
    assert not (top / "made").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--", "--help"), 2),
        (("--commit", "--help"), 3),
        (("--commit=--output=made",), 3),
        (("--range=--all",), 2),
        (("--range=--output=made..HEAD",), 3),
        (("--only", "--x"), 2),
        (("--select", "--x"), 2),
        (("--unheard-of",), 2),
        (("nowhere",), 2),
    ],
)
def test_words_that_look_like_options(top: Path, words: Sequence[str], code: int) -> None:
    before = listing(top)
    said = check(top, *words)
    assert said.code in {code, 2, 3}, said
    assert is_one_line(said), said
    assert listing(top) == before


def test_directories_that_look_like_options(top: Path) -> None:
    odd = top / "--upload-pack=x"
    odd.mkdir()
    assert check(top, "--", odd.name).code == 0
    assert check(odd).code == 0
    environment = {**os.environ, "JIT_DATA_DIR": "--exec=x"}
    assert check(top, env=environment).code == 0  # no store of that name


# -- streams and signals


def closed(descriptor: int) -> Callable[[], None]:
    return lambda: os.close(descriptor)


@pytest.mark.parametrize("descriptors", [(0,), (1,), (2,), (1, 2)])
def test_closed_streams(top: Path, descriptors: tuple[int, ...]) -> None:
    an_issue(top).write_bytes(b"{")
    git(top, "add", "-A")
    words = " ".join(f"{descriptor}>&-" if descriptor else "0<&-" for descriptor in descriptors)
    for program, arguments in ((CHECK, "--json"), (HOOKS, "pre-commit")):
        line = f"exec \"$0\" -c '{program}' {arguments} {words}"
        made = subprocess.run(["sh", "-c", line, sys.executable], cwd=top, capture_output=True, check=False)
        assert made.returncode == 1, (line, made)
        assert b"Traceback" not in made.stderr, made.stderr.decode()
        assert b"fault of ours" not in made.stderr, made.stderr.decode()


@pytest.mark.parametrize(("program", "words"), [(CHECK, ()), (CHECK, ("--json",)), (HOOKS, ("pre-commit",))])
def test_a_reader_that_goes_away(top: Path, program: str, words: tuple[str, ...]) -> None:
    an_issue(top).write_bytes(b"{")
    git(top, "add", "-A")
    read, write = os.pipe()
    os.close(read)
    made = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=top, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert made.stderr == b""
    assert made.returncode in (0, 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize(("program", "words"), [(CHECK, ("--json",)), (HOOKS, ("pre-commit",))])
def test_a_full_disk_is_no_verdict(top: Path, program: str, words: tuple[str, ...]) -> None:
    an_issue(top).write_bytes(b"{")
    git(top, "add", "-A")
    with open("/dev/full", "wb") as full:
        made = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=top, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert made.returncode == 3
    assert b"cannot write the report" in made.stderr
    assert b"Traceback" not in made.stderr


@pytest.mark.parametrize(("program", "words"), [(CHECK, ()), (CHECK, ("--range", "HEAD")), (HOOKS, ("pre-commit",))])
def test_an_interrupt_ends_it_quietly(top: Path, program: str, words: tuple[str, ...]) -> None:
    """The interrupt comes, as from a terminal, to the whole group, while a git that never answers is waited for."""
    tools = top.parent / "tools"
    tools.mkdir()
    began = top.parent / "began"
    os.mkfifo(began)
    slow = tools / "git"
    slow.write_text(f"#!/bin/sh\necho began >'{began}'\nexec sleep 600\n")
    slow.chmod(0o755)
    child = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=top,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
    )
    began.read_text()
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=QUICK)
    assert child.returncode == 130, (out, err)
    assert b"Traceback" not in err, err.decode()
    assert out == b""
