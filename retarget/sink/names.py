"""Names of output files."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from retarget.sink.codecs import ending_for

FOLDER_PATTERN = "frame_%05d.png"
"""The names of pictures in a folder."""
CLIPS_TABLE = "manifest.csv"
"""The file that lists the clips of a set, one per row."""
ORDERS_TABLE = "orders.csv"
"""The file with the order of clips for each participant."""
_NUMBER = re.compile(r"%(?:0\d{1,2})?d")
_PLACES = re.compile(r"#+")  # how compositing programs write as many digits
_LONGEST, _MOST_BYTES = 60, 100
"""Characters and bytes kept of each given name: file systems take 255 bytes in all."""


def is_pattern(name: str) -> bool:
    """Whether `name` has a place for a number, as in "frame_%05d.png"."""
    return _NUMBER.search(name) is not None


def pattern_of(name: str) -> str:
    """A name for each of several pictures: "a.png" gives "a_%05d.png", "a.###.png" "a.%03d.png"."""
    digits = _PLACES.search(name)
    if digits is None:
        stem, dot, ending = name.rpartition(".")
        return f"{stem}_%05d{dot}{ending}"
    return f"{name[: digits.start()]}%0{len(digits[0])}d{name[digits.end() :]}"


def numbered(pattern: str, index: int) -> str:
    """`pattern` with `index` in place of its number."""
    return _NUMBER.sub(lambda found: found[0] % index, pattern, count=1)


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is `pattern` with some number."""
    before, after = (re.escape(part) for part in _NUMBER.split(pattern, maxsplit=1))
    return re.fullmatch(rf"{before}\d+{after}", name) is not None


def default_output(driving: str | Path, identity: str | Path, codec: str = "auto") -> Path:
    """A name for a result: "drive_as_face.mp4" beside the driving video.

    Args:
        driving: a file, a folder, or an address, whose result goes to the current folder.
        identity: likewise.
        codec: what the video is encoded with, of which not every kind of file holds every one.
    """
    return made_name(driving, f"as {_stem(identity)}", ending_for(codec))


def made_name(given: str | Path, more: str, ending: str) -> Path:
    """A name beside what was given: face.jpg and "0.6*joy" give face_0.6_joy.png.

    Args:
        given: a file, a folder, or an address, whose result goes to the current folder.
        more: further words of the name; empty for the same stem.
        ending: of the result, with its dot.
    """
    folder = Path() if "://" in str(given) else Path(given).parent
    name = f"{_stem(given)}_{_plain(more) or 'retarget'}" if more else _stem(given)
    return folder / f"{name}{ending}"


def _stem(spec: str | Path) -> str:
    if "://" in str(spec):
        spec = unquote(PurePosixPath(urlsplit(str(spec)).path).name) or "video"
    stem = Path(spec).stem or Path(spec).resolve().stem
    return _plain(stem) or "video"


def _plain(words: str) -> str:
    """Words as part of a file's name: their letters with the marks on them, and digits."""
    kept = ""
    for sign in unicodedata.normalize("NFC", words):  # a Mac may write é as e and a mark
        mark = unicodedata.category(sign).startswith("M") and kept[-1:] not in ("", " ")
        kept += sign if mark or sign.isalnum() or sign in "_.-" else " "
    short = re.sub(" +", "_", kept)[:_LONGEST].encode()[:_MOST_BYTES]
    return short.decode(errors="ignore").strip("_.")
