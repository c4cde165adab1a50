"""Is a transaction of the tracker pending? Whoever asks gets one answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, new_scratch, run

from jit_hooks import storage
from jit_hooks.disk.pending import may_be_pending
from jit_hooks.errors import NotSettledError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import Note
from jit_hooks.journal.plan import Change
from jit_hooks.journal.undo import undo
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.place import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

HEX = "0123456789abcdef" * 2
MARKER = ".jit-bootstrap/transaction-protocol-v1"
STORE, BESIDE, TOP = "sub/.jit", "sub", "."
PENDING, FOREIGN, SETTLED = "transaction-pending", "transaction-foreign", ""

STATES = {
    "nothing": ([], SETTLED),
    "a journal": ([f"{STORE}/tmp/transactions/{HEX}/journal.json"], PENDING),
    "a transaction that never began": ([f"{STORE}/tmp/transactions/{HEX}/stages/file-0"], SETTLED),
    "an empty directory of a transaction": ([f"{STORE}/tmp/transactions/{HEX}/"], SETTLED),
    "a clean-up under way": (
        [f"{STORE}/tmp/transactions/cleanup-{HEX}/{name}" for name in ("journal.json", "stages/file-0")],
        PENDING,
    ),
    "a clean-up without its journal": ([f"{STORE}/tmp/transactions/cleanup-{HEX}/stages/file-0"], SETTLED),
    "a journal too deep": ([f"{STORE}/tmp/transactions/{HEX}/a/journal.json"], SETTLED),
    "a staged archive": ([f"{STORE}/tmp/archive-1/doc-1"], SETTLED),
    "a store half made": ([f"{BESIDE}/jit-stage-{HEX}/index.json"], PENDING),
    "a store half taken away": ([f"{BESIDE}/cleanup-jit-stage-1/x"], PENDING),
    "a store half made, but elsewhere": ([f"{TOP}/jit-stage-9/index.json"], SETTLED),
    "a store half taken away, but elsewhere": ([f"{TOP}/cleanup-jit-stage-9/x"], SETTLED),
    "a file of git's merge": ([f"{BESIDE}/.merge_file_a01", f"{TOP}/.merge_file_a01"], SETTLED),
    "the bootstrap lock": ([f"{BESIDE}/.jit-bootstrap.lock", f"{TOP}/.jit-bootstrap.lock"], SETTLED),
    **{
        f"{state} {where}": ([f"{folder}/{name}" for name in names], verdict)
        for where, folder in (("beside the store", BESIDE), ("at the top", TOP))
        for state, names, verdict in (
            ("a bootstrap journal", [MARKER, f".jit-bootstrap/transactions/{HEX}/journal.json"], PENDING),
            ("a bootstrap directory", [MARKER, ".jit-bootstrap/transactions/"], SETTLED),
            ("a companion", [MARKER, f".jit-bootstrap/transactions/{HEX}/companion"], SETTLED),
            ("a bootstrap directory without a marker", [".jit-bootstrap/notes.txt"], FOREIGN),
            ("a stranger in a bootstrap directory", [MARKER, ".jit-bootstrap/transactions/notes.txt"], FOREIGN),
            ("a file for a bootstrap directory", [".jit-bootstrap"], FOREIGN),
        )
    },
    "a stranger among transactions": ([f"{STORE}/tmp/transactions/notes.txt"], FOREIGN),
    "a file for the directory of transactions": ([f"{STORE}/tmp/transactions"], FOREIGN),
    "a file for tmp": ([f"{STORE}/tmp"], FOREIGN),
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A repository whose store lies below the top, and a journal with one entry."""
    made = new_scratch(tmp_path_factory.mktemp("nested"), prefix="sub/.jit/")
    execute({"store:kept.md": Change.of(None, b"1")}, place(made), note=Note(), wait=0)
    return made


def place(scratch: Scratch) -> Place:
    return place_of(repository(scratch), str(scratch.data))


def repository(scratch: Scratch) -> Repository:
    return Repository(Git(str(scratch.top), inherit=False), scratch.prefix)


def request(scratch: Scratch, source: str = "worktree") -> Request:
    around = repository(scratch)
    head = around.commits.head()
    assert head is not None
    return Request(source, str(scratch.data), around, (head,), everything=True)


def refusal(action: Callable[[], object]) -> str:
    """The code of the refusal to do something; empty where it is done."""
    try:
        action()
    except NotSettledError as error:
        return error.code
    return ""


def by_judge(scratch: Scratch) -> str:
    problems: list[str] = []
    refused = refusal(lambda: problems.extend(problem.code for problem in judge(request(scratch)).problems))
    return refused or (FOREIGN if FOREIGN in problems else "")


def by_judge_of_the_git_index(scratch: Scratch) -> str:
    return PENDING if any(PENDING in notice for notice in judge(request(scratch, "git-index")).notices) else ""


def by_writer(scratch: Scratch) -> str:
    def write() -> None:
        execute({"store:more.txt": Change.of(None, b"1")}, place(scratch), note=Note(), wait=0)
        execute({"store:more.txt": Change.of(b"1", None)}, place(scratch), note=Note(), wait=0)

    return refusal(write)


def by_undo(scratch: Scratch) -> str:
    def take_back() -> None:
        entry = undo("1", place(scratch), wait=0)
        undo(entry.id, place(scratch), wait=0)

    return refusal(take_back)


def by_library_lock(scratch: Scratch) -> str:
    def lock() -> None:
        with storage.store_lock(scratch.data, wait=0):
            pass

    return refusal(lock)


def by_library_judge(scratch: Scratch) -> str:
    found: list[str] = []
    refused = refusal(lambda: found.extend(one.code for one in storage.validate_storage_integrity(scratch.data)))
    return refused or (FOREIGN if FOREIGN in found else "")


def by_look(scratch: Scratch) -> str:
    return PENDING if may_be_pending(str(scratch.data), str(scratch.top)) else ""


def by_hook(scratch: Scratch) -> str:
    here = os.getcwd()
    os.chdir(scratch.top)
    try:
        return PENDING if may_be_pending(scratch.prefix.rstrip("/"), ".") else ""
    finally:
        os.chdir(here)


@pytest.mark.parametrize("state", STATES)
def test_there_is_one_answer(scratch: Scratch, state: str) -> None:
    names, expected = STATES[state]
    for name in names:
        path = scratch.top / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"{}")
    try:
        for ask in (by_judge, by_library_judge, by_writer, by_undo, by_library_lock):
            assert ask(scratch) == expected, ask
        for ask in (by_look, by_hook, by_judge_of_the_git_index):
            assert ask(scratch) == (PENDING if expected == PENDING else ""), ask
    finally:
        run(scratch.top, "git", "clean", "-dfxq", "--exclude=kept.md")


def test_what_is_pending_at_the_top_is_named_from_there(scratch: Scratch) -> None:
    journal = scratch.top / ".jit-bootstrap" / "transactions" / HEX / "journal.json"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"{}")
    try:
        with pytest.raises(NotSettledError, match=f"\\({journal.relative_to(scratch.top)}\\)"):
            judge(request(scratch))
    finally:
        run(scratch.top, "git", "clean", "-dfxq", "--exclude=kept.md")
