"""What `retarget moments` says of a clip whose moments are known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from outside import needs_tracker
from PIL import Image

from retarget.errors import CannotWrite, RetargetError, UnreadableInput, WrongSetting
from retarget.expression.performance import save_performance
from retarget.expression.settings import MomentsSettings
from retarget.flow.arrays import Picture
from retarget.flow.face_model import face_model
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, RestFace
from retarget.jobs.micro import MicroJob
from retarget.jobs.moments import MomentsJob
from retarget.language.settings import BlinkSettings
from retarget.language.steps import steps_from_text
from retarget.language.timeline import Timeline
from tests.faces import astronaut
from tests.jobs.conftest import SAMPLES

RATE = Fraction(60)


@pytest.fixture
def performance(tmp_path: Path) -> Path:
    """4 s in which a frown flashes up at 2 s, and two blinks."""
    line = Timeline(
        steps_from_text("neutral 1.9s > anger:0.3 100ms/60ms/140ms > neutral 1.8s"),
        blinking=BlinkSettings(blinks=True, per_minute=40, partial=0.0, seed=3),
    )
    assert len(line.blinks) >= 2
    frames = [
        ExpressedFrame(
            index=m.index,
            at=m.at,
            duration=1 / RATE,
            expression=Expression(weights=m.said.weights),
            pose=HeadPose(rotation=np.eye(3), translation=np.zeros(3), scale=100.0),
        )
        for m in line.moments(RATE)
    ]
    rest = RestFace(
        head=face_model().neutral,
        aperture=np.full(2, 0.3, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lip_gap=0.0,
    )
    info = SourceInfo(name="said", size=(64, 64), time_base=1 / RATE, rate=RATE, count=len(frames))
    return save_performance(tmp_path / "said.npz", iter(frames), rest, info)


def test_the_table_json_and_plot_tell_the_same_moments(performance: Path, tmp_path: Path) -> None:
    job = MomentsJob(driving=str(performance), json=tmp_path / "m.json", plot=tmp_path / "m.svg")
    table = job.run()
    told = json.loads((tmp_path / "m.json").read_text())["moments"]
    frowns = [m for m in told if m["kind"] == "brief" and m["regions"][0] == "brows"]
    assert len(frowns) == 1
    assert frowns[0]["seconds"][1] == pytest.approx(2.03, abs=0.035)
    blinks = [m for m in told if m["kind"] == "blink"]
    assert table.startswith(f"{len(blinks)} blinks")
    assert len(blinks) >= 2
    drawn = ElementTree.parse(tmp_path / "m.svg").getroot()
    bands = [e for e in drawn.iter() if e.get("fill-opacity")]
    assert len(bands) == len(told)


def test_an_existing_plot_is_not_replaced_unasked(performance: Path, tmp_path: Path) -> None:
    plot = tmp_path / "m.svg"
    plot.write_text("mine")
    with pytest.raises(CannotWrite):
        MomentsJob(driving=str(performance), plot=plot).run()
    assert plot.read_text() == "mine"


def test_a_file_that_is_no_performance_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(UnreadableInput):
        MomentsJob(driving=str(tmp_path / "a.npz")).run()


@needs_tracker
def test_a_single_picture_is_told_from_a_video_in_which_nothing_happens() -> None:
    with pytest.raises(RetargetError, match="single picture"):
        MomentsJob(driving=str(SAMPLES / "face.jpg")).run()


def test_neither_the_driving_file_nor_a_wrong_ending_is_written(
    performance: Path, tmp_path: Path
) -> None:
    kept = performance.read_bytes()
    with pytest.raises(CannotWrite, match="also read"):
        MomentsJob(driving=str(performance), json=performance, overwrite=True).run()
    with pytest.raises(CannotWrite, match=r"\.svg"):
        MomentsJob(driving=str(performance), plot=tmp_path / "plot.png").run()
    with pytest.raises(CannotWrite, match=r"\.json"):
        MomentsJob(driving=str(performance), json=tmp_path / "moments.csv").run()
    assert performance.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [performance]


def test_a_shortest_that_is_no_shorter_than_the_longest_is_refused() -> None:
    with pytest.raises(WrongSetting, match="shortest"):
        MomentsSettings(shortest=0.5, longest=0.1)


def planted(seed: int, count: int) -> tuple[str, set[str]]:
    """A timeline of rest, talk and brief expressions, and which of its steps are these."""
    chance = random.Random(seed)
    steps, brief = [], set()
    for k in range(count):
        if k % 2:
            for _ in range(chance.randint(3, 5)):
                said = chance.choice(
                    ["jawOpen=0.3", "mouthPucker=0.4", "jawOpen=0.2+mouthFunnel=0.4"]
                )
                steps.append(f"{said} {chance.randint(80, 120)}ms/40ms/{chance.randint(80, 140)}ms")
        steps.append(f"neutral {chance.randint(800, 1200)}ms")
        unit = chance.choice(
            ["(1+2)", "AU4", "AU12", "(1+15)", "AU5", "(9+10)", "(R12+R14)", "AU20"]
        )
        text = f"{chance.uniform(0.4, 0.8):.2f}*{unit}"
        steps.append(f"{text} {chance.randint(70, 180)}ms/60ms/{chance.randint(100, 200)}ms")
        brief.add(text)
    return " > ".join([*steps, "neutral 1s"]), brief


def astronaut_face() -> Picture:
    """A small, laughing face."""
    return astronaut()[0:300, 60:360]


def mannequin_face() -> Picture:
    """The head of samples/drive.mp4, at rest in the first frame."""
    with av.open(SAMPLES / "drive.mp4") as clip:
        return next(clip.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.slow
@pytest.mark.parametrize("face", [astronaut_face, mannequin_face])
def test_expressions_planted_in_a_drawn_clip_are_found_among_talk_and_blinks(
    face: Callable[[], Picture], tmp_path: Path
) -> None:
    Image.fromarray(face()).save(tmp_path / "face.png")
    text, brief = planted(11, 16)
    job = MicroJob(
        identity=str(tmp_path / "face.png"), timeline=text, rate="30", output=tmp_path / "clip.mp4"
    )
    blinking = BlinkSettings(blinks=True, per_minute=20)
    replace(job, blinking=blinking).run()
    MomentsJob(driving=str(tmp_path / "clip.mp4"), json=tmp_path / "m.json").run()
    found = [m["seconds"][1] for m in json.loads((tmp_path / "m.json").read_text())["moments"]
             if m["kind"] == "brief"]  # fmt: skip
    true = [float(e.apex) for e in Timeline(steps_from_text(text)).events if e.text in brief]
    assert len(true) == 16
    hits = sum(any(abs(at - apex) < 0.15 for at in found) for apex in true)
    assert 2 * hits / (len(found) + len(true)) >= 0.8
