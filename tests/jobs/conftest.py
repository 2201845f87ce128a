"""A short real driving clip with sound, and a photo."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data
from PIL import Image
from stories import STORY

from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator
from retarget.jobs.act import Actor
from retarget.jobs.identity import open_identity
from retarget.jobs.reframe import around_face, reframed

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="session")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "eileen.png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A storyboard beside its one photo."""
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "eileen.png")
    path = tmp_path / "story.toml"
    path.write_text(STORY)
    return path


@pytest.fixture(scope="session")
def actor(astronaut: Path) -> Actor:
    """The astronaut's face at 256x256, ready to act."""
    with open_identity(str(astronaut), TrackSettings(), Report()) as lane:
        photo = reframed(lane.first, around_face(lane.first, 2.0), (256, 256))
    return Actor(photo, WarpGenerator(WarpSettings()), Report())


@pytest.fixture(scope="session")
def photo() -> Path:
    return SAMPLES / "face.jpg"


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's seconds 2.4 to 3.6, made small: syllables, a blink, sound."""
    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    cut_out(SAMPLES / "drive.mp4", path, 60, 90)
    return path


@pytest.fixture(scope="session")
def drive_with_gap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames; in 8 of them, from the tenth on, nobody is there."""
    path = tmp_path_factory.mktemp("gap") / "gap.mp4"
    cut_out(SAMPLES / "drive.mp4", path, 40, 64, empty=range(10, 18))
    return path


def cut_out(source: Path, path: Path, first: int, last: int, empty: range = range(0)) -> None:
    """Frames first..last of a clip at half its size, grey where `empty`, its sound along."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=25, options={"crf": "18"})
        picture.width = picture.height = 256
        picture.pix_fmt = "yuv420p"
        sound = out.add_stream_from_template(clip.streams.audio[0])
        for i, frame in enumerate(clip.decode(video=0)):
            if first <= i < last:
                rgb = frame.reformat(width=256, height=256, format="rgb24").to_ndarray()
                if i - first in empty:
                    rgb = np.full_like(rgb, 128)
                out.mux(picture.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(picture.encode(None))
        clip.seek(0)
        end = (last - first) / 25
        for packet in clip.demux(audio=0):
            if packet.dts is not None and packet.pts * packet.time_base < end:
                packet.stream = sound
                out.mux(packet)
