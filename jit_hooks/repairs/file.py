"""Repairs of records that cannot be read: from a copy, or from themselves."""

from __future__ import annotations

from jit_hooks.repairs import event
from jit_hooks.repairs.aside import set_aside
from jit_hooks.repairs.index import rebuilt
from jit_hooks.repairs.outcome import Left, Mend, one_by_one
from jit_hooks.repairs.restore import agrees, has_sound_copy, restored
from jit_hooks.repairs.utf8 import after_mark
from jit_hooks.store import layout
from jit_hooks.store.reader import conflict_marker
from jit_hooks.store.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store


def text_not_utf8(store: Store, problems: list[Problem], context: Context) -> Mend:
    """A byte order mark goes, UTF-16 is written as UTF-8; other bytes come from a copy that has all but those.

    Of the event log each line by itself; one that no other log has whole is put aside.
    """
    of_log = [problem for problem in problems if problem.path == layout.LOG]
    others = [problem for problem in problems if problem.path != layout.LOG]
    done = one_by_one(_in_utf_8, store, others, context)
    if of_log:
        done.add(event.log_not_utf8(store, of_log, context), of_log)
    return done


def _in_utf_8(store: Store, problem: Problem, context: Context) -> Mend | Left:
    path = problem.path
    data = store.snapshot.read(path)
    if type(data) is bytes:
        text, encoding = after_mark(data)
        try:
            again = text.decode(encoding).encode("utf-8")
        except UnicodeError:
            again = data
        if text is not data and Record(path, again, context.accepted).fault is None:
            return Mend({path: again}, {path: "the same text in UTF-8"})
    return json_unparsable(store, problem, context)


def json_unparsable(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """A record that was cut comes back whole from a copy it is a beginning of.

    A broken gate run of which there is no copy goes to ``gate-runs-corrupt/``, for it stops the tracker's commands.
    """
    path = problem.path
    data = store.snapshot.read(path)
    if type(data) is bytes and conflict_marker(data) is not None:
        return Left("it holds the sides of a conflict: a person chooses")
    if (
        path == layout.INDEX
        and type(data) is bytes
        and not any(agrees(data, copy.data) for copy in context.copies(path))
    ):
        return rebuilt(store, data, context)
    outcome = restored(store, path, context)
    if isinstance(outcome, Left) and layout.kind_of(path) == "run" and not has_sound_copy(path, context):
        return set_aside(store, path)
    return outcome
