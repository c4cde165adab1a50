"""The audit of merges: each code from a small merge, and nothing from the real history."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from audits import audit
from hypothesis import given
from merge_edits import ID, START, index_bytes, issue_bytes, log_bytes, moment, verdict
from project import CORPUS
from test_merge_laws import atoms_of, branches, law, merged, pairs

from jit_hooks.merge.conflict import read_conflict
from jit_hooks.merge.merging import MERGED, OPEN, merge
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.problem import Problem

Content = dict[str, bytes]

A, B, C = (f"0000000{number}-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
assert A == ID

PATH = f"issues/{A}.json"
OTHER = f"issues/{B}.json"


def one(path: str = PATH, **members: Any) -> Content:
    """One issue, changed."""
    document = {**START, "id": layout.issue_id_of(path), **members}
    return {path: issue_bytes(document)}


def index(alive: str, dead: str = "") -> Content:
    """The issue index of issues A, B, C by letter."""
    ids = {"A": A, "B": B, "C": C}
    lists = {"all_ids": [ids[name] for name in alive], "deleted_ids": [ids[name] for name in dead]}
    return {"index.json": index_bytes({"schema_version": 2, **lists})}


def line(number: int, **members: object) -> bytes:
    document = {"type": "issue_deleted", "id": f"e{number}", "issue_id": A, "timestamp": moment(number), **members}
    return json.dumps(document, separators=(",", ":")).encode()


def audited(result: Content, parents: tuple[Content, ...], bases: tuple[Content, ...]) -> list[Problem]:
    stores = [Store(Files(files)) for files in (result, *parents, *bases)]
    ours, theirs = tuple(stores[1 : len(parents) + 1]), tuple(stores[len(parents) + 1 :])
    everything = {path for files in (result, *parents) for path in files}
    paths = {path for path in everything if any(result.get(path) != parent.get(path) for parent in parents)}
    return list(audit(stores[0], ours, theirs, paths))


def codes(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return sorted((problem.code, problem.path, problem.subject) for problem in problems)


BASE = {**one(), **one(OTHER, title="Other"), **index("AB"), "events.jsonl": log_bytes([line(1)])}


def test_what_the_merge_function_makes_has_no_problem() -> None:
    ours = BASE | one(title="x", assignee="a:x", state="in_progress")
    theirs = BASE | one(priority="low", dependencies=["d"], state="backlog", gates_required=[], gates_status={})
    result = merge("issue", BASE[PATH], ours[PATH], theirs[PATH], name=A)
    assert result.status == MERGED
    assert audited(BASE | {PATH: result.document}, (ours, theirs), (BASE,)) == []


def test_an_edit_of_one_parent_that_is_gone_is_lost() -> None:
    ours, theirs = BASE | one(title="x"), BASE | one(priority="low", labels=["type:task", "epic:a"])
    problems = audited(BASE | one(title="x") | one(OTHER), (ours, theirs), (BASE,))
    assert codes(problems) == [
        ("merge-lost-edit", PATH, "labels/epic:a"),
        ("merge-lost-edit", PATH, "priority"),
        ("merge-own-edit", OTHER, "title"),
    ]
    lost = next(problem for problem in problems if problem.subject == "priority")
    assert lost.pointer == "/priority"
    assert "second parent" in lost.message


def test_an_atom_is_changed_only_when_it_differs_from_every_base() -> None:
    first, second = BASE | one(title="one"), BASE | one(title="two")
    ours, theirs = first | one(title="one", priority="low"), second | one(title="two", priority="high")
    result = BASE | one(title="one", priority="low")
    assert audited(result, (ours, theirs), (first, second)) == []


def test_any_choice_is_legal_where_both_changed_it_but_a_return_to_the_base() -> None:
    ours, theirs = BASE | one(title="x"), BASE | one(title="y")
    for title in ("x", "y", "z"):
        assert audited(BASE | one(title=title), (ours, theirs), (BASE,)) == []
    problems = audited(BASE | one(), (ours, theirs), (BASE,))
    assert codes(problems) == [("merge-both-dropped", PATH, "title")]


def test_state_and_assignee_are_one_decision() -> None:
    ours = BASE | one(state="in_progress", assignee="a:x")
    theirs = BASE | one(state="done")
    assert audited(BASE | one(state="done"), (ours, theirs), (BASE,)) == []
    assert audited(BASE | one(state="done", assignee="a:x"), (ours, theirs), (BASE,)) == []


def test_done_against_a_new_gate_is_a_decision_though_one_parent_changed_the_state() -> None:
    started: dict[str, Any] = {"state": "in_progress", "assignee": "a:x", "gates_required": [], "gates_status": {}}
    base = BASE | one(**started)
    ours = base | one(**{**started, "state": "done"})
    asked: dict[str, Any] = {"gates_required": ["g"], "gates_status": {"g": verdict("pending", None, moment(3))}}
    theirs = base | one(**{**started, **asked})
    assert audited(base | one(**{**started, **asked, "state": "gated"}), (ours, theirs), (base,)) == []


def test_an_edge_goes_with_the_issue_that_the_other_side_deleted() -> None:
    ours = BASE | one(title="x", dependencies=[B], state="backlog")
    without = {path: data for path, data in BASE.items() if path != OTHER} | index("A", "B")
    assert audited(without | one(title="x"), (ours, without), (BASE,)) == []
    theirs = BASE | one(OTHER, title="y")
    problems = audited(theirs | one(title="x"), (ours, theirs), (BASE,))
    assert codes(problems) == [("merge-lost-edit", PATH, f"dependencies/{B}")]


def test_a_requirement_goes_with_the_gate_that_the_other_side_removed() -> None:
    def defined(*keys: str) -> Content:
        gate = {"version": 1, "title": "x", "description": "", "stage": "postcheck", "mode": "manual"}
        return {"gates.json": json.dumps({"gates": {key: gate | {"key": key} for key in keys}}).encode()}

    base = BASE | defined("g0", "g1")
    ours, theirs = base | one(title="x", gates_required=["g0", "g1"]), base | defined("g0")
    assert audited(base | one(title="x") | defined("g0"), (ours, theirs), (base,)) == []


def test_a_save_stamp_and_a_newer_verdict_are_not_lost_edits() -> None:
    judged = BASE | one(gates_status={"g0": verdict("failed", "a:x", moment(5))}, updated_at=moment(5))
    again = BASE | one(title="x", gates_status={"g0": verdict("passed", "a:x", moment(9))}, updated_at=moment(9))
    problems = audited(again, (judged, BASE | one(title="x")), (BASE,))
    assert codes(problems) == [("merge-own-edit", PATH, "gates_status/g0")]


def test_a_side_that_was_thrown_away_is_one_problem() -> None:
    theirs = BASE | one(title="x") | one(OTHER, title="y") | one(f"issues/{C}.json") | index("ABC")
    theirs["events.jsonl"] = log_bytes([line(1), line(2)])
    (problem,) = audited(BASE | one(priority="low"), (BASE | one(priority="low"), theirs), (BASE,))
    assert (problem.code, problem.subject) == ("merge-side-discarded", "2")


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(one(title="x"), id="both-did-the-same"),
        pytest.param(one(title="x", updated_at=moment(0)), id="an-older-save-stamp"),
    ],
)
def test_a_side_that_brings_nothing_new_is_not_thrown_away(theirs: Content) -> None:
    ours = BASE | one(title="x", priority="low")
    assert audited(ours, (ours, BASE | theirs), (BASE,)) == []


def test_settings_and_new_files_of_one_side_prove_that_it_was_thrown_away() -> None:
    for more in ({"config.toml": b"a = 1\n"}, one(f"issues/{C}.json"), {"events.jsonl": log_bytes([line(1), line(7)])}):
        assert codes(audited(BASE, (BASE, BASE | more), (BASE,)))[0][0] == "merge-side-discarded"


def test_an_edit_in_another_issue_is_misplaced() -> None:
    fresh = f"issues/{C}.json"
    base = {path: data for path, data in BASE.items() if path != OTHER}
    ours = {path: data for path, data in base.items() if path != PATH} | one(fresh) | index("C", "A")
    theirs = base | one(state="done", assignee="a:x", updated_at=moment(7))
    result = ours | one(fresh, state="done", assignee="a:x", updated_at=moment(7))
    problems = audited(result, (ours, theirs), (base,))
    assert codes(problems) == [("merge-misplaced-edit", fresh, A[:8])]


def test_an_issue_nobody_brought_back_is_resurrected() -> None:
    without = {path: data for path, data in BASE.items() if path != OTHER} | index("A", "B")
    ours, theirs = without | one(priority="low"), BASE | one(title="x")
    result = BASE | one(title="x", priority="low")
    problems = audited(result, (ours, theirs), (BASE,))
    assert codes(problems) == [("merge-resurrected-issue", "index.json", B)]
    edited = theirs | one(OTHER, title="edited")
    assert audited(result | one(OTHER, title="edited"), (ours, edited), (BASE,)) == []
    assert audited(result, (ours, theirs), (without,)) == []


def test_a_dependency_dropped_as_implied_and_then_cut_is_a_lost_path() -> None:
    x, y, z = (f"issues/{issue}.json" for issue in (A, B, C))
    base = one(x, dependencies=[B, C]) | one(y, dependencies=[C]) | one(z) | index("ABC")
    dropped, cut = base | one(x, dependencies=[B]), base | one(y, dependencies=[])
    result = dropped | one(y, dependencies=[])
    problems = audited(result, (dropped, cut), (base,))
    assert codes(problems) == [("merge-lost-path", x, C)]
    assert audited(base | one(y, dependencies=[]), (base, cut), (base,)) == []


def test_the_same_issue_claimed_on_both_branches_is_duplicate_work() -> None:
    claims = [line(number, type="issue_claimed", assignee=f"a:{number}") for number in (2, 3)]
    ours, theirs = (BASE | {"events.jsonl": log_bytes([line(1), claim])} for claim in claims)
    result = BASE | {"events.jsonl": log_bytes([line(1), *claims])}
    assert codes(audited(result, (ours, theirs), (BASE,))) == [("merge-duplicate-work", PATH, "claimed")]
    shared = BASE | {"events.jsonl": log_bytes([line(1), claims[0]])}
    assert audited(shared | one(title="x"), (shared, shared | one(title="x")), (BASE,)) == []


def test_an_event_rewritten_by_one_parent_and_not_in_the_result_is_lost() -> None:
    redacted = BASE | {"events.jsonl": log_bytes([line(1, x="redacted")])}
    result = BASE | {"events.jsonl": log_bytes([line(1), line(2)])}
    problems = audited(result, (redacted, result), (BASE,))
    assert [(problem.code, problem.record) for problem in problems] == [("merge-side-discarded", "index.json")]
    problems = audited(result | one(title="x"), (redacted | one(title="x"), result), (BASE,))
    assert [(problem.code, problem.record) for problem in problems] == [("merge-lost-edit", "e1")]


def test_a_file_no_parent_has_is_one_own_edit() -> None:
    result = BASE | one(f"issues/{C}.json") | index("ABC")
    problems = audited(result, (BASE | one(title="x"), BASE | one(title="x")), (BASE,))
    assert ("merge-own-edit", f"issues/{C}.json", "") in codes(problems)


def test_records_that_do_not_parse_are_left_to_their_own_codes() -> None:
    ours, theirs = BASE | one(title="x"), BASE | one(priority="low")
    for broken in (b"{", b"<<<<<<< ours\n"):
        assert audited(BASE | {PATH: broken}, (ours, theirs), (BASE,)) == []
        assert audited(BASE | one(title="x"), (ours, BASE | {PATH: broken}), (BASE,)) == []


def test_an_octopus_is_audited_too() -> None:
    parents = BASE | one(title="x"), BASE | one(priority="low"), BASE | one(OTHER, title="y")
    result = BASE | one(title="x") | one(OTHER, title="y")
    assert codes(audited(result, parents, (BASE,))) == [("merge-lost-edit", PATH, "priority")]


# -- against the merge ---------------------------------------------------------------------------------


@law
@given(pairs)
def test_the_audit_accepts_what_the_merge_makes_and_either_choice_it_leaves(
    edits: tuple[bytes, bytes, bytes, int],
) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    parts = read_conflict(found.document) or (found.document,)
    for result in parts[::2]:
        assert [
            problem for problem in audited_issue(result, ours, theirs, base) if problem.code != "merge-own-edit"
        ] == []


@law
@given(pairs)
def test_the_audit_finds_one_sided_work_that_is_gone(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    before, after = atoms_of(base), atoms_of(theirs)
    lost = {
        at
        for at in before.keys() | after.keys()
        if after.get(at) != before.get(at) == atoms_of(ours).get(at) and at != ("updated_at",)
    }
    if {before.get(("state",)), after.get(("state",))} == {"backlog", "ready"}:
        lost.discard(("state",))  # the tracker moves between these by itself, and will again
    found = merged(base, ours, theirs)
    if lost and found.status == MERGED and atoms_of(found.document) != atoms_of(ours):
        codes = {problem.code for problem in audited_issue(ours, ours, theirs, base)}
        assert codes & {"merge-side-discarded"} or not kept_out(found.document, ours, lost)


def kept_out(result: bytes, ours: bytes, lost: set[tuple[str, ...]]) -> bool:
    """Whether the merge would have taken one of these atoms, which ours lacks."""
    return any(atoms_of(result).get(at) != atoms_of(ours).get(at) for at in lost)


def audited_issue(result: bytes, ours: bytes, theirs: bytes, base: bytes) -> list[Problem]:
    return audited({PATH: result}, ({PATH: ours}, {PATH: theirs}), ({PATH: base},))


# -- the real history ----------------------------------------------------------------------------------

BUNDLE = CORPUS / "just-in-time-jit-history.bundle"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not BUNDLE.is_file():
        pytest.skip("the corpus is not here")
    top = tmp_path_factory.mktemp("history") / "store.git"
    subprocess.run(["git", "clone", "-q", "--bare", "-b", "main", str(BUNDLE), str(top)], check=True)
    return top


def ask(top: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=top, capture_output=True, text=True, check=True)
    return done.stdout


def files_at(top: Path, commit: str, paths: set[str]) -> Content:
    """The bytes of some store paths at a commit."""
    wanted = "".join(f"{commit}:.jit/{path}\n" for path in sorted(paths))
    done = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=top, input=wanted.encode(), capture_output=True, check=True
    )
    found, out, at = {}, done.stdout, 0
    for path in sorted(paths):
        end = out.index(b"\n", at)
        header = out[at:end].split()
        at = end + 1
        if header[-1] != b"missing":
            size = int(header[2])
            found[path] = out[at : at + size]
            at += size + 1
    return found


def merges(top: Path) -> list[tuple[str, list[str], list[str]]]:
    found = []
    for row in ask(top, "rev-list", "--merges", "--parents", "main").splitlines():
        commit, *parents = row.split()
        found.append((commit, parents, ask(top, "merge-base", "--all", *parents).split()))
    return found


def changed_paths(top: Path, commit: str, others: list[str]) -> set[str]:
    return {
        path.removeprefix(".jit/")
        for other in others
        for path in ask(top, "diff", "--name-only", "--no-renames", other, commit, "--", ".jit").splitlines()
    }


def test_the_merges_of_the_real_history_raise_no_error_and_merge_again_to_the_same(history: Path) -> None:
    found = merges(history)
    assert len(found) == 20
    said: list[Problem] = []
    merged_again, opened = 0, []
    for commit, parents, bases in found:
        paths = changed_paths(history, commit, [*parents, *bases])
        result, *others = (files_at(history, name, paths) for name in (commit, *parents, *bases))
        ours, theirs = tuple(others[: len(parents)]), tuple(others[len(parents) :])
        said += audited(result, ours, theirs)
        for path in sorted(paths):
            kind, versions = layout.kind_of(path), [side.get(path) for side in (theirs[0], *ours)]
            base, left, right = versions
            if kind not in ("issue", "index", "log", "gates-json", "run") or left is None or right is None:
                continue
            if left == right or base in (left, right):
                continue
            name = layout.issue_id_of(path) if kind == "issue" else layout.run_id_of(path) if kind == "run" else ""
            again = merge(kind, base, left, right, name=name)
            merged_again += 1
            if again.status == OPEN:
                opened.append((path, {conflict.pointer[0] for conflict in again.conflicts}))
            elif kind == "log":
                assert set(again.document.splitlines()) == set(result[path].splitlines()), (commit, path)
            else:
                assert again.status == MERGED
                assert json.loads(again.document) == json.loads(result[path]) or same(
                    again.document, result[path], kind
                )
    errors = [problem for problem in said if problem.code not in ("merge-duplicate-work", "merge-own-edit")]
    assert errors == []
    assert merged_again >= 20
    assert all(members <= {"state", "assignee"} for _, members in opened), opened


def same(one: bytes, other: bytes, kind: str) -> bool:
    """Whether two records have the same atoms."""
    from jit_hooks.merge.atoms import atoms

    return atoms(kind, json.loads(one)) == atoms(kind, json.loads(other))
