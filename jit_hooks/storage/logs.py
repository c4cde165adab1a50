"""Logs read line by line, however bad one of the lines is."""

from __future__ import annotations

import os

from jit_hooks.errors import MissingFileError, StorageError
from jit_hooks.storage.errors import CorruptJsonError, SkippedLine
from jit_hooks.store.reader import read_json


def read_log_resiliently(path: str | os.PathLike[str]) -> tuple[list[dict[str, object]], list[SkippedLine]]:
    """The good records of an event or claims log, and the lines that are none, each with the reason.

    Raises:
        MissingFileError: there is no such file.
        StorageError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise MissingFileError(os.fspath(path)) from None
    except OSError as error:
        raise StorageError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
    good: list[dict[str, object]] = []
    skipped: list[SkippedLine] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.strip(b" \t\r"):
            continue
        document, fault = read_json(raw)
        if fault is None and type(document) is dict:
            good.append(document)
        else:
            skipped.append(SkippedLine(number, raw, fault.message if fault is not None else "is not an object"))
    return good, skipped


def read_log(path: str | os.PathLike[str]) -> list[dict[str, object]]:
    """The records of an event or claims log, every one of them.

    Raises:
        CorruptJsonError: a line is not one JSON object; ``line`` says which.
        MissingFileError: there is no such file.
        StorageError: it cannot be read.
    """
    good, skipped = read_log_resiliently(path)
    if skipped:
        first = skipped[0]
        raise CorruptJsonError(os.fspath(path), first.error, first.line_number)
    return good
