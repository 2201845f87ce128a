"""Make the samples: `python samples/make_samples.py` writes them beside this file.

face.jpg    the astronaut Eileen Collins, NASA, public domain (scikit-image carries the portrait)
drive.mp4   a painted mannequin that performs, with a hummed sound: everything in it is made here
drive.csv   what it performs, frame by frame, as Live Link Face writes it: the ground truth
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from mannequin import draw
from PIL import Image
from scipy.signal import lfilter
from skimage.data import astronaut

from retarget.expression.live_link import average_rest
from retarget.expression.performance import save_performance
from retarget.flow import blendshapes
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant

HERE = Path(__file__).parent
RATE = 25
SECONDS = 8
SOUND_RATE = 44100
PITCH = 140.0
"""Hz: a calm voice."""

Pose = dict[str, float]
BOTH = ("Left", "Right")


def both(**shapes: float) -> Pose:
    """The same weight on both sides."""
    return {name + side: value for name, value in shapes.items() for side in BOTH}


SMILE = both(mouthSmile=0.85, cheekSquint=0.5, eyeSquint=0.2, mouthDimple=0.2)
WONDER = {"browInnerUp": 0.9, "jawOpen": 0.28, **both(browOuterUp=0.8, eyeWide=0.6)}
ANGER = both(browDown=0.9, noseSneer=0.4, mouthPress=0.5, eyeSquint=0.4)
SAD = {"browInnerUp": 0.8, "mouthShrugLower": 0.4, **both(mouthFrown=0.7)}
KISS = {"mouthPucker": 0.9}
WINK = {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.6, "mouthSmileLeft": 0.6}

SCORE: tuple[tuple[float, float, float, Pose], ...] = (
    # from, full from, until, what; it fades as quickly as it came
    (0.7, 0.95, 1.35, SMILE),
    (1.7, 1.9, 2.3, WONDER),
    (4.4, 4.6, 4.9, KISS),
    (5.1, 5.3, 5.7, ANGER),
    (6.0, 6.15, 6.3, WINK),
    (6.6, 6.85, 7.1, SAD),
    (7.35, 7.55, 8.5, {**SMILE, "jawOpen": 0.12}),
)
BLINKS = (0.35, 1.5, 3.1, 4.2, 5.95, 7.3)
TALK = (2.6, 4.2)
"""Seconds between which the mannequin hums syllables."""


def performance() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """(frames, 52) weights and (frames, 3) head angles in degrees."""
    t = np.arange(RATE * SECONDS) / RATE
    weights = np.zeros((len(t), blendshapes.COUNT), np.float32)
    for begin, full, until, shape in SCORE:
        rise = full - begin
        level = _ease((t - begin) / rise) * _ease((until + rise - t) / rise)
        for name, value in shape.items():
            column = blendshapes.index(name)
            weights[:, column] = np.maximum(weights[:, column], level * value)
    for at in BLINKS:
        shut = _ease((t - at + 0.09) / 0.08) * _ease((at + 0.19 - t) / 0.16)
        for name in both(eyeBlink=1.0):
            weights[:, blendshapes.index(name)] = np.maximum(
                weights[:, blendshapes.index(name)], shut
            )
    voice = loudness(t)
    weights[:, blendshapes.index("jawOpen")] += 0.42 * voice
    round_lips = 0.5 * voice * (np.sin(2 * np.pi * 0.9 * t) > 0)
    weights[:, blendshapes.index("mouthFunnel")] += round_lips.astype(np.float32)
    look = 0.6 * _ease((t - 4.95) / 0.1) * _ease((5.35 - t) / 0.1)
    weights[:, blendshapes.index("eyeLookOutLeft")] = look
    weights[:, blendshapes.index("eyeLookInRight")] = look
    away = _ease((t - 0.4) / 0.3)[:, None]  # the first frames are quite still
    angles = away * np.stack(
        [6 * np.sin(0.8 * t), 3 * np.sin(1.3 * t + 1) - 2, 2.5 * np.sin(0.6 * t + 2)], axis=1
    )
    return np.clip(weights, 0, 1), angles


def loudness(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0..1 how wide the hummed syllables are at each second of `t`."""
    inside = _ease((t - TALK[0]) / 0.15) * _ease((TALK[1] - t) / 0.15)
    return inside * np.square(np.sin(2 * np.pi * 2.1 * (t - TALK[0])))


def hum() -> npt.NDArray[np.float32]:
    """(samples,) a vowel between two formants, as loud as the mouth is open."""
    t = np.arange(SOUND_RATE * SECONDS) / SOUND_RATE
    phase = 2 * np.pi * np.cumsum(PITCH * (1 + 0.02 * np.sin(2 * np.pi * 5 * t))) / SOUND_RATE
    sound = np.sum([np.sin(k * phase) / k for k in range(1, 24)], axis=0)
    for formant, width in ((700.0, 110.0), (1150.0, 130.0)):
        r = np.exp(-np.pi * width / SOUND_RATE)
        sound = lfilter(
            [1 - r], [1, -2 * r * np.cos(2 * np.pi * formant / SOUND_RATE), r * r], sound
        )
    return np.asarray(0.3 * loudness(t) * sound / np.abs(sound).max(), np.float32)


def _ease(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def write_video(path: Path) -> None:
    """Draw the performance and hum to it."""
    weights, angles = performance()
    with av.open(path, "w") as out:
        picture = out.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "slow"})
        picture.width = picture.height = 512
        picture.pix_fmt = "yuv420p"
        voice = out.add_stream("aac", rate=SOUND_RATE, layout="mono")
        voice.bit_rate = 64000
        for row, turn in zip(weights, angles, strict=True):
            frame = av.VideoFrame.from_ndarray(draw(row, tuple(turn)), format="rgb24")
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        sound = hum()
        for i in range(0, len(sound), 1024):
            piece = av.AudioFrame.from_ndarray(sound[None, i : i + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts = SOUND_RATE, i
            piece.time_base = Fraction(1, SOUND_RATE)
            out.mux(voice.encode(piece))
        out.mux(voice.encode(None))


def write_truth(path: Path) -> None:
    """What the mannequin performs, frame by frame."""
    tick = Fraction(1, RATE)
    frames = (
        ExpressedFrame(
            index=i,
            at=Instant(i, tick),
            duration=tick,
            expression=Expression(weights=row),
            pose=HeadPose(rotation=HeadPose.rotation_of(*turn), translation=np.zeros(3), scale=1.0),
        )
        for i, (row, turn) in enumerate(zip(*performance(), strict=True))
    )
    info = SourceInfo(
        name="drive.mp4", size=(512, 512), time_base=tick, rate=Fraction(RATE),
        count=RATE * SECONDS, duration=Fraction(SECONDS),
    )  # fmt: skip
    save_performance(path, frames, average_rest(), info)


if __name__ == "__main__":
    Image.fromarray(astronaut()).save(HERE / "face.jpg", quality=92)
    write_truth(HERE / "drive.csv")
    write_video(HERE / "drive.mp4")
