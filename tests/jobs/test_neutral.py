"""Where the driving face is said to be at rest."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from clips import make_clip, number_in
from PIL import Image

from retarget.errors import NoFaceFound, RetargetError, UnreadableInput
from retarget.expression.settings import RestSettings
from retarget.jobs.neutral import neutral_frame, parse_neutral
from retarget.jobs.video import VideoJob
from retarget.source.settings import SourceSettings


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A clip whose first of thirty frames stands at second 10."""
    return make_clip(tmp_path / "late.mp4", stamps=range(250, 280), rate=25)


def test_a_time_is_one_of_the_videos_own_clock(late: Path) -> None:
    found = neutral_frame("10.4s", str(late), SourceSettings())
    assert (found.at.exact, number_in(found.rgb)) == (Fraction(52, 5), 10)


@pytest.mark.parametrize(("word", "number"), [("3", 3), ("29", 29), ("10.4s", 10), ("11s", 25)])
@pytest.mark.parametrize("piece", [{"end": 10.2}, {"start": 10.3}])
def test_a_moment_is_one_of_the_whole_video_whichever_piece_drives(
    late: Path, word: str, number: int, piece: dict[str, float]
) -> None:
    settings = SourceSettings(**piece)  # type: ignore[arg-type]
    found = neutral_frame(word, str(late), settings)
    assert number_in(found.rgb) == number


@pytest.mark.parametrize("word", ["11.17s", "12s", "30"])
def test_what_lies_after_the_end_is_said_of_the_neutral(late: Path, word: str) -> None:
    with pytest.raises(UnreadableInput, match=f"neutral '{word}'"):
        neutral_frame(word, str(late), SourceSettings())


@pytest.mark.parametrize("word", ["9" * 30, "9" * 200])
def test_a_number_that_no_video_counts_to_is_one_sentence(late: Path, word: str) -> None:
    with pytest.raises(RetargetError, match="neutral '9999"):
        neutral_frame(word, str(late), SourceSettings())


def test_a_neutral_that_may_not_be_looked_for_is_one_sentence() -> None:
    with pytest.raises(UnreadableInput, match="File name too long"):
        parse_neutral("long" * 80 + ".png")


def test_a_neutral_without_a_face_is_said_of_the_neutral(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (300, 300), (80, 120, 80)).save(wall)
    job = VideoJob(driving=str(drive), identity=str(photo), rest=RestSettings(neutral=str(wall)))
    with pytest.raises(NoFaceFound, match=r"neutral .*wall\.png.* no face"):
        next(job.frames())
