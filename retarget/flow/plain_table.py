"""A table of figures as plain text, for `bench`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO


def text_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under headings; all but the first are numbers."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    text = StringIO()
    Console(file=text, width=100).print(table)
    return text.getvalue()
