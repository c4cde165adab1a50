"""What the tracker leaves on the disk of one machine, check by check."""

from __future__ import annotations

import pytest
from leftovers import CONFIG, CONTROL, HEX, IS, JOURNAL, LOCK, META, OTHER, WAS, journal, on_disk
from memory_stores import A, B, issue, path

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.checks.runtime import unsettled
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import CLAIMS_INDEX
from jit_hooks.store.machine import Machine, holder_in, target_of, writer_of
from jit_hooks.store.snapshot import Entry, Files, Overlay
from jit_hooks.store.store import Store
from jit_hooks.store.transactions import read_journal, targets_in

CODES = [row.code for row in CHECKS if row.family == "runtime"]


def found(snapshot: Files) -> list[tuple[str, str]]:
    """Code and path of all that the family says."""
    problems = find_problems(Store(snapshot), Focus(everything=True), [BY_CODE[code] for code in CODES]).problems
    assert all(problem.message and problem.message[0] != " " for problem in problems)
    return [(problem.code, problem.path) for problem in problems]


OLD, NEW = 3601.0, 3600.0


@pytest.mark.parametrize(
    ("name", "machine", "is_stale"),
    [
        (".index.json.4711.0.tmp", Machine(dead=[4711]), True),
        (f"issues/.{A}.json.4711.12.tmp", Machine(dead=[4711]), True),
        (".index.json.4711.0.tmp", Machine(dead=[4712], ages={".index.json.4711.0.tmp": OLD}), False),
        (".index.json.4711.0.tmp", Machine(), False),
        ("gate-runs/x/result.json.tmp", Machine(ages={"gate-runs/x/result.json.tmp": OLD}), True),
        ("gate-runs/x/result.json.tmp", Machine(ages={"gate-runs/x/result.json.tmp": NEW}), False),
        ("gate-runs/x/result.json.tmp", Machine(ages={"gate-runs/x/result.json.tmp": -OLD}), False),
        ("gate-runs/x/result.json.tmp", Machine(), False),
        (".tmpAb3dE9", Machine(ages={".tmpAb3dE9": OLD}), True),
        ("../.merge_file_a01b2c", Machine(ages={"../.merge_file_a01b2c": OLD}), True),
        ("control:claims.index.tmp", Machine(free=[LOCK]), True),
        ("control:claims.index.tmp", Machine(ages={"control:claims.index.tmp": OLD}), False),
        ("tmp/notes.txt", Machine(ages={"tmp/notes.txt": OLD}), False),
        (f"{CONTROL}/stages/.a.1.1.tmp", Machine(dead=[1]), False),
        ("notes.txt", Machine(ages={"notes.txt": OLD}), False),
    ],
)
def test_a_temp_is_stale_when_its_writer_is_dead(name: str, machine: Machine, is_stale: bool) -> None:
    said = [one for one in found(on_disk({name: b""}, machine)) if one[0] == "temp-stale"]
    assert said == ([("temp-stale", name)] if is_stale else [])


def test_what_git_tracks_is_told_elsewhere() -> None:
    names = (".index.json.4711.0.tmp", "tmp/archive-a/doc-b", "a.lock.meta", "tmp/transactions/notes.txt")
    machine = Machine(dead=[4711], free=["a.lock"], ages=dict.fromkeys(names, OLD))
    assert len(found(on_disk(dict.fromkeys(names, b""), machine))) == 4
    assert found(on_disk(dict.fromkeys(names, b""), machine, tracked=names)) == []


@pytest.mark.parametrize(
    ("meta", "machine", "is_stale"),
    [
        ({"pid": 4711}, Machine(free=[LOCK], dead=[4711]), True),
        (b"", Machine(free=[LOCK]), True),
        (b"{", Machine(free=[LOCK]), True),
        ([4711], Machine(free=[LOCK]), True),
        ({"pid": True}, Machine(free=[LOCK]), True),
        ({"pid": 4711}, Machine(free=[LOCK]), False),
        ({"pid": 4711}, Machine(dead=[4711]), False),
        (b"", Machine(), False),
    ],
)
def test_metadata_is_stale_when_nobody_holds_the_lock(meta: object, machine: Machine, is_stale: bool) -> None:
    assert found(on_disk({META: meta, LOCK: b""}, machine)) == ([("lock-meta-stale", META)] if is_stale else [])


