"""An end to a judgement that takes too long: a hook must not hang a commit for good."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

from jit_hooks.errors import NotJudgedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT_LIMIT = "jit-check has no limit; `seconds` under [limits] of .jit/hooks.toml moves it"

_AGAIN = 1.0
"""Seconds after which an alarm that did not get through, as in a finalizer, rings again."""


@contextmanager
def time_limit(seconds: float, *, spent: float = 0.0, remedy: str = WITHOUT_LIMIT) -> Iterator[None]:
    """Whatever runs inside ends after so many seconds of wall-clock time; 0 is no limit.

    Rests on ``SIGALRM``, which only the main thread can ask for: in another thread there is no limit.

    Args:
        seconds: the limit.
        spent: how many of them are gone already.
        remedy: what to type when they are over.

    Raises:
        NotJudgedError: the time is over.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        message = f"the time limit of {seconds:g} s is over"
        raise NotJudgedError(message, remedy)

    if spent >= seconds:
        stop()
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds - spent, _AGAIN)
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # it may have rung just before
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
