"""Fixtures for the tests of programs that write stores: ``pytest_plugins = ["jit_hooks.testing.plugin"]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jit_hooks.testing.faults import FaultInjector
from jit_hooks.testing.stores import lay_healthy_store

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.testing.tracker import Era


@pytest.fixture(params=["june", "v1"])
def jit_store(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A healthy store on disk, of each tracker in turn: the directory ``.jit`` in a new directory outside git.

    The documents that its issues name lie beside it.
    """
    era: Era = request.param
    store = tmp_path / "work" / ".jit"
    lay_healthy_store(store, era)
    return store


@pytest.fixture
def fault_injector(jit_store: Path) -> FaultInjector:
    """Damages files of ``jit_store``: corrupt JSON, partial writes, locks somebody else holds."""
    return FaultInjector(jit_store)
