"""Lay panels out on printable pages, as a comic or as a grid."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from PIL import Image, ImageDraw

from retarget.sink.letters import LEADING, Letters
from retarget.sink.mark import COMPOSITE, Mark
from retarget.sink.partial import beside
from retarget.sink.refusals import writing

DOTS_PER_INCH = 200
_A4 = (round(8.27 * DOTS_PER_INCH), round(11.69 * DOTS_PER_INCH))
_MARGIN, _GUTTER = round(0.45 * DOTS_PER_INCH), round(0.09 * DOTS_PER_INCH)
_TEXT = round(0.145 * DOTS_PER_INCH)
_TITLE = 2 * _TEXT
_BORDER = 3
_INK, _PAPER, _BOX = (15, 15, 15), (255, 255, 255), (255, 252, 235)
_USUAL = 1.33  # width of an ordinary panel in its heights
_USUAL_COLUMNS, _MOST_COLUMNS = 3, 4
_LONGEST_ROW = 16  # panels
_TALLEST = 0.3  # of the page: a row of one narrow panel is not stretched to the whole width


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Framed:
    """One panel and its caption."""

    size: tuple[int, int]
    """(width, height) of its picture in pixels."""
    read: Callable[[], Image.Image]
    """Reads the picture when it is drawn, as hundreds at once would fill the memory."""
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Row:
    panels: Sequence[Framed]
    height: int
    below: int
    """Pixels for captions under the row."""


def pages(
    panels: Sequence[Framed],
    *,
    layout: str,
    columns: int,
    title: str,
    letters: Letters | None = None,
) -> list[Image.Image]:
    """A4 pages, upright, of one or more rows each.

    Args:
        panels: in reading order.
        layout: comic (rows of differing panels that fill the width, captions in boxes inside) or
            grid (equal columns, captions beneath).
        columns: panels in a row, of average width in a comic; 0: the fewest with which everything
            fits on one page, if possible.
        title: at the top of the first page.
        letters: the font of titles and captions; None for the shipped one.
    """
    letters = letters or Letters()
    heading = letters.wrapped(title, _inner(), _TITLE)
    head = round(len(heading) * _TITLE * LEADING) + (_TEXT if heading else 0)
    columns = columns or _fitting_columns(panels, layout, head, letters)
    rows = _rows(panels, layout, columns, letters)
    out: list[Image.Image] = []
    top = _A4[1]
    for row in rows:
        if top + row.height + row.below > _A4[1] - _MARGIN:
            out.append(Image.new("RGB", _A4, _PAPER))
            top = _MARGIN
            if len(out) == 1:
                place = (_MARGIN, top)
                letters.write(ImageDraw.Draw(out[0]), heading, place, _inner(), _TITLE)
                top += head
        inside = layout == "comic"
        _draw_row(out[-1], row, top, inside=inside, columns=columns, letters=letters)
        top += row.height + row.below + _GUTTER
    return out


def _rows(panels: Sequence[Framed], layout: str, columns: int, letters: Letters) -> list[_Row]:
    if layout == "comic":
        return list(_comic_rows(panels, columns))
    return list(_grid_rows(panels, columns, letters))


def _fitting_columns(panels: Sequence[Framed], layout: str, head: int, letters: Letters) -> int:
    """The fewest columns with which all fits on one page; else the default."""
    room = _A4[1] - 2 * _MARGIN - head
    for columns in range(1, _MOST_COLUMNS + 1):
        rows = _rows(panels, layout, columns, letters)
        if sum(row.height + row.below + _GUTTER for row in rows) <= room + _GUTTER:
            return columns
    return _USUAL_COLUMNS


def _inner() -> int:
    return _A4[0] - 2 * _MARGIN


def _comic_rows(panels: Sequence[Framed], columns: int) -> Iterator[_Row]:
    """Rows as wide as the page, as equally filled as the order allows."""
    widths = [_proportion(p) for p in panels]  # in heights of their row
    count = min(len(panels), max(1, round(sum(widths) / (columns * _USUAL))))
    for start, end in _broken(widths, count):
        yield _row(panels[start:end])


def _broken(widths: Sequence[float], count: int) -> list[tuple[int, int]]:
    """Break a line of widths into `count` runs whose sums differ least (in squares)."""
    n, mean = len(widths), sum(widths) / count
    sums = [0.0, *accumulate(widths)]
    best = [[0.0 if i == 0 else math.inf for i in range(n + 1)]]
    came: list[list[int]] = [[0] * (n + 1)]
    for _ in range(count):
        row, origin = [math.inf] * (n + 1), [0] * (n + 1)
        for end in range(1, n + 1):
            for start in range(max(0, end - _LONGEST_ROW), end):
                cost = best[-1][start] + (sums[end] - sums[start] - mean) ** 2
                if cost < row[end]:
                    row[end], origin[end] = cost, start
        best.append(row)
        came.append(origin)
    runs: list[tuple[int, int]] = []
    end = n
    for k in range(count, 0, -1):
        runs.append((came[k][end], end))
        end = came[k][end]
    return runs[::-1]


def _row(panels: Sequence[Framed]) -> _Row:
    room = _inner() - _GUTTER * (len(panels) - 1)
    height = room / sum(map(_proportion, panels))
    return _Row(panels=panels, height=round(min(height, _TALLEST * _A4[1])), below=0)


def _grid_rows(panels: Sequence[Framed], columns: int, letters: Letters) -> Iterator[_Row]:
    width = _column(columns)
    for i in range(0, len(panels), columns):
        row = panels[i : i + columns]
        height = min(max(round(width / _proportion(p)) for p in row), round(_TALLEST * _A4[1]))
        lines = max(len(letters.wrapped(p.caption, width, _TEXT)) for p in row)
        yield _Row(panels=row, height=height, below=round(lines * _TEXT * LEADING) + _GUTTER)


def _column(columns: int) -> int:
    return (_inner() - _GUTTER * (columns - 1)) // columns


def _proportion(panel: Framed) -> float:
    return panel.size[0] / panel.size[1]


def _draw_row(
    page: Image.Image, row: _Row, top: int, *, inside: bool, columns: int, letters: Letters
) -> None:
    pen = ImageDraw.Draw(page)
    left = _MARGIN
    for panel in row.panels:
        cell = round(row.height * _proportion(panel)) if inside else _column(columns)
        width = min(cell, round(row.height * _proportion(panel)))
        height = round(width / _proportion(panel))
        picture = panel.read().resize((width, height), Image.Resampling.LANCZOS)
        page.paste(picture, (left, top))
        pen.rectangle((left, top, left + width - 1, top + height - 1), outline=_INK, width=_BORDER)
        if panel.caption:
            if inside:
                _caption_box(pen, letters, panel.caption, (left, top, width, height))
            else:
                lines = letters.wrapped(panel.caption, cell, _TEXT)
                letters.write(pen, lines, (left, top + height + _GUTTER // 2), cell, _TEXT)
        left += cell + _GUTTER


def _caption_box(
    pen: ImageDraw.ImageDraw, letters: Letters, caption: str, frame: tuple[int, int, int, int]
) -> None:
    """A caption in a box at the bottom of a panel, smaller where it would cover too much."""
    left, top, width, height = frame
    size = _TEXT
    while True:
        pad = size // 2
        inner = width - 2 * pad - 2 * _BORDER
        lines = letters.wrapped(caption, inner, size)
        tall = round(len(lines) * size * LEADING) + pad
        if tall <= 0.34 * height or size <= _TEXT // 2:
            break
        size -= 1
    low = top + height - 1
    pen.rectangle((left, low - tall, left + width - 1, low), fill=_BOX, outline=_INK, width=_BORDER)
    letters.write(pen, lines, (left + pad + _BORDER, low - tall + pad // 2), inner, size)


def save_pdf(
    drawn: Sequence[Image.Image],
    path: Path,
    *,
    title: str,
    overwrite: bool,
    source_type: str = COMPOSITE,
) -> None:
    """Write pages as one PDF; the same pages give the same file.

    Args:
        drawn: the pages, at least one.
        path: what to write.
        title: what readers show above it; "Story" where it is empty.
        overwrite: replace what is there.
        source_type: IPTC's word for how the pictures were made; see `mark`.
    """
    no_day = time.gmtime(0)  # a date would make every file another one
    with beside(path, overwrite=overwrite) as hidden, writing(path):
        drawn[0].save(
            hidden,
            format="PDF",
            save_all=True,
            append_images=list(drawn[1:]),
            resolution=float(DOTS_PER_INCH),
            title=title or "Story",
            **Mark(source_type).for_pillow("PDF"),
            creationDate=no_day,
            modDate=no_day,
        )
