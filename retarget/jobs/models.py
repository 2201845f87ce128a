"""List the model files that can be used, and fetch those that are wanted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.declared import AsDeclared, Kept
from retarget.flow.report import Report

if TYPE_CHECKING:
    from retarget.models.catalog import ModelFile
    from retarget.models.store import Row

PULL = "pull"


@dataclass(frozen=True, kw_only=True)
class ModelsJob(AsDeclared):
    """List model files, or fetch them: `retarget models`, `retarget models pull diffusion`."""

    words: tyro.conf.Positional[Kept[tuple[str, ...]]] = ()
    """Nothing: list. `pull` and names or groups: fetch what is not here, verify what is."""
    models: Kept[Path] | None = None
    """The folder to look in first and to fetch into; else RETARGET_MODELS or the user's cache."""
    accept_licence: bool = False
    """Accept licences that forbid commercial use without being asked."""

    def run(self, report: Report | None = None) -> str:
        """List or fetch, and say where things are.

        Raises:
            RetargetError: a file cannot be had, or a licence was not accepted.
        """
        from retarget.models.catalog import named
        from retarget.models.store import Store

        if not self.words:
            return _table(Store(self.models).status())
        if self.words[0] != PULL:
            raise UnknownWord("word for `retarget models`", self.words[0], [PULL])
        if len(self.words) == 1:
            raise RetargetError(
                "It is not said what to fetch.",
                do="Name a group or a file of `retarget models`: retarget models pull diffusion.",
            )
        wanted = named(self.words[1:])
        paths = Store(self.models).pull(
            wanted,
            accept_licence=self.accept_licence,
            confirm=_confirm if sys.stdin.isatty() else None,
            progress=_Bar() if sys.stderr.isatty() else None,
        )
        return "\n".join(
            f"{path}\n  {file.licence}. {file.note}".rstrip()
            for file, path in zip(wanted, paths, strict=True)
        )


_HEADS = ("file", "group", "MB", "licence", "here", "for, and below it from where")
_SIZES = 2
"""The index of the column of numbers, which is aligned right."""


def _table(rows: list[Row]) -> str:
    """A line for each file, with its address on the next one, and a footnote."""
    cells = [_HEADS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i == _SIZES else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    told = [lines[0]]
    for line, row in zip(lines[1:], rows, strict=True):
        told += [line, f"    {row.file.url.format(revision=row.revision or 'main')}"]
    return "\n".join([*told, "* forbids commercial use; the default generator needs no file.\n"])


def _cells(row: Row) -> tuple[str, ...]:
    file = row.file
    licence = file.licence if file.commercial else f"{file.licence} *"
    here = "yes" if row.found else "no"
    return file.name, file.group, str(file.megabytes), licence, here, file.serves


def _confirm(file: ModelFile) -> bool:
    sys.stderr.write(
        f"{file.name} ({file.serves}): {file.licence}. It must not be used commercially. "
        "Fetch it? [y/N] "
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class _Bar:
    """One line per file that is being fetched."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, file: ModelFile, done: int, total: int | None) -> None:
        """Show how far a file is."""
        whole = total or file.megabytes * 1_000_000
        percent = min(100, 100 * done // max(whole, 1))
        if percent != self._shown:
            self._shown = percent
            end = "\n" if percent == 100 else ""
            sys.stderr.write(f"\r{file.name}: {done / 1e6:.1f} MB, {percent} %{end}")
            sys.stderr.flush()
