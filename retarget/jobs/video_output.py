"""What a video job writes beside its video: the path of the preview, and the report."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.flow.paths import is_folder

if TYPE_CHECKING:
    from retarget.flow.report import Report
    from retarget.jobs.video import VideoJob

_WIDELY_PLAYED = 4096 * 2304
"""Pixels of a picture in H.264, level 5.1, which phones and television sets can play."""


def preview_path(output: Path) -> Path:
    """The path of the preview that belongs to a result."""
    if is_folder(output):  # its name may contain a dot, or be empty, as that of `.` is
        folder = output.absolute()
        return folder.with_name(f"{folder.name.replace('.', '_')}_preview")
    return output.with_name(f"{output.stem}_preview{output.suffix}")


def warn_of_size(size: tuple[int, int], output: Path, report: Report) -> None:
    """Warn of a video with more pixels, as (width, height), than many players can show."""
    from retarget.sink.codecs import CONTAINERS

    if output.suffix.lower() in CONTAINERS and size[0] * size[1] > _WIDELY_PLAYED:
        report.warn(
            f"The video has {size[0]} x {size[1]} pixels, as the identity's picture has, which "
            "many players cannot show; --longest-side 1920 makes it smaller, and sooner."
        )


def save_report(job: VideoJob, path: Path, output: Path, report: Report) -> None:
    """Write the report with the job's settings and its output as JSON."""
    from retarget.sink.partial import save_text

    settings = {f.name: getattr(job, f.name) for f in fields(job)}
    report.facts["settings"] = {
        name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        for name, value in settings.items()
    }
    report.facts["output"] = str(output)
    text = json.dumps(report.as_dict(), indent=2, default=str) + "\n"
    save_text(path, text, overwrite=job.sink.overwrite, warn=report.warn)