@pytest.mark.parametrize(
    ("data", "is_stuck"),
    [
        (b"{}", False),
        (b'{"actions": []}', False),
        (b'{"actions": [1, {}, {"path": 1}, {"path": {}, "action": {"kind": "write_file"}}]}', False),
        (journal("prepared", IS, OTHER), False),
        (journal("prepared", WAS, IS), False),
        (journal("prepared", WAS, OTHER), True),
        (journal("prepared", {"file": WAS}, {"file": OTHER}), True),
        (journal("prepared", IS, None), False),
        (journal("prepared", WAS, None), True),
        (journal("prepared", None, OTHER), True),
        (journal("prepared", "unknown", "unknown"), False),
        (journal("committed", WAS, IS), False),
        (journal("committed", IS, WAS), True),
        (journal("committed", IS, None, "delete_file"), False),
        (journal("rolled_back", IS, WAS), False),
        (journal("rolled_back", WAS, IS), True),
        (journal("prepared", WAS, OTHER, "create_directory"), False),
        (journal("prepared", WAS, OTHER, root="worktree"), False),
        (journal("prepared", WAS, OTHER, relative="../../etc/passwd"), False),
        (journal("prepared", WAS, OTHER, relative=path(B)), False),
        (journal("prepared", WAS, OTHER, relative=7), False),
        (b'{"actions": {}}', True),
        (b"[]", True),
        (b"{", True),
        (b"", True),
        (b"[" * 1000, True),
    ],
)
def test_a_transaction_is_stuck_when_a_target_is_neither_old_nor_new(data: bytes, is_stuck: bool) -> None:
    code = "transaction-stuck" if is_stuck else "transaction-pending"
    snapshot = on_disk({JOURNAL: data, f"{CONTROL}/stages/file-0": b""}, Machine())
    assert found(snapshot) == [(code, JOURNAL)]
    assert [problem.code for problem in unsettled(snapshot)] == [code]


def test_the_targets_that_changed_are_named() -> None:
    (problem,) = unsettled(on_disk({JOURNAL: journal("prepared", WAS, OTHER)}, Machine()))
    assert (problem.subject, problem.related) == (HEX, (path(A),))
    assert f"{path(A)} changed since" in problem.message


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([f"tmp/transactions/cleanup-{HEX}/journal.json"], "transaction-stuck"),
        ([f"tmp/transactions/cleanup-{HEX}/{name}" for name in ("journal.json", "stages/")], "transaction-pending"),
        ([f"tmp/transactions/cleanup-{HEX}/stages/file-0"], ""),
        (["../.jit-bootstrap/transactions/a/journal.json", "../.jit-bootstrap/transaction-protocol-v1"],
         "transaction-pending"),
        (["../jit-stage-a/index.json"], "transaction-pending"),
    ],
)  # fmt: skip
def test_what_is_waiting(names: list[str], code: str) -> None:
    snapshot = on_disk({name: Entry("directory") if name.endswith("/") else b"{}" for name in names}, Machine())
    assert [problem.code for problem in unsettled(snapshot)] == ([code] if code else [])


def test_a_stuck_transaction_is_said_before_one_that_waits() -> None:
    second = JOURNAL.replace("0123", "9999")
    snapshot = on_disk({JOURNAL: b"{}", second: b"{"}, Machine())
    assert [(problem.code, problem.path) for problem in unsettled(snapshot)] == [
        ("transaction-stuck", second),
        ("transaction-pending", JOURNAL),
    ]


