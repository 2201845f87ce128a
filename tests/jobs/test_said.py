"""Pictures, sheets and clips of what was said, on a real face."""

from __future__ import annotations

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

from retarget.errors import CannotWrite, NoFaceFound, RetargetError, UnknownWord
from retarget.flow import landmarks
from retarget.flow.report import Report
from retarget.flow.values import Face, HeadPose
from retarget.jobs.act import Actor
from retarget.jobs.draw import DrawSettings
from retarget.jobs.expressions import ExpressionsJob
from retarget.jobs.micro import MicroJob
from retarget.jobs.micro_between import LONGEST, Change, change
from retarget.jobs.micro_clip import read_rate
from retarget.jobs.reframe import Box, around_face, on_face, reframed, within_size
from retarget.jobs.still import StillJob
from retarget.language.say import say

skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "eileen.png"
    Image.fromarray(skimage_data.astronaut()).save(path)
    return path


@pytest.fixture(scope="module")
def actor(astronaut: Path) -> Actor:
    from retarget.face.settings import TrackSettings
    from retarget.generate.settings import WarpSettings
    from retarget.generate.warp.warp import WarpGenerator
    from retarget.jobs.identity import open_identity

    with open_identity(str(astronaut), TrackSettings(), Report()) as lane:
        photo = reframed(lane.first, around_face(lane.first, 2.0), (256, 256))
    return Actor(photo, WarpGenerator(WarpSettings()), Report())


def frames_of(path: Path) -> list[npt.NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


def test_an_expression_moves_the_face_and_leaves_the_corners_alone(actor: Actor) -> None:
    photo = actor.identity.frame.rgb
    shown = actor.show(say("surprise"))
    away = np.abs(shown.astype(int) - photo).sum(2)
    points = actor.identity.face.points[:, :2].round().astype(int)
    mouth = points[list(landmarks.LIPS_OUTER_LOWER)]
    assert away[mouth[:, 1], mouth[:, 0]].mean() > 20
    assert away[-8:, :8].max() == 0


def test_a_stronger_word_moves_more(actor: Actor) -> None:
    photo = actor.show(say("neutral")).astype(int)
    away = [
        np.abs(rgb.astype(int) - photo).mean()
        for rgb in actor.show_each(say("joy") * level for level in (0.25, 0.5, 1.0))
    ]
    assert away == sorted(away)
    assert away[0] > 0


def test_a_reframed_photo_keeps_points_and_pose_together(actor: Actor) -> None:
    photo = actor.identity
    small = reframed(photo, Box(10.0, 20.0, 200.0, 200.0), (100, 100))
    head = photo.pose.to_head(photo.face.points)
    np.testing.assert_allclose(small.pose.to_head(small.face.points), head, atol=1e-4)
    back = small.face.points[:, :2] * 2 + (10.5, 20.5)
    np.testing.assert_allclose(back, photo.face.points[:, :2], atol=1e-3)


def test_a_box_on_a_face_never_leaves_the_photo(actor: Actor) -> None:
    photo = actor.identity
    for size in ((100, 100), (300, 100), (100, 300)):
        for share in (0.05, 0.4, 0.9):
            box = on_face(photo, size, share, 0.42)
            width, height = photo.frame.size
            assert box.left >= 0
            assert box.top >= 0
            assert box.left + box.width <= width + 1e-6
            assert box.top + box.height <= height + 1e-6
            assert box.width / box.height == pytest.approx(size[0] / size[1])


def test_a_photo_that_is_small_enough_stays_as_it_is(actor: Actor) -> None:
    assert within_size(actor.identity, 4000) is actor.identity
    assert max(within_size(actor.identity, 100).frame.size) == 100


def test_a_still_is_as_large_as_the_photo_and_says_that_it_is_synthetic(
    astronaut: Path, tmp_path: Path
) -> None:
    out = tmp_path / "joy.png"
    job = StillJob(identity=(str(astronaut),), expression=("0.7*amusement",), output=out)
    assert job.run() == out
    with Image.open(out) as picture:
        assert picture.size == (512, 512)
        assert "Synthetic" in picture.info["Comment"]


def test_a_still_never_replaces_a_file_unasked(astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "joy.png"
    out.write_bytes(b"mine")
    job = StillJob(identity=(str(astronaut),), expression=("joy",), output=out)
    with pytest.raises(CannotWrite):
        job.run()
    assert out.read_bytes() == b"mine"


def test_a_grid_has_a_tile_for_each_word_and_strength(astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    StillJob(
        identity=(str(astronaut),),
        expression=("joy", "fear"),
        intensity=(0.3, 1.0),
        grid=True,
        tile=96,
        output=out,
    ).run()
    with Image.open(out) as page:
        assert page.width >= 2 * 96
        assert page.height >= 2 * 96


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"expression": ("joy", "fear")}, "--grid"),
        ({"expression": ("jyo",)}, "joy"),
        ({"intensity": (1.5,)}, "0 to 1"),
        ({"intensity": tuple([0.5] * 6000), "grid": True}, "5000 are the most"),
        ({"expression": ("from:nothing.png",)}, "nothing.png"),
    ],
)
def test_a_still_that_cannot_be_is_refused_before_anything_is_written(
    astronaut: Path, tmp_path: Path, change: dict[str, object], about: str
) -> None:
    job = StillJob(identity=(str(astronaut),), expression=("joy",), output=tmp_path / "a.png")
    with pytest.raises(RetargetError, match=about):
        replace(job, **change).run()
    assert not list(tmp_path.iterdir())


def test_a_template_without_a_face_is_named(astronaut: Path, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), (90, 120, 90)).save(wall)
    job = StillJob(
        identity=(str(astronaut),), expression=(f"from:{wall}",), output=tmp_path / "a.png"
    )
    with pytest.raises(NoFaceFound, match=r"wall\.png"):
        job.run()


