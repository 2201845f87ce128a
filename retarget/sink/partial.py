"""Write beside the target under a hidden name, and rename only what is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import av

from retarget.errors import CannotWrite
from retarget.flow.dead_files import ASIDE, HIDDEN, clear, locked
from retarget.flow.held_signals import held_signals
from retarget.flow.report import Warn, unheard
from retarget.flow.there import is_folder
from retarget.flow.whole import (
    Landed,
    alone,
    becoming,
    hidden_name,
    landed_line,
    names_from,
    removing,
)
from retarget.sink.names import FOLDER_PATTERN, is_pattern, matches

_STREAM = "-"
"""What many programs take as the name of their own input or output."""


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
    """As `beside`, for what is made by now: its name was free when the work for it began.

    Raises:
        CannotWrite: the folder cannot be written to.
    """
    with writing(target):
        _check_parent(target)
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
    _check_named(folder)
    made = not is_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"The folder {folder} cannot be made: {error.strerror}.", do="Choose another one."
        ) from error
    bare = not _listed(folder)
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

    Raises:
        CannotWrite: the place refuses.
    """
    landed = telling(target, warn)
    with keeping(target, overwrite=overwrite, landed=landed) as hidden, writing(target):
        hidden.write_text(text, "utf-8")


def check_apart(target: Path, read: Iterable[str | Path | None], *, use: str = "read from") -> None:
    """Refuse to write over what a job uses otherwise, whatever may be replaced.

    Args:
        target: a file, a pattern of numbered ones, or a folder of them.
        read: files, folders and addresses; what is None or no path is passed over.
        use: what else the job does with them.

    Raises:
        CannotWrite: `target` is one of them, or would replace a picture in one; or it is "-".
    """
    _check_named(target)
    pattern = target / FOLDER_PATTERN if is_folder(target) else target
    for source in (Path(name) for name in read if name is not None):
        if _same(target, source) or (is_pattern(pattern.name) and _replaces(pattern, source)):
            raise CannotWrite(f"{target} is also {use}.", do="Choose another name for the result.")


def check_free(target: Path, *, overwrite: bool, read: Iterable[str | Path | None] = ()) -> None:
    """Refuse a file that must not be written, before any work is done for it.

    Args:
        target: the file.
        overwrite: whether it may be replaced.
        read: what the job reads, which is never replaced.

    Raises:
        CannotWrite: it exists and may not be replaced, or its folder does not exist.
    """
    check_apart(target, read)
    with writing(target):
        _check_parent(target)
        if target.is_dir():
            raise CannotWrite(f"{target} is a folder.", do="Choose another output.")
    if not overwrite and os.path.lexists(target):
        raise _taken(target)


def check_folder(folder: Path, pattern: str, *, overwrite: bool) -> None:
    """Refuse a folder that must not be filled with pictures, before any are made.

    Only a new or an empty one, or with `overwrite` one that holds nothing but files called after
    `pattern`, is taken: a wrong name must not cost a person their files.

    Raises:
        CannotWrite: something else is there already, or it cannot be written to.
    """
    with writing(folder):
        if folder.is_dir():
            _check_alone(folder, pattern)
            check_each(folder, pattern, overwrite=overwrite)
            return
        _check_parent(folder)
    if os.path.lexists(folder):
        raise CannotWrite(
            f"{folder} is there already and is no folder.",
            do=f"Choose a new or empty folder for pictures, or name a video: {folder}.mp4.",
        )


def check_each(folder: Path, pattern: str, *, overwrite: bool) -> None:
    """Refuse a pattern of numbered pictures that must not be written.

    Raises:
        CannotWrite: a file called after `pattern` is there already, or none can be made.
    """
    with writing(folder / pattern):
        _check_parent(folder / pattern)
        held = _called(pattern, folder)
    if held and not overwrite:
        raise _taken(held[0])


@contextmanager
def beside_folder(target: Path, pattern: str, *, overwrite: bool, landed: Landed) -> Iterator[Path]:
    """Lend a hidden folder that becomes the folder `target` when the block ends well.

    A folder that is there already stays, be it a link, a mount or the current one, and takes the
    files in. One that is filled meanwhile keeps what it has: `landed` is told which new one this is
    instead.

    Raises:
        CannotWrite: see `check_folder`.
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

    Raises:
        CannotWrite: see `check_each`.
    """
    check_each(folder, pattern, overwrite=overwrite)
    old = _called(pattern, folder)
    with _hidden_folder(folder / pattern) as hidden:
        yield hidden
        with writing(folder / pattern), held_signals():
            files = list(hidden.iterdir())
            names = _names(folder, [pattern, *(f.name for f in files)], overwrite=overwrite)
            _exchange(hidden, dict(zip(files, names[1:], strict=True)), old)
        if names[0].name != pattern:
            landed(names[0])


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system or FFmpeg says while writing into one sentence about `target`."""
    try:
        yield
    except (av.FFmpegError, OSError) as cause:
        number = getattr(cause, "errno", None)
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _locked(target.parent) from cause
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise CannotWrite(
                f"There is no room left for {target}.", do="Free some space, or write elsewhere."
            ) from cause
        said = str(getattr(cause, "strerror", None) or cause).rstrip(".")
        raise CannotWrite(
            f"{target} could not be written ({said}).", do="Choose another output or codec."
        ) from cause


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


def _called(pattern: str, folder: Path) -> list[Path]:
    """The files of a folder that are called after a pattern."""
    return [f for f in _listed(folder) if matches(pattern, f.name) and not f.is_dir()]


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except PermissionError as error:
        raise CannotWrite(
            f"The folder {folder} may not be listed.", do="Choose another output."
        ) from error


def _check_alone(folder: Path, pattern: str) -> None:
    """Refuse a folder with files that are not called after `pattern`; our hidden ones may lie."""
    ours = {file.name for file in _called(pattern, folder)}
    if any(f.name not in ours and not f.name.startswith(HIDDEN) for f in _listed(folder)):
        raise CannotWrite(
            f"The folder {folder} holds other files.",
            do=f"Choose a new or empty folder for pictures, or name a video: {folder / 'out.mp4'}.",
        )


def _check_named(target: Path) -> None:
    if target.name == _STREAM:
        raise CannotWrite(
            "What is written goes to a file, which appears once it is whole, and not to a stream.",
            do=f"Give it a name other than {_STREAM}.",
        )


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise CannotWrite(
            f"There is no folder {target.parent}.", do="Create it, or choose another output."
        )
    if not os.access(target.parent, os.W_OK):
        raise _locked(target.parent)


def _locked(folder: Path) -> CannotWrite:
    return CannotWrite(f"The folder {folder} may not be written to.", do="Choose another output.")


def _same(one: Path, two: Path) -> bool:
    """Whether two names lead to one file, be it by a link or by another case of letters."""
    try:
        return one.samefile(two)
    except OSError:  # one is not there yet, or a link that leads round in a circle
        return os.path.realpath(one) == os.path.realpath(two)  # Path.resolve fails at a circle


def _replaces(pattern: Path, source: Path) -> bool:
    """Whether numbered pictures could take the place of `source`, or of one inside it."""
    if is_folder(source):
        names = [file.name for file in _listed(source)] if _same(pattern.parent, source) else []
    else:
        names = [source.name] if _same(pattern.parent, source.parent) else []
    return any(matches(pattern.name, name) for name in names)


def _taken(target: Path) -> CannotWrite:
    return CannotWrite(
        f"{target} is there already.", do="Choose another output, or say --overwrite."
    )
