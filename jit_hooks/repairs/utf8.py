"""Texts that some editor saved in another encoding."""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8."""

_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (BOM, "utf-8"))


def after_mark(data: bytes) -> tuple[bytes, str]:
    """The text behind the mark of an encoding, and that encoding; all of it, and ``utf-8``, where it has no mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :], encoding
    return data, "utf-8"


def in_utf_8(data: bytes) -> bytes:
    """A text in UTF-8 and without a mark, as far as it can be read."""
    text, encoding = after_mark(data)
    return text if encoding == "utf-8" else text.decode(encoding, "replace").encode("utf-8")
