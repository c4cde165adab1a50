"""Family ``file``: the bytes of a record, whatever it holds. One code a file."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store.reader import MARKERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.log import Log
    from jit_hooks.store.records import Record


def _fault(record: Record | Log, code: str) -> Iterator[Problem]:
    fault = record.fault
    if fault is not None and fault.code == code:
        yield Problem(code, record.path, fault.message, offset=fault.offset)
    if record.kind == "log":
        yield from _lines(record, code)  # type: ignore[arg-type]


def _lines(log: Log, code: str) -> Iterator[Problem]:
    """The lines of the event log with this fault; the markers of one conflict are one problem of the log.

    Conflicts are counted: who adds a second one to a log that has one answers for it.
    """
    conflicts = 0
    for bad in log.bad:
        if bad.certified or bad.fault.code != code:
            continue
        is_conflict = code == "conflict-marker"
        if is_conflict:
            if conflicts and not bad.raw.startswith(MARKERS[0]):
                continue
            conflicts += 1
        yield Problem(
            code,
            log.path,
            bad.fault.message if is_conflict else f"holds a line that {bad.fault.message}",
            record=log.path if is_conflict else bad.name,
            subject=str(conflicts) if conflicts > 1 else "",
            line=bad.line,
            column=bad.fault.offset + 1,
            offset=bad.offset + bad.fault.offset,
        )


def text_not_utf8(record: Record | Log) -> Iterator[Problem]:
    r"""A record is not UTF-8 text.

    The tracker reads UTF-8 without a byte order mark. UTF-16, a mark or a single wrong byte makes it drop the
    record without a word; an issue is then missing from every list.

    FAIL: the byte ``0x80`` inside a title; a file that begins with ``EF BB BF``; a file saved as UTF-16.

    PASS: ``"title": "Épic, 日本語"`` in UTF-8.

    REPAIR: restored from a whole copy (a temp of a dead writer, the git index, HEAD) when the readable bytes
    agree with it; otherwise shown as a difference for a person.

    TO FIX: save the file as UTF-8 without a byte order mark.
    """
    return _fault(record, "text-not-utf8")


def json_unparsable(record: Record) -> Iterator[Problem]:
    r"""A ``.json`` record is not one strict JSON document.

    Empty, cut in the middle, followed by NUL bytes (a power loss), by text after its end, holding ``NaN`` or a
    raw control character. The tracker drops the record: an issue vanishes from lists, a broken gate run stops
    every command that lists runs, a broken issue index stops every write.

    FAIL: ``{"id": "3f2a..", "title": "Ad``

    PASS: the whole document, with any indentation.

    REPAIR: restored from a copy that the damaged bytes are a beginning of; otherwise shown as a difference.

    TO FIX: restore the whole document.
    """
    return _fault(record, "json-unparsable")


def json_duplicate_key(record: Record | Log) -> Iterator[Problem]:
    """An object of a record has one key twice.

    The tracker refuses the record, and other readers keep one value and lose the other. It happens when a merge
    lays two versions of an object over each other.

    FAIL: ``{"state": "ready", "state": "done"}``

    PASS: each key once.

    REPAIR: none; a person decides which value is meant.

    TO FIX: keep one of the two members; which one, a person decides.
    """
    return _fault(record, "json-duplicate-key")


def json_lone_surrogate(record: Record | Log) -> Iterator[Problem]:
    r"""An escape in a record names half a character.

    A ``\\ud800`` without its other half cannot be written as UTF-8; the tracker refuses the record.

    FAIL: ``"title": "\\ud83d"``

    PASS: ``"title": "\\ud83d\\ude00"``, or the character itself.

    REPAIR: none; a person decides what the text should say.

    TO FIX: write the whole character in place of the half escape.
    """
    return _fault(record, "json-lone-surrogate")


def conflict_marker(record: Record | Log) -> Iterator[Problem]:
    """A record still holds the markers of a merge conflict.

    A whole line begins with ``<<<<<<<``, ``|||||||``, ``=======`` or ``>>>>>>>``: the conflict was committed
    instead of resolved. Markers inside a JSON string are legal text and are not meant.

    FAIL: a line ``<<<<<<< HEAD`` in ``index.json``.

    PASS: an issue whose description quotes such lines.

    REPAIR: none; edit between the markers, then ``git add`` the file.

    TO FIX: edit between the markers, then::

        git add {path}
    """
    return _fault(record, "conflict-marker")


def limit_exceeded(record: Record | Log) -> Iterator[Problem]:
    """A record is larger or nested deeper than this program reads.

    More than 64 MB, or lists and objects nested more than 128 deep. Size is judged before content is read. No
    honest record comes near; the limits stand in ``[limits]`` of ``.jit/hooks.toml``.

    FAIL: 10,000 nested arrays.

    PASS: a gate run with 3 MB of output.

    REPAIR: none; a person looks at what the file is.

    TO FIX: no tracker writes such a record: replace it by hand.
    """
    return _fault(record, "limit-exceeded")


def layout_not_canonical(record: Record) -> Iterator[Problem]:
    """The bytes of a record are not what a tracker would write.

    Another indentation, escapes the tracker does not make, a final newline, another order of members. The
    content is sound, but the tracker's next save rewrites the whole file, which makes noise in reviews and
    conflicts in merges. Both canonical orders are fine: declared (June 2026 and before) and sorted (since). Gate
    runs and presets are written once and never saved again, so nobody is told of theirs.

    FAIL: an issue reformatted by a script, with a final newline.

    PASS: the same file as the tracker wrote it.

    REPAIR: none is needed; the tracker's next save mends it.

    TO FIX: nothing to do: the tracker writes its own layout at its next save.
    """
    from jit_hooks.store.canonical import is_canonical

    if record.fault is None and not record.faults and not is_canonical(record.kind, record.document, record.data):
        yield Problem("layout-not-canonical", record.path, "is not laid out as the tracker writes it")


def unknown_key(record: Record | Log) -> Iterator[Problem]:
    """A record or an event has a member that the tracker does not know.

    The tracker reads past it and drops it at its next save, without a word; an event keeps it, for no line of
    the log is written again. A newer tracker may know it; then update this program.

    FAIL: ``"estimate": 3`` in an issue.

    PASS: members of the format reference, of either era.

    REPAIR: none; nothing is removed on suspicion.

    TO FIX: nothing to do, unless the member matters: the tracker drops it at its next save.
    """
    if record.kind == "log":
        for line, name, pointer in record.unknown_keys:  # type: ignore[union-attr]
            member = pointer.rsplit("/", 1)[-1]
            said = f"holds an event with the member `{member}`, which the tracker does not know"
            yield Problem("unknown-key", record.path, said, record=name, subject=pointer, pointer=pointer, line=line)
        return
    for pointer in record.unknown:  # type: ignore[union-attr]
        yield Problem(
            "unknown-key",
            record.path,
            f"has the member `{pointer.rsplit('/', 1)[-1]}`, which the tracker drops at its next save",
            subject=pointer,
            pointer=pointer,
        )
