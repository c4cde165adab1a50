"""The guards that stand, and proof that they would stop something.

A hook file that lies there proves nothing: git may look elsewhere, the file may not be executable, its Python may
be gone. So git is asked which file it would run, and each of ours is run, in a repository made for it, on a
commit that every guard must refuse.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import jit_hooks
from jit_hooks.git.differences import Differences, differences
from jit_hooks.git.hooks import HOOKS
from jit_hooks.install.hook_files import package_parent, way_in
from jit_hooks.install.hook_place import LEGACY_SUFFIX, Found, HookPlace, find_hook, find_hook_place
from jit_hooks.install.merge_driver import DRIVER, MERGED, attributes_path, command, configured, stores_of, unmarked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PROOF_CODE = "index-misses-issue"
"""The problem that the commit on trial makes: it brings an issue that the issue index does not list."""

_PROOF_ID = "00000000-0000-4000-8000-000000000001"

_PROOF_ISSUE: dict[str, object] = {
    "id": _PROOF_ID,
    "title": "Is the guard awake?",
    "description": "",
    "state": "ready",
    "priority": "normal",
    "assignee": None,
    "dependencies": [],
    "gates_required": [],
    "gates_status": {},
    "context": {},
    "documents": [],
    "labels": ["type:task"],
    "created_at": "2026-01-01T00:00:00+00:00",
    "updated_at": "2026-01-01T00:00:00+00:00",
}

_SECONDS = 60


def _index_of(*ids: str) -> str:
    return json.dumps({"schema_version": 2, "all_ids": list(ids), "deleted_ids": []}, indent=2)


_TRIPLE = {"base": _index_of("a"), "ours": _index_of("a", "b"), "theirs": _index_of("a", "c")}
_MERGED_TRIPLE = _index_of("a", "b", "c")
"""An issue index on two branches, of which a merge of text makes a conflict, and what it comes to."""


@dataclass(frozen=True)
class Guard:
    """One hook of git, or the merge driver, and how it stands with it.

    Attributes:
        hook: git's name of it, or ``merge driver``.
        state: ``installed``; ``outdated`` (ours, of another version or for another place of the store);
            ``disabled`` (ours, and git passes over it: not executable, or half of the merge driver); ``absent``;
            ``foreign``; ``shadowed`` (ours lies in the usual directory, and git looks elsewhere).
        path: the file git would run, from the top of the worktree.
        version: of the script, if it is ours.
        live: whether it was seen to refuse a commit that breaks the store, or to merge two branches' work.
        detail: what else there is to know, one line.
        remedy: what to type.
    """

    hook: str
    state: str
    path: str
    version: str = ""
    live: bool = False
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Status:
    """How all guards of a repository stand.

    Attributes:
        top: top of the worktree.
        store: where the store lies from there, or several with ", " between them; empty when there is none.
        directory: from where git runs hooks.
        hooks_path: ``core.hooksPath``, if it is set.
        tool_version: of this program.
        guards: one per hook, in the order git runs them, and the merge driver.
        differences: what of the store is staged, changed or untracked.
    """

    top: str
    store: str
    directory: str
    hooks_path: str
    tool_version: str
    guards: tuple[Guard, ...]
    differences: Differences = field(default_factory=Differences)

    @property
    def exit_code(self) -> int:
        """0 when every guard is live, else 1."""
        return 0 if all(guard.live for guard in self.guards) else 1

    def as_json(self) -> str:
        """The answer for programs."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def lines(self) -> Iterator[str]:
        """The answer for people."""
        yield f"store: {self.store or 'none found'}; git runs hooks from {self.directory}"
        if self.store:
            found = self.differences
            yield f"  {len(found.staged)} staged, {len(found.unstaged)} not staged, {len(found.untracked)} untracked"
        width = max(len(guard.hook) for guard in self.guards)
        for guard in self.guards:
            live = "live" if guard.live else "not live"
            detail = f"; {guard.detail}" if guard.detail else ""
            yield f"{guard.hook:<{width}}  {guard.state}, {live}{detail}"
        for remedy in dict.fromkeys(guard.remedy for guard in self.guards if guard.remedy):
            yield f"to fix:  {remedy}"


def status(where: str = "") -> Status:
    """Look at every guard and try each one of ours.

    Args:
        where: a directory in the repository; empty for the current one.

    Raises:
        InstallError: there is no worktree here.
    """
    place = find_hook_place(where)
    with tempfile.TemporaryDirectory(prefix="jit-hooks-") as scratch:
        proof = Proof(Path(scratch))
        guards = (*(_look_at(place, hook, proof) for hook in place.hook_ids), _look_at_driver(place, proof))
    return Status(
        place.top,
        ", ".join(place.stores),
        place.shown(place.directory),
        place.hooks_path,
        jit_hooks.__version__,
        guards,
        _differences(place),
    )


