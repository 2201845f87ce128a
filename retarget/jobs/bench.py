"""Measure this machine: the whole job at three sizes, each run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from retarget.errors import RetargetError
from retarget.extras import extra
from retarget.flow.declared import AsDeclared, Kept, check_range
from retarget.flow.plain_table import text_table
from retarget.flow.report import Report, begin
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.jobs.generators import GeneratorName, check_room

SIZES: dict[str, tuple[int, int, float]] = {
    # name: width, height, pixels between the outer eye corners
    "512": (512, 512, 110.0),
    "720p": (1280, 720, 150.0),
    "1080p": (1920, 1080, 240.0),
}
_BUSY, _APART = 0.25, 1.2
"""Load per core, and ratio of the fastest run to the slowest, above which others used the cores."""
_LANES = ("source", "track", "fit", "smooth", "transfer", "generate", "paste", "sink")


class _Run(TypedDict):
    """The part of a run's report that is measured here."""

    frames: int
    frames_per_second: float
    steady_frames_per_second: float
    stages: dict[str, float]
    peak_megabytes: float | None
    wall: float
    """Seconds of the whole process."""


@dataclass(frozen=True, kw_only=True)
class BenchJob(AsDeclared):
    """Measure frames/s, start-up and peak memory on this machine: `retarget bench`."""

    driving: Kept[str] | None = None
    """A driving video; left out, the sample that comes with the package."""
    identity: Kept[str] | None = None
    """A photo, brought to each size; left out, the sample that comes with the package."""
    runs: int = 3
    """Runs at each size, of which the median is shown; with diffusion, times that each part is
    measured, of which the shortest counts."""
    generator: GeneratorName = "warp"
    """diffusion measures the network's parts on random weights; no model file is needed."""
    sweep: bool = False
    """With diffusion: also draw whole frames at 25, 4, 2 and 1 steps in batches of 1 and 8, and
    tell what a pass of the network spends its time on. For a GPU; a CPU takes hours."""
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    """The diffusion generator: device, precision, compile and graphs count."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("runs", self.runs, 1)

    def run(self, report: Report | None = None) -> str:
        """Measure and return the table.

        Raises:
            RetargetError: there is nothing to measure, or a run failed.
        """
        report = begin(report)
        if self.generator == "diffusion":
            return self._by_diffusion(report)
        if self.sweep:
            raise RetargetError(
                "A sweep is of the diffusion generator.", do="Add --generator diffusion."
            )
        driving = self.driving or str(sample("drive.mp4"))
        identity = self.identity or str(sample("face.jpg"))
        load = _load()
        with tempfile.TemporaryDirectory(prefix="retarget-bench-") as folder:
            rows, apart = [], 1.0
            for number, size in enumerate(SIZES):
                photo = _sized_photo(identity, size, Path(folder))
                runs = []
                for i in range(self.runs):
                    runs.append(_measured(driving, photo, Path(folder)))
                    report.bar.advance(number * self.runs + i + 1, len(SIZES) * self.runs)
                runs.sort(key=_speed)
                apart = max(apart, _speed(runs[-1]) / max(_speed(runs[0]), 1e-9))
                rows.append((size, runs[len(runs) // 2]))
        return _table(rows) + _load_note(load, apart)

    def _by_diffusion(self, report: Report) -> str:
        check_room()
        with extra("diffusion", purpose="The diffusion generator"):
            from retarget.generate.diffusion.bench import bench_table
        return bench_table(report, self.diffusion, sweeping=self.sweep, repeats=self.runs)


def sample(name: str) -> Path:
    """A sample file: in a wheel within the package, in a checkout beside it.

    Raises:
        RetargetError: the installation does not carry it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "samples", package.parent / "samples"):
        if (folder / name).is_file():
            return folder / name
    raise RetargetError(
        f"The sample {name} is not part of this installation.",
        do="Name a driving video and a photo with --driving and --identity.",
    )


def _speed(run: _Run) -> float:
    return run["frames_per_second"]


def _load() -> float:
    """The load average of the last minute; 0 where the system has none."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows
        return 0.0


def _load_note(load: float, apart: float) -> str:
    """A line for the table where other programs slowed the runs down; empty where none did.

    Args:
        load: the load average before the first run.
        apart: the largest ratio of the fastest to the slowest run of one size.
    """
    signs, cores = [], os.cpu_count() or 1
    if load > _BUSY * cores:
        signs.append(f"{load:.1f} others wanted its {cores} cores when this began")
    if apart > _APART:
        signs.append(f"runs of one size differed {apart:.1f} times")
    if not signs:
        return ""
    return f"This machine was not alone: {', and '.join(signs)}. By itself it is faster.\n"


def _measured(driving: str, photo: Path, folder: Path) -> _Run:
    """The report of one run in a fresh process."""
    account = folder / "run.json"
    command = [sys.executable, "-m", "retarget", driving, "--identity", str(photo)]
    command += ["-o", str(folder / "out.mp4"), "--overwrite", "--report", str(account)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines()[-2:]  # what is wrong, and what to do
        why = " ".join(line.strip().removeprefix("retarget: ") for line in said)
        why = why or f"it ended with {done.returncode}."
        raise RetargetError(
            f"A run failed: {why}", do="Try the same driving video and photo without bench."
        )
    run: _Run = json.loads(account.read_text("utf-8"))
    run["wall"] = time.perf_counter() - start
    if run["frames"] < 2:
        raise RetargetError(
            f"{driving} is one single frame, which tells no speed.",
            do="Name a longer driving video.",
        )
    return run


def _sized_photo(identity: str, size: str, folder: Path) -> Path:
    """The photo on a canvas of the size, scaled to the size's distance between the eyes."""
    import cv2
    import numpy as np

    from retarget.face.settings import TrackSettings
    from retarget.face.still import find_face
    from retarget.flow import landmarks
    from retarget.jobs.naming import naming
    from retarget.jobs.tracker import with_model
    from retarget.source.open import open_source

    width, height, eyes = SIZES[size]
    with open_source(identity) as source, naming(identity):
        frame = next(source.frames())
        face = find_face(frame, with_model(TrackSettings()), Report())
    scale = eyes / face.eye_distance
    x, y = face.points[list(landmarks.EYE_OUTER_CORNERS), :2].mean(axis=0) * scale
    place = np.array([[scale, 0, width / 2 - x], [0, scale, 0.42 * height - y]])
    canvas = cv2.warpAffine(
        frame.rgb, place, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    path = folder / f"{size}.png"
    cv2.imwrite(str(path), canvas[..., ::-1])
    return path


def _table(rows: list[tuple[str, _Run]]) -> str:
    runs = [run for _, run in rows]
    lines = []
    for name in _LANES:
        speeds = (t["frames"] / max(t["stages"].get(name, 0), 1e-9) for t in runs)
        lines.append([f"{name}, frames/s beside the others", *(f"{speed:.0f}" for speed in speeds)])
    startups = (t["wall"] - t["frames"] / max(t["steady_frames_per_second"], 1e-9) for t in runs)
    lines += [
        ["whole, frames/s", *(f"{t['frames'] / t['wall']:.1f}" for t in runs)],
        ["steady, frames/s", *(f"{t['steady_frames_per_second']:.1f}" for t in runs)],
        ["start and end, s", *(f"{s:.2f}" for s in startups)],
        ["peak memory, MB", *(str(t["peak_megabytes"] or "?") for t in runs)],
    ]
    table = text_table(["", *(size for size, _ in rows)], lines)
    return f"{table}median of each size; {runs[0]['frames']} frames; each run started afresh\n"
