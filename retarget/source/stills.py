"""One picture: any depth, profile, transparency and orientation as upright sRGB."""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes, Picture
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import Instant, VideoFrame
from retarget.source.bounds import MAX_PIXELS, check_size
from retarget.source.convert import flattened
from retarget.source.phone_photo import as_tiff, is_phone_photo
from retarget.source.source import Silent, spread

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".tga", ".jp2"}
    | {".avif", ".jfif", ".heic", ".heif", ".hif"}
)
# Formats that only hold pixels; PIL would also open PostScript, which is a program.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "DIB", "TIFF", "PPM", "TGA", "JPEG2000", "AVIF")
_HEAD = 64
"""Bytes at the beginning that identify the kind of file."""
_BEGINNINGS = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|RIFF....WEBP|....ftypavi[fs]|II\*\0|MM\0\*", re.DOTALL
)
"""How the usual kinds of picture files begin."""
_FILM = re.compile(rb"GIF8|\x1aE\xdf\xa3|....ftyp", re.DOTALL)
"""Beginnings of video files, for files with the suffix of a picture."""
_MOVING = (".apng", ".mjpeg", ".mjpg")
"""Suffixes of videos that begin as a picture does."""
_LARGEST_PHONE_PHOTO = 2 * MAX_PIXELS
"""The most bytes of a HEIF file, which takes less than one per pixel."""

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, MemoryError, RuntimeError, struct.error)
# Errors of Pillow's readers and their libraries on damaged files.
_TURNS: dict[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""How to turn a picture upright, by the orientation in its EXIF. `ImageOps.exif_transpose` would
also write the EXIF anew, which fails where any other of its tags is damaged."""


def is_picture(file: Path) -> bool:
    """Whether a file is a picture, by its beginning or else by its suffix."""
    ending = file.suffix.lower()
    if ending in _MOVING:
        return False
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        return ending in SUFFIXES
    if is_phone_photo(head) or _BEGINNINGS.match(head) is not None:
        return True
    return ending in SUFFIXES and _FILM.match(head) is None


def read_still(file: Path | bytes, name: str, background: Bytes) -> Picture:
    """One picture as upright sRGB (height, width, 3), composited over a (3,) colour.

    Raises:
        UnreadableInput: it is missing, too large, or no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are refused below
            with Image.open(_openable(file, name), formats=_formats()) as image:
                check_size(name, *image.size)
                return upright_rgb(image, background)
    except Image.DecompressionBombError as cause:
        raise UnreadableInput(
            f"{name} has more pixels than are read.", do="Make it smaller first."
        ) from cause
    except DAMAGE as cause:
        raise UnreadableInput.at(name, cause) or UnreadableInput(
            f"{name} is not a picture that can be read: it is damaged or of another kind.",
            do="Check that it opens elsewhere, or save it as PNG.",
        ) from cause


def _openable(file: Path | bytes, name: str) -> Path | io.BytesIO:
    """A file for PIL: a HEIF photo is converted to TIFF."""
    if isinstance(file, bytes):
        return io.BytesIO(as_tiff(file, name) if is_phone_photo(file[:_HEAD]) else file)
    with file.open("rb") as opened:
        if not is_phone_photo(opened.read(_HEAD)):
            return file
        if file.stat().st_size > _LARGEST_PHONE_PHOTO:
            raise ValueError("no photo takes so much")
        opened.seek(0)
        return io.BytesIO(as_tiff(opened.read(), name))


def _formats() -> list[str]:
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def upright_rgb(image: Image.Image, background: Bytes) -> Picture:
    """An opened picture as upright sRGB (height, width, 3), on a background (3,) where clear."""
    profile = image.info.get("icc_profile")
    image.load()
    shown = _turned(image)
    if shown.mode in ("I", "F") or shown.mode.startswith("I;"):
        gray = _to_eight_bits(np.asarray(shown))
        return np.ascontiguousarray(np.repeat(gray[..., None], 3, axis=2))
    if "A" in shown.getbands() or "a" in shown.getbands() or "transparency" in shown.info:
        rgba = np.asarray(_in_srgb(shown.convert("RGBA"), profile))
        return flattened(rgba, background)
    if shown.mode not in ("RGB", "CMYK"):
        shown = shown.convert("RGB")
    return np.ascontiguousarray(np.asarray(_in_srgb(shown, profile).convert("RGB")))


def _turned(image: Image.Image) -> Image.Image:
    """As its EXIF says it is shown; as it is stored where the EXIF is damaged."""
    try:
        way = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except DAMAGE:
        return image
    return image if way is None else image.transpose(way)


def _to_eight_bits(gray: npt.NDArray[np.generic]) -> Bytes:
    """Grey of unknown range, judged by its largest value: 0..1, 0..255 or 0..65535."""
    values = np.nan_to_num(gray.astype(np.float32))
    top = float(values.max(initial=0.0))
    if gray.dtype == np.uint16 or top > 255:
        values = values / 257
    elif gray.dtype.kind == "f" and top <= 1:
        values = values * 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert from an ICC profile to sRGB; unchanged where the profile is unusable."""
    if not profile:
        return image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        changed = ImageCms.profileToProfile(
            image, given, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return changed or image


class Still(Silent):
    """One picture: one frame without time; see `Source`."""

    def __init__(self, rgb: Picture, name: str) -> None:
        height, width = rgb.shape[:2]
        self._rgb = rgb
        self.info = SourceInfo(
            name=name,
            size=(width, height),
            time_base=Fraction(1, 25),
            rate=None,
            count=1,
            still=True,
        )

    def frames(self) -> Iterator[VideoFrame]:
        """The picture; see `Source.frames`."""
        yield VideoFrame(rgb=self._rgb, index=0, at=Instant(0, self.info.time_base))

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """The picture; see `Source.sample`."""
        spread(count, 1)
        return self.frames()
