"""Write beside the target under a hidden name, and rename only what is whole."""

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
    names_from,
    removing,
)
from retarget.flow.held_signals import held_signals
from retarget.flow.paths import is_folder
from retarget.flow.report import Warn, unheard
from retarget.flow.stale_files import ASIDE, clear, locked
from retarget.sink.refusals import (
    called,
    check_each,
    check_folder,
    check_free,
    check_named,
    check_parent,
    listed,
    writing,
)


@contextmanager
def beside(target: Path, *, overwrite: bool, landed: Landed | None = None) -> Iterator[Path]:
    """Lend a hidden name next to `target`; that file becomes `target` when the block ends well.

    Args:
        target: the file.
        overwrite: whether it may be replaced.
        landed: told which free name the file has instead, where `target` came to be meanwhile;
            None: that is refused.

    Raises:
        CannotWrite: something is there already, another run writes it, or the folder cannot be
            written to.
    """
    check_free(target, overwrite=overwrite)
    with alone(target), keeping(target, overwrite=overwrite, landed=landed) as hidden:
        yield hidden


@contextmanager
def keeping(target: Path, *, overwrite: bool, landed: Landed | None) -> Iterator[Path]:
    """As `beside`, for what is made by now: its name was free when the work for it began."""
    with writing(target):
        check_parent(target)
    kept = None if overwrite else landed
    with becoming(target, lambda: writing(target), kept) as hidden:
        yield hidden
        if kept is None:
            check_free(target, overwrite=overwrite)


def telling(target: Path, warn: Warn) -> Landed:
    """Say in one line that a result is not at `target`."""
    return lambda place: warn(landed_line(target, place))


@contextmanager
def filling(folder: Path, notes: Iterable[str] = ()) -> Iterator[Path]:
    """Lend a folder, made where it is not there, that no other run fills meanwhile.

    Args:
        folder: where several files go, each when it is finished.
        notes: names of files that tell of the others. Where the block fails before there is one
            to tell of, the folder is left as it was found.

    Raises:
        CannotWrite: it cannot be made, or may not be listed, or another run fills it.
    """
    check_named(folder)
    made = not is_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"The folder {folder} cannot be made: {error.strerror}.", do="Choose another one."
        ) from error
    bare = not listed(folder)
    with alone(folder):
        try:
            yield folder
        except BaseException:
            if bare:
                _leave_bare(folder, set(notes), made=made)
            raise


def _leave_bare(folder: Path, notes: set[str], *, made: bool) -> None:
    """Take notes of nothing away, and the folder if it was made for them."""
    with suppress(OSError):
        if {file.name for file in folder.iterdir()} <= notes:
            for name in notes:
                (folder / name).unlink(missing_ok=True)
            if made:
                folder.rmdir()


def save_text(target: Path, text: str, *, overwrite: bool, warn: Warn = unheard) -> None:
    """Write a text file, whole or not at all, at the end of what it tells of.

    Args:
        target: the file.
        text: all of it.
        overwrite: whether `target` may be replaced.
        warn: told which free name it has instead, where it may not.
    """
    landed = telling(target, warn)
    with keeping(target, overwrite=overwrite, landed=landed) as hidden, writing(target):
        hidden.write_text(text, "utf-8")


@contextmanager
def beside_folder(target: Path, pattern: str, *, overwrite: bool, landed: Landed) -> Iterator[Path]:
    """Lend a hidden folder that becomes the folder `target` when the block ends well.

    A folder that is there already stays, be it a link, a mount or the current one, and takes the
    files in. One that is filled meanwhile keeps what it has: `landed` is told which new one this is
    instead.
    """
    check_folder(target, pattern, overwrite=overwrite)
    if target.is_dir():
        with beside_each(target, pattern, overwrite=overwrite, landed=landed) as hidden:
            yield hidden
        return
    with _hidden_folder(target) as hidden:
        yield hidden
        with writing(target):
            place = _land_folder(hidden, target)
        if place != target:
            landed(place)


@contextmanager
def beside_each(folder: Path, pattern: str, *, overwrite: bool, landed: Landed) -> Iterator[Path]:
    """Lend a hidden folder whose files go to `folder` when the block ends well.

    Where one of them would replace what came to be there meanwhile, all have their names numbered,
    and `landed` is told how: frame_%05d_2.png.
    """
    check_each(folder, pattern, overwrite=overwrite)
    old = called(pattern, folder)
    with _hidden_folder(folder / pattern) as hidden:
        yield hidden
        with writing(folder / pattern), held_signals():
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
        with writing(target):
            hidden.mkdir()
        with locked(hidden):
            yield hidden


def _land_folder(hidden: Path, target: Path) -> Path:
    """Give a folder a name or the next free one, and tell which."""
    for place in names_from(target):
        try:
            hidden.rename(place)
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
    """Move the files of `new` where they belong in place of the old ones, or change nothing.

    These wait in `new` until the last of its files is there.
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
            to.replace(file)

    file.replace(to)
