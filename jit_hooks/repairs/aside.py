"""Put aside what cannot be had back: nothing is thrown away."""

from __future__ import annotations

from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.store.store import Store


def set_aside(store: Store, path: str) -> Mend | Left:
    """The directory of a gate run that cannot be had back, moved to ``gate-runs-corrupt/``.

    A lock file stays where it is, and the directory with it.
    """
    run_id = layout.run_id_of(path)
    directory = f"{layout.RUNS}{run_id}/"
    inside = [name for name in store.entries() if name.startswith(directory) and name != directory]
    files, obstacle = files_below(store, directory)
    obstacle = obstacle or next((name for name in inside if name.endswith("/")), "")
    if obstacle:
        return Left(f"{obstacle} in its directory is not a file that can be moved")
    place = free_place(store, layout.CORRUPT_RUNS + run_id, files)
    changes: dict[str, bytes | None] = dict.fromkeys(directory + name for name in files)
    if not any(name.endswith(".lock") for name in inside):
        changes[directory] = None
    changes.update({place + name: data for name, data in files.items()})
    return Mend(changes, {path: f"to {layout.CORRUPT_RUNS}"})


def files_below(store: Store, folder: str) -> tuple[dict[str, bytes], str]:
    """The files below a directory but for locks, by name in it; or the path of one that cannot be moved."""
    files: dict[str, bytes] = {}
    for path, entry in store.entries().items():
        if path.startswith(folder) and not path.endswith(("/", ".lock")):
            data = store.snapshot.read(path)
            if entry.kind != "file" or type(data) is not bytes:
                return {}, path
            files[path[len(folder) :]] = data
    return files, ""


def free_place(store: Store, place: str, files: dict[str, bytes]) -> str:
    """A directory of this name, with a number if need be, in which nothing else stands where these files go."""
    number = 1
    while True:
        folder = f"{place}{'' if number == 1 else f'-{number}'}/"
        places = {folder + name: data for name, data in files.items()}
        if all(not store.stands_at(path) or store.snapshot.read(path) == data for path, data in places.items()):
            return folder
        number += 1
