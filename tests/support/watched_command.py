"""Run one command of ours and tell every write it tries: ``watched_command.py check|hooks WORD...``; exit code 99.

An audit hook sees every open for writing, every change of a name or a mode, and every program started; git may be
started with commands that only look.
"""

from __future__ import annotations

import os
import sys

TRIED = 99
CHANGES = (
    "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate",
    "os.utime", "os.setxattr", "os.removexattr", "os.chflags", "os.lockf", "shutil.", "tempfile.", "os.exec", "os.fork",
    "os.system", "os.startfile", "socket.", "urllib.", "webbrowser.",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LOOKS = frozenset((
    "cat-file", "config", "diff-files", "diff-index", "diff-tree", "for-each-ref", "log", "ls-files", "ls-tree",
    "merge-base", "rev-list", "rev-parse", "show-ref", "symbolic-ref", "var", "version",
))  # fmt: skip
WITH_A_PIPE = ("hash-object", "check-attr", "check-ignore")
tried: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what would write."""
    if event == "open":
        if opens_for_writing(*arguments):
            tried.append("open {!r} {} {}".format(*arguments))
    elif event in ("subprocess.Popen", "os.posix_spawn"):
        _watch_program(event, arguments)
    elif event.startswith(CHANGES):
        tried.append(f"{event} {arguments!r}")


def opens_for_writing(path: object, mode: object, flags: object) -> bool:
    """Whether what the audit event of an open tells is a write, to more than a descriptor or nothing."""
    by_mode = isinstance(mode, str) and any(letter in mode for letter in "wax+")
    by_flags = isinstance(flags, int) and bool(flags & WRITING)
    return not isinstance(path, int) and path != os.devnull and (by_mode or by_flags)


def _watch_program(event: str, arguments: tuple[object, ...]) -> None:
    words = [os.fsdecode(word) for word in arguments[1]]  # type: ignore[attr-defined]
    if os.path.basename(words[0]) != "git":
        tried.append(f"{event} {words}")
        return
    rest = words[1:]
    while rest[:1] in (["-C"], ["-c"]):
        rest = rest[2:]
    if rest[0] not in LOOKS and not (rest[0] in WITH_A_PIPE and "-w" not in rest):
        tried.append(f"{event} {words}")
    environment = arguments[2] if event == "os.posix_spawn" else arguments[3]
    given = environment if isinstance(environment, dict) else os.environ
    if given.get("GIT_OPTIONAL_LOCKS") != "0":
        tried.append(f"{event} {words} without GIT_OPTIONAL_LOCKS=0")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    command, sys.argv = sys.argv[1], [f"jit-{sys.argv[1]}", *sys.argv[2:]]
    sys.addaudithook(watch)
    from jit_hooks import cli

    code: object = 0
    try:
        getattr(cli, command)()
    except SystemExit as stop:
        code = stop.code
    if tried:
        sys.stderr.write("".join(f"tried: {text}\n" for text in tried))
        code = TRIED
    sys.exit(code if isinstance(code, int) else 0)
