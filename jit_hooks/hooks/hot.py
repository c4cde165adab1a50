"""The healthy commit, as fast as it can be judged.

The same checks as everywhere, over the staged records, through one ``git cat-file``. It knows one shape of
commit: files added or changed, of the kinds a tracker writes, no merge, no settings. Whatever else it meets, and
any problem, it leaves to the full check, where a good answer counts for more than a fast one.
"""

from __future__ import annotations

from jit_hooks.git.command import SEVERITIES_ASKED
from jit_hooks.git.objects import entry_of
from jit_hooks.store.layout import LOG, MAX_RECORD_BYTES, SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from jit_hooks.git.repository import Repository
    from jit_hooks.store.snapshot import Entry

    Changes = Mapping[str, tuple[Entry | None, Entry | None]]

_WORTH_EXPECTING = 100
_KINDS = frozenset(("issue", "index", "log", "run"))


def is_plainly_healthy(diff: bytes, repository: Repository) -> bool:
    """True if the staged changes are of the one shape known here, no check finds anything, and no transaction waits.

    Args:
        diff: what ``git diff-index --cached --raw --no-abbrev --no-renames HEAD`` printed for the store.
        repository: that holds it; what git says here it need not be asked again.
    """
    repository.blobs.start()
    tightened = repository.git.begin(*SEVERITIES_ASKED)
    try:
        changes = _plain_changes(diff, repository)
        healthy = changes is not None and _is_healthy(changes, repository)
    finally:
        answer = tightened()
    repository.git.keep(SEVERITIES_ASKED, answer)
    repository.head_diff = diff
    return healthy and answer[0] == 1


def _is_healthy(changes: Changes, repository: Repository) -> bool:
    _expect(changes, repository)
    from jit_hooks.checks import CHECKS
    from jit_hooks.disk.pending import may_be_pending
    from jit_hooks.git.snapshots import GitIndexSnapshot, TreeSnapshot
    from jit_hooks.judging.findings import find_problems
    from jit_hooks.store import layout
    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

    if may_be_pending(repository.prefix.rstrip("/"), "."):
        return False
    now = GitIndexSnapshot(repository, {path: after for path, (_, after) in changes.items()}, (), base="HEAD")
    if now.entry(layout.SETTINGS) is not None:
        return False
    parent = Store(TreeSnapshot(repository, "HEAD", {path: before for path, (before, _) in changes.items()}))
    start = 0
    if layout.LOG in changes:
        old, new = parent.snapshot.read(layout.LOG), now.read(layout.LOG)
        if type(old) is not bytes or type(new) is not bytes or not new.startswith(old) or old[-1:] != b"\n":
            return False
        start = len(old)
    store = Store(now, log_start=start)
    focus = Focus(changes, parents=(parent,))
    rows = [row for row in CHECKS if row.hook and row.needs != "disk"]
    return not find_problems(store, focus, rows).problems


def _expect(changes: Changes, repository: Repository) -> None:
    """Let git look up what will be asked for, the long logs first, while the modules of the checks are imported."""
    ordered = sorted(changes.items(), key=lambda item: item[0] != LOG)
    wanted = [entry.identity for _, both in ordered for entry in both if entry is not None and entry.identity]
    wanted.insert(0, f"HEAD:{repository.top_path(SETTINGS)}")
    repository.blobs.expect((name, MAX_RECORD_BYTES) for name in wanted[:_WORTH_EXPECTING])


def _plain_changes(diff: bytes, repository: Repository) -> Changes | None:
    """Store path to entry before and after; None when any change is not of the shape known here."""
    from jit_hooks.store.layout import kind_of

    changes: dict[str, tuple[Entry | None, Entry | None]] = {}
    for line in diff.decode("utf-8", "replace").splitlines():
        facts, _, name = line.partition("\t")
        words = facts.split(" ")
        if len(words) != 5 or words[4] not in ("A", "M") or name.startswith('"'):
            return None
        path = repository.store_path(name)
        if (
            path is None
            or kind_of(path) not in _KINDS
            or words[1] != "100644"
            or words[0] not in (":000000", ":100644")
        ):
            return None
        before = None if words[4] == "A" else entry_of(words[0][1:], words[2])
        changes[path] = (before, entry_of(words[1], words[3]))
    return changes
