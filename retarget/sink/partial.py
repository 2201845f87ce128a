"""Write beside the target under a hidden name, and rename only what is whole."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av

from retarget.errors import CannotWrite


@contextmanager
def beside(target: Path, *, overwrite: bool, folder: bool = False) -> Iterator[Path]:
    """Lend a hidden name next to `target`; it becomes `target` when the block ends well.

    Args:
        target: where the result shall be.
        overwrite: whether something already there may be replaced.
        folder: make the hidden name a folder, which becomes the folder `target`.

    Raises:
        CannotWrite: something is there already, or the folder cannot be written to.
    """
    check_free(target, overwrite=overwrite)
    hidden = target.parent / f".retarget-{secrets.token_hex(4)}{'' if folder else target.suffix}"
    with writing(target):
        hidden.mkdir() if folder else hidden.touch(exist_ok=False)
    try:
        yield hidden
        with writing(target):
            _put(hidden, target)
    finally:
        _remove(hidden)


def check_free(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that must not or cannot be written.

    Raises:
        CannotWrite: it exists and may not be replaced, or its folder does not exist.
    """
    if not target.parent.is_dir():
        raise CannotWrite(
            f"There is no folder {target.parent}.", do="Create it, or choose another output."
        )
    if target.is_dir() and target.suffix:
        raise CannotWrite(f"{target} is a folder.", do="Choose another output.")
    if not overwrite and (target.exists() or target.is_symlink()):
        raise CannotWrite(
            f"{target} is there already.", do="Choose another output, or say --overwrite."
        )


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system or FFmpeg says while writing into one sentence about `target`."""
    try:
        yield
    except (av.FFmpegError, OSError) as cause:
        number = getattr(cause, "errno", None)
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CannotWrite(
                f"The folder {target.parent} may not be written to.", do="Choose another output."
            ) from cause
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise CannotWrite(
                f"There is no room left for {target}.", do="Free some space, or write elsewhere."
            ) from cause
        said = str(getattr(cause, "strerror", None) or cause).rstrip(".")
        raise CannotWrite(
            f"{target} could not be written ({said}).", do="Choose another output or codec."
        ) from cause


def _put(hidden: Path, target: Path) -> None:
    if target.is_dir() and hidden.is_dir():
        old = target.parent / f".retarget-{secrets.token_hex(4)}"
        target.rename(old)
        hidden.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(hidden, target)  # noqa: PTH105 - says what happens better than Path.replace


def _remove(hidden: Path) -> None:
    if hidden.is_dir():
        shutil.rmtree(hidden, ignore_errors=True)
    else:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
