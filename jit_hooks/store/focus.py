"""What a request writes: the records its checks look at, with the parents to compare them with."""

from __future__ import annotations

from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.store.records import IssueIndex
    from jit_hooks.store.store import Store


class Focus:
    """The set of records judged.

    Attributes:
        paths: store paths that differ from a parent, those that are gone too.
        everything: whether every record is judged; then ``paths`` serves only checks that need parents.
        parents: the stores this one follows, first parent first.
        bases: of a merge, the stores of all its merge bases; empty for unrelated histories, None where they are not
            known.
    """

    def __init__(
        self,
        paths: Iterable[str] = (),
        *,
        everything: bool = False,
        parents: tuple[Store, ...] = (),
        bases: tuple[Store, ...] | None = None,
    ) -> None:
        self.paths = frozenset(paths)
        self.everything = everything
        self.parents = parents
        self.bases = bases

    def widened(self, paths: Iterable[str]) -> Focus:
        """The same with more paths."""
        more = self.paths.union(paths)
        return Focus(more, everything=self.everything, parents=self.parents, bases=self.bases)

    @property
    def is_merge(self) -> bool:
        """True if there is more than one parent."""
        return len(self.parents) > 1

    def record_paths(self, store: Store) -> list[str]:
        """The store paths of regular files whose content is judged."""
        if self.everything:
            return [path for path, entry in store.entries().items() if entry.kind == "file"]
        return [path for path in sorted(self.paths) if store.is_file(path)]

    def entry_paths(self, store: Store) -> list[str]:
        """The store paths of entries of any kind that are judged."""
        if self.everything:
            return list(store.entries())
        return [path for path in sorted(self.paths) if store.snapshot.entry(path) is not None]

    def issue_ids(self, store: Store) -> list[str]:
        """Ids of the issue files that are judged."""
        if self.everything:
            return store.issue_ids()
        return [layout.issue_id_of(p) for p in self._of_kind("issue") if store.is_file(p)]

    def removed_issue_ids(self, store: Store) -> list[str]:
        """Ids whose issue file is gone; empty when everything is judged, for then whoever names them is."""
        if self.everything:
            return []
        return [layout.issue_id_of(p) for p in self._of_kind("issue") if not store.is_file(p)]

    def run_ids(self, store: Store) -> list[str]:
        """Ids of the gate runs that are judged."""
        if self.everything:
            return store.run_ids()
        return [layout.run_id_of(p) for p in self._of_kind("run") if store.is_file(p)]

    def touches(self, path: str) -> bool:
        """True if this file is judged."""
        return self.everything or path in self.paths

    def touches_registry(self) -> bool:
        """True if a gate registry is judged or gone."""
        return self.everything or not self.paths.isdisjoint((layout.GATES_JSON, layout.GATES_TOML))

    def index_before(self) -> IssueIndex | None:
        """The first parent's issue index, when what it already said need not be judged again."""
        return self.parents[0].issue_index if self.parents and not self.everything else None

    def eventful_issue_ids(self, store: Store) -> list[str]:
        """Ids of the issues judged, and of those that the events judged name."""
        if self.everything:
            return store.issue_ids()
        ids = dict.fromkeys(self.issue_ids(store))
        if layout.LOG in self.paths:
            ids.update(dict.fromkeys(i for i in store.log.by_issue() if type(i) is str and store.has_issue(i)))
        for run_id in self.run_ids(store):
            run = store.run(run_id)
            if run is not None and type(run.issue) is str and store.has_issue(run.issue):
                ids[run.issue] = None
        return list(ids)

    def _of_kind(self, kind: str) -> list[str]:
        return [path for path in sorted(self.paths) if layout.kind_of(path) == kind]