LINK, FOLDER = Entry("link"), Entry("directory")


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ({"tmp/transactions/notes.txt": b""}, "tmp/transactions/notes.txt"),
        ({f"tmp/transactions/{HEX}": LINK}, f"tmp/transactions/{HEX}"),
        ({"tmp/transactions/pipe": Entry("unreadable")}, "tmp/transactions/pipe"),
        ({"tmp": LINK}, "tmp"),
        ({"tmp": b""}, "tmp"),
        ({"tmp/transactions": LINK}, "tmp/transactions"),
        ({"../.jit-bootstrap": LINK}, "../.jit-bootstrap"),
        ({"../.jit-bootstrap/notes.txt": b""}, "../.jit-bootstrap/"),
        ({"../.jit-bootstrap/transaction-protocol-v1": b""}, ""),
        ({"../.jit-bootstrap/": FOLDER}, ""),
        ({"../.jit-bootstrap.lock": b""}, ""),
        ({"tmp/transactions/": FOLDER}, ""),
        ({f"{CONTROL}/": FOLDER}, ""),
        ({"tmp/notes.txt": b""}, ""),
    ],
)
def test_a_stranger_where_transactions_live(contents: dict[str, object], expected: str) -> None:
    said = [name for code, name in found(on_disk(contents, Machine())) if code == "transaction-foreign"]
    assert said == ([expected] if expected else [])
    assert unsettled(on_disk(contents, Machine())) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"{CONTROL}/stages/file-0", f"{CONTROL}/journal.next"], [f"{CONTROL}/"]),
        ([f"{CONTROL}/"], [f"{CONTROL}/"]),
        ([JOURNAL, f"{CONTROL}/stages/file-0"], []),
        (["tmp/transactions/"], []),
        (["../.jit-bootstrap/transactions/a/companion", "../.jit-bootstrap/transaction-protocol-v1"],
         ["../.jit-bootstrap/transactions/a/"]),
    ],
)  # fmt: skip
def test_what_is_left_of_a_transaction(names: list[str], expected: list[str]) -> None:
    snapshot = on_disk({name: FOLDER if name.endswith("/") else b"{}" for name in names}, Machine())
    assert [name for code, name in found(snapshot) if code == "transaction-residue"] == expected


def test_a_staged_archive_is_told_once_when_all_of_it_is_old() -> None:
    names = ["tmp/archive-a/doc-a", "tmp/archive-a/asset-1-a"]
    told = [("archive-unfinished", "tmp/archive-a/")]
    contents = dict.fromkeys(names, b"")
    assert found(on_disk(contents, Machine(ages=dict.fromkeys(names, OLD)))) == told
    assert found(on_disk(contents, Machine(ages={names[0]: OLD, names[1]: NEW}))) == []
    assert found(on_disk(contents, Machine(ages={names[0]: OLD}))) == []


SOURCE, COPY = "dev/active/tide.md", "dev/archive/studies/tide.md"


@pytest.mark.parametrize(
    ("named", "beside", "is_told"),
    [
        ({"path": SOURCE}, {SOURCE: b"x", COPY: b"x"}, True),
        ({"path": COPY}, {SOURCE: b"x", COPY: b"x"}, True),
        ({"path": SOURCE}, {SOURCE: b"x", COPY: b"y"}, False),
        ({"path": SOURCE}, {SOURCE: b"x"}, False),
        ({"path": COPY}, {COPY: b"x"}, False),
        ({"path": SOURCE}, {}, False),
        ({"path": SOURCE, "commit": "HEAD"}, {SOURCE: b"x", COPY: b"x"}, False),
        ({"path": "docs/tide.md"}, {"docs/tide.md": b"x", COPY: b"x"}, False),
    ],
)
def test_a_document_in_both_places(named: dict[str, object], beside: dict[str, bytes], is_told: bool) -> None:
    document = {"commit": None, "label": None, "doc_type": None, **named}
    contents = {"config.toml": CONFIG, path(A): issue(A, documents=[document]), path(B): issue(B, documents=[document])}
    expected = [("archive-unfinished", path(A))] if is_told else []
    assert found(on_disk(contents, Machine(), beside)) == expected


NO_ARCHIVE = """
[documentation]
managed_paths = [7, ""]
archive_root = "dev/archive"
[documentation.categories]
study = 7
"""


