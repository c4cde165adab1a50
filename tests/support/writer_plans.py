"""Plans to prove the writer with, and the one oracle they are held against.

A row of ``PLANS`` is a damaged store and a repair: a function from files to files, as the repairs are. Each code of the
registry of repairs has a row of its own: a damage of the catalogue that it mends.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jit_hooks.disk.layer import is_our_temp
from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import DONE, INTERRUPTED, Entry, Note
from jit_hooks.journal.plan import Change, digest_of
from jit_hooks.journal.undo import entries, undo
from jit_hooks.judging.mending import LOGS
from jit_hooks.place import Place
from jit_hooks.repairs import BY_CODE as REPAIRS
from jit_hooks.store import snapshot as stores
from jit_hooks.testing.damage import DAMAGES, damaged
from jit_hooks.testing.memory_files import MemoryFiles

Contents = Mapping[str, bytes]
OBJECTS = "common/jit-hooks/journal/objects/"
LOCKS = ("store:.repo-write.lock", "store:.index.lock", "store:.events.lock", "control:locks/claims.lock")
ISSUE = "11111111-1111-4111-8111-111111111111"


class Row(NamedTuple):
    """A damaged store (rooted path to bytes, directories end in ``/``) and what repairs it.

    ``repair`` gives the paths it decides: bytes, or None where something goes.
    """

    files: dict[str, bytes]
    repair: Callable[[Contents], Mapping[str, bytes | None]]
    logs: frozenset[str] = frozenset()


def fixed(wanted: Mapping[str, bytes | None]) -> Callable[[Contents], Mapping[str, bytes | None]]:
    """A repair that wants the same whatever it finds."""
    return lambda files: wanted


def without_bad_lines(files: Contents) -> Mapping[str, bytes | None]:
    """Bad lines go from the log to its ``.bak``, each once."""
    log, bak = "store:events.jsonl", "store:events.jsonl.bak"
    lines = files[log].splitlines(keepends=True)
    bad = [line.rstrip(b"\n") + b"\n" for line in lines if not (line.startswith(b"{") and line.endswith(b"}\n"))]
    kept = files.get(bak, b"")
    return {
        log: b"".join(line for line in lines if line.startswith(b"{") and line.endswith(b"}\n")),
        bak: kept + b"".join(line for line in bad if line not in kept.splitlines(keepends=True)),
    }


def add_event(files: Contents) -> Mapping[str, bytes | None]:
    """An event at the end of the log, once."""
    log, event = "store:events.jsonl", b'{"id":"new"}\n'
    return {log: files[log] if event in files[log] else files[log] + event}


def run_set_aside(files: Contents) -> Mapping[str, bytes | None]:
    """A run moves beside its directory; once it is gone there is nothing to move."""
    run, aside = "store:gate-runs/r1/", "store:gate-runs-corrupt/r1/"
    found = [path for path in files if path.startswith(run)]
    moved = {path.replace(run, aside): files[path] for path in found if not path.endswith("/")}
    return {**dict.fromkeys(found), **moved}


BASE: dict[str, bytes] = {
    "store:.repo-write.lock": b"",
    "store:index.json": b'{"schema_version": 1, "all_ids": ["a"]}',
    "store:events.jsonl": b'{"id":"one"}\n{"id":"two"}\n',
    f"store:issues/{ISSUE}.json": b'{"id": "' + ISSUE.encode() + b'"}',
}
MANY = {f"store:issues/{number:08}-0000-4000-8000-000000000000.json": b"{ %d" % number for number in range(6)}

WRITTEN: dict[str, Row] = {
    "replace": Row({**BASE, "store:index.json": b'{"all_ids": ['}, fixed({"store:index.json": b'{"all_ids": []}'})),
    "create": Row(BASE, fixed({"store:gate-runs/r1/result.json": b'{"status": "passed"}', "store:gates.json": b"{}"})),
    "delete": Row(
        {**BASE, "store:issues/.x.json.999999.0.tmp": b'{"x": 1}'}, fixed({"store:issues/.x.json.999999.0.tmp": None})
    ),
    "many files": Row({**BASE, **MANY}, fixed({path: data + b" }" for path, data in MANY.items()})),
    "log append": Row(BASE, add_event, frozenset(["store:events.jsonl"])),
    "log lines to bak": Row(
        {**BASE, "store:events.jsonl": b'{"id":"one"}\n{"id":"tw\n{"id":"three"}\n{"to'},
        without_bad_lines,
        frozenset(["store:events.jsonl", "store:events.jsonl.bak"]),
    ),
    "control plane": Row(
        {**BASE, "control:claims.jsonl": b'{"seq":1}\n{"se', "control:claims.index.json": b"{}", "control:locks/": b""},
        fixed({"control:claims.jsonl": b'{"seq":1}\n', "control:claims.index.json": b'{"leases": []}'}),
    ),
    "directory removal": Row(
        {**BASE, "store:gate-runs/r1/.tmp": b"x", "store:gate-runs/r1/artifacts/": b"", "store:gate-runs/r1/": b""},
        run_set_aside,
    ),
    "move and rewrite": Row(
        {**BASE, "store:a.json": b"same", "store:b.json": b"same", "store:c.json": b""},
        fixed({"store:a.json": None, "store:b.json": b"", "store:c.json": b"same", "store:d.json": b"same"}),
    ),
}


class Plans(Mapping[str, Row]):
    """The rows written here, and one for each registered repair, made when it is first asked for."""

    def __init__(self) -> None:
        self._rows = dict(WRITTEN)
        self._codes = {f"repair {code}": code for code in REPAIRS if code not in OTHERWISE_PROVEN}

    def __getitem__(self, name: str) -> Row:
        if name not in self._rows:
            self._rows[name] = row_of(self._codes[name])
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*WRITTEN, *self._codes)

    def __len__(self) -> int:
        return len(WRITTEN) + len(self._codes)


OTHERWISE_PROVEN = frozenset(
    (
        "transaction-stuck",
        "config-malformed",
        "run-changed",
        "issue-vanished",
        "index-lists-missing",
        "event-gate-mismatch",
    )
)
"""What is settled beside a pending transaction has proofs of its own (``test_repairs_runtime``).

