"""An output's name → the right sink.

clip.mp4 .mov .mkv .webm  a video           clip.gif          an animation
name_%05d.png             numbered pictures  picture.png      one picture
frames                    a folder of numbered pictures
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow.atomic_files import Landed, landed_line
from retarget.flow.paths import is_folder
from retarget.flow.report import Warn, unheard
from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import FinishedFrame
from retarget.sink import names, partial, refusals, stills
from retarget.sink.codecs import CONTAINERS, check_codec
from retarget.sink.mark import COMPOSITE, Mark
from retarget.sink.settings import SinkSettings
from retarget.sink.sink import OpenSink, PlacedSink
from retarget.sink.video_file import VideoSink


@contextmanager
def open_sink(
    path: str | Path,
    settings: SinkSettings | None = None,
    *,
    info: SourceInfo,
    sound: Sound | None = None,
    warn: Warn = unheard,
    source_type: str = COMPOSITE,
) -> Iterator[PlacedSink]:
    """Write frames to `path`, which appears only when the block ends without an error.

    If something that must not be replaced appeared there meanwhile, the result takes the next free
    name; the sink's `target` and a warning tell which.

    Time stamps are those of the frames, minus the first one's where `info.cut` is set, for a piece
    with a later start.

    Args:
        path: the output; its name gives the kind, as listed above.
        settings: codec, quality and speed.
        info: the driving video: its clock and rate are kept.
        sound: the sound to mux.
        warn: called with a line for anything that is not as requested.
        source_type: IPTC's term for how the pictures were made; see `mark`.

    Raises:
        CannotWrite: `path` exists, cannot be made, or cannot hold the codec; or the block ended
            without a frame.
    """
    settings = settings or SinkSettings()
    target = Path(path)
    counted = _Counted(target, warn)
    mark, landed = Mark(source_type), counted.landed
    with _opened(target, settings, info, sound, mark=mark, warn=warn, landed=landed) as sink:
        counted.sink = sink
        try:
            yield counted
            if not counted.frames:
                raise CannotWrite(
                    f"There was no frame to write to {target}.", do="Check the driving video."
                )
            sink.finish()
        finally:
            sink.close()


def check_output(target: Path, *, overwrite: bool, read: Iterable[str | Path | None] = ()) -> None:
    """Refuse an output that `open_sink` could not write, before any work is done.

    For `overwrite` and `read` see `check_free`.
    """
    refusals.check_apart(target, read)
    kind = _kind(target)
    if not kind:
        refusals.check_folder(target, names.FOLDER_PATTERN, overwrite=overwrite)
    elif kind in stills.SUFFIXES and names.is_pattern(target.name):
        refusals.check_each(target.parent, target.name, overwrite=overwrite)
    else:
        refusals.check_free(target, overwrite=overwrite)


def _kind(target: Path) -> str:
    """The suffix in lower case, which gives the kind; empty for a folder of pictures."""
    kind, kinds = target.suffix.lower(), (*CONTAINERS, ".gif", *stills.SUFFIXES)
    if target.name.lower() in kinds:
        raise CannotWrite(
            f"{target.name} is an ending without a name before it.",
            do=f"Write the name, too, as in out{target.name}.",
        )
    if kind in ("", *kinds):
        return kind
    if is_folder(target):
        return ""
    raise CannotWrite(
        f"{target.name} is of no kind that can be written.",
        do=f"Let it end in one of {', '.join(kinds)}; or, for numbered pictures, make the folder "
        f"{target.name} first.",
    )


class _Counted:
    """Passes frames on, counts them, and has the result's path."""

    sink: OpenSink

    def __init__(self, target: Path, warn: Warn) -> None:
        self.target = target
        self._warn = warn
        self.frames = 0

    def write(self, frame: FinishedFrame) -> None:
        self.sink.write(frame)
        self.frames += 1

    def landed(self, place: Path) -> None:
        self._warn(landed_line(self.target, place))
        self.target = place


def _warn_of_sound(target: Path, kind: str, sound: Sound | None, warn: Warn) -> None:
    """Warn where there is sound and the output cannot hold any."""
    if sound is not None and kind not in CONTAINERS:
        what = "" if kind else ", a folder of pictures,"
        warn(f"{target.absolute().name}{what} holds no sound.")


@contextmanager
def _opened(
    target: Path,
    settings: SinkSettings,
    info: SourceInfo,
    sound: Sound | None,
    *,
    mark: Mark,
    warn: Warn,
    landed: Landed,
) -> Iterator[OpenSink]:
    kind, again, quality = _kind(target), settings.overwrite, settings.quality
    check_codec(kind, settings.codec)
    _warn_of_sound(target, kind, sound if settings.sound else None, warn)
    if not kind or (kind in stills.SUFFIXES and names.is_pattern(target.name)):
        where, pattern = (target.parent, target.name) if kind else (target, names.FOLDER_PATTERN)
        lend = partial.beside_each if kind else partial.beside_folder
        with lend(where, pattern, overwrite=again, landed=landed) as folder:
            yield stills.PicturesSink(folder, target, pattern=pattern, mark=mark, quality=quality)
        return
    with partial.beside(target, overwrite=again, landed=landed) as file:
        if kind in CONTAINERS:
            yield VideoSink(
                file, target, settings=settings, info=info, sound=sound, mark=mark, warn=warn
            )
        elif kind == ".gif":
            from retarget.sink.gif import GifSink

            yield GifSink(file, target, info=info, mark=mark, warn=warn)
        else:
            yield stills.PictureSink(file, target, mark=mark, quality=quality)