@pytest.mark.parametrize("config", ["", "documentation = 7", "[documentation]\n", NO_ARCHIVE, "["])
def test_a_configuration_without_an_archive_says_nothing(config: str) -> None:
    documents = [{"path": SOURCE, "commit": None, "label": None, "doc_type": None}]
    contents = {"config.toml": config, path(A): issue(A, documents=documents)}
    assert found(on_disk(contents, Machine(), {SOURCE: b"x", COPY: b"x"})) == []


def test_an_archive_is_where_the_tracker_puts_it_unless_config_says_otherwise() -> None:
    document = {"path": SOURCE, "commit": None, "label": None, "doc_type": None}
    contents = {"config.toml": '[documentation.categories]\na = "studies"\n', path(A): issue(A, documents=[document])}
    snapshot = on_disk(contents, Machine(), {SOURCE: b"x", COPY: b"x"})
    assert found(snapshot) == [("archive-unfinished", path(A))]


def test_a_source_without_a_disk_is_not_asked() -> None:
    names = {".index.json.4711.0.tmp": b"", "tmp/transactions/notes.txt": b"", META: b""}
    assert found(Files(names)) == []


def test_a_plan_over_a_worktree_is_judged_as_one() -> None:
    below = on_disk({META: b"", ".a.4711.0.tmp": b""}, Machine(free=[LOCK], dead=[4711]))
    assert len(found(below)) == 2
    left = Overlay(below, {META: None, ".a.4711.0.tmp": None})
    assert find_problems(Store(left), Focus(everything=True), [BY_CODE[code] for code in CODES]).problems == []


@pytest.mark.parametrize(
    ("name", "process"),
    [
        (".index.json.4711.0.tmp", 4711),
        (f"issues/.{A}.json.1.22.tmp", 1),
        (".config.toml.0.0.tmp", 0),
        ("index.json.4711.0.tmp", None),
        (".index.json.tmp", None),
        (".4711.0.tmp", None),
        (".index.json.x.0.tmp", None),
        (".index.json.4711.x.tmp", None),
        (".index.json.-4711.0.tmp", None),
        (f".index.json.{'9' * 5000}.0.tmp", None),
        (".index.json.\u0664.0.tmp", None),
    ],
)
def test_the_writer_a_temp_is_named_after(name: str, process: int | None) -> None:
    assert writer_of(name) == process


@pytest.mark.parametrize(
    ("name", "target"),
    [
        (".index.json.4711.0.tmp", "index.json"),
        (f"issues/.{A}.json.1.22.tmp", f"issues/{A}.json"),
        ("gate-runs/a/result.json.tmp", "gate-runs/a/result.json"),
        ("index.json.tmp", "index.json"),
        ("control:claims.index.tmp", CLAIMS_INDEX),
        (".tmpAb3dE9", ""),
        (".tmp", ""),
        ("../.merge_file_a01b2c", ""),
        (".index.json.x.0.tmp", ""),
    ],
)
def test_the_file_a_temp_was_to_replace(name: str, target: str) -> None:
    assert target_of(name) == target


def test_the_targets_of_a_journal_are_files_of_the_store() -> None:
    document = read_journal(journal("prepared", WAS, {"file": IS}))
    assert document is not None
    (target,) = targets_in(document)
    assert (target.path, target.old, target.new) == (path(A), WAS["sha256"], IS["sha256"])
    assert target.backup == ""
    document["actions"][0]["action"]["backup"] = "backups/backup-0"  # type: ignore[index]
    assert targets_in(document)[0].backup == "backups/backup-0"
    assert read_journal(b"[") is None


@pytest.mark.parametrize(
    ("data", "process"),
    [(b'{"pid": 7}', 7), (b'{"pid": "7"}', None), (b"[7]", None), (b"", None), (b" " * 70_000 + b'{"pid": 7}', None)],
)
def test_the_holder_that_metadata_names(data: bytes, process: int | None) -> None:
    assert holder_in(data) == process
