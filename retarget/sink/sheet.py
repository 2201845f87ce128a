"""Contact sheets: pages of pictures with captions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from retarget.errors import CannotWrite
from retarget.flow.arrays import Picture
from retarget.flow.atomic_files import landed_line
from retarget.flow.report import Warn, unheard
from retarget.sink.letters import Letters
from retarget.sink.mark import COMPOSITE, Mark
from retarget.sink.partial import keeping
from retarget.sink.refusals import check_free, writing
from retarget.sink.stills import KINDS

MAX_PIXELS = 120_000_000
"""Pixels of one sheet."""
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (110, 110, 110)
_GAP = 6
_KINDS = {**KINDS, ".pdf": "PDF"}
_HOW: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "PDF": {"resolution": 300.0},
}
"""Pillow's options of each kind, for print."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """One picture of a sheet and the words beneath it."""

    rgb: Picture
    caption: str
    note: str = ""
    """A second, smaller line."""


def sheet(tiles: Sequence[Tile], columns: int) -> Image.Image:
    """Lay tiles of one size out in rows.

    Args:
        tiles: in reading order, at least one.
        columns: tiles in a row.

    Raises:
        CannotWrite: the page would be larger than `MAX_PIXELS`.
    """
    height, width = tiles[0].rgb.shape[:2]
    text = max(11, width // 13)
    notes = any(tile.note for tile in tiles)
    below = round(text * (2.5 if notes else 1.5))
    rows = -(-len(tiles) // columns)
    across = columns * (width + _GAP) + _GAP
    down = rows * (height + below + _GAP) + _GAP
    if across * down > MAX_PIXELS:
        raise CannotWrite(
            f"A sheet of {len(tiles)} pictures would have {across} x {down} pixels.",
            do="Choose smaller tiles or fewer pictures.",
        )
    page = Image.new("RGB", (across, down), _PAPER)
    pen = ImageDraw.Draw(page)
    font = Letters().font
    for i, tile in enumerate(tiles):
        left = _GAP + (i % columns) * (width + _GAP)
        top = _GAP + (i // columns) * (height + below + _GAP)
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


def check_picture(path: Path, *, overwrite: bool, read: Iterable[str | Path | None] = ()) -> None:
    """Refuse a picture that cannot be written, as any file is refused; see `check_free`."""
    _kind(path)
    check_free(path, overwrite=overwrite, read=read)


def save_picture(
    page: Image.Image | Picture,
    path: Path,
    *,
    overwrite: bool,
    source_type: str = COMPOSITE,
    warn: Warn = unheard,
) -> Path:
    """Write a PNG, JPEG, WEBP or PDF, marked as synthetic, whole or not at all.

    Args:
        page: the picture; an array is (height, width, 3).
        path: the output; its suffix gives the kind.
        overwrite: replace an existing file.
        source_type: IPTC's term for how it was made; see `mark`.
        warn: called if a file at `path` must stay.

    Returns:
        Its path: in that case the next free name.

    Raises:
        CannotWrite: it cannot be written, or is of another kind.
    """
    places = [path]
    image = page if isinstance(page, Image.Image) else Image.fromarray(page)
    kind = _kind(path)
    with keeping(path, overwrite=overwrite, landed=places.append) as hidden, writing(path):
        image.save(hidden, format=kind, **_HOW[kind], **Mark(source_type).for_pillow(kind))
    if places[-1] != path:
        warn(landed_line(path, places[-1]))
    return places[-1]


def _kind(path: Path) -> str:
    """Pillow's name of the kind that the suffix gives."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise CannotWrite(
            f"{path.name} has no ending of a picture.", do="Use .png, .jpg, .webp or .pdf."
        )
    return kind
