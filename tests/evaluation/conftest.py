"""Real faces, moved a little: clips whose true motion is known because it is made here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import Observed
from retarget.flow.arrays import Picture
from tests import outside

RATE = 24
COUNT = 36
SIDE = 320


def performance(count: int = COUNT) -> npt.NDArray[np.float64]:
    """(count, 3) how far mouth, brows and eyes go, 0..1; without symmetry in time."""
    t = np.linspace(0, 1, count)
    mouth = np.clip(np.sin(2 * np.pi * 2.2 * t**1.3), 0, 1)
    brows = np.clip(np.sin(2 * np.pi * 1.4 * t + 2.0), 0, 1)
    eyes = np.exp(-(((t - 0.35) / 0.05) ** 2)) + np.exp(-(((t - 0.8) / 0.05) ** 2))
    return np.stack([mouth, brows, eyes], axis=1)


def moved(face: Picture, mouth: float, brows: float, eyes: float) -> Picture:
    """The astronaut's face (320x320) with her mouth opened, brows raised, eyes narrowed."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    far = 20.0 * mouth * np.exp(-(((x - 151) / 34) ** 2))
    start = np.clip((y - 168) / (far + 4), 0, 1)
    end = 1 - np.clip((y - 215) / 50, 0, 1)
    source = y - far * start * end
    source += 8.0 * brows * np.exp(-(((y - 90) / 12) ** 2)) * np.exp(-(((x - 154) / 55) ** 4))
    for eye_x, eye_y in ((126, 110), (181, 113)):
        near = np.exp(-(((x - eye_x) / 15) ** 2) - ((y - eye_y) / 12) ** 2)
        source += 1.2 * eyes * (y - eye_y) * near
    out = cv2.remap(face, x, source.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(out, np.uint8)


def wave(seconds: float) -> npt.NDArray[np.int16]:
    """(1, samples) bursts of noise at uneven times, 16 kHz."""
    rng = np.random.default_rng(5)
    t = np.arange(int(16000 * seconds)) / 16000
    loud = np.sin(2 * np.pi * 1.7 * t**1.4) > 0.2
    return (
        (rng.normal(0, 5000, t.shape) * np.where(loud, 1, 0.1))
        .clip(-32000, 32000)
        .astype(np.int16)[None]
    )


def write_clip(
    path: Path, frames: Sequence[Picture], *, sound_shift: float | None = None, late: float = 0.0
) -> Path:
    """An MP4 of the frames; with sound where `sound_shift` (seconds) is given.

    Args:
        path: where to.
        frames: pictures at 24 a second.
        sound_shift: seconds by which the sound begins after the picture.
        late: seconds by which every frame is shown later.
    """
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=RATE, options={"crf": "14", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        tick = Fraction(1, RATE * 100)
        video.codec_context.time_base = tick
        audio = None
        if sound_shift is not None:
            audio = out.add_stream("aac", rate=16000, layout="mono")
        for i, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = i * 100 + round(late * RATE * 100), tick
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None and sound_shift is not None:
            sound = av.AudioFrame.from_ndarray(wave(len(frames) / RATE), "s16", "mono")
            sound.sample_rate, sound.time_base = 16000, Fraction(1, 16000)
            sound.pts = round(sound_shift * 16000)
            out.mux(audio.encode(sound))
            out.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def face() -> Picture:
    """A real face, 320x320."""
    data = pytest.importorskip("skimage.data", reason="the face is scikit-image's portrait")
    crop = data.astronaut()[20:260, 110:350]
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="session")
def performed(face: Picture) -> list[Picture]:
    """The driving clip's pictures."""
    return [moved(face, *row) for row in performance()]


@pytest.fixture(scope="session")
def other_face() -> Picture:
    """Another person: the one drawn for the sample clip."""
    sample = Path(__file__).resolve().parents[2] / "samples" / "drive.mp4"
    with av.open(str(sample)) as clip:
        picture = next(clip.decode(video=0)).to_ndarray(format="rgb24")
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="session")
def estimators() -> Estimators:
    """dlib only: what every test may rely on."""
    pytest.importorskip("dlib", reason="measuring faces needs retarget[evaluate]")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("landmarker", "arcface", "smirk"):
            patch.setattr(f"retarget.evaluation.model_files.{name}", lambda settings: None)
        return Estimators(EvaluateSettings(faces=4))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """MediaPipe's Tasks bundle, where it is at hand."""
    return outside.bundle()


@pytest.fixture(scope="session")
def clips(
    tmp_path_factory: pytest.TempPathFactory, face: Picture, performed: list[Picture]
) -> dict[str, Path]:
    """Cases with known answers, as files."""
    folder = tmp_path_factory.mktemp("clips")
    order = np.random.default_rng(2).permutation(COUNT)
    rng = np.random.default_rng(3)
    late = 4
    shaken = [np.roll(p, tuple(rng.integers(-2, 3, 2)), axis=(0, 1)) for p in performed]
    half = [moved(face, *(row * (0.5, 1, 1))) for row in performance()]
    pictures = {
        "driving": performed,
        "frozen": [face] * COUNT,
        "shuffled": [performed[i] for i in order],
        "delayed": [performed[max(0, i - late)] for i in range(COUNT)],
        "shaken": shaken,
        "half": half,
    }
    return {name: write_clip(folder / f"{name}.mp4", p) for name, p in pictures.items()}


@pytest.fixture(scope="session")
def seen(clips: dict[str, Path], estimators: Estimators) -> dict[str, Observed]:
    """Every clip, read by dlib."""
    return {
        name: observe(p, estimators, sample_faces=name == "driving") for name, p in clips.items()
    }