def _differences(place: HookPlace) -> Differences:
    found = [differences(place.top, store) for store in place.stores if not place.is_bare]
    return Differences(
        tuple(path for one in found for path in one.staged),
        tuple(path for one in found for path in one.unstaged),
        tuple(path for one in found for path in one.untracked),
    )


def _look_at(place: HookPlace, hook: str, proof: Proof) -> Guard:
    path = os.path.join(place.directory, hook)
    found = find_hook(path)
    shown = place.shown(path)
    mend = f"jit-hooks install{place.given}"
    if found.kind == "ours":
        return _look_at_ours(place, path, found, proof)
    if place.directory != place.usual and find_hook(os.path.join(place.usual, hook)).kind == "ours":
        detail = f"core.hooksPath ({place.scope}) is {place.hooks_path}, so git does not run the one in " + place.shown(
            place.usual
        )
        return Guard(hook, "shadowed", shown, detail=detail, remedy=mend)
    if found.kind == "absent":
        return Guard(hook, "absent", shown, remedy=mend)
    legacy = find_hook(path + LEGACY_SUFFIX)
    if found.framework and legacy.kind == "ours" and os.access(path + LEGACY_SUFFIX, os.X_OK):
        guard = _look_at_ours(place, path + LEGACY_SUFFIX, legacy, proof)
        detail = f"{found.framework} runs it first, as {hook}{LEGACY_SUFFIX}"
        return Guard(hook, guard.state, shown, guard.version, guard.live, guard.detail or detail, guard.remedy)
    whose = f"it belongs to {found.framework}, whose hooks are not tried here" if found.framework else ""
    return Guard(hook, "foreign", shown, detail=whose, remedy=way_in(place, found.framework))


def _look_at_driver(place: HookPlace, proof: Proof) -> Guard:
    """How it stands with the merge driver: whether git gives it the store's files, and whether it merges."""
    name, mend = "merge driver", f"jit-hooks install{place.given}"
    line, shown = configured(place), place.shown(attributes_path(place))
    missing = unmarked(place)
    if not line and len(missing) == len(MERGED) * len(stores_of(place)):
        return Guard(name, "absent", shown, remedy=mend)
    if not line:
        detail = f"merge.{DRIVER}.driver is not set, so git merges the store as text"
        return Guard(name, "disabled", shown, detail=detail, remedy=mend)
    if missing:
        detail = f"git does not give it {missing[0]}: other attributes stand against it"
        return Guard(name, "disabled", shown, detail=detail, remedy=mend)
    failure = proof.failure_of_driver(line, place.store)
    if line != command(package_parent(), stores_of(place)):
        detail = failure or "it starts another Python or package than this one"
        return Guard(name, "outdated", shown, live=not failure, detail=detail, remedy=mend)
    return Guard(name, "installed", shown, jit_hooks.__version__, not failure, failure, mend if failure else "")


def _look_at_ours(place: HookPlace, path: str, found: Found, proof: Proof) -> Guard:
    signature = found.signature
    assert signature is not None
    shown, mend = place.shown(path), f"jit-hooks install{place.given}"
    hook, version = signature.hook, signature.version
    if not os.access(path, os.X_OK):
        return Guard(hook, "disabled", shown, version, detail="the file is not executable", remedy=mend)
    if not place.has_store and not place.is_bare:  # to an empty server the first store is pushed
        detail = f"it guards {', '.join(signature.stores)}, and no store is there"
        return Guard(hook, "installed", shown, version, detail=detail)
    if not set(place.stores) <= set(signature.stores):
        detail = f"it guards {', '.join(signature.stores)}, and the store is {', '.join(place.stores)}"
        return Guard(hook, "outdated", shown, version, detail=detail, remedy=mend)
    failures = (proof.failure_of(hook, found.text, store) for store in signature.stores)
    failure = next((failure for failure in failures if failure), "")
    if version != jit_hooks.__version__:
        detail = failure or f"it is of version {version}, this is {jit_hooks.__version__}"
        return Guard(hook, "outdated", shown, version, live=not failure, detail=detail, remedy=mend)
    return Guard(hook, "installed", shown, version, not failure, failure, mend if failure else "")


@dataclass(frozen=True)
class _Given:
    """The things git gives a hook: arguments, input, variables."""

    arguments: tuple[str, ...] = ()
    stdin: str = ""
    variables: dict[str, str] = field(default_factory=dict)


