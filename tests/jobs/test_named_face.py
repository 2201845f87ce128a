"""Which face of a photo of several, said behind its name."""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from outside import needs_tracker, tracker
from PIL import Image

from retarget.errors import CannotWrite, RetargetError, UnreadableInput
from retarget.face.settings import NamedFace, TrackSettings, named_face, parse_choice
from retarget.flow.report import Report
from retarget.jobs.identity import open_identity
from retarget.jobs.look import Looker
from retarget.jobs.micro import MicroJob
from retarget.jobs.moments import MomentsJob
from retarget.jobs.still import StillJob
from retarget.jobs.story import StoryJob
from retarget.jobs.video import VideoJob
from retarget.sink.settings import SinkSettings

SAMPLES = Path(__file__).parents[2] / "samples"
SIDE = 512


@pytest.fixture(scope="session")
def grey_and_colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face in grey to the left, in colour to the right."""
    with Image.open(SAMPLES / "face.jpg") as face:
        colour = face.convert("RGB").resize((SIDE, SIDE))
    both = Image.new("RGB", (2 * SIDE, SIDE))
    both.paste(colour.convert("L").convert("RGB"), (0, 0))
    both.paste(colour, (SIDE, 0))
    path = tmp_path_factory.mktemp("pair") / "pair.png"
    both.save(path)
    return path


@pytest.fixture
def pair(grey_and_colour: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pair.png"
    path.write_bytes(grey_and_colour.read_bytes())
    return path


def colourful(picture: Path) -> bool:
    with Image.open(picture) as shown:
        return bool(np.ptp(np.asarray(shown.convert("RGB")).astype(int), axis=2).mean() > 10)


def test_a_name_says_which_face_whatever_holds_for_other_pictures(pair: Path) -> None:
    for which, track, side in (("left", "right", 0), ("1", "0", 1), ("700,150", "largest", 1)):
        with open_identity(f"{pair}#{which}", TrackSettings(which=track), Report()) as lane:
            assert lane.first.face.points[:, 0].mean() // SIDE == side


def test_the_driving_face_and_the_identitys_are_each_named(pair: Path) -> None:
    job = VideoJob(driving=f"{pair}#right", identity=f"{pair}#left")
    with job.pipeline(Report()) as pipeline:
        (frame,) = pipeline.frames
    request = frame.request
    assert request is not None
    assert request.driving.tracked is not None
    driving, identity = request.driving.tracked.face, request.identity.face
    assert driving is not None
    assert [face.points[:, 0].mean() // SIDE for face in (driving, identity)] == [1, 0]


def test_a_file_whose_name_has_such_an_ending_is_meant_itself(pair: Path, tmp_path: Path) -> None:
    alike = pair.rename(tmp_path / "pair.png#left")
    assert named_face(str(alike)) == NamedFace(file=str(alike))
    assert named_face("none.png#left") == NamedFace(file="none.png#left")


def test_what_is_no_choice_is_answered_with_those_that_are(pair: Path, tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match="'middle' does not say which") as refused:
        StillJob(identity=(f"{pair}#middle",), expression=("joy",)).run()
    assert "left, right" in refused.value.do
    assert list(tmp_path.iterdir()) == [pair]


def test_a_photo_is_not_written_over_though_its_name_says_which_face(pair: Path) -> None:
    kept, named = pair.read_bytes(), f"{pair}#left"
    jobs = [
        StillJob(identity=(named,), expression=("joy",), output=pair, overwrite=True),
        StillJob(
            identity=(str(SAMPLES / "face.jpg"),), expression=(f"from:{named}",), output=pair,
            overwrite=True,
        ),
        MicroJob(identity=named, output=pair.with_suffix(".mp4"), table=pair,
                 sink=SinkSettings(overwrite=True)),
        VideoJob(driving=str(SAMPLES / "drive.mp4"), identity=named, report=pair,
                 sink=SinkSettings(overwrite=True)),
        MomentsJob(driving=named, json=pair, overwrite=True),
    ]  # fmt: skip
    for job in jobs:
        with pytest.raises(CannotWrite, match="also read from"):
            job.run()
    assert pair.read_bytes() == kept


@needs_tracker
def test_two_characters_of_a_story_come_from_one_photo(pair: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.toml"
    panels = (
        f'[[panel]]\nwho = "{who}"\nexpression = "from:pair.png#{who}"\n'
        for who in ("left", "right")
    )
    story.write_text(
        "size = [120, 160]\n"
        '[characters.left]\nphoto = "pair.png#left"\n'
        '[characters.right]\nphoto = "pair.png#right"\n' + "".join(panels)
    )
    folder = StoryJob(story=story, page=False).run()
    assert [colourful(folder / f"000{n}.png") for n in (1, 2)] == [False, True]


def test_two_identities_of_a_set_come_from_one_photo(pair: Path, tmp_path: Path) -> None:
    asked = tmp_path / "set.toml"
    asked.write_text(
        'identities = ["pair.png#left", "pair.png#right"]\nexpressions = ["joy"]\n'
        "durations = [[100, 100, 100]]\nbefore_ms = 100\nafter_ms = 100\nrate = 25\nsize = 96\n"
    )
    folder = MicroJob(set=asked).run()
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["identity"] for row in rows] == ["pair.png#left", "pair.png#right"]
    assert ["pair-left" in rows[0]["file"], "pair-right" in rows[1]["file"]] == [True, True]
    assert rows[0]["file_sha256"] != rows[1]["file_sha256"]


def test_an_expression_is_read_off_one_of_two_faces_only_where_it_is_named(pair: Path) -> None:
    report = Report()
    with pytest.raises(UnreadableInput, match=r"pair\.png shows 2 faces"):
        Looker(pair.parent, report=report)(pair.name, None)
    Looker(pair.parent, report=report)(f"{pair.name}#left", None)
    assert report.warnings == []


@pytest.fixture
def pair_clip(pair: Path) -> Path:
    """Both of them in a clip of six frames."""
    with Image.open(pair) as shown:
        both = np.asarray(shown.resize((SIDE, SIDE // 2)))
    return make_clip(pair.with_suffix(".mp4"), count=6, picture=lambda _: both)


def test_a_video_tells_once_that_one_of_several_faces_drives(pair_clip: Path) -> None:
    unsaid, said = Report(), Report()
    for report, name in ((unsaid, str(pair_clip)), (said, f"{pair_clip}#right")):
        job = VideoJob(driving=name, identity=str(SAMPLES / "face.jpg"))
        assert len(list(job.frames(report))) == 6
        assert report.facts["faces_at_once"] == 2
    assert said.warnings == []
    (line,) = unsaid.warnings
    (place,) = re.findall(r"pair.mp4 shows several faces, of which the one at (\d+,\d+) is", line)
    assert isinstance(parse_choice(place), tuple), "it can be copied behind the name"


def test_a_video_of_one_face_tells_nothing_of_others() -> None:
    report = Report()
    drive, face = str(SAMPLES / "drive.mp4"), str(SAMPLES / "face.jpg")
    with VideoJob(driving=drive, identity=face).frames(report) as frames:
        assert sum(1 for _ in islice(frames, 20)) == 20
    assert report.warnings == []
    assert "faces_at_once" not in report.facts


def test_a_clip_as_the_identity_tells_that_it_shows_several_faces(pair_clip: Path) -> None:
    unsaid, said = Report(), Report()
    for report, name in ((unsaid, str(pair_clip)), (said, f"{pair_clip}#left")):
        with open_identity(name, tracker(), report):
            pass
    assert ["pair.mp4 shows several faces" in line for line in unsaid.warnings] == [True]
    assert said.warnings == []


def test_a_link_out_of_the_folder_is_no_way_around_with_a_face_either(
    pair: Path, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "link.png").symlink_to(pair)
    with pytest.raises(UnreadableInput, match="lies outside"):
        Looker(inner, confined=True)("link.png#left", None)


def test_no_two_pictures_of_a_grid_are_called_the_same(pair: Path, tmp_path: Path) -> None:
    page, side = tmp_path / "page.png", 64
    StillJob(
        identity=(f"{pair}#left", f"{pair}#right"), expression=("0.5*joy + 0.3*surprise + AU45",),
        intensity=(0.5, 1.0), grid=True, tile=side, output=page,
    ).run()  # fmt: skip
    with Image.open(page) as drawn:
        words = np.asarray(drawn.convert("L")) < 128
    high, wide = words.shape[0] // 2, words.shape[1] // 2
    beneath = {
        words[row * high : (row + 1) * high, left : left + side][-30:].tobytes()
        for row in range(2)
        for left in (6, wide + 3)
    }
    assert len(beneath) == 4
