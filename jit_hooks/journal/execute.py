"""The executor: the only function of the program that changes a store.

Prior bytes into the journal and every temp file written, all forced to the disk; then, under the locks of both
trackers, compare and rename; then the directories and the outcome. A crash leaves each file old or new, and an entry
without outcome: it is run again, not rolled back.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress

from jit_hooks.disk.layer import IN_THE_WAY, join, name_of, parent_of, temp_name
from jit_hooks.errors import JitHooksError, PartialWriteError, StaleError, WriteError
from jit_hooks.journal.journal import DONE, INTERRUPTED, NOT_BEGUN, Entry, Journal, Note, Recorded
from jit_hooks.journal.locks import LONGEST_WAIT, find_pending, require_settled, tracker_locks
from jit_hooks.journal.plan import DIRECTORY, Change, carry_tail, check_plan, digest_of, lock_set
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jit_hooks.journal.plan import Plan, Replan
    from jit_hooks.place import Place


def execute(
    plan: Plan,
    place: Place,
    *,
    note: Note,
    wait: float = LONGEST_WAIT,
    replan: Replan | None = None,
    settling: frozenset[str] = frozenset(),
) -> Entry:
    """Write a plan; the journal's entry of it.

    Args:
        plan: what each path has to hold and gets.
        place: the store.
        note: what the caller has to say; its ``left`` and ``kept`` go into the outcome.
        wait: seconds for the locks, those of the tracker together and the journal's; 0 tries once, as hooks do.
        replan: asked at most once, when files changed meanwhile, for a whole new plan from what stands there now. It
            is called under the locks, so it may start no other program and may not need a lock more than before.
        settling: pending transactions of the tracker (``find_pending``) that this very plan clears away.

    Raises:
        PlanError: the plan names what may not be touched.
        StaleError: files changed since it was made; nothing was written.
        NotSettledError: a transaction of the tracker is pending; nothing was written.
        LockTimeoutError: busy (a ``BusyError``); nothing was written.
        LockIOError: a lock file cannot be opened or locked; nothing was written.
        WriteError: the machine refused; it says whether anything was written.
    """
    check_plan(plan)
    run = _Run(place, note, wait, settling)
    try:
        run.look_first(plan)
        with run.journal.locked(wait):
            run.sweep(plan)
            return run.write(plan, replan)
    except (OSError, PartialWriteError) as error:
        raise run.refused(error) from error


def transactions_in(paths: Iterable[str]) -> frozenset[str]:
    """The transactions of the tracker whose journals are among rooted paths, as ``find_pending`` names them."""
    return frozenset(parent_of(path) for path in paths if _is_transaction_journal(path))


class _Run:
    """One execution, from the first look to the outcome."""

    def __init__(self, place: Place, note: Note, wait: float, settling: frozenset[str]) -> None:
        self.place = place
        self.files = place.files
        self.journal = Journal(place.files)
        self.note = note
        self.wait = wait
        self.settling = settling
        self.number = ""
        self.entry: Entry | None = None
        self.plan: dict[str, Change] = {}
        self.temps: dict[str, str] = {}
        self.changed = False
        self.touched: dict[str, None] = {}
        self._made = 0

    def refused(self, error: OSError | PartialWriteError) -> WriteError:
        """The one clear error for what the machine refused."""
        if isinstance(error, PartialWriteError):
            path, reason = error.path, error.reason
        else:
            path, reason = str(error.filename or ""), error.strerror or str(error)
        where = self.files.absolute(path) if ":" in path else path
        return WriteError(where, reason, self.entry.id if self.entry else None, written=self.changed)

    def look_first(self, plan: Plan) -> None:
        """Leave a store with a pending transaction as it is: no temp file, no lock file is made.

        It may be a live one, so it is believed only under the locks.
        """
        pending, strangers = find_pending(self.files)
        if plan and (strangers or set(pending) - self.settling):
            with tracker_locks(self.place, plan, self.wait, existing_only=True):
                require_settled(self.files, self.settling)

    def sweep(self, plan: Plan) -> None:
        """Clear away the temps of entries that were interrupted: whoever holds the journal is the only writer.

        What they did write may not be on the disk yet, and this plan counts on it: it is forced together with our own.
        """
        for entry in self.journal.entries():
            if entry.state == INTERRUPTED and entry.worktree == self.place.worktree:
                for path, change in entry.changes.items():
                    if change.temp and change.temp not in plan and self._is_a("file", change.temp):
                        self.files.unlink(change.temp)
                    if self._is_a("directory", parent_of(path)):
                        self._touch(path)
        self.journal.clear_temps()

    def _is_a(self, kind: str, path: str) -> bool:
        try:
            status = self.files.status(path)
        except OSError as error:
            if error.errno in IN_THE_WAY:
                return False
            raise
        return status is not None and status.kind == kind

    def write(self, plan: Plan, replan: Replan | None) -> Entry:
        """The plan, from the journal to the outcome."""
        if not plan:
            return self._record_empty()
        self.number = self.journal.next_number()
        try:
            self._prepare(plan)
            with self._locked(plan):
                stale = self._compare(plan)
                if stale:
                    self._plan_again(plan, stale, replan)
                elif self.entry is None:
                    # Changed and changed back: another writer, caught half-way.
                    self._require_prepared(plan)
                if self.plan:
                    self._carry_tails()
                    self._apply()
            # Outside the locks: it may take long, and hides nothing from anybody.
            self._force()
        except BaseException:
            self._give_up()
            raise
        assert self.entry is not None
        self.entry.state = DONE
        return self._close(self.entry)

    @contextmanager
    def _locked(self, plan: Plan) -> Iterator[None]:
        """Hold the tracker's locks, in a store found settled under them; measures how long."""
        with tracker_locks(self.place, plan, self.wait) as held:
            require_settled(self.files, self.settling)
            yield
        if self.entry is not None:
            self.entry.held = time.monotonic() - held.since

    def _record_empty(self) -> Entry:
        """An entry without changes: an undo that found everything taken back."""
        entry = Entry(self.journal.next_number(), self.place.worktree, self.note, {})
        self.journal.begin(entry)
        self.entry = entry
        entry.state = DONE
        return self._close(entry)

    def _close(self, entry: Entry) -> Entry:
        entry.left, entry.kept = dict(self.note.left), list(self.note.kept)
        self.journal.finish(entry)
        return entry

    def _plan_again(self, plan: Plan, stale: tuple[str, ...], replan: Replan | None) -> None:
        """Another plan for what stands there now, prepared under the locks; once."""
        if replan is None:
            raise StaleError(stale)
        again = replan(stale)
        check_plan(again)
        if not lock_set(again) <= lock_set(plan):
            raise StaleError(stale)
        self._discard()
        self._require_prepared(again)

    def _require_prepared(self, plan: Plan) -> None:
        stale = self._prepare(plan)
        if stale:
            raise StaleError(stale)

    def _compare(self, plan: Plan) -> tuple[str, ...]:
        """The paths that do not hold what they have to.

        Raises:
            OSError: something stands in the way that no plan puts there or takes away.
        """
        return tuple(path for path, change in plan.items() if not self._holds(plan, path, change))

    def _holds(self, plan: Plan, path: str, change: Change) -> bool:
        if path.endswith("/"):
            return self._holds_directory(plan, path, change)
        status = self.files.status(path)
        if status is None:
            return change.before is None
        if status.kind != "file":
            raise OSError(errno.EISDIR, f"is a {status.kind}, not a file", path)
        now = self.files.read(path)
        if change.before is None or now is None:
            return change.before is None and now is None
        if len(now) == change.before_size and digest_of(now) == change.before:
            return True
        return carry_tail(change, now) is not None

    def _holds_directory(self, plan: Plan, path: str, change: Change) -> bool:
        bare = path.removesuffix("/")
        status = self.files.status(bare)
        if status is not None and status.kind != "directory":
            raise OSError(errno.ENOTDIR, f"is a {status.kind}, not a directory", path)
        if change.before is None:
            return True
        return status is not None and all(_goes(plan, join(bare, name)) for name in self.files.names(bare))

    def _prepare(self, plan: Plan) -> tuple[str, ...]:
        """The entry and the prior bytes in the journal, then every temp file; all on the disk.

        Nothing, and the paths, when some do not hold what they have to.
        """
        stale = self._compare(plan)
        if stale:
            return stale
        self.plan = dict(self._missing_directories(plan))
        self.plan.update(plan)
        files = {path: change for path, change in self.plan.items() if not path.endswith("/")}
        self.temps = {path: self._temp_for(path) for path, change in files.items() if change.after is not None}
        recorded = {path: self._recorded(path, change) for path, change in self.plan.items()}
        contents: dict[str, tuple[bytes, int | None]] = {}
        for path, change in files.items():
            if change.before is not None:
                prior = (self.files.read(path) or b"")[: change.before_size]
                if digest_of(prior) != change.before:
                    return (path,)
                contents[change.before] = prior, recorded[path].before_mode
        self.journal.keep(contents)
        entry = Entry(self.number, self.place.worktree, self.note, recorded)
        self.journal.begin(entry, 1 if self.entry is None else 2)
        self.entry = entry
        for path, temp in self.temps.items():
            self.files.write_new(temp, self.plan[path].after or b"", _mode(path, self.plan[path], recorded))
        return ()

    def _recorded(self, path: str, change: Change) -> Recorded:
        status = self.files.status(path.removesuffix("/"))
        return Recorded(
            change.before,
            change.before_size,
            None if status is None else status.mode,
            DIRECTORY if path.endswith("/") and change.after is not None else change.after_digest,
            len(change.after or b""),
            append_only=change.append_only,
            temp=self.temps.get(path),
        )

    def _missing_directories(self, plan: Plan) -> dict[str, Change]:
        """Changes that make the directories a plan's new files need, outermost first."""
        missing: dict[str, Change] = {}
        for path, change in plan.items():
            if change.after is None:
                continue
            above, chain = parent_of(path.removesuffix("/")), []
            while f"{above}/" not in plan and f"{above}/" not in missing and self.files.status(above) is None:
                if above.endswith(":"):
                    self.files.ensure_directory(above)
                    break
                chain.append(f"{above}/")
                above = parent_of(above)
            missing.update((directory, Change.make_directory()) for directory in reversed(chain))
        return missing

    def _temp_for(self, path: str) -> str:
        """A temp name in the nearest directory that exists: a new one is to appear under the locks, not before.

        Never where transactions lie: the tracker fails at strangers there (V12).
        """
        above = "store:" if _is_transaction(path) else parent_of(path)
        while self.files.status(above) is None:
            above = parent_of(above)
        self._made += 1
        return join(above, temp_name(name_of(path), os.getpid(), f"j{self.number}-{self._made}"))

    def _carry_tails(self) -> None:
        """Put behind the new bytes of each log what was appended to the old ones meanwhile."""
        assert self.entry is not None
        for path, temp in self.temps.items():
            change = self.plan[path]
            if change.append_only and change.before is not None:
                tail = carry_tail(change, self.files.read(path) or b"")
                if tail is None:
                    raise StaleError((path,))
                if tail:
                    self.files.append(temp, tail)
                    self.entry.tails[path] = len(tail)

    def _apply(self) -> None:
        """Do the plan: what is new comes before what refers to it, logs follow, what goes goes last.

        Before anything is taken out of a log or goes, what comes is on the disk: a repair that moves bytes finds none
        to move when it is run again, so a power loss may not keep the second half of a move without the first.
        """
        self.changed = True
        self._make_directories()
        barrier = any(change.after is None for change in self.plan.values())
        barrier = barrier or any(_rank(path)[0] == _LOGS for path in self.temps)
        for path in sorted(self.temps, key=_rank):
            if barrier and _rank(path)[0] == _LOGS:
                self._force()
                barrier = False
            temp = self.temps[path]
            self.files.rename(temp, path)
            self._touch(path)
            self._touch(temp)
        if barrier:
            self._force()
        self._take_away()

    def _make_directories(self) -> None:
        for path in sorted(self.plan):
            bare = path.removesuffix("/")
            if path.endswith("/") and self.plan[path].after is not None and self.files.status(bare) is None:
                self.files.mkdir(bare, self.plan[path].mode)
                self._touch(bare)

    def _take_away(self) -> None:
        going = [path for path, change in self.plan.items() if change.after is None]
        for path in sorted(going, key=lambda path: (not _is_transaction_journal(path), path), reverse=True):
            if not path.endswith("/"):
                self.files.unlink(path)
                self._touch(path)
        for path in sorted(going, reverse=True):
            if path.endswith("/"):
                bare = path.removesuffix("/")
                self.touched.pop(bare, None)
                self.files.rmdir(bare)
                self._touch(bare)

    def _touch(self, path: str) -> None:
        self.touched[parent_of(path)] = None

    def _force(self) -> None:
        """Force every directory that changed to the disk.

        Those above as well, for a run that died may have made one and got no further.
        """
        for directory in list(self.touched):
            above = directory
            while not above.endswith(":"):
                above = parent_of(above)
                self.touched[above] = None
        while self.touched:
            directory = next(iter(self.touched))
            self.files.fsync_directory(directory)
            del self.touched[directory]

    def _discard(self) -> None:
        """Take our temps away."""
        for temp in self.temps.values():
            if self.files.status(temp) is not None:
                self.files.unlink(temp)
        self.temps = {}

    def _give_up(self) -> None:
        """Leave nothing lying about, if the machine still lets us; the error under way is the one that is told."""
        with suppress(OSError, JitHooksError):
            self._discard()
            if self.entry is not None and not self.changed:
                self.entry.state = NOT_BEGUN
                self._close(self.entry)


