"""Finished frames handed over one by one, without any file: whose they are, and when it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from retarget.flow.crop import Crop
from retarget.flow.report import Report
from retarget.flow.values import FaceRequest, FinishedFrame, GeneratedFace, Identity
from retarget.generate.generator import Generator
from retarget.jobs import driving
from retarget.jobs.video import VideoJob
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings


def test_each_frame_is_its_reader_s_to_change(drive_with_gap: Path, photo: Path) -> None:
    job = VideoJob(
        driving=str(drive_with_gap), identity=str(photo), transfer=TransferSettings(lost="hold")
    )
    kept = [finished.frame.rgb.copy() for finished in job.frames()]
    for finished, before in zip(job.frames(), kept, strict=True):
        np.testing.assert_array_equal(finished.frame.rgb, before)
        finished.frame.rgb[:] = 0


def test_leaving_the_loop_over_frames_ends_every_thread(drive: Path, photo: Path) -> None:
    frames = VideoJob(driving=str(drive), identity=str(photo)).frames()
    assert isinstance(next(frames), FinishedFrame)
    frames.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("retarget-")]


def test_a_frame_and_its_report_print_without_their_arrays(drive: Path, photo: Path) -> None:
    report = Report()
    frame = next(VideoJob(driving=str(drive), identity=str(photo)).frames(report))
    for shown in (repr(frame), repr(report)):
        assert "array(" not in shown
        assert " object at " not in shown
    assert len(repr(frame)) < 400, "in a few lines of a terminal"


def test_who_reads_frames_sees_progress_and_each_run_s_own_count(drive: Path, photo: Path) -> None:
    told = []

    class Bar:
        def advance(self, done: int, total: int | None) -> None:
            told.append(done)

        def warn(self, line: str) -> None: ...

    report = Report(bar=Bar())
    job = VideoJob(driving=str(drive), identity=str(photo), source=SourceSettings(end=0.2))
    for _ in range(2):
        count = len(list(job.frames(report)))
        assert report.frames == count == 5
    assert told == 2 * [1, 2, 3, 4, 5]


class Grey:
    """A generator of somebody's own: a grey square in the middle of the face."""

    name = "grey"

    def __init__(self) -> None:
        self.prepared: list[Identity] = []

    def prepare(self, identity: Identity) -> None:
        self.prepared.append(identity)

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        for request in frames:
            x, y = request.points[:, :2].mean(0)
            crop = Crop.box(round(x), round(y), 8, 8)
            yield GeneratedFace(request=request, rgb=np.full((8, 8, 3), 128, np.uint8), crop=crop)


def test_a_generator_of_one_s_own_draws_the_faces(drive: Path, photo: Path) -> None:
    grey = Grey()

    class MyJob(VideoJob):
        def face_generator(self, report: Report) -> Generator:
            return grey

    job = MyJob(driving=str(drive), identity=str(photo), source=SourceSettings(end=0.2))
    finished = list(job.frames())
    (identity,) = grey.prepared
    assert len(finished) == 5
    for frame in finished:
        changed = (frame.frame.rgb != identity.frame.rgb).any(2)
        assert 0 < changed.sum() <= 64
        assert (frame.frame.rgb[changed] == 128).all()


@pytest.mark.parametrize("kept", [slice(2), slice(2, None), slice(None, None, -1)])
def test_a_generator_that_draws_other_faces_than_those_asked_for_leaves_no_video(
    drive: Path, photo: Path, tmp_path: Path, kept: slice
) -> None:
    """As one that collects batches and forgets the last."""

    class Forgets(Grey):
        def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
            return iter(list(super().__call__(frames))[kept])

    class MyJob(VideoJob):
        def face_generator(self, report: Report) -> Generator:
            return Forgets()

    source, output = SourceSettings(end=0.2), tmp_path / "out.mp4"
    with pytest.raises(ValueError, match="grey drew"):
        MyJob(driving=str(drive), identity=str(photo), source=source, output=output).run()
    assert not output.exists()


def test_a_clip_s_pictures_without_a_face_pass_unchanged(drive: Path, drive_with_gap: Path) -> None:
    said = Report()
    job = VideoJob(driving=str(drive), identity=str(drive_with_gap))
    finished = list(job.frames(said))
    with open_source(str(drive_with_gap)) as source:
        own = [frame.rgb for frame in source.frames()]
    same = [np.array_equal(f.frame.rgb, o) for f, o in zip(finished, own, strict=False)]
    assert same == [10 <= k < 18 for k in range(24)]
    assert [line for line in said.warnings if "no face" in line]


def ours() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("retarget-")]


def test_frames_end_with_their_block_whoever_still_knows_them(drive: Path, photo: Path) -> None:
    with VideoJob(driving=str(drive), identity=str(photo)).frames() as frames:
        next(frames)
        assert ours()
    assert ours() == []
    assert list(frames) == []


def test_an_asyncio_task_that_reads_frames_on_threads_can_be_cancelled_at_any_time(
    drive: Path, photo: Path
) -> None:
    async def read(begun: asyncio.Event) -> None:
        with VideoJob(driving=str(drive), identity=str(photo)).frames() as frames:
            while True:
                begun.set()
                await asyncio.to_thread(next, frames)

    async def program() -> list[str]:
        begun = asyncio.Event()
        reading = asyncio.create_task(read(begun))
        await begun.wait()
        await asyncio.sleep(0.2)  # so that the thread is in the middle of it
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        return ours()

    assert asyncio.run(program()) == []


def test_a_second_process_changes_no_pixel_and_nothing_that_is_told(
    drive_with_gap: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = VideoJob(driving=str(drive_with_gap), identity=str(photo))
    alone, together = Report(), Report()
    kept = [finished.frame.rgb for finished in job.frames(alone)]
    monkeypatch.setattr(driving, "_FEWEST", 1)
    monkeypatch.setattr(driving, "second_process_pays", lambda: True)
    monkeypatch.setattr(driving._Performance, "tracked", None)  # so it cannot be done in this one
    for finished, before in zip(job.frames(together), kept, strict=True):
        np.testing.assert_array_equal(finished.frame.rgb, before)
    assert together.away == alone.away != []
    assert together.warnings == alone.warnings
    assert together.facts == alone.facts
    assert together.stages().keys() == alone.stages().keys()


def test_a_short_clip_is_followed_without_a_second_process(
    drive: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "second_process_pays", lambda: pytest.fail("nobody asks"))
    with VideoJob(driving=str(drive), identity=str(photo)).frames() as frames:
        next(frames)
