"""What a push may cost the server: sizes are read before content, and memory does not grow with a record's size."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import issue_id

import jit_hooks
from jit_hooks.errors import GitError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.hooks import push

if TYPE_CHECKING:
    from collections.abc import Iterable

MEGABYTE = 1 << 20
ISSUE = f".jit/issues/{issue_id(3)}.json"
NESTED = b"[" * 100_000 + b"]" * 100_000
COMMITTER = b"committer A <a@example.org> 1780000000 +0000\ndata 1\nx\n"

MEASURED = """
import resource, subprocess, sys, time
began = time.monotonic()
start = "import sys; sys.path.append(sys.argv.pop(1)); from jit_hooks.hooks.entry import main; "
start += "sys.exit(main(sys.argv[1:]))"
command = [sys.executable, "-I", "-S", "-c", start, sys.argv[1], "pre-receive", "--store", ".jit/"]
done = subprocess.run(command, input=sys.argv[2].encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(done.returncode, time.monotonic() - began, used)
print(done.stdout.decode())
"""


class Bare:
    """A bare repository with a small healthy store, filled by `git fast-import`."""

    def __init__(self, top: Path) -> None:
        self.top = top
        subprocess.run(["git", "init", "-q", "--bare", "--template=", "--initial-branch=main", str(top)], check=True)
        index = json.dumps({"schema_version": 2, "all_ids": [], "deleted_ids": []}, indent=2).encode()
        files = {"index.json": index, "gates.json": b'{"gates": {}}', "events.jsonl": b""}
        self.old = self.commit("main", ((f".jit/{path}", data) for path, data in files.items()))

    def commit(self, name: str, files: Iterable[tuple[str, bytes]], parent: str = "") -> str:
        """A commit of files; its id."""
        stream = [b"commit refs/heads/%s\n%s" % (name.encode(), COMMITTER)]
        if parent:
            stream.append(b"from %s\n" % parent.encode())
        stream += [b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data) for path, data in files]
        subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=self.top, input=b"".join(stream), check=True)
        done = subprocess.run(["git", "rev-parse", name], cwd=self.top, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def receive(self, old: str, new: str, ref: str) -> tuple[int, str, float, int]:
        """Exit code and words of the server's hook, the seconds it took, and the most bytes one process held."""
        package = str(Path(jit_hooks.__file__).parents[1])
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, package, f"{old} {new} {ref}\n"],
            cwd=self.top,
            env={**os.environ, "GIT_DIR": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        figures, _, said = done.stdout.partition("\n")
        code, seconds, used = figures.split()
        return int(code), said, float(seconds), int(used)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        return Bare(tmp_path_factory.mktemp("limits") / "server.git")


@pytest.fixture(scope="module")
def gigabyte(bare: Bare) -> str:
    """The id of a blob of 1 GB of zeros, laid down as git lays down a loose object; commits name it."""
    piece, count = bytes(4 * MEGABYTE), 250
    header = b"blob %d\0" % (len(piece) * count)
    packer = zlib.compressobj(1)
    first = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same bytes are packed the same way again.
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    name, check = hashlib.sha1(header), zlib.adler32(header)
    for _ in range(count):
        name.update(piece)
        check = zlib.adler32(piece, check)
    path = bare.top / "objects" / name.hexdigest()[:2] / name.hexdigest()[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(first + packed * count + b"\x03\x00" + struct.pack(">I", check))
    return name.hexdigest()


def with_blob(bare: Bare, path: str, blob: str) -> str:
    """A commit on the store's that has this blob at a path."""
    stream = f"commit refs/heads/with-blob\n{COMMITTER.decode()}from {bare.old}\nM 100644 {blob} {path}\n\n"
    subprocess.run(["git", "fast-import", "--quiet", "--force"], input=stream.encode(), cwd=bare.top, check=True)
    done = subprocess.run(["git", "rev-parse", "with-blob"], cwd=bare.top, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("path", [ISSUE, ".jit/events.jsonl", ".jit/index.json", ".jit/gates.toml", ".jit/hooks.toml"])
def test_a_gigabyte_is_refused_by_its_size(bare: Bare, gigabyte: str, path: str) -> None:
    code, said, seconds, used = bare.receive(bare.old, with_blob(bare, path, gigabyte), "refs/heads/main")
    assert code in (1, 2), said
    assert "is 1048576000 bytes long, more than" in said
    assert (seconds < 20, used < 300 * MEGABYTE) == (True, True), (seconds, used)


def test_a_gigabyte_elsewhere_is_none_of_ours(bare: Bare, gigabyte: str) -> None:
    assert bare.receive(bare.old, with_blob(bare, "film", gigabyte), "refs/heads/main")[0] == 0


@pytest.mark.parametrize(
    ("path", "data", "says"),
    [
        (ISSUE, NESTED, "limit-exceeded"),
        (".jit/events.jsonl", NESTED + b"\n", "limit-exceeded"),
        (".jit/index.json", b'{"all_ids": %b}' % NESTED, "limit-exceeded"),
        (".jit/gates.toml", b"gates = %b" % NESTED, "registry-malformed"),
        (".jit/config.toml", b"%b = 1" % b".".join([b"a"] * 100_000), "a key has over 32 parts"),
        (".jit/hooks.toml", b"[%b]" % b".".join([b'"a b"'] * 100_000), "a key has over 32 parts"),
        (".jit/index.json", b"[" + b"[]," * (2 * MEGABYTE) + b"[]]", "index-malformed"),
    ],
)
def test_what_nests_deep_or_wide_is_refused(bare: Bare, path: str, data: bytes, says: str) -> None:
    new = bare.commit("nested", [(path, data)], bare.old)
    subprocess.run(["git", "update-ref", "-d", "refs/heads/nested"], cwd=bare.top, check=True)
    code, said, seconds, used = bare.receive(bare.old, new, "refs/heads/main")
    assert code in (1, 2), said
    assert says in said
    assert (seconds < 20, used < 300 * MEGABYTE) == (True, True), (seconds, used)


class Pack:
    """A pack written object by object: git itself takes minutes for a hundred thousand directories."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []

    def add(self, kind: str, data: bytes) -> bytes:
        """One object; its id, in bytes."""
        size, number = len(data), {"commit": 1, "tree": 2, "blob": 3}[kind]
        header = bytearray([number << 4 | size & 15])
        size >>= 4
        while size:
            header[-1] |= 128
            header.append(size & 127)
            size >>= 7
        self.objects.append(bytes(header) + zlib.compress(data, 0))
        return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(data), data)).digest()

    def tree(self, entries: Iterable[tuple[str, str, bytes]]) -> bytes:
        """A tree of (mode, name, id)."""
        rows = sorted(entries, key=lambda entry: entry[1] + "/" * (entry[0] == "40000"))
        return self.add("tree", b"".join(b"%b %b\0%b" % (mode.encode(), name.encode(), i) for mode, name, i in rows))

    def commit(self, tree: bytes) -> bytes:
        """A commit without parents."""
        who = b"A <a@example.org> 1780000000 +0000"
        return self.add("commit", b"tree %b\nauthor %b\ncommitter %b\n\nx\n" % (tree.hex().encode(), who, who))

    def give(self, bare: Bare) -> None:
        """Bring all objects to a repository."""
        data = b"PACK" + struct.pack(">II", 2, len(self.objects)) + b"".join(self.objects)
        data += hashlib.sha1(data).digest()
        subprocess.run(
            ["git", "index-pack", "--stdin"], cwd=bare.top, input=data, stdout=subprocess.DEVNULL, check=True
        )


def committed(bare: Bare, count: int) -> str:
    """A commit of so many gate runs, each in its directory, and the store around them."""
    run: dict[str, object] = {
        "schema_version": 1,
        "run_id": "",
        "gate_key": "tests",
        "stage": "postcheck",
        "issue_id": issue_id(1),
        "commit": None,
        "branch": None,
        "status": "passed",
        "started_at": "2026-05-01T12:00:00Z",
        "completed_at": "2026-05-01T12:00:01Z",
        "duration_ms": 1000,
        "exit_code": 0,
        "stdout": "ok\n" * 100,
        "stderr": "",
        "command": "true",
        "by": "ada",
        "message": None,
    }
    before, after = json.dumps(run, indent=2).encode().split(b'"run_id": ""')
    pack = Pack()

    def directory(name: str) -> tuple[str, str, bytes]:
        blob = pack.add("blob", before + b'"run_id": "%b"' % name.encode() + after)
        return "40000", name, pack.tree([("100644", "result.json", blob)])

    runs = pack.tree(directory(issue_id(number)) for number in range(count))
    index = pack.add("blob", b'{"schema_version": 2, "all_ids": [], "deleted_ids": []}')
    log = pack.add("blob", b"")
    files = [("40000", "gate-runs", runs), ("100644", "index.json", index), ("100644", "events.jsonl", log)]
    commit = pack.commit(pack.tree([("40000", ".jit", pack.tree(files))]))
    pack.give(bare)
    return commit.hex()


def test_a_hundred_thousand_honest_files_are_taken(bare: Bare) -> None:
    new = committed(bare, 100_000)
    code, said, seconds, used = bare.receive("0" * 40, new, "refs/heads/main")
    assert (code, said.strip()) == (0, "")
    assert (seconds < 60, used < 500 * MEGABYTE) == (True, True), (seconds, used)


def bomb(bare: Bare, width: int, depth: int, settings: bytes = b"") -> tuple[str, str]:
    """The store's commit with these settings, and one on it with a tree of trees in place of the issues."""
    pack = Pack()
    leaf = pack.add("blob", b"{}")
    tree = pack.tree(("100644", f"{number}.json", leaf) for number in range(width))
    for _ in range(depth):
        tree = pack.tree(("40000", str(number), tree) for number in range(width))
    pack.give(bare)
    old = bare.commit("settled", [(".jit/hooks.toml", settings)], bare.old)
    stream = f"commit refs/heads/bomb\n{COMMITTER.decode()}from {old}\nM 040000 {tree.hex()} .jit/issues\n"
    stream += "M 100644 inline .jit/hooks.toml\ndata 25\n[limits]\nseconds = 100000\n\n"
    subprocess.run(["git", "fast-import", "--quiet", "--force"], input=stream.encode(), cwd=bare.top, check=True)
    done = subprocess.run(["git", "rev-parse", "bomb"], cwd=bare.top, capture_output=True, text=True, check=True)
    return old, done.stdout.strip()


def test_a_few_trees_that_name_too_many_files_are_refused(bare: Bare) -> None:
    code, said, _, used = bare.receive(*bomb(bare, 80, 2), "refs/heads/main")
    assert code == 3
    assert "not judged: these commits change more than 500,000 files of the store" in said
    assert used < 300 * MEGABYTE


def test_a_push_that_takes_too_long_is_refused_by_the_limit_that_was_there_before(bare: Bare) -> None:
    code, said, _, _ = bare.receive(*bomb(bare, 10, 9, b"[limits]\nseconds = 1\n"), "refs/heads/main")
    assert code == 3
    assert said.startswith("jit-hooks: pre-receive: not judged: the time limit of 1 s is over")
    assert "push fewer commits at once" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds the limit")
def test_git_takes_no_more_memory_than_the_hook_allows(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = bomb(bare, 10, 9, b"[limits]\nseconds = 0\n")
    monkeypatch.setattr(push, "RECEIVED_MEMORY", 500 * MEGABYTE)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{old} {new} refs/heads/main\n".encode())))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(GitError, match=r"git log failed: .*memory"):
        push.pre_receive([], Repository(Git(str(bare.top))))
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