Of the others every damage of the catalogue is left to a person; what they write where a copy agrees are whole files,
as in the row `create`, or lines of the log, as in `log append`.
"""


def row_of(code: str) -> Row:
    """What the repair of a code changes of the first damage of the catalogue that it mends, whenever it is run."""
    from damage_repairs import mended, snapshot_of

    for damage in (damage for damage in DAMAGES if damage.code == code):
        scene = damaged(damage, damage.eras[0])
        snapshot = snapshot_of(scene, damage)
        changes = mended(snapshot, scene, unsafe=REPAIRS[code].unsafe)[0].changes
        if changes:
            break
    else:
        raise AssertionError(f"no damage of {code} is mended")
    files = {"store:.repo-write.lock": b""}
    if any(path.startswith("control:") for path in changes):
        files["control:locks/"] = b""
    for path in changes:
        data = b"" if path.endswith("/") else snapshot.read(path)
        if isinstance(data, bytes) and (not path.endswith("/") or changes[path] is None):
            files[rooted(path)] = data
    known: dict[frozenset[tuple[str, bytes]], Mapping[str, bytes | None]] = {}
    first = contents_of(MemoryFiles(files).tree())

    def again(now: Contents) -> Mapping[str, bytes | None]:
        """What the repair wants of what a run that died has left; each state is looked at once."""
        state = frozenset(now.items())
        if state not in known:
            paths = {path: rooted(path) for path in changes}
            other = {path: now.get(name) for path, name in paths.items() if now.get(name) != first.get(name)}
            bare = [
                path
                for path, name in paths.items()
                if name.endswith("/")
                and name in now
                and not any(each.startswith(name) and each != name for each in now)
            ]
            over = Found(snapshot, other, bare) if other or bare else snapshot
            wanted = mended(over, scene, unsafe=REPAIRS[code].unsafe)[0].changes
            known[state] = {rooted(path): data for path, data in wanted.items()}
        return known[state]

    return Row(files, again, frozenset(map(rooted, LOGS)))


class Found(stores.Overlay):
    """A store in which files differ, and directories stand empty."""

    def __init__(self, below: stores.Snapshot, changes: Mapping[str, bytes | None], bare: Iterable[str]) -> None:
        super().__init__(below, {path: data for path, data in changes.items() if not path.endswith("/")})
        self.bare = {path: stores.Entry("directory") for path in bare}

    def entries(self) -> Mapping[str, stores.Entry]:
        """The entries, with the empty directories."""
        return {**super().entries(), **self.bare}


def rooted(path: str) -> str:
    return path if path.startswith("control:") else f"store:{path}"


PLANS = Plans()


class Disk:
    """One store with its row of ``PLANS``, over a file layer in memory or at a place on a real disk."""

    def __init__(
        self,
        row: Row,
        files: MemoryFiles | None = None,
        *,
        place: Place | None = None,
        tree: Callable[[], Contents] | None = None,
    ) -> None:
        self.row = row
        self.files = files or MemoryFiles(row.files)
        self.place = place or Place("/beside/.jit", "/common", "/beside", self.files)
        self.tree = tree or self.files.tree

    def copied(self) -> "Disk":
        """Another one that goes on from here by itself."""
        return Disk(self.row, self.files.copied())

    def contents(self) -> dict[str, bytes]:
        """The store's and the control plane's files; temps and locks apart."""
        return contents_of(self.tree())

    def plan(self) -> dict[str, Change]:
        """What the repair would change now."""
        return plan_of(self.row, self.contents())

    def fix(self) -> Entry | None:
        """What ``--fix`` does: nothing where nothing is wrong."""
        plan = self.plan()
        return execute(plan, self.place, note=Note("2026-07-01T00:00:00Z", "fix"), wait=0) if plan else None


def real_place(directory: Path, files: Contents) -> Place:
    """A worktree ``work`` with these files on a real disk."""
    work = directory / "work"
    (work / ".git").mkdir(parents=True)
    for path, data in files.items():
        root, _, rest = path.partition(":")
        where = work / {"store": ".jit", "control": ".git/jit"}[root] / rest
        (where if path.endswith("/") else where.parent).mkdir(parents=True, exist_ok=True)
        if not path.endswith("/"):
            where.write_bytes(data)
    return Place(str(work / ".jit"), str(work / ".git"), str(work))


def real_tree(directory: Path) -> dict[str, bytes]:
    """What ``MemoryFiles.tree`` gives, of a worktree on a real disk."""
    found = {}
    for path in (directory / "work").rglob("*"):
        rest = path.relative_to(directory / "work").as_posix()
        rest = f"common/{rest.removeprefix('.git/')}" if rest.startswith(".git/") else f"beside/{rest}"
        found[f"{rest}/" if path.is_dir() else rest] = b"" if path.is_dir() else path.read_bytes()
    return found


def contents_of(tree: Mapping[str, bytes], *, temps: bool = False) -> dict[str, bytes]:
    """Rooted path to bytes, from the tree of both roots: store and control plane without locks and our temps."""
    found = {}
    for path, data in tree.items():
        name = path.removesuffix("/").rpartition("/")[2]
        rooted = rooted_path(path)
        if rooted is not None and not name.endswith(".lock") and (temps or not is_our_temp(name)):
            found[rooted] = data
    return found


def undo_all(disk: Disk) -> None:
    """Take back every entry that was written to, the newest first."""
    for entry in entries(disk.place):
        if entry.undoes is None and entry.state in (DONE, INTERRUPTED):
            assert undo(entry.id, disk.place, wait=0).left == {}


def rooted_path(path: str) -> str | None:
    """``beside/.jit/x`` as ``store:x``; None outside store and control plane."""
    for prefix, root in (("beside/.jit/", "store:"), ("common/jit/", "control:")):
        if path.startswith(prefix) and path != prefix:
            return root + path.removeprefix(prefix)
    return None


def plan_of(row: Row, now: Contents) -> dict[str, Change]:
    """The difference a row's repair makes to what there is now."""
    wanted = row.repair(now)
    return difference(now, wanted, row.logs)


