"""Looking at processes through /proc."""

from __future__ import annotations

from pathlib import Path


def _stat(pid: int) -> list[str] | None:
    """State, parent, ... of a process; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    found = _stat(pid)
    return found is not None and found[0] not in "ZX"


def parent(pid: int) -> int:
    found = _stat(pid)
    assert found is not None, f"{pid} is gone"
    return int(found[1])


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    parents = {int(path.name): _stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = [pid]
    for one in found:
        found += [child for child, stat in parents.items() if stat is not None and int(stat[1]) == one]
    return found


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