def test_a_template_of_the_same_photo_gives_the_photo_back(astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "same.png"
    StillJob(identity=(str(astronaut),), expression=(f"from:{astronaut}",), output=out).run()
    with Image.open(out) as picture:
        away = np.abs(np.asarray(picture).astype(int) - skimage_data.astronaut()).mean()
    assert away < 2.0


def test_a_preset_says_an_expression_as_the_command_line_does(tmp_path: Path) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text(
        'expression = ["0.6*joy + R12A", "fear"]\nintensity = [0.5, 1]\nwords = "w.toml"\n'
        'grid = true\n[draw]\ngenerator = "warp"\n'
    )
    still = StillJob.from_preset(str(preset))
    assert still.expression == ("0.6*joy + R12A", "fear")
    assert still.intensity == (0.5, 1)
    assert still.words == Path("w.toml")
    preset.write_text('expression = "fear:0.3"\nonset_ms = 90\n[blinking]\nblinks = true\n')
    clip = MicroJob.from_preset(str(preset))
    assert (clip.expression, clip.onset_ms, clip.blinking.blinks) == ("fear:0.3", 90.0, True)


@pytest.mark.parametrize(
    ("text", "about"),
    [("expresion = 'joy'", "expression"), ("expression = 3", "must be a list"),
     ("expression = [3]", "must be a list"), ("grid = 1", "must be true or false")],
)  # fmt: skip
def test_a_mistake_in_a_preset_is_a_sentence(tmp_path: Path, text: str, about: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(RetargetError, match=about):
        StillJob.from_preset(str(tmp_path / "mine.toml"))


def test_the_pixels_are_the_same_with_any_number_of_threads(tmp_path: Path) -> None:
    face = Image.fromarray(skimage_data.astronaut()).crop((60, 0, 380, 320)).resize((1280, 1280))
    face.save(tmp_path / "large.png")
    drawn = []
    for threads in (1, 2):
        out = tmp_path / f"{threads}.png"
        with threadpool_limits(threads, user_api="blas"):
            StillJob(
                identity=(str(tmp_path / "large.png"),), expression=("surprise",), output=out
            ).run()
        drawn.append(out.read_bytes())
    assert drawn[0] == drawn[1]


def test_the_list_names_every_word_under_its_emotion() -> None:
    told = ExpressionsJob().run()
    assert isinstance(told, str)
    assert "135 expressions." in told
    assert "sadness · sympathy" in told


def test_a_search_finds_words_by_action_unit() -> None:
    told = ExpressionsJob(search=("AU9",)).run()
    assert isinstance(told, str)
    assert "disgust" in told
    assert "happiness" not in told


@pytest.mark.parametrize("asked", ["smile", "lip corner puller", "12D", "AU12D"])
def test_a_search_looks_into_what_the_words_do(asked: str) -> None:
    told = ExpressionsJob(search=(asked,)).run()
    assert isinstance(told, str)
    assert "amusement" in told
    assert "worry" not in told


def test_words_of_which_none_answers_to_all_are_told_so() -> None:
    with pytest.raises(RetargetError, match="No expression answers to all of AU12, shame"):
        ExpressionsJob(search=("AU12", "shame")).run()


def test_what_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    sheet = ExpressionsJob(head="joy", identity="none.png", sheet=tmp_path / "s.gif")
    for job in (sheet, replace(sheet, sheet=tmp_path / "s.png", strength=3.0)):
        with pytest.raises(RetargetError, match=r"ending|strength"):
            job.run()
    still = StillJob(identity=("none.png",), expression=("joy",), output=tmp_path / "s.gif")
    with pytest.raises(CannotWrite, match="ending"):
        still.run()


def test_a_search_for_nothing_known_offers_the_nearest_word() -> None:
    with pytest.raises(UnknownWord) as problem:
        ExpressionsJob(search=("jealosy",)).run()
    assert problem.value.nearest == "jealousy"


def test_the_list_of_units_names_their_sources() -> None:
    told = ExpressionsJob(units=True).run()
    assert isinstance(told, str)
    assert "lip corner puller" in told
    assert "from: FACS" in told


def test_a_sheet_draws_the_words_that_were_found(astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    job = ExpressionsJob(head="surprise", sheet=out, identity=str(astronaut), tile=64)
    assert job.run() == out
    with Image.open(out) as page:
        assert page.width >= 3 * 64


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
    ],
)
def test_a_rate_is_read_exactly(text: str, rate: Fraction) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "-5", "fast", "60/0", "nan", "1e3", ""])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RetargetError, match="rate"):
        read_rate(text)


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"onset_ms": -5.0}, "--onset-ms"),
        ({"onset_ms": 10.0}, "less than one frame"),
        ({"rate": "500"}, "frames per second"),
        ({"timeline": "neutral 1s > jyo 1s"}, "joy"),
        ({"identity": None}, "--identity"),
        ({"from_": "a.png"}, "--to"),
        ({"intensity": 2.0}, "0 to 1"),
    ],
)
def test_an_impossible_clip_is_refused_and_nothing_is_written(
    astronaut: Path, tmp_path: Path, change: dict[str, object], about: str
) -> None:
    with pytest.raises(RetargetError, match=about):
        micro(astronaut, tmp_path / "clip.mp4", **change).run()
    assert not list(tmp_path.iterdir())


def test_a_change_between_two_pictures_begins_with_one_and_ends_with_the_other(
    actor: Actor, tmp_path: Path
) -> None:
    pictures = [actor.identity.frame.rgb, actor.show(say("0.8*surprise"))]
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
    actor: Actor, tmp_path: Path
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
