"""What is free is the least of what system and container leave; a limit of one's own is apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retarget.flow import free_memory as module
from retarget.flow.free_memory import free_address_space, free_memory


def lay(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_the_least_of_all_limits_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = lay(tmp_path / "proc", meminfo="MemTotal: 8000 kB\nMemAvailable:    3000 kB\n")
    monkeypatch.setattr(module, "_PROC", proc)
    monkeypatch.setattr(module, "_CGROUP", tmp_path / "none")
    assert free_memory() == 3000 * 1024
    group = lay(tmp_path / "group", memory__max="5000\n", memory__current="3000\n")
    monkeypatch.setattr(module, "_CGROUP", group)
    assert free_memory() == 2000


@pytest.mark.parametrize("older", [False, True])
def test_a_container_s_limit_counts_without_what_is_kept_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, older: bool
) -> None:
    used = {"max": "5000\n", "current": "3000\n", "stat": "anon 9\ninactive_file 400\n"}
    if older:
        used = {"limit_in_bytes": "5000\n", "usage_in_bytes": "3000\n"}
        used["stat"] = "inactive_file 1\ntotal_inactive_file 400\n"
    folder = tmp_path / "group" / ("memory" if older else "")
    lay(folder, **{f"memory__{name}": text for name, text in used.items()})
    monkeypatch.setattr(module, "_PROC", tmp_path / "none")
    monkeypatch.setattr(module, "_CGROUP", tmp_path / "group")
    assert free_memory() == 5000 - 3000 + 400


@pytest.mark.parametrize("older", [False, True])
def test_the_limit_of_a_group_within_others_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, older: bool
) -> None:
    """As Slurm has one for each job, and systemd for each service."""
    lay(
        tmp_path / "proc" / "self", cgroup=f"3:cpu,cpuacct:/x\n4:{'memory' if older else ''}:/a/b\n"
    )
    top = tmp_path / "group" / ("memory" if older else "")
    most, now = ("limit_in_bytes", "usage_in_bytes") if older else ("max", "current")
    for group, limit, used in ((top, 9000, 8500), (top / "a", 5000, 4000), (top / "a" / "b", 8, 1)):
        lay(group, **{f"memory__{most}": f"{limit}000\n", f"memory__{now}": f"{used}000\n"})
    monkeypatch.setattr(module, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(module, "_CGROUP", tmp_path / "group")
    assert free_memory() == 7000
    (top / "a" / "b" / f"memory.{most}").write_text("max\n")
    assert free_memory() == 500_000
    (tmp_path / "proc" / "self" / "cgroup").write_text("4:memory:/of/the/host\n0::/of/the/host\n")
    assert free_memory() == 500_000


def test_nobody_says_is_not_nothing_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "group", memory__max="max\n", memory__current="3000\n")
    monkeypatch.setattr(module, "_PROC", tmp_path / "none")
    monkeypatch.setattr(module, "_CGROUP", tmp_path / "group")
    assert free_memory() is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are kept on Linux")
def test_a_limit_of_address_space_is_told_less_what_is_taken() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource as r; r.setrlimit(r.RLIMIT_AS, (10**9, 10**9));"
            "from retarget.flow.free_memory import free_address_space as f;"
            "a = f(); kept = bytearray(10**8); print(a, a - f())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    left, gone = map(float, told.stdout.split())
    assert 0 < left < 10**9
    assert gone == pytest.approx(10**8, rel=0.1)
    assert free_address_space() is None or free_address_space() > 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are kept on Linux")
@pytest.mark.parametrize("limit", [550_000_000, 1_000_000_000])
@pytest.mark.parametrize("measured", [False, True])
def test_a_limit_that_leaves_no_room_is_told_and_not_waited_on(
    measured: bool, limit: int, tmp_path: Path
) -> None:
    """OpenBLAS asks again and again for memory that it does not get."""
    samples = Path(__file__).parents[2] / "samples"
    drive, face = str(samples / "drive.mp4"), str(samples / "face.jpg")
    words = [drive, "--identity", face, "-o", str(tmp_path / "out.mp4")]
    if measured:
        words = ["evaluate", drive, "--driving", drive, "--identity", face]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import resource as r; r.setrlimit(r.RLIMIT_AS, ({limit}, {limit}));"
            "from retarget.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))",
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    # Newer libraries may run out before the job has asked how much there is.
    assert "address space" in done.stderr or "not enough memory" in done.stderr
    assert "ulimit" in done.stderr
    assert not list(tmp_path.iterdir())
