"""What a healthy commit pays for: the modules it imports, and the short cuts that spare it some."""

from __future__ import annotations

import re
import sys

import hypothesis.strategies as st
from git_scratch import Scratch, run
from hypothesis import given
from project import ROOT

from jit_hooks.store import validators
from jit_hooks.store.times import is_usual

DEAR = {"argparse", "dataclasses", "enum", "git", "hashlib", "inspect", "json", "jsonschema", "pathlib", "re",
        "shutil", "subprocess", "tempfile", "tomllib", "typer", "typing"}  # fmt: skip
"""Modules that cost more than a whole judgement."""

HOOK = """
import sys
sys.path.append(sys.argv[1])
from jit_hooks.hooks.entry import main
code = main(["pre-commit"])
print(code, *sorted(sys.modules))
"""


def test_a_healthy_commit_imports_nothing_dear(scratch: Scratch) -> None:
    scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    scratch.add_all()
    said = run(scratch.top, sys.executable, "-I", "-S", "-c", HOOK, str(ROOT)).stdout.split()
    assert said[0] == "0"
    assert "jit_hooks.hooks.hot" in said
    assert "jit_hooks.judging.judge" not in said, "the commit left the hot path"
    assert DEAR.isdisjoint(said)


@given(st.from_regex(re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{9}Z\n?")))
def test_a_usual_time_is_one_that_the_schema_accepts(text: str) -> None:
    assert not is_usual(text) or validators._match_timestamp(text)
