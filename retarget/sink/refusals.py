"""Checks of output paths before any work is done, and messages for errors while writing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from retarget.errors import CannotWrite
from retarget.flow.paths import STREAM, is_file, is_folder, is_there
from retarget.flow.stale_files import HIDDEN
from retarget.sink.codecs import CONTAINERS
from retarget.sink.names import FOLDER_PATTERN, is_pattern, matches

_IN_USE = (5, 32)
"""Windows' numbers for a file that may not be replaced or renamed while it is open."""
_FILES = (*CONTAINERS, ".gif", ".png", ".jpg", ".webp", ".pdf", ".csv", ".json", ".toml")
"""Endings of files."""


def check_apart(target: Path, read: Iterable[str | Path | None], *, use: str = "read from") -> None:
    """Refuse to overwrite a file that a job uses otherwise, even with `overwrite`.

    Args:
        target: a file, a pattern of numbered ones, or a folder of them.
        read: files, folders and addresses; None and addresses are ignored.
        use: the other use, for the message.

    Raises:
        CannotWrite: `target` is one of them, or would replace a picture in one; or it is a stream.
    """
    check_named(target)
    pattern = target / FOLDER_PATTERN if is_folder(target) else target
    for source in (Path(name) for name in read if name is not None):
        if _same(target, source) or (is_pattern(pattern.name) and _replaces(pattern, source)):
            raise CannotWrite(f"{target} is also {use}.", do="Choose another name for the result.")


def check_free(target: Path, *, overwrite: bool, read: Iterable[str | Path | None] = ()) -> None:
    """Refuse an output file before any work is done.

    Args:
        target: the file.
        overwrite: whether it may be replaced.
        read: the job's inputs, which are never replaced.

    Raises:
        CannotWrite: it exists and may not be replaced, or its folder does not exist.
    """
    check_apart(target, read)
    with writing(target):
        check_parent(target)
        if target.is_dir():
            raise CannotWrite(f"{target} is a folder.", do="Choose another output.")
    if not overwrite and os.path.lexists(target):
        raise _taken(target)


def check_folder_name(folder: Path) -> None:
    """Refuse a folder that would be made under the name of a file.

    Raises:
        CannotWrite: its name ends as one.
    """
    check_named(folder)
    if folder.suffix.lower() in _FILES and not is_folder(folder):
        raise CannotWrite(
            f"{folder.name} is the name of a file, and several are made, in a folder.",
            do=f"Name a folder, such as {folder.stem}.",
        )


def check_folder(folder: Path, pattern: str, *, overwrite: bool) -> None:
    """Refuse an output folder for pictures, before any are made.

    It must be new or empty, or with `overwrite` hold only files whose names match `pattern`, so
    that a wrong name does not destroy files.

    Raises:
        CannotWrite: it holds other files, or cannot be written to.
    """
    with writing(folder):
        if folder.is_dir():
            _check_alone(folder, pattern)
            check_each(folder, pattern, overwrite=overwrite)
            return
        check_parent(folder)
    if os.path.lexists(folder):
        raise CannotWrite(
            f"{folder} is there already and is no folder.",
            do=f"Choose a new or empty folder for pictures, or name a video: {folder}.mp4.",
        )


def check_each(folder: Path, pattern: str, *, overwrite: bool) -> None:
    """Refuse a pattern of numbered pictures.

    Raises:
        CannotWrite: a file whose name matches `pattern` exists, or none can be made.
    """
    with writing(folder / pattern):
        check_parent(folder / pattern)
        held = called(pattern, folder)
    if held and not overwrite:
        raise _taken(held[0])


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn errors of the system or FFmpeg while writing into one sentence about `target`."""
    try:
        yield
    except (av.FFmpegError, OSError) as cause:
        number = getattr(cause, "errno", None)
        if getattr(cause, "winerror", None) in _IN_USE and target.is_file():
            raise CannotWrite(
                f"{target} cannot be replaced: another program may have it open.",
                do="Close it there, or choose another output.",
            ) from cause
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


def check_parent(target: Path) -> None:
    """Refuse a file whose folder does not exist or may not be written to.

    Raises:
        CannotWrite: the folder is missing or read-only.
    """
    if not target.parent.is_dir():
        raise CannotWrite(
            f"There is no folder {target.parent}.", do="Create it, or choose another output."
        )
    if not os.access(target.parent, os.W_OK):
        raise _locked(target.parent)


def check_named(target: Path) -> None:
    """Refuse "-", which means a stream to many programs, and streams: a file would replace them.

    Raises:
        CannotWrite: it is "-", or a device, a pipe, or a link to one, as /dev/stdout is.
    """
    stream = is_there(target) and not (is_file(target) or is_folder(target))
    if stream or target.name == STREAM:
        raise CannotWrite(
            "What is written goes to a file, which appears once it is whole, and not to a stream.",
            do=f"Give it a name other than {target if stream else STREAM}.",
        )


def called(pattern: str, folder: Path) -> list[Path]:
    """The files of a folder whose names match a pattern."""
    return [f for f in listed(folder) if matches(pattern, f.name) and not f.is_dir()]


def listed(folder: Path) -> list[Path]:
    """The entries of a folder.

    Raises:
        CannotWrite: the folder may not be listed.
    """
    try:
        return list(folder.iterdir())
    except PermissionError as error:
        raise CannotWrite(
            f"The folder {folder} may not be listed.", do="Choose another output."
        ) from error


def _check_alone(folder: Path, pattern: str) -> None:
    """Refuse a folder with other files than those matching `pattern` and hidden ones of ours."""
    ours = {file.name for file in called(pattern, folder)}
    if any(f.name not in ours and not f.name.startswith(HIDDEN) for f in listed(folder)):
        raise CannotWrite(
            f"The folder {folder} holds other files.",
            do=f"Choose a new or empty folder for pictures, or name a video: {folder / 'out.mp4'}.",
        )


def _locked(folder: Path) -> CannotWrite:
    return CannotWrite(f"The folder {folder} may not be written to.", do="Choose another output.")


def _same(one: Path, two: Path) -> bool:
    """Whether two names refer to one file, by a link or another case of letters."""
    try:
        return one.samefile(two)
    except OSError:  # one is not there yet, or a link that leads round in a circle
        return os.path.realpath(one) == os.path.realpath(two)  # Path.resolve fails at a circle


def _replaces(pattern: Path, source: Path) -> bool:
    """Whether numbered pictures could replace `source`, or a file in it."""
    if is_folder(source):
        names = [file.name for file in listed(source)] if _same(pattern.parent, source) else []
    else:
        names = [source.name] if _same(pattern.parent, source.parent) else []
    return any(matches(pattern.name, name) for name in names)


def _taken(target: Path) -> CannotWrite:
    return CannotWrite(
        f"{target} is there already.", do="Choose another output, or say --overwrite."
    )
