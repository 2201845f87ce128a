"""Pictures of what was said, on a real face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from outside import needs_tracker
from PIL import Image
from threadpoolctl import threadpool_limits

from retarget.errors import CannotWrite, NoFaceFound, RetargetError
from retarget.flow import landmarks
from retarget.flow.report import Report
from retarget.flow.values import HeadPose
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator
from retarget.jobs.act import Actor
from retarget.jobs.draw import DrawSettings
from retarget.jobs.micro import MicroJob
from retarget.jobs.reframe import Box, on_face, reframed, within_size
from retarget.jobs.still import StillJob
from retarget.language.say import say


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


@pytest.mark.parametrize(("said", "told"), [("head(left=30)", 1), ("joy + head(left=10)", 0)])
def test_a_head_that_cannot_turn_as_far_as_is_said_is_told_of(
    astronaut: Path, tmp_path: Path, said: str, told: int
) -> None:
    report = Report()
    out = tmp_path / "turned.png"
    StillJob(identity=(str(astronaut),), expression=(said,), output=out).run(report)
    assert sum("turns less" in line for line in report.warnings) == told


@pytest.mark.parametrize(
    ("said", "yaw", "told"),
    [
        ("contempt", -35.0, 1), ("contempt", 35.0, 0), ("contempt", -10.0, 0),
        ("left_contempt", 35.0, 1), ("left_contempt", -35.0, 0), ("joy", -35.0, 0),
        ("wink", -35.0, 0), ("wink", 35.0, 1),
    ],
)  # fmt: skip
def test_a_corner_of_the_mouth_that_hardly_anybody_would_see_move_is_told_of(
    actor: Actor, said: str, yaw: float, told: int
) -> None:
    rotation = HeadPose.rotation_of(yaw, 0.0, 0.0)
    photo = replace(actor.identity, pose=replace(actor.identity.pose, rotation=rotation))
    report = Report()
    Actor(photo, WarpGenerator(WarpSettings()), report).show(say(said))
    assert sum("turned away" in line for line in report.warnings) == told


def test_the_room_keeps_still_behind_a_head_that_turns_and_not_before(actor: Actor) -> None:
    photo, before = actor.identity.frame.rgb, actor.show(say("joy"))
    turned = actor.show(say("head(left=10)"))
    assert (turned != photo).mean() > 0.3
    np.testing.assert_array_equal(turned[:, -24:], photo[:, -24:])
    np.testing.assert_array_equal(actor.show(say("joy")), before)


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
            box = on_face(photo, size, (share, share), 0.42)
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


@needs_tracker
@pytest.mark.parametrize("read", ["expression", "words"])
def test_a_still_never_takes_the_place_of_what_was_read_for_it(
    astronaut: Path, tmp_path: Path, read: str
) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(astronaut.read_bytes())
    words = tmp_path / "words.toml"
    words.write_text(f'[groups.mine]\nangry = "from:{out}"\n')
    said = {"expression": f"from:{out}", "words": "angry"}
    job = StillJob(
        identity=(str(astronaut),), expression=(said[read],), words=words, output=out,
        overwrite=True,
    )  # fmt: skip
    with pytest.raises(CannotWrite, match="also read"):
        job.run()
    assert out.read_bytes() == astronaut.read_bytes()


def test_settings_of_diffusion_are_told_not_to_count_where_the_warp_draws(
    astronaut: Path, tmp_path: Path
) -> None:
    report = Report()
    StillJob(
        identity=(str(astronaut),),
        expression=("joy",),
        draw=DrawSettings(diffusion=DiffusionSettings(steps=4, seed=1)),
        output=tmp_path / "joy.png",
    ).run(report)
    (told,) = report.warnings
    assert told.startswith("diffusion.steps, diffusion.seed do not count with the generator warp")


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
        away = np.abs(np.asarray(picture).astype(int) - skimage.data.astronaut()).mean()
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
    [("expresion = 'joy'", "expression"), ("expression = true", "must be a list"),
     ("expression = [true]", "must be a list"), ("grid = 1", "must be true or false")],
)  # fmt: skip
def test_a_mistake_in_a_preset_is_a_sentence(tmp_path: Path, text: str, about: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(RetargetError, match=about):
        StillJob.from_preset(str(tmp_path / "mine.toml"))


def test_the_pixels_are_the_same_with_any_number_of_threads(tmp_path: Path) -> None:
    face = Image.fromarray(skimage.data.astronaut()).crop((60, 0, 380, 320)).resize((1280, 1280))
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
