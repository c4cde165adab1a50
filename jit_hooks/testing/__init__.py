"""For tests of programs that read or write a store: stores, damage, faults, and a model of both trackers."""

from jit_hooks.testing.faults import FaultInjector, LockHold

__all__ = ["FaultInjector", "LockHold"]
