"""Write under a hidden name beside the target, and rename when finished."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow.atomic_files import (
    Landed,
    alone,
    becoming,
    hidden_name,
    landed_line,
    move,
    names_from,
    removing,
)
from retarget.flow.held_signals import held_signals
from retarget.flow.paths import is_folder
from retarget.flow.report import Warn, unheard
from retarget.flow.stale_files import ASIDE, clear, locked
from retarget.sink import refusals


@contextmanager
def beside(target: Path, *, overwrite: bool, landed: Landed | None = None) -> Iterator[Path]:
    """A hidden file beside `target`, renamed to it when the block ends without an error.

    Args:
        target: the file.
        overwrite: whether it may be replaced.
        landed: called with the free name that is used instead if `target` appeared meanwhile; None:
            that is refused.

    Raises:
        CannotWrite: `target` exists, another run writes it, or the folder cannot be written to.
    """
    refusals.check_free(target, overwrite=overwrite)
    with alone(target), keeping(target, overwrite=overwrite, landed=landed) as hidden:
        yield hidden


@contextmanager
def keeping(target: Path, *, overwrite: bool, landed: Landed | None) -> Iterator[Path]:
    """As `beside`, without checking that the name is free, which was done when the work began."""
    with refusals.writing(target):
        refusals.check_parent(target)
    kept = None if overwrite else landed
    with becoming(target, lambda: refusals.writing(target), kept) as hidden:
        yield hidden
        if kept is None:
            refusals.check_free(target, overwrite=overwrite)


def telling(target: Path, warn: Warn) -> Landed:
    """Warn in one line that a result is not at `target`."""
    return lambda place: warn(landed_line(target, place))


@contextmanager
def filling(folder: Path, notes: Iterable[str] = ()) -> Iterator[Path]:
    """A folder, created if needed and locked against other runs.

    Args:
        folder: the folder for several files.
        notes: names of files about the others, such as a manifest. If the block fails before there
            is another file, the folder is left as it was found.

    Raises:
        CannotWrite: it cannot be made or listed, has the name of a file, or another run uses it.
    """
    refusals.check_folder_name(folder)
    made = not is_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"The folder {folder} cannot be made: {error.strerror}.", do="Choose another one."
        ) from error
    bare = not refusals.listed(folder)
    with alone(folder):
        try:
            yield folder
        except BaseException:
            if bare:
                _leave_bare(folder, set(notes), made=made)
            raise


def _leave_bare(folder: Path, notes: set[str], *, made: bool) -> None:
    """Remove `notes` without other files, and the folder if it was made for them."""
    with suppress(OSError):
        if {file.name for file in folder.iterdir()} <= notes:
            for name in notes:
                (folder / name).unlink(missing_ok=True)
            if made:
                folder.rmdir()


def save_text(target: Path, text: str, *, overwrite: bool, warn: Warn = unheard) -> None:
    """Write a text file whole or not at all.

    Args:
        target: the file.
        text: all of it; bytes of names that are not UTF-8 are escaped.
        overwrite: whether `target` may be replaced.
        warn: called with the free name that is used if it may not.
    """
    landed = telling(target, warn)
    with keeping(target, overwrite=overwrite, landed=landed) as hidden, refusals.writing(target):
        hidden.write_text(text, "utf-8", errors="backslashreplace")


@contextmanager
def beside_folder(target: Path, pattern: str, *, overwrite: bool, landed: Landed) -> Iterator[Path]:
    """A hidden folder, renamed to `target` when the block ends without an error.

    An existing folder, which may be a link, a mount or the current folder, stays and receives the
    files. If one appeared meanwhile, the next free name is used, and passed to `landed`.
    """
    refusals.check_folder(target, pattern, overwrite=overwrite)
    if target.is_dir():
        with beside_each(target, pattern, overwrite=overwrite, landed=landed) as hidden:
            yield hidden
        return
    with _hidden_folder(target) as hidden:
        yield hidden
        with refusals.writing(target):
            place = _land_folder(hidden, target)
        if place != target:
            landed(place)


@contextmanager
def beside_each(folder: Path, pattern: str, *, overwrite: bool, landed: Landed) -> Iterator[Path]:
    """A hidden folder whose files are moved to `folder` when the block ends without an error.

    If one of them would replace a file that appeared meanwhile, all their names get a number, and
    `landed` the pattern: frame_%05d_2.png.
    """
    refusals.check_each(folder, pattern, overwrite=overwrite)
    old = refusals.called(pattern, folder)
    with _hidden_folder(folder / pattern) as hidden:
        yield hidden
        with refusals.writing(folder / pattern), held_signals():
            files = list(hidden.iterdir())
            names = _names(folder, [pattern, *(f.name for f in files)], overwrite=overwrite)
            _exchange(hidden, dict(zip(files, names[1:], strict=True)), old)
        if names[0].name != pattern:
            landed(names[0])


@contextmanager
def _hidden_folder(target: Path) -> Iterator[Path]:
    hidden = hidden_name(target, "")
    clear(target.parent)
    with alone(target), removing(hidden):
        with refusals.writing(target):
            hidden.mkdir()
        with locked(hidden):
            yield hidden


def _land_folder(hidden: Path, target: Path) -> Path:
    """Rename a folder to `target` or the next free name, which is returned."""
    for place in names_from(target):
        try:
            move(hidden, place)
        except OSError:
            if os.path.lexists(place):
                continue
            raise
        break
    return place


def _names(folder: Path, plain: Iterable[str], *, overwrite: bool) -> tuple[Path, ...]:
    """Names in a folder, numbered alike where one of them is taken and may not be replaced."""
    numbered = zip(*(names_from(folder / name) for name in plain), strict=True)
    return next(names for names in numbered if overwrite or not any(map(os.path.lexists, names)))


def _exchange(new: Path, moves: Mapping[Path, Path], old: Iterable[Path]) -> None:
    """Move files from `new` to their places, replacing the old ones, or change nothing.

    The old ones are kept in `new` until the last file is moved.
    """
    aside = new / ASIDE
    aside.mkdir()
    with ExitStack() as undo:
        for file in filter(os.path.lexists, old):
            _move(file, aside / file.name, undo)
        for file, place in moves.items():
            _move(file, place, undo)
        undo.pop_all()


def _move(file: Path, to: Path, undo: ExitStack) -> None:
    @undo.callback
    def back() -> None:
        with suppress(OSError):
            move(to, file)

    move(file, to)
