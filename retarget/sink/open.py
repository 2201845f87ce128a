"""An output's name → the right sink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.sink.settings import SinkSettings
from retarget.sink.sink import Sink, Warn, unheard


@contextmanager
def open_sink(
    path: str | Path,
    settings: SinkSettings | None = None,
    *,
    info: SourceInfo,
    sound: Sound | None = None,
    warn: Warn = unheard,
    source_type: str = "compositeSynthetic",
) -> Iterator[Sink]:
    """Write frames to `path`; it appears there when the block ends well, and only then.

    Args:
        path: .mp4, .mov, .mkv or .webm.
        settings: codec, quality and speed.
        info: the driving video: its clock and rate are kept.
        sound: laid beside the pictures, packet for packet.
        warn: called with one line for what is not as asked.
        source_type: IPTC's word for how the pictures were made.

    Raises:
        CannotWrite: the file is there already, cannot be made, or cannot hold what is asked.
    """
    from retarget.sink.mark import Mark
    from retarget.sink.partial import beside
    from retarget.sink.video_file import VideoSink

    target = Path(path)
    settings = settings or SinkSettings()
    mark = Mark(source_type)
    with beside(target, overwrite=settings.overwrite) as hidden:
        sink = VideoSink(hidden, target, settings, info, sound, mark, warn)
        try:
            yield sink
            sink.finish()
        finally:
            sink.close()