def _mode(path: str, change: Change, recorded: Mapping[str, Recorded]) -> int | None:
    """The permission bits of a file that is written; one that takes what another held is as private as that."""
    if change.mode is not None or recorded[path].before_mode is not None:
        return recorded[path].before_mode if change.mode is None else change.mode
    root, digest = path.partition(":")[0], change.after_digest
    for other, prior in recorded.items():
        is_source = prior.before == digest or (prior.append_only and change.append_only and other.startswith(root))
        if prior.before_mode is not None and prior.before not in (None, DIRECTORY) and is_source:
            return prior.before_mode
    return None


def _goes(plan: Plan, path: str) -> bool:
    return any(key in plan and plan[key].after is None for key in (path, f"{path}/"))


_LOGS = 2
_TRANSACTIONS = 3


def _is_transaction(path: str) -> bool:
    return path.startswith("store:") and layout.kind_of(path.removeprefix("store:")) == "transaction"


def _is_transaction_journal(path: str) -> bool:
    return _is_transaction(path) and path.endswith("/journal.json")


def _rank(path: str) -> tuple[int, str]:
    """Records, then the indexes that list them, then logs; what a log loses is kept elsewhere before.

    The journal of a transaction of the tracker comes last and goes last: while it is there the store is not settled,
    which is how the next run knows that something is left to do.
    """
    if _is_transaction_journal(path):
        return _TRANSACTIONS, path
    name = path.partition(":")[2]
    if name in {layout.INDEX, "claims.index.json"}:
        return 1, path
    if name in {layout.LOG, "claims.jsonl"}:
        return _LOGS, path
    return 0, path
