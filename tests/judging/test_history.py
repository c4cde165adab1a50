"""A range: each commit answers for what it brings, and the tip for what it still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jit_hooks.checks import CHECKS
from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.commits import judge_range
from jit_hooks.judging.history import resolve_range
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

    from jit_hooks.judging.report import Report

CHOSEN = tuple(
    row
    for row in CHECKS
    if row.family in ("file", "index", "issue", "dependency") and row.code != "layout-not-canonical"
)


@pytest.fixture
def repository(repo: Repo) -> Iterator[Repository]:
    made = Repository(Git(str(repo.top)))
    yield made
    made.close()


def over(repository: Repository, range_: str, *, every_commit: bool = False) -> Report:
    report = judge_range(repository, range_, checks=CHOSEN, every_commit=every_commit)
    assert report is not None
    return report


def errors(report: Report) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.commit) for problem in report.errors]


def forget_index(repo: Repo, number: int) -> str:
    repo.issue(number)
    return repo.commit(f"issue {number} without its entry")


def test_each_commit_answers_for_what_it_brings(repo: Repo, repository: Repository) -> None:
    guilty = forget_index(repo, 3)
    (repo.top / "elsewhere").write_text("x")
    repo.commit("not the store")
    repo.issue(1, "First, renamed")
    repo.commit("innocent")
    report = over(repository, "HEAD")
    assert errors(report) == [("index-misses-issue", guilty)]
    assert report.stats["commits"] == 3
    assert report.exit_code == 1


def test_what_was_there_before_the_range_is_carried(repo: Repo, repository: Repository) -> None:
    guilty = forget_index(repo, 3)
    repo.issue(3, "Third, renamed")
    repo.commit("touches the issue, and does not mend the issue index")
    report = over(repository, f"{guilty}..HEAD")
    assert errors(report) == []
    assert "index-misses-issue" in [problem.code for problem in report.carried]


def test_what_the_tip_no_longer_holds_is_a_note(repo: Repo, repository: Repository) -> None:
    guilty = forget_index(repo, 3)
    repo.index(*(f"{n:08x}-0000-4000-8000-{n:012x}" for n in (1, 2, 3)))
    repo.commit("healed")
    report = over(repository, "HEAD")
    assert report.exit_code == 0
    note = next(problem for problem in report.problems if problem.code == "index-misses-issue")
    assert (note.severity, note.commit) == ("note", guilty)
    assert "healed by a later commit" in note.message
    assert errors(over(repository, "HEAD", every_commit=True)) == [("index-misses-issue", guilty)]
    assert over(repository, f"{guilty}^..{guilty}").exit_code == 1


def test_a_loss_is_healed_by_its_return(repo: Repo, repository: Repository) -> None:
    second = repo.store / "issues" / "00000002-0000-4000-8000-000000000002.json"
    kept = second.read_bytes()
    second.unlink()
    repo.index("00000001-0000-4000-8000-000000000001")
    guilty = repo.commit("an issue vanishes")
    assert errors(over(repository, "HEAD")) == [("issue-vanished", guilty)]
    second.write_bytes(kept)
    repo.index(*(f"{n:08x}-0000-4000-8000-{n:012x}" for n in (1, 2)))
    repo.commit("and returns")
    assert over(repository, "HEAD").exit_code == 0


def test_a_merge_does_not_answer_for_what_a_parent_has(repo: Repo, repository: Repository) -> None:
    repo.git("switch", "-q", "-c", "side")
    guilty = forget_index(repo, 3)
    repo.git("switch", "-q", "main")
    repo.issue(1, "First, renamed")
    repo.commit("innocent")
    repo.git("merge", "-q", "--no-edit", "side")
    report = over(repository, "HEAD")
    assert errors(report) == [("index-misses-issue", guilty)]
    assert report.stats["commits"] == 4


def test_a_merge_answers_for_what_it_makes(repo: Repo, repository: Repository) -> None:
    repo.git("switch", "-q", "-c", "side")
    repo.index(*(f"{n:08x}-0000-4000-8000-{n:012x}" for n in (1, 2)), repo.issue(3))
    repo.commit("third")
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-commit", "--no-ff", "side")
    repo.index(*(f"{n:08x}-0000-4000-8000-{n:012x}" for n in (1, 2)))
    guilty = repo.commit("the merge drops an id")
    assert errors(over(repository, "main")) == [("index-misses-issue", guilty)]


def test_a_push_cannot_bring_its_own_permission(repo: Repo, repository: Repository) -> None:
    base = repo.commit("base")
    forget_index(repo, 3)
    accept = '[[accept]]\ncode = "index-misses-issue"\nrecord = ".jit/index.json"\nreason = "because"\n'
    repo.write("hooks.toml", accept)
    repo.commit("and says it is fine")
    assert over(repository, f"{base}..HEAD").exit_code == 1
    forget_index(repo, 4)
    assert over(repository, "HEAD^..HEAD").exit_code == 0


def test_a_store_that_came_late_and_one_that_went(repo: Repo, repository: Repository) -> None:
    repo.git("rm", "-r", "-q", ".jit")
    guilty = repo.commit("the store is gone")
    report = over(repository, "HEAD")
    assert {commit for _, commit in errors(report)} == {guilty}
    repo.git("switch", "-q", "--orphan", "other")
    repo.commit("nothing")
    assert judge_range(repository, "HEAD", checks=CHOSEN) is None


def test_what_could_be_checked_neither_in_a_commit_nor_at_the_tip_is_no_pass(
    repo: Repo, repository: Repository
) -> None:
    index = repo.store / "index.json"
    whole = index.read_text()
    index.write_text("{")
    torn = repo.commit("torn")
    repo.issue(3)
    repo.commit("nobody can tell")
    report = over(repository, f"{torn}..HEAD")
    assert (report.verdict, report.exit_code) == ("not-judged", 3)
    assert report.reason.startswith("the issue index does not load, so these could not be checked: ")
    assert over(repository, "HEAD").exit_code == 1
    index.write_text(whole)
    guilty = repo.commit("whole again, without the issue")
    assert ("index-misses-issue", guilty) in errors(over(repository, f"{torn}..HEAD"))


def test_what_was_hidden_behind_a_torn_index_is_seen_at_the_tip(repo: Repo, repository: Repository) -> None:
    """The index is torn and healed within the range; between, an issue and its run of events went."""
    index, second = repo.store / "index.json", repo.store / "issues" / "00000002-0000-4000-8000-000000000002.json"
    index.write_text("{")
    second.unlink()
    repo.commit("torn, and an issue is gone")
    repo.index("00000001-0000-4000-8000-000000000001")
    repo.commit("whole again")
    assert "issue-vanished" in [code for code, _ in errors(over(repository, "HEAD"))]


def test_the_readers_own_way_to_show_merges_does_not_matter(repo: Repo, repository: Repository) -> None:
    test_a_merge_answers_for_what_it_makes(repo, repository)
    repo.git("config", "log.diffMerges", "off")
    assert [code for code, _ in errors(over(repository, "main"))] == ["index-misses-issue"]
    repo.git("config", "log.diffMerges", "first-parent")
    assert [code for code, _ in errors(over(repository, "main"))] == ["index-misses-issue"]


def test_settings_of_the_old_tip_that_cannot_be_followed_permit_nothing(repo: Repo, repository: Repository) -> None:
    repo.write("hooks.toml", "[severty]\n")
    base = repo.commit("a slip")
    forget_index(repo, 3)
    report = over(repository, f"{base}..HEAD")
    assert report.exit_code == 1
    assert "left aside" in report.notices[0]
    repo.write("hooks.toml", "[severity]\nindex-misses-isue = 'off'\n")
    repo.commit("another")
    with pytest.raises(UsageError, match="brings settings that cannot be followed"):
        over(repository, f"{base}..HEAD")


def test_the_range_agrees_with_judging_each_commit(repo: Repo, repository: Repository) -> None:
    for number in range(3, 9):
        own = repo.issue(number, "Title", *(["nobody"] if number % 3 == 0 else []))
        ids = [f"{n:08x}-0000-4000-8000-{n:012x}" for n in range(1, number)]
        repo.index(*ids, *([own] if number % 2 else []))
        repo.commit(str(number))
    together = {(p.commit, p.identity) for p in over(repository, "HEAD", every_commit=True).problems}
    one_by_one = set()
    for commit in repo.git("rev-list", "HEAD").split():
        parents = tuple(repository.commits.parents_of(commit))
        request = Request(commit, "", repository, parents, everything=not parents, checks=CHOSEN)
        one_by_one |= {(commit, problem.identity) for problem in judge(request).problems}
    assert together == one_by_one


@pytest.mark.parametrize("range_", ["--all", "HEAD --output=x", "-1"])
def test_options_are_refused(repository: Repository, range_: str) -> None:
    with pytest.raises(UsageError, match="is no range"):
        resolve_range(repository, range_)


@pytest.mark.parametrize(
    "range_", ["", " ", "nope", "nope..HEAD", "HEAD..nope", "HEAD:.jit", "HEAD..HEAD:.jit", "../x"]
)
def test_what_names_no_commits(repository: Repository, range_: str) -> None:
    with pytest.raises(NotJudgedError):
        resolve_range(repository, range_)


def test_ends_of_ranges(repo: Repo, repository: Repository) -> None:
    first = repo.git("rev-parse", "HEAD").strip()
    second = forget_index(repo, 3)
    assert resolve_range(repository, "HEAD") == ([second], [])
    assert resolve_range(repository, "HEAD^..HEAD") == ([second], [first])
    assert resolve_range(repository, "HEAD ^HEAD^") == ([second], [first])
    assert over(repository, "HEAD..HEAD").problems == []
