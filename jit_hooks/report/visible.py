"""Text that comes from a store, made fit for a terminal."""

from __future__ import annotations

_LONGEST = 2000


def visible(text: str, longest: int = _LONGEST) -> str:
    r"""The text with everything that does not print shown as an escape: ``\x1b``, ``\u202e``, ``\n``.

    Control, bidi, zero-width and private characters, every blank but the space, and bytes that are no UTF-8
    (as ``\xNN``) are escaped; a text longer than ``longest`` is cut.
    """
    if len(text) > longest:
        text = f"{text[:longest]}\u2026"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def escaped(character: str) -> str:
    """One character as an escape."""
    code = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named:
        return named
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
