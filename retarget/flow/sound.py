"""The sound of a piece of video for the sink: packets copied as they are, never decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet


class OpenSound(Protocol):
    """Sound that is being read."""

    @property
    def stream(self) -> AudioStream:
        """The stream the packets belong to: the pattern for a copy of it."""

    def packets(self) -> Iterator[tuple[Fraction, Packet[AudioStream]]]:
        """Each packet of the piece with the second at which it sounds, on the frames' clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Where a piece's sound can be read, apart from its pictures and as often as wanted."""

    codec: str
    """The codec's name as FFmpeg knows it: aac, opus, pcm_s16le, …"""
    open: Callable[[], AbstractContextManager[OpenSound]]
    """Read it from its beginning; the file stays open within the `with` block."""
