"""Family ``merge``: what a merge lost, moved or made up, though git called it clean.

Each function sees a merge with its parents and all their merge bases (``merge.audit.Audit``).
"""

from __future__ import annotations

from jit_hooks.checks.wording import titled
from jit_hooks.merge.audit import atoms_in, data_of
from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator

    from jit_hooks.merge.atoms import Pointer
    from jit_hooks.merge.audit import Audit, Change
    from jit_hooks.store.store import Store


def merge_lost_edit(audit: Audit) -> Iterator[Problem]:
    """A change that one parent alone made is not in the result.

    The other parent left it as it was, so nobody had to choose: the change fell out of the merge. The usual causes
    are `git checkout --ours` on a file that both changed, `git commit -am` over a conflict, and a merge driver that
    is missing. What both changed is a person's choice and never told.

    FAIL: one parent renames an issue, the other claims it, the result has the old title.

    PASS: the result has the new title and the assignee.

    REPAIR: the three versions are merged again; lossless where the result equals one parent.

    TO FIX: bring the change back from the parent that made it, or say in [[accept]] of .jit/hooks.toml why it may
    go.
    """
    if audit.discarded[1]:
        return
    misplaced = {path for pair in _misplaced(audit) for path in pair}
    for path in audit.paths:
        if path in misplaced:
            continue
        for change in audit.verdict(path).lost:
            if _had_to_stay(audit, path, change):
                continue
            yield _told(
                "merge-lost-edit",
                path,
                change,
                f"lost {_what(path, change)}, which only {audit.side(change.parent)} changed",
            )


def _had_to_stay(audit: Audit, path: str, change: Change) -> bool:
    """True if the change dropped an edge as implied, and nothing else leads there now (``merge-lost-path``)."""
    if layout.kind_of(path) != "issue" or change.pointer[:1] != ("dependencies",):
        return False
    issue, target = layout.issue_id_of(path), change.pointer[1]
    parent, here = audit.parents[change.parent], _edges(audit.result, issue)
    is_implied = target not in _edges(parent, issue) and _reaches(parent, issue, target)
    return (
        is_implied
        and target in here
        and not any(_reaches(audit.result, each, target) for each in here if each != target)
    )


def merge_misplaced_edit(audit: Audit) -> Iterator[Problem]:
    """One issue's edit stands in another issue's file.

    One parent deleted an issue and made a similar one, the other parent edited the deleted one; git took the new
    file for the old one renamed and put the edit there, without a conflict. The new issue is claimed or done by
    somebody who never saw it, and the edited one is gone.

    FAIL: issue A deleted and B created by one parent, A claimed by the other; in the result B is claimed.

    PASS: B as its parent left it; A deleted or kept, which a person decides.

    REPAIR: B gets back the bytes of its parent; whether A lives is for a person to say.

    TO FIX: give this issue back what its own parent had; whether the issue that was edited lives, a person decides.
    """
    for edited, path in _misplaced(audit):
        yield Problem(
            "merge-misplaced-edit",
            path,
            f"holds the edit of {_short(edited)}, which one parent changed and the other deleted: rename detection",
            subject=_short(edited),
            related=(edited,),
        )


def merge_resurrected_issue(audit: Audit) -> Iterator[Problem]:
    """An issue that one parent deleted and no parent touched since is alive in the result.

    FAIL: the id stands in one parent's ``deleted_ids`` and in the result's ``all_ids``; the other parent has the
    file as the merge base has it.

    PASS: the id stays deleted. Alive it may be when the other parent changed the file, or brought it back.

    REPAIR: none; a person decides whether the issue lives.

    TO FIX: decide whether the issue lives; to delete it again::

        JIT_ALLOW_DELETION=1 jit issue delete {subject}
    """
    index = audit.result.issue_index
    if index is None or audit.discarded[1]:
        return
    dead = dict.fromkeys(
        issue for parent in audit.parents if parent.issue_index is not None for issue in parent.issue_index.deleted
    )
    for issue in dead:
        if issue not in index.alive_set or issue in index.deleted_set:
            continue
        if not any(_kept_on_purpose(audit, parent, issue) for parent in audit.parents):
            yield Problem(
                "merge-resurrected-issue",
                layout.INDEX,
                f"lists issue {titled(audit.result, issue)} as alive, which one parent deleted and no other changed",
                subject=issue,
                related=(layout.issue_path(issue),),
            )


