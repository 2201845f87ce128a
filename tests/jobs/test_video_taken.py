"""A name that something else takes while its file is made: neither of the two is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av

from retarget.flow.report import Report
from retarget.jobs.fit import FitJob
from retarget.jobs.video import VideoJob
from retarget.source.settings import SourceSettings


class At:
    """A progress bar that does something after so many frames."""

    def __init__(self, number: int, do: Callable[[], object]) -> None:
        self._number, self._do = number, do
        self.told: list[str] = []

    def advance(self, done: int, total: int | None) -> None:
        if done == self._number:
            self._do()

    def warn(self, line: str) -> None:
        self.told.append(line)


def test_a_result_whose_name_was_taken_while_it_was_made_is_kept_beside_it_and_told(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    out, account = tmp_path / "out.mp4", tmp_path / "run.json"
    job = VideoJob(
        driving=str(drive), identity=str(photo), output=out, report=account,
        source=SourceSettings(end=0.2),
    )  # fmt: skip
    bar = At(3, lambda: (out.write_text("theirs"), account.write_text("theirs")))
    written = job.run(Report(bar=bar))
    assert written == tmp_path / "out_2.mp4"
    with av.open(str(written)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 5
    assert (out.read_text(), account.read_text()) == ("theirs", "theirs")
    told = json.loads((tmp_path / "run_2.json").read_text())
    assert told["output"] == str(written)
    assert told["warnings"] == bar.told[:1]
    assert bar.told == [
        f"Another program made {out} meanwhile, so the result is {written}.",
        f"Another program made {account} meanwhile, so the result is {tmp_path / 'run_2.json'}.",
    ]


def test_a_performance_whose_name_was_taken_meanwhile_is_kept_too(
    drive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.npz"
    bar = At(3, lambda: out.write_text("theirs"))
    job = FitJob(driving=str(drive), output=out, source=SourceSettings(end=0.2))
    assert job.run(Report(bar=bar)) == tmp_path / "a_2.npz"
    assert out.read_text() == "theirs"
    assert bar.told == [
        f"Another program made {out} meanwhile, so the result is {tmp_path / 'a_2.npz'}."
    ]


def test_a_performance_without_a_name_is_called_after_its_video_and_replaces_nothing(
    drive: Path, tmp_path: Path
) -> None:
    driving = tmp_path / "d.mp4"
    driving.write_bytes(drive.read_bytes())
    job = FitJob(driving=str(driving), source=SourceSettings(end=0.2))
    assert [job.run(), job.run()] == [tmp_path / "d.npz", tmp_path / "d_2.npz"]


def test_two_runs_without_a_name_for_their_result_make_two(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    driving = tmp_path / "d.mp4"
    driving.write_bytes(drive.read_bytes())
    job = VideoJob(driving=str(driving), identity=str(photo), source=SourceSettings(end=0.2))
    other: list[Path] = []
    first = job.run(Report(bar=At(2, lambda: other.append(job.run()))))
    names = {first.name, other[0].name}
    assert names == {f"d_as_{photo.stem}.mp4", f"d_as_{photo.stem}_2.mp4"}
    assert {file.name for file in tmp_path.iterdir()} == {"d.mp4", *names}
