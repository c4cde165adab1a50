"""The file layer in memory and the one on disk answer alike, over random runs of calls."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import examples

from jit_hooks.disk.files import Files
from jit_hooks.disk.layer import FileLayer, Handle, temp_name
from jit_hooks.disk.replacing import atomic_write
from jit_hooks.errors import LockIOError, LockTimeoutError, PartialWriteError, StorageError
from jit_hooks.place import Place
from jit_hooks.store.layout import is_temp
from jit_hooks.testing.memory_files import SHORT, Fault, MemoryFiles

PATHS = [
    "store:",
    "store:a",
    "store:b",
    "store:d",
    "store:d/a",
    "store:d/b",
    "store:d/e",
    "store:d/e/a",
    "store:l",
    "store:l/a",
    "store:../jit-stage-1",
    "control:",
    "control:c",
    "common:jit/c",
    "beside:",
]
PATH = st.sampled_from(PATHS)
SOME = st.sampled_from([p for p in PATHS if not p.endswith(":")])
CALLS = st.one_of(
    st.tuples(st.sampled_from(["read", "names", "fsync_directory", "rmdir", "unlink", "extend", "ensure"]), SOME),
    st.tuples(st.sampled_from(["status", "names", "fsync_directory", "read"]), PATH),
    st.tuples(st.just("create"), SOME, st.sampled_from([None, 0o600, 0o755])),
    st.tuples(st.just("mkdir"), SOME, st.sampled_from([None, 0o700])),
    st.tuples(st.just("rename"), SOME, SOME),
    st.tuples(st.just("write_new"), SOME, st.binary(max_size=5)),
    st.tuples(st.just("append"), SOME, st.binary(max_size=5)),
    st.tuples(st.just("link"), SOME),
    st.tuples(st.just("lock"), SOME, st.booleans()),
)


def answer(call: Callable[[], Any]) -> Any:
    try:
        found = call()
    except LockIOError:
        return "LockIOError"
    except OSError as error:
        return error.errno
    return type(found).__name__ if isinstance(found, Handle) else found


def do(files: FileLayer, call: tuple[Any, ...], link: Callable[[str], None]) -> Any:
    name, path, *rest = call
    if name == "link":
        return answer(lambda: link(path)) if answer(lambda: files.status(path)) is None else None
    if name == "ensure":
        return answer(lambda: files.ensure_directory(path))
    if name == "lock":

        def lock_and_unlock() -> bool:
            handle = files.lock(path, 0, create=rest[0])
            if handle is not None:
                files.unlock(handle)
            return handle is not None

        return answer(lock_and_unlock)
    if name in {"create", "extend"}:

        def open_and_close() -> None:
            files.close(files.create(path, rest[0]) if name == "create" else files.extend(path))

        return answer(open_and_close)
    return answer(lambda: getattr(files, name)(path, *rest))


def walk(files: FileLayer, path: str, found: dict[str, Any]) -> dict[str, Any]:
    """Everything below a path, by the layer's own answers; sizes of directories are none."""
    for name in files.names(path):
        below = f"{path}{name}" if path.endswith(":") else f"{path}/{name}"
        status = files.status(below)
        assert status is not None
        kind = status.kind
        found[below] = (kind, None if kind == "link" else status.mode, files.read(below) if kind == "file" else None)
        if kind == "directory":
            walk(files, below, found)
    return found


@examples(250, few=40)
@given(st.lists(CALLS, max_size=25))
def test_both_layers_answer_alike(calls: list[tuple[Any, ...]]) -> None:
    umask = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory() as directory:
            beside, common = Path(directory, "work"), Path(directory, "git")
            beside.mkdir()
            common.mkdir()
            real = Place(str(beside / ".jit"), str(common), str(beside)).files
            memory = MemoryFiles()
            for call in calls:
                expected = do(real, call, lambda path: os.symlink(directory, real.absolute(path)))
                assert do(memory, call, memory.plant_link) == expected, call
            for root in ("beside:", "common:"):
                assert walk(memory, root, {}) == walk(real, root, {})
    finally:
        os.umask(umask)


@pytest.mark.parametrize("make", [lambda: MemoryFiles({"store:a": b"old"}), None], ids=["memory", "disk"])
def test_a_file_that_exists_is_never_opened_as_a_new_one(make: Callable[[], FileLayer] | None, tmp_path: Path) -> None:
    (tmp_path / ".jit").mkdir()
    (tmp_path / ".jit/a").write_bytes(b"old")
    files = make() if make else Place(str(tmp_path / ".jit"), str(tmp_path), str(tmp_path)).files
    with pytest.raises(FileExistsError):
        files.create("store:a", None)
    assert files.read("store:a") == b"old"


