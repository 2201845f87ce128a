"""What the main job refuses, and what it never harms."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from outside import needs_tracker

from retarget.errors import CannotWrite, NoFaceFound, RetargetError, UnreadableInput
from retarget.flow.report import Report
from retarget.jobs.fit import FitJob
from retarget.jobs.video import VideoJob
from retarget.sink.settings import SinkSettings
from retarget.source.settings import SourceSettings


def test_an_interrupt_leaves_no_file_behind(drive: Path, photo: Path, tmp_path: Path) -> None:
    class Interrupted:
        def advance(self, done: int, total: int | None) -> None:
            if done == 5:
                raise KeyboardInterrupt

        def warn(self, line: str) -> None: ...

    out = tmp_path / "out.mp4"
    job = VideoJob(driving=str(drive), identity=str(photo), output=out, preview=True)
    with pytest.raises(KeyboardInterrupt):
        job.run(Report(bar=Interrupted()))
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("retarget-")]


def test_a_result_of_no_kind_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    job = VideoJob(driving="none.mp4", identity="none.jpg", output=tmp_path / "out.xyz")
    with pytest.raises(CannotWrite, match=r"out\.xyz"):
        job.run()


def test_a_performance_of_no_kind_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match=r"no kind of performance '\.mp4'"):
        FitJob(driving="none.mp4", output=tmp_path / "out.mp4").run()
    with pytest.raises(CannotWrite, match="not to a stream"):
        FitJob(driving="none.mp4", output=Path("-")).run()


def test_a_link_that_leads_round_in_a_circle_is_no_file(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(UnreadableInput, match=r"no file .*loop\.mp4"):
        VideoJob(driving=str(loop), identity=str(photo), output=tmp_path / "out.mp4").run()
    for output, about in ((loop, "there already"), (loop / "out.mp4", "no folder")):
        with pytest.raises(CannotWrite, match=about):
            VideoJob(driving=str(drive), identity=str(photo), output=output).run()
    assert list(tmp_path.iterdir()) == [loop]


def test_an_existing_result_is_kept(drive: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    with pytest.raises(CannotWrite, match=r"there already|exists"):
        VideoJob(driving=str(drive), identity=str(photo), output=out).run()
    assert out.read_bytes() == b"mine"


def test_the_driving_video_is_never_written_over(drive: Path, photo: Path) -> None:
    before = drive.read_bytes()
    with pytest.raises(CannotWrite, match="also read"):
        VideoJob(driving=str(drive), identity=str(photo), output=drive).run()
    assert drive.read_bytes() == before


@pytest.mark.parametrize("also", ["report", "preview"])
def test_nothing_that_is_read_is_written_over_by_what_goes_beside_the_result(
    drive: Path, photo: Path, tmp_path: Path, also: str
) -> None:
    read = tmp_path / "out_preview.mp4"
    read.write_bytes(drive.read_bytes())
    asked = {"report": read} if also == "report" else {"preview": True}
    job = VideoJob(
        driving=str(read), identity=str(photo), output=tmp_path / "out.mp4",
        sink=SinkSettings(overwrite=True), **asked,
    )  # type: ignore[arg-type]  # fmt: skip
    with pytest.raises(CannotWrite, match="also read"):
        job.run()
    assert read.read_bytes() == drive.read_bytes()


def test_a_name_that_is_long_enough_only_without_a_preview_is_refused(tmp_path: Path) -> None:
    output = tmp_path / f"{250 * 'n'}.mp4"
    job = VideoJob(driving="none.mp4", identity="none.jpg", output=output, preview=True)
    with pytest.raises(CannotWrite, match="too long"):
        job.run()


@pytest.mark.parametrize("name", ["sh010.v002", ""])
def test_a_folder_that_is_there_has_its_preview_in_one_beside_it(
    drive: Path, photo: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sh010.v002"
    folder.mkdir()
    monkeypatch.chdir(tmp_path if name else folder)
    job = VideoJob(
        driving=str(drive), identity=str(photo), output=Path(name), preview=True,
        source=SourceSettings(end=0.1),
    )  # fmt: skip
    job.run()
    assert {path.name: len(list(path.iterdir())) for path in tmp_path.iterdir()} == {
        "sh010.v002": 3, "sh010_v002_preview": 3,
    }  # fmt: skip


def test_pictures_are_not_numbered_over_those_that_are_read(photo: Path, tmp_path: Path) -> None:
    read = tmp_path / "001.jpg"
    read.write_bytes(photo.read_bytes())
    for driving in (tmp_path, read):
        job = VideoJob(
            driving=str(driving), identity=str(photo), output=tmp_path / "%03d.jpg",
            sink=SinkSettings(overwrite=True),
        )  # fmt: skip
        with pytest.raises(CannotWrite, match="also read"):
            job.run()
    assert read.read_bytes() == photo.read_bytes()


def test_a_folder_of_pictures_is_not_filled_anew_over_one_that_is_read(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    read = tmp_path / "frame_00001.png"
    read.write_bytes(photo.read_bytes())
    job = VideoJob(
        driving=str(drive), identity=str(read), output=tmp_path, sink=SinkSettings(overwrite=True)
    )
    with pytest.raises(CannotWrite, match="also read"):
        job.run()
    assert read.read_bytes() == photo.read_bytes()


def test_a_saved_performance_does_not_take_the_place_of_what_it_is_read_from(
    tmp_path: Path,
) -> None:
    read = tmp_path / "take.csv"
    read.write_text("a recording")
    with pytest.raises(CannotWrite, match="also read"):
        FitJob(driving=str(read), output=read, overwrite=True).run()
    assert read.read_text() == "a recording"


@pytest.mark.parametrize("name", ["kept.json", "out.mp4", "none/run.json"])
def test_a_report_that_cannot_be_put_there_is_refused_before_any_work(
    drive: Path, photo: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "kept.json").write_text("mine")
    job = VideoJob(
        driving=str(drive), identity=str(photo), output=tmp_path / "out.mp4",
        report=tmp_path / name,
    )  # fmt: skip
    said = {"kept.json": "there already", "out.mp4": "also written to"}.get(name, "no folder")
    with pytest.raises(CannotWrite, match=said):
        job.run()
    assert [p.name for p in tmp_path.iterdir()] == ["kept.json"]
    assert (tmp_path / "kept.json").read_text() == "mine"


def test_a_photo_without_a_face_is_refused(drive: Path, tmp_path: Path) -> None:
    from PIL import Image

    empty = tmp_path / "wall.png"
    Image.fromarray(np.full((300, 300, 3), 180, np.uint8)).save(empty)
    with pytest.raises(NoFaceFound, match=r"wall\.png"):
        VideoJob(driving=str(drive), identity=str(empty), output=tmp_path / "o.mp4").run()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["wall.png"]


@needs_tracker
def test_a_picture_that_drives_a_clip_is_taken_for_a_mistake(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    job = VideoJob(driving=str(photo), identity=str(drive), output=tmp_path / "o.mp4")
    with pytest.raises(RetargetError, match=r"face\.jpg is one picture.* --identity .*face\.jpg"):
        job.run()
    assert not list(tmp_path.iterdir())


def test_a_picture_may_drive_a_picture(photo: Path) -> None:
    (finished,) = VideoJob(driving=str(photo), identity=str(photo)).frames()
    assert finished.request is not None


def test_a_performance_is_no_identity(drive: Path, tmp_path: Path) -> None:
    saved = FitJob(driving=str(drive), output=tmp_path / "drive.csv").run()
    with pytest.raises(UnreadableInput, match="saved performance"):
        next(VideoJob(driving=str(drive), identity=str(saved)).frames())


def test_a_neutral_without_a_face_is_named(drive: Path, photo: Path, tmp_path: Path) -> None:
    from PIL import Image

    from retarget.expression.settings import RestSettings

    wall = tmp_path / "wall.png"
    Image.fromarray(np.full((300, 300, 3), 180, np.uint8)).save(wall)
    rest = RestSettings(neutral=str(wall))
    with pytest.raises(NoFaceFound, match=r"neutral .*wall\.png"):
        next(VideoJob(driving=str(drive), identity=str(photo), rest=rest).frames())


def test_a_driving_video_that_never_shows_a_face_says_so(photo: Path, tmp_path: Path) -> None:
    from tests.jobs.conftest import SAMPLES, cut_out

    wall = tmp_path / "wall.mp4"
    cut_out(SAMPLES / "drive.mp4", wall, 0, 12, empty=range(12))
    with pytest.raises(NoFaceFound, match=r"wall\.mp4"):
        VideoJob(driving=str(wall), identity=str(photo), output=tmp_path / "o.mp4").run()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["wall.mp4"]


@pytest.mark.parametrize(
    "content", [None, b"", b"not a video at all\n" * 50], ids=["missing", "empty", "text"]
)
def test_what_is_no_video_is_refused_in_a_sentence(
    photo: Path, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableInput) as problem:
        VideoJob(driving=str(path), identity=str(photo), output=tmp_path / "o.mp4").run()
    assert "clip.mp4" in problem.value.what
    assert not (tmp_path / "o.mp4").exists()


@needs_tracker
@pytest.mark.parametrize("neutral", ["soon", "9999", "1:00:00"])
def test_a_neutral_that_is_not_there_is_refused(drive: Path, photo: Path, neutral: str) -> None:
    from retarget.expression.settings import RestSettings

    job = VideoJob(driving=str(drive), identity=str(photo), rest=RestSettings(neutral=neutral))
    with pytest.raises(RetargetError, match="neutral"):
        next(job.frames())