def wanted_of(row: Row) -> dict[str, bytes]:
    """What store and control plane hold after the repair."""
    if id(row) not in _WANTED:
        _WANTED[id(row)] = _wanted_of(row)
    return _WANTED[id(row)]


_WANTED: dict[int, dict[str, bytes]] = {}
_INITIAL: dict[int, dict[str, bytes]] = {}


def _wanted_of(row: Row) -> dict[str, bytes]:
    before = initial_of(row)
    result = dict(before)
    for path, data in row.repair(before).items():
        if data is None:
            result.pop(path, None)
        else:
            result[path] = data
    return with_directories(result)


def initial_of(row: Row) -> dict[str, bytes]:
    """What store and control plane hold before."""
    if id(row) not in _INITIAL:
        _INITIAL[id(row)] = contents_of(MemoryFiles(row.files).tree())
    return _INITIAL[id(row)]


def with_directories(files: Contents) -> dict[str, bytes]:
    """The same with every directory above a file."""
    result = dict(files)
    for path in files:
        above = path.removesuffix("/")
        while "/" in above:
            above = above.rpartition("/")[0]
            result[f"{above}/"] = b""
    return result


def originals_kept(row: Row, tree: Mapping[str, bytes]) -> list[str]:
    """The paths whose first bytes are neither in the store nor whole in the journal."""
    now = contents_of(tree)
    lost = []
    for path, data in initial_of(row).items():
        if path.endswith("/") or now.get(path) == data:
            continue
        if tree.get(OBJECTS + digest_of(data)) != data and not (
            path in row.logs and now.get(path, b"").startswith(data)
        ):
            lost.append(path)
    return lost


def neither_old_nor_new(row: Row, tree: Mapping[str, bytes]) -> list[str]:
    """The paths that hold neither what they held nor what they were to get."""
    before, after, now = initial_of(row), wanted_of(row), contents_of(tree)
    return [
        path
        for path in {*before, *after, *now}
        if not path.endswith("/") and now.get(path) not in (before.get(path), after.get(path))
    ]


def temps_in(tree: Mapping[str, bytes]) -> list[str]:
    """Temps of ours that lie in store or control plane."""
    return [path for path in tree if rooted_path(path) and is_our_temp(path.rpartition("/")[2])]


def difference(
    before: Mapping[str, bytes | None], after: Mapping[str, bytes | None], logs: frozenset[str] = frozenset()
) -> dict[str, Change]:
    """The plan from one set of files to another.

    Args:
        before: rooted path to bytes; a path ending in ``/`` (with ``b""``) is an empty directory. None: not there.
        after: the same afterwards; a path of ``before`` that is not named here stays.
        logs: paths whose appended tail is to be kept.
    """
    plan = {}
    for path, data in after.items():
        old = before.get(path)
        if old == data:
            continue
        if path.endswith("/"):
            plan[path] = Change.remove_directory() if data is None else Change.make_directory()
        else:
            plan[path] = Change.of(old, data, append_only=path in logs)
    return plan