def _given(hook: str, before: str, broken: str) -> _Given:
    """The input that git would give this hook when the broken commit follows the sound one."""
    if hook == "post-merge":
        return _Given(("0",))
    if hook == "post-checkout":
        return _Given((before, broken, "1"))
    if hook == "post-rewrite":
        return _Given(("amend",), f"{before} {broken}\n")
    if hook == "pre-push":
        return _Given(("origin", "elsewhere"), f"refs/heads/main {broken} refs/heads/main {before}\n")
    if hook == "pre-receive":
        return _Given((), f"{before} {broken} refs/heads/main\n", {"GIT_DIR": "."})
    return _Given()


class Proof:
    """A repository in which a hook script must refuse.

    The script is run from a copy, so a hook that stands aside for it is not found and not run here. Nothing of the
    caller's git is used: no configuration, no variables, no templates, no hooks.

    Args:
        scratch: an empty directory that somebody else removes.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(scratch),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{
                f"GIT_{who}_{what}": value
                for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "jit-hooks"), ("EMAIL", "jit-hooks@localhost"))
            },
        }

    def failure_of(self, hook: str, text: str, store: str) -> str:
        """The reason why a hook script is not live; empty when it refuses what it must."""
        number = len(list(self._scratch.iterdir()))
        top = self._scratch / str(number)
        script = self._scratch / f"{number}-{hook}"
        script.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        try:
            before, broken = self._prepare(top, store, committed=hook not in ("pre-commit", "pre-merge-commit"))
            given = _given(hook, before, broken)
            where = top / ".git" if hook == "pre-receive" else top
            # Through sh: a temporary directory may be mounted so that nothing in it can be run by itself.
            said = self._run(where, "sh", str(script), *given.arguments, stdin=given.stdin, variables=given.variables)
        except subprocess.TimeoutExpired:
            return f"it did not end within {_SECONDS} seconds"
        except (OSError, subprocess.CalledProcessError) as error:
            return f"it could not be tried: {error}"
        output = said.stdout + said.stderr
        if said.returncode == (0 if HOOKS[hook].only_tells else 1) and PROOF_CODE in output:
            return ""
        last = (output.strip().splitlines() or ["it said nothing"])[-1]
        return (
            f"it let a broken commit pass: {last}" if said.returncode == 0 else f"exit code {said.returncode}: {last}"
        )

    def failure_of_driver(self, line: str, store: str) -> str:
        """The reason why the configured line is no live merge driver; empty when it merges a triple as it must."""
        top = self._scratch / "driver"
        top.mkdir()
        for name, data in _TRIPLE.items():
            top.joinpath(name).write_text(data, encoding="utf-8")
        words = {"%O": "base", "%A": "ours", "%B": "theirs", "%P": shlex.quote(f"{store}index.json"), "%%": "%"}
        shell = re.sub("%[OABP%]", lambda found: words[found[0]], line)
        try:
            said = self._run(top, "sh", "-c", shell)
        except subprocess.TimeoutExpired:
            return f"it did not end within {_SECONDS} seconds"
        except OSError as error:
            return f"it could not be tried: {error}"
        if said.returncode == 0 and top.joinpath("ours").read_text(encoding="utf-8") == _MERGED_TRIPLE:
            return ""
        last = ((said.stdout + said.stderr).strip().splitlines() or ["it said nothing"])[-1]
        return f"it does not merge the issue index: exit code {said.returncode}: {last}"

    def _prepare(self, top: Path, store: str, *, committed: bool) -> tuple[str, str]:
        """A store of one line, and an issue that it does not list: staged, or already committed; both commits."""
        git = ("git", "-c", f"core.hooksPath={os.devnull}")
        data = top / store
        self._run(self._scratch, "git", "init", "--quiet", "--template=", str(top), check=True)
        self._run(top, "git", "symbolic-ref", "HEAD", "refs/heads/main", check=True)
        data.joinpath("issues").mkdir(parents=True)
        data.joinpath("index.json").write_text('{\n  "schema_version": 1,\n  "all_ids": []\n}', encoding="utf-8")
        data.joinpath("gates.json").write_text('{\n  "gates": {}\n}', encoding="utf-8")
        data.joinpath("events.jsonl").write_text("", encoding="utf-8")
        self._run(top, *git, "add", "--force", ".", check=True)
        self._run(top, *git, "commit", "--quiet", "--message=healthy", check=True)
        data.joinpath("issues", f"{_PROOF_ID}.json").write_text(json.dumps(_PROOF_ISSUE, indent=2), encoding="utf-8")
        self._run(top, *git, "add", "--force", ".", check=True)
        if not committed:
            return "", ""
        self._run(top, *git, "commit", "--quiet", "--message=broken", check=True)
        before, broken = self._run(top, "git", "rev-parse", "HEAD^", "HEAD", check=True).stdout.split()
        return before, broken

    def _run(
        self,
        directory: Path,
        *arguments: str,
        check: bool = False,
        stdin: str = "",
        variables: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=directory,
            env=self._environment | (variables or {}),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=check,
        )
