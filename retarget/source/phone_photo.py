"""HEIF photos of phones, read in a separate process.

The library crashes on some broken files, and would crash the whole program.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys

from PIL import Image

from retarget.errors import UnreadableInput
from retarget.source.bounds import check_size

KINDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
"""Brands of HEIF files that hold photos."""
_PATIENCE = 120.0
"""Seconds after which reading is given up."""
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    f"from {__name__} import main; main(sys.argv[2])"
)
_TOO_LARGE = 3
_BOXES = (b"ftyp", b"meta", b"mdat", b"free", b"skip", b"moov")
_BOX_HEAD = 8
"""Bytes of a box's header: its length and kind."""


def is_phone_photo(head: bytes) -> bool:
    """Whether the first 64 bytes of a file are those of a HEIF photo."""
    return head[4:8] == b"ftyp" and head[8:12] in KINDS and b"avif" not in head


def as_tiff(data: bytes, name: str) -> bytes:
    """A HEIF photo as an upright TIFF with its colour profile.

    Raises:
        UnreadableInput: it has too many pixels.
        ValueError: it is damaged.
    """
    if not _whole(data):
        raise ValueError("the file ends too early")
    child = [sys.executable, "-I", "-c", _CHILD, json.dumps([*map(str, sys.path)]), name]
    try:
        done = subprocess.run(  # noqa: S603  (this very program)
            child, input=data, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as cause:
        raise ValueError("it takes for ever") from cause
    if done.returncode == _TOO_LARGE:
        check_size(name, *struct.unpack("<II", done.stdout))
    if done.returncode != 0:
        raise ValueError("it cannot be decoded")
    return done.stdout


def _whole(data: bytes) -> bool:
    """Whether the boxes of a photo end within its file, as a missing tile would be drawn grey.

    Data that cameras append behind the boxes is ignored.
    """
    at = 0
    while data[at + 4 : at + 8] in _BOXES:
        (size,) = struct.unpack_from(">I", data, at)
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size == 0:  # the last one, as long as the file is
            return True
        if size < _BOX_HEAD or at + size > len(data):
            return False
        at += size
    return True


def main(name: str) -> None:
    """Read a HEIF file from standard input and write a TIFF to standard output."""
    from pi_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=["HEIF"]) as photo:
        try:
            check_size(name, *photo.size)
        except UnreadableInput:
            sys.stdout.buffer.write(struct.pack("<II", *photo.size))
            raise SystemExit(_TOO_LARGE) from None
        out = io.BytesIO()
        photo.save(out, "TIFF")  # its colour profile goes along
    sys.stdout.buffer.write(out.getvalue())
