"""Pages of pictures with words: contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, PngImagePlugin

from retarget.errors import CannotWrite
from retarget.sink.letters import Letters
from retarget.sink.mark import Mark
from retarget.sink.partial import beside, check_free, writing

Picture = npt.NDArray[np.uint8]
MAX_PIXELS = 120_000_000
"""Pixels of one sheet."""
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (110, 110, 110)
_GAP = 6
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".pdf": "PDF"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """One picture of a sheet and the words beneath it."""

    rgb: Picture
    caption: str
    note: str = ""
    """A second, smaller line."""


def sheet(tiles: Sequence[Tile], columns: int, title: str = "") -> Image.Image:
    """Lay tiles of one size out in rows.

    Args:
        tiles: in reading order, at least one.
        columns: tiles in a row.
        title: a line above them.

    Raises:
        CannotWrite: the page would be larger than `MAX_PIXELS`.
    """
    height, width = tiles[0].rgb.shape[:2]
    text = max(11, width // 13)
    notes = any(tile.note for tile in tiles)
    below = round(text * (2.5 if notes else 1.5))
    head = round(text * 2.4) if title else 0
    rows = -(-len(tiles) // columns)
    across = columns * (width + _GAP) + _GAP
    down = head + rows * (height + below + _GAP) + _GAP
    if across * down > MAX_PIXELS:
        raise CannotWrite(
            f"A sheet of {len(tiles)} pictures would have {across} x {down} pixels.",
            do="Choose smaller tiles or fewer pictures.",
        )
    page = Image.new("RGB", (across, down), _PAPER)
    pen = ImageDraw.Draw(page)
    font = Letters().font
    if title:
        pen.text((_GAP, _GAP), title, _INK, font(round(text * 1.4)))
    for i, tile in enumerate(tiles):
        left = _GAP + (i % columns) * (width + _GAP)
        top = head + _GAP + (i // columns) * (height + below + _GAP)
        page.paste(Image.fromarray(tile.rgb), (left, top))
        caption = shortened(pen, tile.caption, text, width)
        pen.text((left, top + height + 1), caption, _INK, font(text))
        if tile.note:
            small = round(text * 0.72)
            note = shortened(pen, tile.note, small, width)
            pen.text((left, top + height + round(text * 1.35)), note, _FAINT, font(small))
    return page


def shortened(pen: ImageDraw.ImageDraw, text: str, size: int, width: int) -> str:
    """The text, or its beginning and an ellipsis where it is wider than `width` pixels."""
    font = Letters().font(size)
    if pen.textlength(text, font) <= width:
        return text
    while text and pen.textlength(text + "…", font) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def check_picture(path: Path, *, overwrite: bool) -> None:
    """Refuse a picture that cannot be written, before any work is done for it.

    Raises:
        CannotWrite: it is there already, has no folder, or is of another kind.
    """
    _kind(path)
    check_free(path, overwrite=overwrite)


def save_picture(page: Image.Image | Picture, path: Path, *, overwrite: bool) -> None:
    """Write a PNG, JPEG or PDF that says that it is synthetic; whole, or not at all.

    Raises:
        CannotWrite: it is there already, cannot be written, or is of another kind.
    """
    image = page if isinstance(page, Image.Image) else Image.fromarray(page)
    kind = _kind(path)
    with beside(path, overwrite=overwrite) as hidden, writing(path):
        image.save(hidden, format=kind, **_options(kind))


def _kind(path: Path) -> str:
    """Pillow's name for what the ending says."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise CannotWrite(
            f"{path.name} has no ending of a picture.", do="Use .png, .jpg, .webp or .pdf."
        )
    return kind


def _options(kind: str) -> dict[str, object]:
    mark = Mark()
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Software", mark.software)
        info.add_text("Comment", mark.sentence)
        info.add_itxt("XML:com.adobe.xmp", mark.xmp)
        return {"pnginfo": info, "compress_level": 3}
    if kind == "PDF":
        return {"resolution": 300.0, "creator": mark.software, "subject": mark.sentence}
    if kind == "WEBP":
        return {"quality": 95, "xmp": mark.xmp.encode()}
    return {"quality": 95, "subsampling": 0, "comment": mark.sentence}
