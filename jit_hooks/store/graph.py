"""The dependency graph as walks: what reaches what, what goes in circles. No recursion: chains are long.

A graph is a function from an id to the ids it depends on; ids without an issue depend on nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

    Edges = Callable[[str], Collection[str]]


def edges_of(store: Store) -> Edges:
    """The graph of a store."""

    def edges(issue_id: str) -> Collection[str]:
        issue = store.issue(issue_id)
        return issue.dependencies if issue is not None else ()

    return edges


def added_edges(store: Store, focus: Focus) -> dict[str, Collection[str]]:
    """By issue in the focus what it depends on and did not in the first parent; only where there is any."""
    parent = focus.parents[0] if focus.parents else None
    added: dict[str, Collection[str]] = {}
    for issue_id in focus.issue_ids(store):
        issue = store.issue(issue_id)
        if issue is None or not issue.dependencies:
            continue
        before = parent.issue(issue_id) if parent is not None else None
        if before is None:
            added[issue_id] = issue.dependencies
        elif issue.dependencies != before.dependencies:
            fresh = [target for target in issue.dependencies if target not in before.dependencies]
            if fresh:
                added[issue_id] = fresh
    return added


def lost_edges(store: Store, focus: Focus) -> dict[str, Collection[str]]:
    """By issue of the first parent what it no longer depends on; it may be gone, or not load any more."""
    if not focus.parents:
        return {}
    parent = focus.parents[0]
    lost: dict[str, Collection[str]] = {}
    for issue_id in (*focus.issue_ids(store), *focus.removed_issue_ids(store)):
        before = parent.issue(issue_id)
        if before is None or not before.dependencies:
            continue
        issue = store.issue(issue_id)
        now = issue.dependencies if issue is not None else ()
        if before.dependencies != now:
            gone = [target for target in before.dependencies if target not in now]
            if gone:
                lost[issue_id] = gone
    return lost


def circles(starts: Iterable[str], edges: Edges) -> Iterator[frozenset[str]]:
    """The strongly connected components with an edge inside, among all that can be reached from the starts.

    Tarjan's algorithm, iterative: each id and each edge is looked at once.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_ids: list[str] = []
    is_open: set[str] = set()
    for start in starts:
        if start in order:
            continue
        work: list[tuple[str, Iterator[str]]] = []
        entering: str | None = start
        while entering is not None or work:
            if entering is not None:
                order[entering] = low[entering] = len(order)
                open_ids.append(entering)
                is_open.add(entering)
                work.append((entering, iter(edges(entering))))
                entering = None
            at, rest = work[-1]
            for target in rest:
                if target not in order:
                    entering = target
                    break
                if target in is_open and order[target] < low[at]:
                    low[at] = order[target]
            if entering is not None:
                continue
            work.pop()
            if work and low[at] < low[work[-1][0]]:
                low[work[-1][0]] = low[at]
            if low[at] == order[at]:
                members = [open_ids.pop()]
                while members[-1] != at:
                    members.append(open_ids.pop())
                is_open.difference_update(members)
                if len(members) > 1 or at in edges(at):
                    yield frozenset(members)


def shortest_circle(members: frozenset[str], edges: Edges) -> list[str]:
    """The ids of a shortest circle through the smallest member, which comes first.

    The same members with the same edges give the same circle.
    """
    first = min(members)
    came_from: dict[str, str] = {}
    level = [first]
    while True:
        below: list[str] = []
        for issue_id in level:
            for target in sorted(edges(issue_id)):
                if target == first:
                    path = [issue_id]
                    while path[-1] != first:
                        path.append(came_from[path[-1]])
                    return path[::-1]
                if target in members and target not in came_from:
                    came_from[target] = issue_id
                    below.append(target)
        level = below


def implied_edges(starts: Iterable[str], edges: Edges) -> Iterator[tuple[str, list[str]]]:
    """Each start with those of its targets that another of them reaches; none where a circle is reached.

    What an id reaches is one integer with a bit for each id; it is dropped once every id above has used it,
    so only the part of the graph at hand is in memory.
    """
    wanted = set(starts)
    order, above, in_circle = _bottom_up(wanted, edges)
    bit = {issue_id: position for position, issue_id in enumerate(order)}
    reach: dict[str, int] = {}
    for issue_id in order:
        targets = dict.fromkeys(edges(issue_id))
        if issue_id not in in_circle:
            below = 0
            for target in targets:
                below |= reach[target]
            if below and issue_id in wanted and len(targets) > 1:
                implied = [target for target in targets if below >> bit[target] & 1]
                if implied:
                    yield issue_id, implied
            if above[issue_id]:
                for target in targets:
                    below |= 1 << bit[target]
                reach[issue_id] = below
        for target in targets:
            above[target] -= 1
            if not above[target]:
                reach.pop(target, None)


def _bottom_up(starts: Collection[str], edges: Edges) -> tuple[list[str], dict[str, int], set[str]]:
    """All that the starts reach, targets first; how many ids stand on each; those that reach a circle."""
    order: list[str] = []
    above: dict[str, int] = {}
    in_circle: set[str] = set()
    done: set[str] = set()
    for start in sorted(starts):
        if start in done:
            continue
        path: dict[str, Iterator[str]] = {start: iter(dict.fromkeys(edges(start)))}
        above.setdefault(start, 0)
        while path:
            at = next(reversed(path))
            for target in path[at]:
                above[target] = above.get(target, 0) + 1
                if target in path:
                    in_circle.add(at)
                elif target not in done:
                    path[target] = iter(dict.fromkeys(edges(target)))
                    break
                elif target in in_circle:
                    in_circle.add(at)
            else:
                del path[at]
                done.add(at)
                order.append(at)
                if at in in_circle and path:
                    in_circle.add(next(reversed(path)))
    return order, above, in_circle