def test_nothing_goes_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_bytes(b"private")
    (tmp_path / "work/.jit").mkdir(parents=True)
    (tmp_path / "work/.jit/issues").symlink_to(outside)
    (tmp_path / "work/.jit/a").symlink_to(outside / "a")
    files = Place(str(tmp_path / "work/.jit"), str(tmp_path), str(tmp_path / "work")).files
    for call in (
        lambda: files.read("store:issues/a"),
        lambda: files.read("store:a"),
        lambda: files.status("store:issues/a"),
        lambda: files.names("store:issues"),
        lambda: files.create("store:issues/b", None),
        lambda: files.extend("store:a"),
        lambda: files.unlink("store:issues/a"),
        lambda: files.rename("store:issues/a", "store:b"),
        lambda: files.mkdir("store:issues/b", None),
        lambda: files.ensure_directory("store:issues/b"),
        lambda: files.fsync_directory("store:issues"),
    ):
        with pytest.raises(OSError, match="symbolic link"):
            call()
    with pytest.raises(LockIOError):
        files.lock("store:a", 0, create=True)
    assert sorted(path.name for path in outside.iterdir()) == ["a"]
    assert (outside / "a").read_bytes() == b"private"


def test_a_store_that_is_itself_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / ".jit").symlink_to(tmp_path / "real")
    files = Place(str(tmp_path / ".jit"), str(tmp_path), str(tmp_path)).files
    with pytest.raises(OSError, match="symbolic link"):
        files.create("store:a", None)


def test_a_short_write_is_finished_by_the_next_and_one_that_never_ends_is_named() -> None:
    files = MemoryFiles({"store:x": b""})
    files.fault = Fault(2, SHORT)
    files.start_recording()
    files.write_new("store:a", b"0123456789")
    assert files.read("store:a") == b"0123456789"
    files.fault = Fault(1, SHORT, forever=True)
    files.start_recording()
    with pytest.raises(PartialWriteError) as caught:
        files.write_new("store:b", b"0123456789")
    assert (caught.value.expected, caught.value.written) == (10, 9)


def test_temp_names_are_the_trackers_form_and_fit() -> None:
    assert temp_name("index.json", 4711, "0") == ".index.json.4711.0.tmp"
    assert is_temp(temp_name("index.json", 4711, "j3-1"))
    assert len(os.fsencode(temp_name("ä" * 200, 4711, "0"))) <= 255


def test_an_atomic_write_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write(path, b"1")
    path.chmod(0o640)
    atomic_write(path, b"22")
    assert path.read_bytes() == b"22"
    assert path.stat().st_mode & 0o777 == 0o640
    atomic_write(path, b"3", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_an_atomic_write_that_is_refused_leaves_the_file_and_no_temp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    real = os.write
    monkeypatch.setattr(os, "write", lambda number, data: real(number, data[:2]) if len(data) > 2 else 0)
    with pytest.raises(PartialWriteError) as caught:
        atomic_write(path, b"12345")
    monkeypatch.undo()
    assert (caught.value.path, caught.value.expected, caught.value.written) == (str(path), 5, 4)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(StorageError, match="link"):
        atomic_write(tmp_path / "link", b"new")
    with pytest.raises(StorageError):
        atomic_write(tmp_path / "none/a.json", b"new")
    assert path.read_bytes() == b"old"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.json", "link"]


def test_files_are_closed_to_others_until_their_mode_is_set(tmp_path: Path) -> None:
    files = Files({"to": (str(tmp_path), ())})
    files.write_new("to:private", b"1", 0o600)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def test_a_lock_is_had_once(tmp_path: Path) -> None:
    one, two = (Place(str(tmp_path), str(tmp_path), str(tmp_path)).files for _ in range(2))
    held = one.lock("store:.index.lock", 0, create=True)
    assert held is not None
    with pytest.raises(LockTimeoutError):
        two.lock("store:.index.lock", 0, create=True)
    one.unlock(held)
    assert two.lock("store:.index.lock", 0, create=False) is not None


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is forced to the disk and renamed from now on, with the inode of each, in order."""
    done: list[tuple[str, int]] = []
    force, rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        done.append(("fsync", os.fstat(descriptor).st_ino))
        force(descriptor)

    def renamed(source: str, target: str, **directories: int) -> None:
        done.append(("rename", os.stat(source, dir_fd=directories.get("src_dir_fd")).st_ino))
        rename(source, target, **directories)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", renamed)
    return done


@pytest.mark.skipif(sys.platform == "darwin", reason="there a call of fcntl forces more than fsync does")
def test_the_disk_is_told_to_keep_bytes_before_names_and_names_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path.stat().st_ino
    done = recorded(monkeypatch)
    atomic_write(tmp_path / "x", b"one")
    written = (tmp_path / "x").stat().st_ino
    assert done == [("fsync", written), ("rename", written), ("fsync", directory)]
    done.clear()
    files = Files({"store": (str(tmp_path), ())})
    files.write_new("store:y", b"two")
    files.append("store:y", b"more")
    files.fsync_directory("store:")
    assert done == [("fsync", (tmp_path / "y").stat().st_ino)] * 2 + [("fsync", directory)]
