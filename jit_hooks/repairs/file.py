"""Repairs of records that cannot be read, and of configuration that does not load: from a copy, or from themselves."""

from __future__ import annotations

from jit_hooks.repairs import event
from jit_hooks.repairs.index import rebuilt
from jit_hooks.repairs.restore import MARKS, agrees, is_sound, restored
from jit_hooks.store import layout
from jit_hooks.store.reader import conflict_marker
from jit_hooks.store.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]


def text_not_utf8(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A byte order mark goes, UTF-16 is written as UTF-8; other bytes come from a copy that has all but those.

    Of the event log each line by itself; one that no other log has whole is put aside.
    """
    of_log = [problem for problem in problems if problem.path == layout.LOG]
    changes: Changes = event.text_not_utf8(store, of_log, context) if of_log else {}
    for problem in problems:
        if problem.path == layout.LOG:
            continue
        data = store.snapshot.read(problem.path)
        if type(data) is bytes:
            for mark, encoding in MARKS:
                if data.startswith(mark):
                    try:
                        again = data[len(mark) :].decode(encoding).encode("utf-8")
                    except UnicodeError:
                        break
                    if Record(problem.path, again, context.accepted).fault is None:
                        changes[problem.path] = again
                        context.say(problem.path, "the same text in UTF-8")
                    break
        if problem.path not in changes:
            changes.update(_from_copies(store, problem, context))
    return changes


def json_unparsable(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A record that was cut comes back whole from a copy it is a beginning of.

    A broken gate run of which there is no copy goes to ``gate-runs-corrupt/``, for it stops the tracker's commands.
    """
    changes: Changes = {}
    for problem in problems:
        changes.update(_from_copies(store, problem, context))
    return changes


def config_malformed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A configuration file that does not load comes back from a copy it is a beginning of."""
    return _whole_files(store, problems, context)


def registry_malformed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A gate registry, preset or profile that does not load comes back from a copy that agrees with it."""
    return _whole_files(store, problems, context)


def registry_absent(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The gate registry comes back from a copy: the file that was there last."""
    problem = problems[0]
    for path in (layout.GATES_TOML, layout.GATES_JSON):
        if context.copies(path):
            return restored(store, path, problem, context)
    context.leave(problem, "no copy of a gate registry is in git, or its deletion is staged")
    return {}


def _whole_files(store: Store, problems: list[Problem], context: Context) -> Changes:
    changes: Changes = {}
    by_path: dict[str, list[Problem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    for path, found in by_path.items():
        changes.update(restored(store, path, found[0], context))
        if path not in changes and found[0].identity in context.left:
            for problem in found[1:]:
                context.leave(problem, context.left[found[0].identity])
    return changes


def _from_copies(store: Store, problem: Problem, context: Context) -> Changes:
    path = problem.path
    data = store.snapshot.read(path)
    if type(data) is bytes and conflict_marker(data) is not None:
        context.leave(problem, "it holds the sides of a conflict: a person chooses")
        return {}
    if (
        path == layout.INDEX
        and type(data) is bytes
        and not any(agrees(data, copy.data) for copy in context.copies(path))
    ):
        return rebuilt(store, data, [problem], context)
    changes = restored(store, path, problem, context)
    if not changes and layout.kind_of(path) == "run" and not has_sound_copy(path, context):
        return set_aside(store, path, problem, context)
    return changes


def has_sound_copy(path: str, context: Context) -> bool:
    """Whether any copy of a record loads."""
    return any(is_sound(path, copy, context) for copy in context.copies(path))


def set_aside(store: Store, path: str, problem: Problem, context: Context) -> Changes:
    """The directory of a gate run that cannot be had back, moved to ``gate-runs-corrupt/``; nothing is lost.

    A lock file stays where it is, and the directory with it.
    """
    run_id = layout.run_id_of(path)
    directory = f"{layout.RUNS}{run_id}/"
    files: dict[str, bytes] = {}
    changes: Changes = {directory: None}
    for name, entry in store.entries().items():
        if not name.startswith(directory) or name == directory:
            continue
        data = store.snapshot.read(name)
        if layout.kind_of(name) == "lock":
            changes.pop(directory, None)
        elif entry.kind != "file" or type(data) is not bytes:
            context.leave(problem, f"{name} in its directory is not a file that can be moved")
            return {}
        else:
            changes[name] = None
            files[name[len(directory) :]] = data
    there = free_place(store, layout.CORRUPT_RUNS + run_id, files)
    changes.update({there + name: data for name, data in files.items()})
    context.leave(problem, f"no sound copy of it is in git; its bytes are kept in {there}")
    context.say(path, f"to {layout.CORRUPT_RUNS}")
    return changes


def free_place(store: Store, place: str, files: dict[str, bytes]) -> str:
    """A directory of this name, with a number if need be, in which nothing else stands where these files go."""
    number = 1
    while True:
        there = f"{place}{'' if number == 1 else f'-{number}'}/"
        if all(not store.stands_at(there + name) or store.snapshot.read(there + name) == files[name] for name in files):
            return there
        number += 1
