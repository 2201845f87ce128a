"""Clips of what was said, and changes from one picture to another."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from outside import needs_tracker
from PIL import Image
from programs import run

from retarget.errors import CannotWrite, RetargetError
from retarget.flow import landmarks
from retarget.flow.report import Report
from retarget.flow.spoken_time import read_rate
from retarget.flow.values import Face, HeadPose
from retarget.jobs.act import Actor
from retarget.jobs.draw import DrawSettings
from retarget.jobs.micro import MicroJob
from retarget.jobs.micro_between import LONGEST, Change, change
from retarget.jobs.reframe import Box, reframed
from retarget.language.say import say
from retarget.language.settings import BlinkSettings
from retarget.sink.settings import SinkSettings


def frames_of(path: Path) -> list[npt.NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


def micro(astronaut: Path, out: Path, **more: object) -> MicroJob:
    job = MicroJob(
        identity=str(astronaut),
        expression="surprise",
        intensity=1.0,
        onset_ms=100,
        apex_ms=50,
        offset_ms=150,
        before_ms=200,
        after_ms=200,
        rate="30",
        output=out,
    )
    return replace(job, **more)


def test_a_clip_has_the_frames_of_its_timeline_and_its_apex_where_it_was_said(
    astronaut: Path, tmp_path: Path
) -> None:
    clip = micro(astronaut, tmp_path / "clip.mp4", table=tmp_path / "clip.csv").run()
    frames = frames_of(clip)
    assert len(frames) == 21
    away = [np.abs(f.astype(int) - frames[0]).mean() for f in frames]
    apex = (0.2 + 0.1 + 0.025) * 30
    assert abs(int(np.argmax(away)) - apex) <= 1
    with (tmp_path / "clip.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    commanded = [float(row["AU26"]) for row in rows]
    assert abs(int(np.argmax(commanded)) - apex) <= 1
    assert rows[0]["AU26"] == "0.00000"


def test_a_clip_at_a_broadcast_rate_keeps_exact_times(astronaut: Path, tmp_path: Path) -> None:
    clip = micro(astronaut, tmp_path / "clip.mp4", rate="29.97").run()
    with av.open(str(clip)) as container:
        times = [f.pts * f.time_base for f in container.decode(video=0)]
    assert times[1] - times[0] == Fraction(1001, 30000)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60", Fraction(60)),
        ("60000/1001", Fraction(60000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("12.5", Fraction(25, 2)),
        (str(30000 / 1001), Fraction(30000, 1001)),
        (str(100 / 3), Fraction(100, 3)),
    ],
)
def test_a_rate_is_read_exactly(text: str, rate: Fraction) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["0", "-5", "fast", "60/0", "60/00", "0.00000001", "nan", "1e3", ""]
)
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RetargetError, match="rate"):
        read_rate(text)


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"onset_ms": -5.0}, "onset_ms must lie in"),
        ({"onset_ms": 10.0}, "less than one frame"),
        ({"rate": "500"}, "frames per second"),
        ({"identity": None}, "--identity"),
        ({"intensity": 2.0}, "intensity must lie in"),
    ],
)
def test_an_impossible_clip_is_refused_and_nothing_is_written(
    astronaut: Path, tmp_path: Path, change: dict[str, object], about: str
) -> None:
    with pytest.raises(RetargetError, match=about):
        micro(astronaut, tmp_path / "clip.mp4", **change).run()
    assert not list(tmp_path.iterdir())


@needs_tracker
@pytest.mark.skipif(sys.platform == "win32", reason="limits on file size are POSIX")
def test_a_disk_too_full_for_a_table_is_one_sentence(astronaut: Path, tmp_path: Path) -> None:
    told = run(f"""
        import resource
        from retarget.errors import CannotWrite
        from retarget.jobs.micro import MicroJob
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        try:
            MicroJob(
                identity={str(astronaut)!r}, output={str(tmp_path / "c.mp4")!r},
                table={str(tmp_path / "c.csv")!r},
            ).run()
        except CannotWrite as problem:
            print("told:", problem.what)
    """)
    assert "told: There is no room left for " in told.stdout, told.stderr
    assert "c.csv" in told.stdout
    assert list(tmp_path.glob("*c.*")) == []


@pytest.mark.parametrize("written", ["output", "table"])
@pytest.mark.parametrize("asked", ["expression", "timeline", "from_"])
def test_a_clip_never_takes_the_place_of_what_was_read_for_it(
    astronaut: Path, drive: Path, tmp_path: Path, asked: str, written: str
) -> None:
    kept = drive if written == "output" else astronaut
    read = tmp_path / f"read{kept.suffix}"
    read.write_bytes(kept.read_bytes())
    said = {"expression": f"from:{read}", "timeline": f"from:{read} 1s", "from_": str(read)}
    other = {("to" if asked == "from_" else "identity"): str(astronaut)}
    to = {"output": tmp_path / "clip.mp4", written: read}
    job = MicroJob(sink=SinkSettings(overwrite=True), **{asked: said[asked]}, **other, **to)
    with pytest.raises(CannotWrite, match="also read"):
        job.run()
    assert read.read_bytes() == kept.read_bytes()


def test_a_table_never_takes_the_place_of_the_timeline_or_the_clip(
    astronaut: Path, tmp_path: Path
) -> None:
    steps = tmp_path / "steps.toml"
    steps.write_text('[[step]]\nexpression = "joy"\nhold_ms = 500\n')
    job = MicroJob(
        identity=str(astronaut), output=tmp_path / "c.mp4", timeline=str(steps), table=steps,
        sink=SinkSettings(overwrite=True),
    )  # fmt: skip
    for table, said in ((steps, "also read"), (tmp_path / "c.mp4", "also written")):
        with pytest.raises(CannotWrite, match=said):
            replace(job, table=table).run()
    assert steps.read_text().startswith("[[step]]")


@pytest.mark.parametrize(
    ("job", "idle"),
    [
        (
            MicroJob(identity="a.png", timeline="joy 1s", intensity=0.9, before_ms=100),
            r"^--intensity and --before-ms do not count beside --timeline\.",
        ),
        (
            MicroJob(set=Path("set.toml"), rate="30", blinking=BlinkSettings(blinks=True)),
            r"^--rate and --blinks do not count beside --set\. .*set\.toml",
        ),
        (MicroJob(set=Path("set.toml"), rate="60"), "^--rate does not count beside --set"),
        (
            MicroJob(
                set=Path("set.toml"), identity="a.png", timeline="joy 1s", table=Path("a.csv")
            ),
            "^--identity, --timeline and --table do not count",
        ),
        (
            MicroJob(from_="a.png", to="b.png", expression="joy"),
            "^--expression does not count beside --from and --to",
        ),
    ],
)
def test_an_option_that_would_not_count_is_refused(job: MicroJob, idle: str) -> None:
    with pytest.raises(RetargetError, match=idle):
        job.run()


@pytest.mark.parametrize(
    ("job", "about"),
    [
        (MicroJob(identity="a.png", timeline="neutral 1s > jyo 1s"), "joy"),
        (MicroJob(from_="a.png", onset_ms=100, rate="30"), "--to"),
    ],
)
def test_what_counts_is_read(job: MicroJob, about: str) -> None:
    with pytest.raises(RetargetError, match=about):
        job.run()


def test_a_change_shorter_than_a_frame_is_refused(astronaut: Path, tmp_path: Path) -> None:
    job = MicroJob(
        from_=str(astronaut), to=str(astronaut), onset_ms=20, rate="30", output=tmp_path / "c.mp4"
    )
    with pytest.raises(RetargetError, match=r"the change.* \(--onset-ms\) lasts 20 ms, less"):
        job.run()
    assert not list(tmp_path.iterdir())


def test_a_change_between_two_pictures_begins_with_one_and_ends_with_the_other(
    actor: Actor, tmp_path: Path
) -> None:
    pictures = [actor.identity.frame.rgb, actor.show(say("jawOpen=0.7"))]
    for name, rgb in zip("ab", pictures, strict=True):
        Image.fromarray(rgb).save(tmp_path / f"{name}.png")
    clip = MicroJob(
        from_=str(tmp_path / "a.png"),
        to=str(tmp_path / "b.png"),
        onset_ms=200,
        before_ms=100,
        after_ms=100,
        rate="30",
        output=tmp_path / "c.mp4",
        table=tmp_path / "c.csv",
    ).run()
    frames = frames_of(clip)
    assert len(frames) == 12
    with (tmp_path / "c.csv").open(newline="") as file:
        opened = [float(line["jawOpen"]) for line in csv.DictReader(file)]
    assert len(opened) == 12
    assert opened == sorted(opened)
    assert opened[-1] > opened[0] + 0.15
    first, last, one, two = (p.astype(int) for p in (frames[0], frames[-1], *pictures))
    mouth = actor.identity.face.points[list(landmarks.LIPS_OUTER_LOWER), :2].round().astype(int)
    (left, top), (right, bottom) = mouth.min(0) - 8, mouth.max(0) + 8
    inside = np.s_[top:bottom, left:right]
    apart = np.abs(one - two)[inside].mean()
    assert np.abs(first - one)[inside].mean() < 0.15 * apart
    assert np.abs(last - two)[inside].mean() < 0.2 * apart


def test_heads_turned_far_apart_are_joined_with_a_warning(actor: Actor) -> None:
    photo = actor.identity
    for yaw, warned in ((20.0, False), (40.0, True)):
        turned = HeadPose.rotation_of(yaw, 0.0, 0.0) @ photo.pose.rotation
        other = replace(photo, pose=replace(photo.pose, rotation=turned))
        report = Report()
        change = Change(photo, other, DrawSettings().open(report), report)
        change.warn()
        assert change.apart == pytest.approx(yaw, abs=0.5)
        assert any("turned 40°" in line for line in report.warnings) is warned
        assert not any("different people" in line for line in report.warnings)


def test_a_change_from_one_person_to_another_is_drawn_with_a_warning(
    astronaut: Path, tmp_path: Path
) -> None:
    other = Path(__file__).parents[2] / "samples" / "drive.mp4"
    report = Report()
    clip = MicroJob(
        from_=str(astronaut), to=str(other), before_ms=50, after_ms=50, rate="30",
        output=tmp_path / "c.mp4",
    ).run(report)  # fmt: skip
    assert clip.exists()
    assert any("two different people" in line for line in report.warnings)


def test_a_change_between_large_photos_is_no_longer_than_can_be_drawn(actor: Actor) -> None:
    photo = actor.identity
    width, height = photo.frame.size
    large = reframed(photo, Box(0, 0, width, height), (2400, round(2400 * height / width)))
    size = change(large, large, DrawSettings().open(Report()), Report()).size
    assert max(size) == LONGEST
    assert size[0] / size[1] == pytest.approx(width / height, abs=0.01)


def test_a_change_before_another_background_shows_what_both_pictures_have(
    actor: Actor,
) -> None:
    photo = actor.identity
    width, height = photo.frame.size
    rgb = 255 - photo.frame.rgb  # another background, whoever is before it
    low, high = photo.face.points.min(axis=0), photo.face.points.max(axis=0)
    left, bottom = int(low[0] / 2), int((high[1] + height) / 2)
    points = photo.face.points - (left, 0, 0)
    other = replace(
        photo,
        frame=replace(photo.frame, rgb=np.ascontiguousarray(rgb[:bottom, left:])),
        face=Face(points=points.astype(np.float32)),
        pose=replace(photo.pose, translation=photo.pose.translation - (left, 0, 0)),
    )
    report = Report()
    way = change(photo, other, DrawSettings().open(report), report)
    assert not way.one_camera
    assert way.size[0] == pytest.approx(width - left, abs=4)
    assert way.size[1] == pytest.approx(bottom, abs=4)
    last = [f.frame.rgb for f in way.frames([0.0, 1.0], Fraction(30))][1]
    shown = rgb[1 : way.size[1] - 1, left + 1 : left + way.size[0] - 1].astype(int)
    off = [
        np.abs(last[y : y + shown.shape[0], x : x + shown.shape[1]].astype(int) - shown).mean()
        for y in range(3) for x in range(3)
        if last[y : y + shown.shape[0], x : x + shown.shape[1]].shape == shown.shape
    ]  # fmt: skip
    assert min(off) < 3


@pytest.mark.parametrize("by_file", [False, True])
def test_a_clip_without_a_name_is_not_called_after_what_it_does_not_show(
    astronaut: Path, tmp_path: Path, by_file: bool
) -> None:
    face = tmp_path / "face.png"
    face.write_bytes(astronaut.read_bytes())
    steps = tmp_path / "steps.toml"
    steps.write_text('[[step]]\nexpression = "joy"\nhold_ms = 100\n')
    job = MicroJob(identity=str(face), timeline=str(steps) if by_file else "joy 0.1s", rate="10")
    assert job.run().name == ("face_steps.mp4" if by_file else "face_timeline.mp4")
