"""Rank results of any tools on the same driving video and identity.

They are ordered by HES, the harmonic mean of expression and identity, so that a result that only
shows the photo and one that only shows the driving person both come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from retarget.evaluation.catalog import MEASURES
from retarget.evaluation.evaluate import Evaluator
from retarget.evaluation.page import framed, listed, paragraphs, tabled
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.table import FAMILIES, WORDS, grid, rendered, show_value, unseen_lines
from retarget.evaluation.values import Evaluation, Measure
from retarget.evaluation.video import present
from retarget.flow.report import Report

ORDER = (
    "expression.hes",
    "expression.correlation",
    "expression.ratio_correlation",
    "identity.dlib_same",
)
"""The results are ordered by the first of these that was measured on all of them."""


def compare(
    results: Sequence[str | Path],
    driving: str | Path,
    identity: str | Path,
    settings: EvaluateSettings | None = None,
    report: Report | None = None,
) -> tuple[Evaluation, ...]:
    """Measure several results, best first; driving video and identity are read once.

    Raises:
        UnreadableInput: one of the files cannot be read.
        NoFaceFound: one of them never shows a face.
    """
    paths = [present(path) for path in results]
    evaluator = Evaluator(
        present(driving), present(identity), settings or EvaluateSettings(), report or Report()
    )
    return ranked([evaluator.evaluate(path) for path in paths])


def ranked(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Best first; equals stay in the order given."""
    key = deciding(evaluations)
    if key is None:
        return tuple(evaluations)
    return tuple(sorted(evaluations, key=lambda e: -(e.value(key) or 0.0)))


def deciding(evaluations: Sequence[Evaluation]) -> str | None:
    """The measure that decides the order; None where none was taken on all."""
    taken = [{m.key for m in e.measures if m.value is not None} for e in evaluations]
    return next((key for key in ORDER if all(key in keys for keys in taken)), None)


def best(row: Sequence[Measure]) -> set[int]:
    """The indices of the best of several results' figures; empty where none can be called best."""
    worth: dict[int, float] = {}
    for i, m in enumerate(row):
        if m.value is not None:
            judged = {"higher": m.value, "lower": -abs(m.value), "one": -abs(m.value - 1)}
            if m.better in judged:
                worth[i] = round(judged[m.better], 6)
    if len(set(worth.values())) < 2:
        return set()
    return {i for i, value in worth.items() if value == max(worth.values())}


def _lines(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    """The lines below the table: first, which measure decides the order."""
    unseen = unseen_lines((e.result.name, e.failures) for e in evaluations)
    return (_order_line(evaluations), *unseen, FAMILIES)


def _order_line(evaluations: Sequence[Evaluation]) -> str:
    key = deciding(evaluations)
    if key is None:
        return "No measure was taken on all of them: they stand in the order given."
    label = next(d.label for d in MEASURES if d.key == key)
    return f"Best first, by: {label}. An asterisk marks the best of a row."


def _head(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    names = (f"{i + 1}. {e.result.name}" for i, e in enumerate(evaluations))
    return ("", *names, "unit", "read by")


def _told(evaluations: Sequence[Evaluation]) -> list[tuple[str, ...]]:
    """One line for each measure that was taken on any of the results, the best figures marked."""
    by_key = [{m.key: m for m in e.measures} for e in evaluations]
    rows = [[found[m.key] for found in by_key if m.key in found] for m in MEASURES]
    taken = (row for row in rows if any(m.value is not None for m in row))
    return [(row[0].label, *_marked(row), row[0].unit, row[0].by) for row in taken]


def table(evaluations: Sequence[Evaluation]) -> str:
    """All figures beside one another for the terminal, the best of each row marked."""
    rows = grid("results, best first", _head(evaluations), _told(evaluations), left=WORDS)
    return rendered((rows, *_lines(evaluations)))


def page(evaluations: Sequence[Evaluation]) -> str:
    """The same as one HTML page, with each result's findings."""
    order, *lines = _lines(evaluations)
    told = "".join(f"<h2>{escape(e.result.name)}</h2>{listed(e.findings)}" for e in evaluations)
    body = (
        f"<h1>Results compared</h1><p>driven by {escape(str(evaluations[0].driving))}, as "
        f"{escape(str(evaluations[0].identity))}</p>"
        f"{tabled(_head(evaluations), _told(evaluations))}"
        f"<p>{escape(order)}</p>{told}{paragraphs(lines)}"
    )
    return framed("Results compared", body)


def _marked(row: Sequence[Measure]) -> list[str]:
    first = best(row)
    return [show_value(m) + (" *" if i in first else "") for i, m in enumerate(row)]
