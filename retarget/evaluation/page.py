"""An evaluation as one HTML page that needs nothing else: no script, no font, no address.

Everything that comes from outside (file names, notes) is escaped, and the page's own policy
forbids it to load or run anything.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from PIL import Image

from retarget.evaluation import table, video
from retarget.evaluation.plot import plot
from retarget.evaluation.settings import SECTIONS
from retarget.evaluation.values import Channel, Evaluation, Measure, WorstFrame
from retarget.flow.arrays import Picture

_TALL = 300
"""Pixels a worst frame is high on the page."""
_HEADLINE = (
    "expression.correlation",
    "expression.ratio_correlation",
    "identity.dlib_same",
    "identity.dlib_distance",
    "identity.arcface",
    "expression.hes",
)
"""Measures of expression and identity at the top of the page."""


def page(evaluation: Evaluation) -> str:
    """The whole page; reads the worst frames from the two videos."""
    title = escape(f"{evaluation.result.name}: how good is it")
    body = "".join(
        (
            f"<h1>{escape(evaluation.result.name)}</h1>",
            f"<p>driven by {escape(str(evaluation.driving))}, as "
            f"{escape(str(evaluation.identity))}</p>",
            _headline(evaluation.measures),
            "<h2>Findings</h2>" + listed(evaluation.findings),
            _worst(evaluation),
            _plots(evaluation),
            "<h2>Measures</h2>" + _measures(evaluation.measures),
            "<h2>Active channels</h2>" + _channels(evaluation.channels),
            "<h2>How it was measured</h2>" + _account(evaluation),
        )
    )
    return framed(title, body)


def framed(title: str, body: str) -> str:
    """A page around `body`; both are HTML already."""
    style = (files("retarget") / "evaluation" / "page.css").read_text("utf-8")
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head>\n<body>{body}</body></html>\n"
    )


def tabled(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text."""
    lines = (_cells("th", head), *(_cells("td", row) for row in rows))
    return f"<table>{''.join(lines)}</table>"


def listed(lines: Iterable[str]) -> str:
    """A list of plain text."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def paragraphs(lines: Iterable[str]) -> str:
    """Plain text, a paragraph each."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _cells(tag: str, values: Sequence[str]) -> str:
    inner = "".join(f"<{tag}>{escape(v)}</{tag}>" for v in values)
    return f"<tr>{inner}</tr>"


def _headline(measures: Sequence[Measure]) -> str:
    cards = "".join(
        f"<div><b>{escape(table.show_value(m))}</b> {escape(m.unit)}"
        f"<span>{escape(m.label)} ({escape(m.by)})</span></div>"
        for key in _HEADLINE
        for m in measures
        if m.key == key and m.value is not None
    )
    return f'<div class="cards">{cards}</div>'


def _worst(evaluation: Evaluation) -> str:
    if not evaluation.worst:
        return ""
    driving = video.picked(evaluation.driving, {w.driving_index for w in evaluation.worst})
    result = video.picked(evaluation.result, {w.result_index for w in evaluation.worst})
    figures = "".join(_pair_of(w, driving, result) for w in evaluation.worst)
    return (
        "<h2>Worst frames</h2><p>Driving left, result right, where expression differs most.</p>"
        f'<div class="worst">{figures}</div>'
    )


def _pair_of(worst: WorstFrame, driving: dict[int, Picture], result: dict[int, Picture]) -> str:
    said = f"{worst.seconds:.2f} s: {worst.reason} (mean {worst.error:.2f})"
    left = _cut(driving[worst.driving_index], worst.driving_box)
    right = _cut(result[worst.result_index], worst.result_box)
    return (
        f"<figure>{_picture(left, 'driving')}{_picture(right, 'result')}"
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def _cut(rgb: Picture, box: tuple[float, float, float, float]) -> Picture:
    """The square around a face, as far as the picture reaches."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    high, wide = rgb.shape[:2]
    rows = slice(max(round(y - half), 0), min(round(y + half), high))
    columns = slice(max(round(x - half), 0), min(round(x + half), wide))
    part = rgb[rows, columns]
    return part if part.size else rgb


def _picture(rgb: Picture, what: str) -> str:
    """A JPEG inside the page."""
    image = Image.fromarray(rgb)
    image.thumbnail((2 * _TALL, _TALL))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'<img alt="{what}" src="data:image/jpeg;base64,{data}">'


def _plots(evaluation: Evaluation) -> str:
    drawn = "".join(
        f"<figure><figcaption>{escape(c.title)} ({escape(c.unit)})</figcaption>{plot(c)}</figure>"
        for c in evaluation.curves
    )
    key = '<p><i class="driving"></i> driving <i class="result"></i> result</p>'
    return f'<h2>Over time</h2>{key}<div class="plots">{drawn}</div>' if drawn else ""


def _measures(measures: Sequence[Measure]) -> str:
    rows = [_cells("th", ("", "value", "unit", "better", "read by", "note", "from"))]
    for section in SECTIONS:
        taken = [m for m in measures if m.section == section and m.value is not None]
        if taken:
            rows.append(f'<tr><th colspan="7" class="section">{section}</th></tr>')
            rows += [_measure(m) for m in taken]
    return f"<table>{''.join(rows)}</table>" + paragraphs(table.absent_lines(measures))


def _measure(m: Measure) -> str:
    better = {"one": "near 1", "neither": ""}.get(m.better, m.better)
    return _cells("td", (m.label, table.show_value(m), m.unit, better, m.by, m.note, m.source))


def _channels(channels: Sequence[Channel]) -> str:
    chosen = sorted((c for c in channels if c.active), key=lambda c: (c.by, -c.driven))
    if not chosen:
        return "<p>None: the driving face hardly moves.</p>"
    return (
        "<p>Noise leaves: the correlation that reading noise would leave of a perfect one. "
        "Coding leaves: what the driving clip itself reaches, scaled to the result's face and "
        "encoded anew. With head: share of the driving channel that the driving head's turning "
        "explains.</p>" + tabled(table.CHANNEL_HEAD, map(table.channel_row, chosen))
    )


def _account(evaluation: Evaluation) -> str:
    facts = [f"{name}: {value}" for name, value in evaluation.facts.items()]
    missed = [
        f"{f.estimator}, {f.video}: frames {', '.join(map(str, f.frames[:40]))}"
        + (" …" if len(f.frames) > 40 else "")
        for f in evaluation.failures
        if f.frames
    ]
    return (
        paragraphs((table.FAMILIES, table.failure_line(evaluation.failures)))
        + listed(missed)
        + listed(facts)
    )