def _kept_on_purpose(audit: Audit, parent: Store, issue: str) -> bool:
    """True if a parent brought the issue back, or changed it while another parent deleted it."""
    if parent.issue_index is None or issue not in parent.issue_index.alive_set or parent.is_deleted(issue):
        return False
    path = layout.issue_path(issue)
    was_dead = all(base.is_deleted(issue) for base in audit.bases)
    return was_dead or all(data_of(parent, path) != data_of(base, path) for base in audit.bases)


def merge_side_discarded(audit: Audit) -> Iterator[Problem]:
    """The whole store equals one parent though the other changed it.

    A merge with ``-s ours``, or ``git checkout --ours .``: all work of the other branch is gone, and git will never
    offer it again. One problem stands for everything lost.

    FAIL: a merge whose `.jit` is the first parent's, the second having created issues.

    PASS: a merge that holds what both did; one whose other side brought nothing new.

    REPAIR: none; merge again, or accept it with an ``[[accept]]`` entry and a reason.

    TO FIX: merge again; if the work shall go, say in [[accept]] of .jit/hooks.toml why.
    """
    number, path = audit.discarded
    if path:
        yield Problem(
            "merge-side-discarded",
            layout.INDEX,
            f"is, with the whole store, what another parent had: the work of {audit.side(number)} is gone, "
            f"{path} among it",
            subject=str(number + 1),
            related=(path,),
        )


def merge_lost_path(audit: Audit) -> Iterator[Problem]:
    """A dependency that a parent dropped as implied is neither in the result nor implied by it.

    One parent removed the edge from an issue to another because a longer way led there; the other parent cut the
    longer way while the edge still stood. Each was right, and together the issue no longer waits.

    FAIL: base `x -> z`, `x -> y -> z`; one parent drops `x -> z`, the other `y -> z`.

    PASS: the result has `x -> z`, or a way from `x` to `z`.

    REPAIR: the edge is put back.

    TO FIX: put the dependency back::

        jit dep add {id} {subject}
    """
    if audit.discarded[1]:
        return
    for path in audit.of_kind("issue"):
        issue = layout.issue_id_of(path)
        if audit.result.issue(issue) is None:
            continue
        for target in _lost_targets(audit, issue):
            yield Problem(
                "merge-lost-path",
                path,
                f"no longer waits for {titled(audit.result, target)}: one parent dropped the edge as implied, "
                "the other cut the way that implied it",
                subject=target,
                pointer="/dependencies",
                related=(layout.issue_path(target),),
            )


def _lost_targets(audit: Audit, issue: str) -> Iterator[str]:
    before = {target for base in audit.bases if (known := base.issue(issue)) for target in known.dependencies}
    holders = [parent for parent in audit.parents if parent.issue(issue) is not None]
    for target in sorted(before):
        if audit.result.issue(target) is None or not any(target not in _edges(p, issue) for p in holders):
            continue
        if all(_reaches(parent, issue, target) for parent in holders) and not _reaches(audit.result, issue, target):
            yield target


def _edges(store: Store, issue: str) -> Collection[str]:
    known = store.issue(issue)
    return known.dependencies if known is not None else ()


