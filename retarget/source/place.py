"""The location of a video, and how to open it safely.

Some formats are lists of other files and addresses, so that a malicious file could make others be
read. Only self-contained formats are opened from disk, and only by their full path; a remote video
may be a playlist, but only of remote parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from retarget.errors import UnreadableInput

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,gif,apng,ogg,mxf,nut,"
    "ivf,h264,hevc,obu,m4v,dv,wtv,rm,yuv4mpegpipe,mjpeg,"
    "mp3,aac,wav,flac"  # opened only to say that they hold no picture
)
_THREADS = 4  # each holds frames of its own, so memory would grow with the machine's cores
_SMALL = 1280 * 720
"""Pixels up to which one thread decodes: several wait for one another longer than they save."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The location of a video, which can be opened several times."""

    name: str
    """As the person wrote it, for messages."""
    address: str
    """Full path, or URL."""
    remote: bool = False
    patience: float = 20.0
    """Seconds to wait for a remote answer."""

    def open(self) -> InputContainer:
        """Open it.

        Raises:
            UnreadableInput: it is missing, not a video, or does not answer.
        """
        try:
            if self.remote:
                return av.open(
                    self.address,
                    mode="r",
                    options={
                        "protocol_whitelist": "http,https,httpproxy,tls,tcp,crypto",
                        "format_whitelist": _FORMATS + ",hls",
                        "reconnect": "1",
                        "reconnect_delay_max": "4",
                    },
                    timeout=(self.patience, self.patience),
                    metadata_errors="replace",
                )
            return av.open(
                self.address,
                mode="r",
                options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError, ValueError) as cause:
            raise self.unreadable(cause) from cause

    def unreadable(self, cause: Exception) -> UnreadableInput:
        """One sentence for an error of FFmpeg or the system."""
        if self.remote:
            why = str(getattr(cause, "strerror", None) or cause).rstrip(".")
            return UnreadableInput(
                f"{self.name} cannot be fetched ({why}).",
                do="Check the address and the connection, or download the video first.",
            )
        return UnreadableInput.at(self.name, cause) or UnreadableInput(
            f"{self.name} is no video or picture that can be read: it is damaged, cut short, or of "
            "another kind.",
            do="Check that it opens elsewhere, or convert it to .mp4 or .png.",
        )


def picture_stream(container: InputContainer, name: str) -> VideoStream:
    """The moving picture in `container`, ready to decode on a few threads.

    Raises:
        UnreadableInput: it has none, as an album's cover is none, or none that FFmpeg can decode.
    """
    moving = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    if not moving:
        found = "only sound" if container.streams.audio else "no moving picture"
        raise UnreadableInput(f"{name} holds {found}.", do="Choose a video that shows a face.")
    known = [s for s in moving if s.codec_context is not None]
    if not known:
        raise UnreadableInput(
            f"{name} is encrypted, or encoded by a codec that is not known here.",
            do="Save it as an ordinary .mp4 (H.264) with the program that plays it.",
        )
    stream = max(known, key=lambda s: (Disposition.default in s.disposition, s.width * s.height))
    stream.thread_type = "AUTO"
    small = stream.width * stream.height <= _SMALL
    stream.codec_context.thread_count = 1 if small else _THREADS
    return stream
