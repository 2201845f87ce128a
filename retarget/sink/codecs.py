"""Video codecs, the codecs of each container, and each encoder's options for quality and speed.

`quality` runs over each encoder's own constant-quality scale so that equal numbers look about
alike; 75 is where x264 stands at CRF 18, which is commonly called visually lossless.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from retarget.errors import CannotWrite

Options = Callable[[int, str, int], dict[str, str]]
_AHEAD = 160e6
"""The most pixels of x264's lookahead: its full 40 frames at 4 megapixels, fewer above. At 12
megapixels 40 frames take a gigabyte, for 0.3 dB and a third more bytes."""
_LEAST_AHEAD = 10
_LARGE = 9e6
"""Pixels above those of 4K."""


@dataclass(frozen=True, kw_only=True)
class Codec:
    """How to write one kind of video."""

    encoder: str
    """FFmpeg's name of the encoder."""
    pixels: str
    """FFmpeg's name of the pixel format handed to it."""
    options: Options
    """Its options for a quality 0..100, a speed, and the pixels of a picture."""
    step: int = 2
    """Width and height must be multiples of this."""


def _scale(quality: int, worst: float, best: float) -> str:
    return str(round(worst + (best - worst) * quality / 100))


def _x264(quality: int, speed: str, pixels: int) -> dict[str, str]:
    preset, ahead = {
        "fast": ("superfast", 10), "balanced": ("medium", 40), "small": ("slow", 50)
    }[speed]  # fmt: skip
    ahead = max(min(ahead, int(_AHEAD / pixels)), _LEAST_AHEAD)
    # With instructions chosen per processor, x264's output differs between processors, and with
    # AVX-512 sometimes between runs; cpu-independent costs neither size nor speed. A lookahead
    # thread is not needed, and would hold four more frames.
    params = f"cpu-independent=1:sync-lookahead=0:rc-lookahead={ahead}"
    if speed == "fast":
        # Half the time of the preset veryfast at its size and fidelity: on a talking head the
        # lookahead saves bits, and the motion search hardly matters.
        params += ":mbtree=1"
        if pixels > _LARGE:  # a quarter gigabyte less at 12 megapixels, for a fifteenth more bytes
            params += ":bframes=1"
    # PyAV's default cuts each frame into as many slices as there are cores, and eight of them take
    # up to a fifth more bytes. With frame threads the output does not depend on their number, but
    # each thread holds frames of its own.
    threads = "2" if speed == "fast" else "4"
    return {
        "crf": _scale(quality, 36, 12),
        "preset": preset,
        "thread_type": "frame",
        "threads": threads,
        "x264-params": params,
    }


def _x265(quality: int, speed: str, pixels: int) -> dict[str, str]:
    preset = {"fast": "superfast", "balanced": "fast", "small": "slow"}[speed]
    crf = _scale(quality, 40, 15)
    return {"crf": crf, "preset": preset, "x265-params": "log-level=error"}


def _svt_av1(quality: int, speed: str, pixels: int) -> dict[str, str]:
    os.environ.setdefault("SVT_LOG", "1")  # errors only; there is no other option
    preset = {"fast": "11", "balanced": "8", "small": "5"}[speed]
    return {"crf": _scale(quality, 57, 18), "preset": preset}


def _vp9(quality: int, speed: str, pixels: int) -> dict[str, str]:
    effort = {
        "fast": {"deadline": "realtime", "cpu-used": "8"},
        "balanced": {"deadline": "good", "cpu-used": "4"},
        "small": {"deadline": "good", "cpu-used": "2"},
    }[speed]
    # A fixed number, as the output of one thread differs from that of several.
    return {"crf": _scale(quality, 52, 18), "row-mt": "1", "threads": "4", **effort}


def _prores(quality: int, speed: str, pixels: int) -> dict[str, str]:
    profile = min(3, quality // 25)  # proxy, lt, standard, hq
    return {"profile": str(profile), "vendor": "apl0"}


def _ffv1(quality: int, speed: str, pixels: int) -> dict[str, str]:
    return {"level": "3", "slices": "4", "slicecrc": "1"}


CODECS: Mapping[str, Codec] = {
    "h264": Codec(encoder="libx264", pixels="yuv420p", options=_x264),
    "h265": Codec(encoder="libx265", pixels="yuv420p", options=_x265),
    "av1": Codec(encoder="libsvtav1", pixels="yuv420p", options=_svt_av1),
    "vp9": Codec(encoder="libvpx-vp9", pixels="yuv420p", options=_vp9),
    "prores": Codec(encoder="prores_ks", pixels="yuv422p10le", options=_prores),
    "ffv1": Codec(encoder="ffv1", pixels="bgr0", options=_ffv1, step=1),
}


@dataclass(frozen=True, kw_only=True)
class Container:
    """One kind of video file."""

    format: str
    """FFmpeg's name of it."""
    codecs: tuple[str, ...]
    """Codecs that players support in it; the first is the default."""
    refuses: tuple[str, ...] = ()
    """Codecs of sound that FFmpeg names for it but does not write, or only as an experiment."""
    sound: str = "aac"
    """The encoder for sound that it cannot hold unchanged."""
    options: Mapping[str, str] = field(default_factory=dict)
    """FFmpeg's options for writing it."""


_INDEX_FIRST = {"movflags": "+faststart"}  # so that a browser can play it while it loads
_AS_STAMPED = {
    "avoid_negative_ts": "disabled",  # sound may begin before 0; pictures stay put
    "fflags": "+bitexact",  # without a random number in each file
}

_MP4 = Container(
    format="mp4", codecs=("h264", "h265", "av1", "vp9"), refuses=("truehd",), options=_INDEX_FIRST
)

CONTAINERS: Mapping[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container(
        format="mov",
        codecs=("h264", "h265", "prores"),
        refuses=("opus", "flac", "truehd"),
        options=_INDEX_FIRST,
    ),
    ".mkv": Container(
        format="matroska",
        codecs=("h264", "h265", "av1", "vp9", "prores", "ffv1"),
        options=_AS_STAMPED,
    ),
    ".webm": Container(format="webm", codecs=("vp9", "av1"), sound="libopus", options=_AS_STAMPED),
}


def ending_for(wanted: str) -> str:
    """The usual ending of a video file that holds a codec."""
    return next(s for s, c in CONTAINERS.items() if wanted in ("auto", *c.codecs))


def codec_for(suffix: str, wanted: str) -> Codec:
    """The codec for a video file that ends in `suffix`.

    Raises:
        CannotWrite: that kind of file does not hold the wanted codec.
    """
    check_codec(suffix, wanted)
    return CODECS[CONTAINERS[suffix].codecs[0] if wanted == "auto" else wanted]


def check_codec(suffix: str, wanted: str) -> None:
    """Refuse a codec that a file with this suffix, or a folder without one, cannot hold.

    Raises:
        CannotWrite: it cannot.
    """
    held = CONTAINERS[suffix].codecs if suffix in CONTAINERS else ()
    if wanted in ("auto", *held):
        return
    homes = " or ".join(s for s, c in CONTAINERS.items() if wanted in c.codecs and s != ".m4v")
    other = f"take one of: {', '.join(held)}" if held else "leave --codec out"
    raise CannotWrite(
        f"{f'A {suffix} file' if suffix else 'A folder of pictures'} does not hold {wanted}.",
        do=f"Name the output {homes}, or {other}.",
    )
