"""What is pushed: the guard on the machine that pushes, and the one on a server that trusts nobody."""

from __future__ import annotations

import io
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from git_scratch import scratch, sealed_git
from scenes import Gallery, damages_of, shown_by

from jit_hooks.checks import BY_CODE
from jit_hooks.git import Git, Repository
from jit_hooks.hooks import push
from jit_hooks.hooks.bodies import HOOK_CHECKS
from jit_hooks.line import Request, judge

if TYPE_CHECKING:

    from jit_hooks.line import Report
    from jit_hooks.testing.damage import Damage
    from jit_hooks.testing.tracker import Era

__all__ = ["scratch", "sealed_git"]

ERAS: tuple[Era, ...] = ("june", "v1")
CASES = [
    pytest.param(era, damage, id=f"{era}-{damage.name}")
    for era in ERAS
    for damage in damages_of(era, BY_CODE)
    if shown_by(damage, "commit")
]
ZERO = "0" * 40
LOSSES = {row.code for row in HOOK_CHECKS if row.needs == "parents"}


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


@pytest.mark.parametrize(("era", "damage"), CASES)
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
            if laid.damage and shown_by(laid.damage, "commit"):
                alone = judge(Request(laid.commit, "", repository, laid.parents, checks=HOOK_CHECKS))
                refused |= {problem.code for problem in alone.errors}
        repository.close()
    assert refused >= {row.code for row in HOOK_CHECKS if row.severity == "error"} - {
        "unmerged-entry",
        "transaction-pending",
    }
