"""An end to a judgement that takes too long: a hook must not hang a commit for good."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

from jit_hooks.errors import NotJudgedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Whatever runs inside ends after so many seconds of wall-clock time; 0 is no limit.

    Rests on ``SIGALRM``, which only the main thread can ask for: in another thread there is no limit.

    Raises:
        NotJudgedError: the time is over.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        message = f"the time limit of {seconds:g} s is over"
        raise NotJudgedError(message, "jit-check has no limit; `seconds` under [limits] of .jit/hooks.toml moves it")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
