"""What is pushed: the guard on the machine that pushes, and the one on a server that trusts nobody."""

from __future__ import annotations

import io
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, forget_index, git, new_server
from proofs import over
from scenes import Gallery, damages_of, shown_by

from jit_hooks.checks import BY_CODE
from jit_hooks.errors import MissingObjectError, UsageError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.hooks import push
from jit_hooks.hooks.bodies import HOOK_CHECKS
from jit_hooks.install.hook_files import install
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jit_hooks.judging.report import Report
    from jit_hooks.testing.damage import Damage
    from jit_hooks.testing.tracker import Era

ERAS: tuple[Era, ...] = ("june", "v1")
CASES = [
    pytest.param(era, damage, id=f"{era}-{damage.name}")
    for era in ERAS
    for damage in damages_of(era, BY_CODE)
    if shown_by(damage, "commit")
]
ZERO = "0" * 40
LOSSES = {row.code for row in HOOK_CHECKS if row.needs == "parents"} | {"merge-side-discarded"}


@pytest.fixture(scope="module")
def galleries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gallery]:
    """A bare repository an era, with a commit for every damage."""
    return {era: Gallery(tmp_path_factory.mktemp(f"gallery-{era}"), era, damages_of(era, BY_CODE)) for era in ERAS}


class Server:
    """A repository as the server's hook sees it."""

    def __init__(self, directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.repository = Repository(Git(directory))
        self.monkeypatch = monkeypatch

    def receives(self, *updates: tuple[str, str]) -> Report | None:
        """What it says to updates of branches, each from one commit to another."""
        lines = "".join(f"{old} {new} refs/heads/pushed-{n}\n" for n, (old, new) in enumerate(updates))
        return self.says(lines)

    def says(self, lines: str) -> Report | None:
        """What it says to what git gives it."""
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
        return push.pre_receive([], self.repository)


def made(repository: Repository, tree_of: str, *parents: str) -> str:
    """A commit of the tree of another one, on these parents."""
    words = [word for parent in parents for word in ("-p", parent)]
    identity = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "commit-tree", f"{tree_of}^{{tree}}", "-m", "x", *words],
        cwd=repository.git.directory,
        env={**os.environ, **identity},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@over("era, damage", CASES, few=30)
def test_a_server_refuses_each_kind_of_corruption_and_takes_its_cure(
    galleries: dict[str, Gallery], monkeypatch: pytest.MonkeyPatch, era: Era, damage: Damage
) -> None:
    laid = galleries[era].laid[damage.name]
    server = Server(galleries[era].environment["GIT_DIR"], monkeypatch)
    repository = server.repository
    try:
        old, *others = laid.parents
        repository.git.run("update-ref", "refs/heads/c1", old)
        for number, other in enumerate(others):
            repository.git.run("update-ref", f"refs/heads/other-{number}", other)
        alone = judge(Request(laid.commit, "", repository, laid.parents, checks=HOOK_CHECKS))
        expected = {problem.identity for problem in alone.errors}
        report = server.receives((old, laid.commit))
        assert report is not None
        assert expected <= {problem.identity for problem in report.errors}
        assert bool(report.errors) == bool(expected)
        if not expected:
            return
        hidden = server.receives((old, made(repository, laid.commit, laid.commit)))
        assert hidden is not None
        assert {problem.identity for problem in hidden.errors} == {problem.identity for problem in report.errors}
        cured = server.receives((old, made(repository, old, laid.commit)))
        assert cured is not None
        # Going back to the old tree heals the fault, and loses what else the commit had brought.
        assert {problem.code for problem in cured.errors} <= LOSSES
    finally:
        repository.close()


def test_every_error_that_a_commit_can_show_is_refused(galleries: dict[str, Gallery]) -> None:
    refused = set()
    for era in ERAS:
        repository = Repository(Git(galleries[era].environment["GIT_DIR"]))
        for laid in galleries[era].laid.values():
            if laid.damage and laid.damage.code not in refused and shown_by(laid.damage, "commit"):
                alone = judge(Request(laid.commit, "", repository, laid.parents, checks=HOOK_CHECKS))
                refused |= {problem.code for problem in alone.errors}
        repository.close()
    assert refused >= {row.code for row in HOOK_CHECKS if row.severity == "error"} - {
        "unmerged-entry",
        "transaction-pending",
    }


# Real pushes to a real server.