def _reaches(store: Store, start: str, target: str) -> bool:
    """True if one issue waits for another, over any number of edges."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for dependency in _edges(store, waiting.pop()):
            if dependency == target:
                return True
            if dependency not in seen:
                seen.add(dependency)
                waiting.append(dependency)
    return False


def merge_duplicate_work(audit: Audit) -> Iterator[Problem]:
    """Both sides claimed or finished one issue since the merge base.

    Two people or programs did the same work without knowing of each other. The store is sound.

    FAIL: an `issue_claimed` event of one issue on each branch.

    PASS: each issue claimed on one branch.

    REPAIR: none; both stay, and people decide which to keep.

    TO FIX: nothing to mend; whoever did the work should know of each other.
    """
    if layout.LOG not in audit.paths or audit.discarded[1]:
        return
    _, *versions = audit.logs()
    parents, bases = versions[: len(audit.parents)], versions[len(audit.parents) :]
    known = {name for base in bases for name in base}
    done: list[dict[tuple[str, str], set[bytes]]] = []
    for parent in parents:
        work: dict[tuple[str, str], set[bytes]] = {}
        for name in parent.keys() - known:
            for element in parent[name].values():
                if element.work:
                    work.setdefault(element.work, set()).add(name)
        done.append(work)
    for deed, issue in sorted({deed for work in done for deed in work}):
        own = [work.get((deed, issue), set()) for work in done]
        if any(one - other and other - one for at, one in enumerate(own) for other in own[at + 1 :]):
            yield Problem(
                "merge-duplicate-work",
                layout.issue_path(issue),
                f"was {deed} on both branches of the merge",
                subject=deed,
                related=(layout.LOG,),
            )


def merge_both_dropped(audit: Audit) -> Iterator[Problem]:
    """Both parents changed a value, and the result has it as it was before either.

    A conflict finished by taking the base. That can be meant; more often a hand took the wrong part.

    FAIL: `ready` in the base, `done` and `rejected` in the parents, `ready` in the result.

    PASS: either parent's value, or a third one.

    REPAIR: none; a person chooses one of the two values.

    TO FIX: choose one of the two values, or leave it as it was.
    """
    if audit.discarded[1]:
        return
    for path in audit.paths:
        for change in audit.verdict(path).dropped:
            yield _told(
                "merge-both-dropped",
                path,
                change,
                f"has {_what(path, change)} as before, though both parents changed it",
            )


def merge_own_edit(audit: Audit) -> Iterator[Problem]:
    """The result holds a value that no parent has.

    Somebody worked while merging, so no branch shows who changed it and why. Events the merge adds to the log are
    legal, and so is any value where both parents had changed it.

    FAIL: a title in the merge commit that neither parent has.

    PASS: a commit of its own for the new title.

    REPAIR: none; the edit stays.

    TO FIX: nothing to mend; a commit of its own would say who changed it, and why.
    """
    if audit.discarded[1]:
        return
    misplaced = {path for _, path in _misplaced(audit)}
    for path in audit.paths:
        if path in misplaced:
            continue
        for change in audit.verdict(path).own:
            what = f"changed {_what(path, change)}" if change.pointer else "was made"
            yield _told("merge-own-edit", path, change, f"{what} in the merge itself: no parent has it so")


def _misplaced(audit: Audit) -> list[tuple[str, str]]:
    """Pairs of issue paths: whose edit it is, and where it stands."""
    found = []
    for path in audit.of_kind("issue"):
        before = next((base for base in audit.bases if data_of(base, path) is not None), None)
        if before is None or data_of(audit.result, path) is not None:
            continue
        deleters = [parent for parent in audit.parents if data_of(parent, path) is None]
        editors = [parent for parent in audit.parents if data_of(parent, path) not in (None, data_of(before, path))]
        for editor in editors:
            edit = _difference(before, editor, path)
            found += [
                (path, other)
                for other in audit.of_kind("issue")
                for deleter in deleters
                if edit and other != path and data_of(deleter, other) is not None
                if _difference(deleter, audit.result, other) == edit != _difference(before, editor, other)
            ]
    return found


def _difference(before: Store, after: Store, path: str) -> dict[Pointer, tuple[Hashable, Hashable]]:
    """The atoms of an issue that changed, but for its save stamp and id: what they are now, and whether they are."""
    old, new = atoms_in(before, path) or {}, atoms_in(after, path) or {}
    return {
        pointer: (pointer in new, new.get(pointer))
        for pointer in old.keys() | new.keys()
        if old.get(pointer) != new.get(pointer) and pointer not in (("updated_at",), ("id",))
    }


def _told(code: str, path: str, change: Change, message: str) -> Problem:
    record = change.pointer[0] if layout.kind_of(path) == "log" and change.pointer else ""
    return Problem(
        code,
        path,
        message,
        subject="/".join(change.pointer),
        record=record,
        pointer="" if record else "".join(f"/{_escaped(part)}" for part in change.pointer),
    )


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _what(path: str, change: Change) -> str:
    if not change.pointer:
        return "the file"
    if layout.kind_of(path) == "log":
        return f"the rewritten event {change.pointer[0][:8]}"
    return f"`{'/'.join(change.pointer)}`"


def _short(path: str) -> str:
    return layout.issue_id_of(path)[:8]
