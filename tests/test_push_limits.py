"""What a push may cost the server: sizes are read before content, and memory does not grow with a record's size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import issue_id

import jit_hooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        self.old = self.commit("main", ((f".jit/{path}", [data]) for path, data in files.items()))

    def commit(self, name: str, files: Iterable[tuple[str, Iterable[bytes]]], parent: str = "") -> str:
        """A commit of files, each given in pieces of equal size; its id."""
        # What is large is kept apart and compressed lightly: the test is not about making it.
        command = ["git", "-c", "core.bigFileThreshold=1m", "-c", "core.compression=1", "fast-import", "--quiet"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=self.top) as importing:
            assert importing.stdin is not None
            write = importing.stdin.write
            write(b"commit refs/heads/%s\n%s" % (name.encode(), COMMITTER))
            if parent:
                write(b"from %s\n" % parent.encode())
            for path, pieces in files:
                known = list(pieces)
                write(b"M 100644 inline %s\ndata %d\n" % (path.encode(), sum(map(len, known))))
                for piece in known:
                    write(piece)
                write(b"\n")
        assert importing.returncode == 0
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
    """A commit elsewhere that holds 1 GB; others name its blob."""
    piece = bytes(4 * MEGABYTE)
    commit = bare.commit("big", [("big", [piece] * 250)])
    return subprocess.run(
        ["git", "rev-parse", f"{commit}:big"], cwd=bare.top, capture_output=True, text=True, check=True
    ).stdout.strip()


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
    new = bare.commit("nested", [(path, [data])], bare.old)
    subprocess.run(["git", "update-ref", "-d", "refs/heads/nested"], cwd=bare.top, check=True)
    code, said, seconds, used = bare.receive(bare.old, new, "refs/heads/main")
    assert code in (1, 2), said
    assert says in said
    assert (seconds < 20, used < 300 * MEGABYTE) == (True, True), (seconds, used)


def honest_files(count: int) -> Iterator[tuple[str, list[bytes]]]:
    """Gate runs, each in its directory, and the store around them."""
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
    for number in range(count):
        name = issue_id(number).encode()
        yield f".jit/gate-runs/{name.decode()}/result.json", [before, b'"run_id": "%b"' % name, after]
    yield ".jit/index.json", [b'{"schema_version": 2, "all_ids": [], "deleted_ids": []}']
    yield ".jit/events.jsonl", [b""]


def committed(bare: Bare, files: Iterable[tuple[str, list[bytes]]], scratch: Path) -> str:
    """A commit of many files: `git fast-import` alone takes the square of a directory's size in time."""
    environment = {**os.environ, "GIT_INDEX_FILE": str(scratch / "index")}

    def git(*arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=bare.top, env=environment, input=stdin, stdout=subprocess.PIPE, check=True
        )
        return done.stdout.decode().strip()

    paths: list[str] = []
    blobs: list[bytes] = []
    for number, (path, pieces) in enumerate(files, 1):
        data = b"".join(pieces)
        paths.append(path)
        blobs.append(b"blob\nmark :%d\ndata %d\n%b\n" % (number, len(data), data))
    marks = scratch / "marks"
    git("-c", "core.compression=1", "fast-import", "--quiet", f"--export-marks={marks}", stdin=b"".join(blobs))
    ids = dict(line.split() for line in marks.read_text().splitlines())
    lines = [f"100644 {ids[f':{number}']}\t{path}\n" for number, path in enumerate(paths, 1)]
    git("update-index", "--index-info", stdin="".join(lines).encode())
    return git("commit-tree", git("write-tree"), "-m", "many")


def test_a_hundred_thousand_honest_files_are_taken(bare: Bare, tmp_path: Path) -> None:
    new = committed(bare, honest_files(100_000), tmp_path)
    code, said, seconds, used = bare.receive("0" * 40, new, "refs/heads/main")
    assert (code, said.strip()) == (0, "")
    assert (seconds < 60, used < 500 * MEGABYTE) == (True, True), (seconds, used)