@pytest.fixture
def server(scratch: Scratch) -> Path:
    return new_server(scratch)


def pushed(scratch: Scratch, *words: str, ok: bool, says: str = "") -> str:
    """What a push says, and the server behind it."""
    done = scratch.try_git("push", *(words or ("origin", "main")))
    assert (done.returncode == 0) is ok, done.stdout
    assert says in done.stdout, done.stdout
    return done.stdout


def mend(scratch: Scratch) -> None:
    scratch.record("with its entry")


ACCEPT = '[[accept]]\ncode = "index-misses-issue"\nrecord = ".jit/index.json"\nreason = "so there"\n'


class Backend(BaseHTTPRequestHandler):
    """`git http-backend` behind one port of the loopback."""

    root = ""

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.read_body()
        environment = os.environ | {
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "ada",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, *args: object) -> None:
        """Nothing: the test reads what git says."""


@pytest.fixture
def over_http(server: Path) -> Iterator[str]:
    git(server, "config", "http.receivepack", "true")
    handler = type("Handler", (Backend,), {"root": str(server.parent)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/{server.name}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize("transport", ["file", "http"])
def test_a_push_is_refused_and_taken_once_a_commit_on_top_mends_it(
    scratch: Scratch, server: Path, transport: str, request: pytest.FixtureRequest
) -> None:
    if transport == "http":
        git(scratch.top, "remote", "set-url", "origin", request.getfixturevalue("over_http"))
    else:
        git(scratch.top, "remote", "set-url", "origin", server.as_uri())
    before = git(server, "rev-parse", "main")
    forget_index(scratch)
    said = pushed(scratch, ok=False, says="remote: jit-hooks: this push would break the issue store: 1 error")
    assert "remote: error[index-misses-issue]  .jit/index.json" in said
    assert "refused: refs/heads/main" in said
    assert "a new commit on top that mends it is enough" in " ".join(said.replace("remote: ", " ").split())
    assert git(server, "rev-parse", "main") == before
    assert not list((server / "objects").glob("tmp_*"))
    mend(scratch)
    said = pushed(scratch, ok=True)
    assert "jit-hooks" not in said
    assert git(server, "rev-parse", "main") == git(scratch.top, "rev-parse", "main")


def test_a_pushed_permission_permits_nothing(scratch: Scratch, server: Path) -> None:
    (scratch.data / "hooks.toml").write_text(ACCEPT)
    forget_index(scratch)
    pushed(scratch, ok=False, says="error[index-misses-issue]")
    pushed(scratch, "origin", "main:side", ok=False, says="error[index-misses-issue]")


def test_a_permission_of_a_side_branch_is_none_of_the_main_branch(scratch: Scratch, server: Path) -> None:
    (scratch.data / "hooks.toml").write_text(ACCEPT)
    scratch.record("permit")
    pushed(scratch, "origin", "main:side", ok=True)
    forget_index(scratch)
    pushed(scratch, "origin", "main:side", ok=True)
    pushed(scratch, "origin", "main:main", ok=False, says="error[index-misses-issue]")


def test_the_permission_that_was_here_before_holds(scratch: Scratch, server: Path) -> None:
    (scratch.data / "hooks.toml").write_text(ACCEPT)
    scratch.record("permit")
    pushed(scratch, ok=True)
    forget_index(scratch)
    pushed(scratch, ok=True)


def test_settings_that_nobody_can_follow_do_not_come_in_and_lock_nobody_out(scratch: Scratch, server: Path) -> None:
    (scratch.data / "hooks.toml").write_text("[severty]\n")
    scratch.record("a slip")
    pushed(scratch, ok=False, says="brings settings that cannot be followed")
    (server / "hooks" / "pre-receive").rename(server / "hooks" / "aside")
    pushed(scratch, ok=True)
    (server / "hooks" / "aside").rename(server / "hooks" / "pre-receive")
    forget_index(scratch)
    pushed(scratch, ok=False, says="error[index-misses-issue]")
    mend(scratch)
    (scratch.data / "hooks.toml").unlink()
    scratch.record("without the slip")
    pushed(scratch, ok=True, says="are left aside")


def test_what_a_server_had_before_blocks_nobody(scratch: Scratch, server: Path) -> None:
    forget_index(scratch)
    (server / "hooks" / "pre-receive").rename(server / "hooks" / "aside")
    pushed(scratch, ok=True)
    (server / "hooks" / "aside").rename(server / "hooks" / "pre-receive")
    git(scratch.top, "checkout", "--quiet", "--", ".jit/index.json")
    (scratch.top / "notes.txt").write_text("two\n")
    scratch.record("innocent")
    pushed(scratch, ok=True)
    pushed(scratch, "origin", "main:new", ok=True)
    git(scratch.top, "checkout", "--quiet", "-b", "side", "main~2")
    pushed(scratch, "origin", "side", ok=True)
    git(scratch.top, "merge", "--quiet", "--no-ff", "--no-edit", "main")
    pushed(scratch, "origin", "side", ok=True)


@pytest.mark.parametrize("ref", ["refs/heads/new", "refs/tags/v1", "refs/odd/place"])
def test_every_kind_of_ref_is_judged(scratch: Scratch, server: Path, ref: str) -> None:
    forget_index(scratch)
    pushed(scratch, "origin", f"HEAD:{ref}", ok=False, says=f"refused: {ref}")
    git(scratch.top, "tag", "--annotate", "--message=x", "marked")
    pushed(scratch, "origin", f"marked:{ref}", ok=False, says="error[index-misses-issue]")


def test_of_several_refs_the_guilty_one_is_named(scratch: Scratch, server: Path) -> None:
    git(scratch.top, "branch", "innocent")
    forget_index(scratch)
    said = pushed(scratch, "origin", "innocent", "main:guilty", "main:too", ok=False, says="1 error")
    assert "refused: refs/heads/guilty, refs/heads/too" in said
    assert said.count("error[index-misses-issue]") == 1


def test_of_many_tips_the_guilty_ones_are_named(scratch: Scratch, server: Path) -> None:
    repository = Repository(Git(str(scratch.top)))
    names = [f"innocent-{number}" for number in range(9)]
    for name in names:
        git(scratch.top, "branch", name, made(repository, "main", "main"))
        git(scratch.top, "commit", "--quiet", "--allow-empty", "--message=apart")
    forget_index(scratch)
    git(scratch.top, "branch", "guilty", "main")
    git(scratch.top, "branch", "too", made(repository, "main", "main"))
    repository.close()
    said = pushed(scratch, "origin", *names[:5], "guilty", *names[5:], "too", ok=False, says="1 error")
    assert "refused: refs/heads/guilty, refs/heads/too\n" in re.sub(" +\n", "\n", said)


def test_nobody_skips_the_server_s_guard(scratch: Scratch, server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push through the file system brings the pusher's environment along."""
    monkeypatch.setenv("SKIP", "jit-pre-receive")
    forget_index(scratch)
    pushed(scratch, ok=False, says="error[index-misses-issue]")


@pytest.mark.parametrize("place", ["refs/heads/main", "refs/heads/side"])
def test_a_submodule_that_gitmodules_hides_shows_in_the_store(scratch: Scratch, server: Path, place: str) -> None:
    path = scratch.issue("0b6a3a0e-7b7a-402e-9415-3244eeff4587")
    git(scratch.top, "config", "--file", ".gitmodules", "submodule.x.path", path)
    git(scratch.top, "config", "--file", ".gitmodules", "submodule.x.ignore", "all")
    scratch.record("hidden beforehand")
    pushed(scratch, "origin", f"HEAD:{place}", ok=True)
    git(server, "config", "diff.ignoreSubmodules", "all")
    git(scratch.top, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{path}")
    install(str(scratch.top))
    done = scratch.try_git("commit", "--message=a submodule")
    assert (done.returncode, "error[record-not-file]" in done.stdout) == (1, True), done.stdout
    git(scratch.top, "commit", "--quiet", "--no-verify", "--message=a submodule")
    pushed(scratch, "--no-verify", "origin", f"HEAD:{place}", ok=False, says=f"error[record-not-file]  {path}")


def test_a_branch_may_go_and_a_rewritten_one_come(scratch: Scratch, server: Path) -> None:
    git(scratch.top, "checkout", "--quiet", "-b", "side")
    scratch.tracker.update(scratch.ids[0], title="Build the long pier")
    scratch.lay()
    scratch.record("first try")
    pushed(scratch, "origin", "side", ok=True)
    git(scratch.top, "commit", "--quiet", "--amend", "--message=second try")
    pushed(scratch, "--force", "origin", "side", ok=True)
    git(scratch.top, "reset", "--quiet", "--hard", "main")
    forget_index(scratch)
    pushed(scratch, "--force", "origin", "side", ok=False, says="error[index-misses-issue]")
    pushed(scratch, "origin", ":side", ok=True)


def test_an_event_line_that_a_range_brings_and_drops_is_lost(scratch: Scratch, server: Path) -> None:
    log = scratch.data / "events.jsonl"
    before = log.read_bytes()
    scratch.tracker.update(scratch.ids[0], title="Build the long pier")
    scratch.lay()
    scratch.record("a change")
    log.write_bytes(before)
    scratch.record("without its event")
    pushed(scratch, ok=False, says="error[event-lost]")


def test_the_first_push_to_an_empty_server(scratch: Scratch) -> None:
    server = scratch.top.with_name("empty.git")
    git(scratch.top.parent, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(server))
    install(str(server))
    git(scratch.top, "remote", "add", "origin", str(server))
    (scratch.data / "hooks.toml").write_text(ACCEPT)
    forget_index(scratch)
    pushed(scratch, ok=False, says="error[index-misses-issue]")
    mend(scratch)
    pushed(scratch, ok=True)
    git(scratch.top, "checkout", "--quiet", "--orphan", "pages")
    git(scratch.top, "rm", "--quiet", "-r", "--cached", ".jit")
    (scratch.top / ".jit").rename(scratch.top.with_name("away"))
    scratch.record("no store here")
    pushed(scratch, "origin", "pages", ok=True)


def test_a_check_that_could_not_be_made_is_no_pass(scratch: Scratch, server: Path) -> None:
    """The server's own issue index is broken: who brings an issue cannot be judged, who mends the index can."""
    index = scratch.data / "index.json"
    whole = index.read_bytes()
    index.write_bytes(whole[:-3])
    scratch.record("torn")
    (server / "hooks" / "pre-receive").rename(server / "hooks" / "aside")
    pushed(scratch, ok=True)
    (server / "hooks" / "aside").rename(server / "hooks" / "pre-receive")
    issue = scratch.tracker.create("Moor the boats")
    path = f"issues/{issue}.json"
    (scratch.data / path).write_bytes(scratch.tracker.files[path])
    (scratch.data / "events.jsonl").write_bytes(scratch.tracker.files["events.jsonl"])
    scratch.record("an issue, the index still torn")
    said = pushed(scratch, ok=False, says="not judged: refs/heads/main: the issue index does not load")
    assert "index-misses-issue" in said
    index.write_bytes(whole)
    scratch.record("mended, without the issue")
    pushed(scratch, ok=False, says="error[index-misses-issue]")
    index.write_bytes(scratch.tracker.files["index.json"])
    scratch.record("mended")
    pushed(scratch, ok=True)


@pytest.mark.parametrize("text", ["x\n", "x y z\n", f"{ZERO} --all refs/heads/x\n", f"{ZERO} {ZERO}\n"])
def test_input_that_git_would_not_give(scratch: Scratch, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(UsageError, match="not what git gives"):
        Server(str(scratch.top), monkeypatch).says(text)


def test_a_commit_that_is_not_there(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingObjectError):
        Server(str(scratch.top), monkeypatch).says(f"{ZERO} {'1' * 40} refs/heads/x\n")


def test_what_is_no_commit_has_no_history(scratch: Scratch, server: Path) -> None:
    forget_index(scratch)
    tree = git(scratch.top, "rev-parse", "main^{tree}").strip()
    pushed(scratch, "origin", f"{tree}:refs/tags/tree", ok=True)


def test_a_chained_hook_of_the_server_gets_the_same_input(scratch: Scratch, server: Path) -> None:
    hooks = server / "hooks"
    (hooks / "pre-receive").unlink()
    seen = server.with_name("seen")
    (hooks / "pre-receive").write_text(f"#!/bin/sh\ncat >'{seen}'\n! grep forbidden '{seen}'\n")
    (hooks / "pre-receive").chmod(0o755)
    install(str(server), chain=True)
    forget_index(scratch)
    said = pushed(scratch, "origin", "main:forbidden", "main:side", ok=False)
    assert "error[" not in said
    assert len(seen.read_text().splitlines()) == 2
    pushed(scratch, "origin", "main:side", ok=False, says="error[index-misses-issue]")
    mend(scratch)
    pushed(scratch, "origin", "main:side", ok=True)
