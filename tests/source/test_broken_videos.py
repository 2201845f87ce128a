"""Videos that are damaged or cut short give what is there, and it is told."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import heard, make_clip, number_in, numbered, read

from retarget.flow.values import VideoFrame
from retarget.source import place
from retarget.source.open import open_source


def damaged(path: Path, clip: Path, share: float, length: int) -> Path:
    data = bytearray(clip.read_bytes())
    begin = round(len(data) * share)
    data[begin : begin + length] = b"\xff\x00\xaa" * (length // 3)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_broken_packets_in_the_middle_are_skipped_with_a_warning(
    tmp_path: Path, codec: str
) -> None:
    noise = np.random.default_rng(3).integers(0, 60, (64, 96, 3), np.uint8)
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    clip = make_clip(
        tmp_path / "whole.mp4",
        count=60,
        codec=codec,
        container={"movflags": "+faststart"},
        picture=lambda i: numbered(i) // 2 + np.roll(noise, 7 * i, axis=1),
        options={"g": "10", **quiet},
    )
    broken = damaged(tmp_path / "broken.mp4", clip, 0.5, 1200)
    said: list[str] = []
    with open_source(broken, warn=said.append) as source:
        frames = list(source.frames())
    assert said
    assert all("\n" not in line and "broken.mp4" in line for line in said)
    at = [frame.at.exact for frame in frames]
    assert len(at) >= 30
    assert at == sorted(set(at))
    assert at[0] == 0
    assert at[-1] == Fraction(59, 25)


UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "ffv1": lambda data: data[: len(data) // 3],
    "libx264": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("large", [False, True])  # of which several frames are decoded at once
@pytest.mark.parametrize("broken", [27, 28, 29])
@pytest.mark.parametrize("codec", UNREADABLE)
def test_a_broken_packet_near_the_end_takes_no_healthy_frame_with_it(
    tmp_path: Path, codec: str, broken: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(place, "_SMALL", 0)
    pixels = "bgr0" if codec == "ffv1" else "yuv420p"
    clip = make_clip(tmp_path / "c.mp4", codec=codec, pixels=pixels, options={"g": "1", "bf": "0"})
    with av.open(str(clip)) as found, av.open(str(tmp_path / "broken.mkv"), "w") as out:
        stream = found.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for index, packet in enumerate(found.demux(stream)):
            if packet.size:
                data = bytes(packet)
                again = av.Packet(UNREADABLE[codec](data) if index == broken else data)
                again.pts, again.dts, again.time_base = packet.pts, packet.dts, packet.time_base
                again.is_keyframe, again.stream = True, copy
                out.mux(again)
    said: list[str] = []
    with open_source(tmp_path / "broken.mkv", warn=said.append) as source:
        seen = [number_in(frame.rgb) for frame in source.frames()]
    assert seen == [number for number in range(30) if number != broken]
    assert set(said) == {f"{tmp_path / 'broken.mkv'}: a broken packet was skipped."}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_file_that_was_cut_short_gives_what_is_there_and_says_so(
    tmp_path: Path, suffix: str
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (64, 96, 3), np.uint8)
    clip = make_clip(
        tmp_path / f"c{suffix}",
        count=60,
        picture=lambda i: np.roll(noise, 7 * i, axis=1),
        container={"movflags": "+faststart"} if suffix == ".mp4" else None,
    )
    frames, said = cut_short(clip)
    assert 30 < len(frames) < 50
    assert "ends early" in said[-1]


def cut_short(clip: Path) -> tuple[list[VideoFrame], list[str]]:
    """The frames of the file's first two thirds, and what is said of it."""
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    said: list[str] = []
    with open_source(clip, warn=said.append) as source:
        return list(source.frames()), said


def test_a_file_that_says_only_how_long_everything_lasts_is_told_once_much_is_missing(
    tmp_path: Path,
) -> None:
    clip = make_clip(tmp_path / "c.mkv", count=120, rate=1)
    clip.write_bytes(clip.read_bytes().replace(b"DURATION", b"OTHERTAG"))
    frames, said = cut_short(clip)
    assert 60 < len(frames) < 100
    assert "ends early" in said[-1]


@pytest.mark.parametrize("name", [b"DURATION", b"OTHERTAG"])
def test_sound_that_lasts_longer_than_the_pictures_is_nothing_to_be_told(
    tmp_path: Path, name: bytes
) -> None:
    clip = make_clip(tmp_path / "c.mkv", sound="aac", sound_seconds=8.0)
    clip.write_bytes(clip.read_bytes().replace(b"DURATION", name))
    said: list[str] = []
    with open_source(clip, warn=said.append) as source:
        assert len(list(source.frames())) == 30
    assert said == []


def caption(milliseconds: int) -> bytes:
    """A tag of Flash video with a line of text (AMF0: a name, then an object)."""
    name = b"onTextData"
    body = b"\x02" + len(name).to_bytes(2, "big") + name + b"\x03\0\x04text\x02\0\x02hi\0\0\x09"
    tag = b"\x12" + len(body).to_bytes(3, "big") + milliseconds.to_bytes(3, "big") + bytes(4) + body
    return tag + len(tag).to_bytes(4, "big")


def test_captions_that_begin_part_way_keep_no_frame_from_being_read(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.flv", count=100, codec="flv", sound="aac")
    whole = clip.read_bytes()
    said = [number_in(frame.rgb) for frame in read(clip)]
    clip.write_bytes(whole + caption(4000))
    with av.open(str(clip)) as opened:
        assert not opened.streams.subtitles, "they were found before reading begins"
    assert [number_in(frame.rgb) for frame in read(clip)] == said == list(range(100))
    assert heard(clip)
