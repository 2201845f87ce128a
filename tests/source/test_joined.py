from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import as_frame, heard, make_clip, number_in, numbered, read, times

from retarget.source.joined import OneClock
from retarget.source.open import open_source

FRAME = Fraction(1, 25)
PACKET = Fraction(1024, 48_000)
CLOCK = Fraction(1, 90_000)


def recording(path: Path, first: int, *, picture: Fraction, sound: Fraction) -> Path:
    """A second of broadcast, numbered from `first` on, whose two streams begin at these seconds."""
    clip = make_clip(
        path.with_name(f"as-made-{path.name}"),
        count=25,
        sound="aac",
        options={"bf": "2", "g": "10"},
        picture=lambda i: numbered(first + i),
    )
    with av.open(str(clip)) as found, av.open(str(path), "w") as out:
        later = {found.streams.video[0]: picture, found.streams.audio[0]: sound}
        copies = {stream: out.add_stream_from_template(stream) for stream in later}
        for packet in found.demux(*later):
            if packet.dts is not None:
                ticks = round(later[packet.stream] / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = copies[packet.stream]
                out.mux(packet)
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("begun", [0, 7])
def test_where_the_clock_starts_again_pictures_and_sound_go_on_together(
    tmp_path: Path, begun: int
) -> None:
    begin = Fraction(begun)
    one = recording(tmp_path / "one.ts", 0, picture=begin, sound=begin)
    two = recording(tmp_path / "two.ts", 25, picture=Fraction(0), sound=Fraction(0))
    clip = joined(tmp_path / "clip.ts", one, two)

    frames, sound = read(clip), heard(clip)
    first, second = heard(one), heard(two)
    assert [number_in(frame.rgb) for frame in frames] == list(range(50))
    assert [data for _, data, _ in sound] == [data for _, data, _ in first + second]
    pictures_at = [frame.at.exact for frame in frames]
    sound_at = [at for at, _, _ in sound]
    assert pictures_at[:25] == times(one)
    assert sound_at[: len(first)] == [at for at, _, _ in first]

    ended = max(pictures_at[24] + FRAME, sound_at[len(first) - 1] + PACKET)
    goes_on = min(pictures_at[25], sound_at[len(first)])
    assert abs(goes_on - ended) < PACKET
    alone = times(two) + [at for at, _, _ in second]
    later = [a - t for a, t in zip(pictures_at[25:] + sound_at[len(first) :], alone, strict=True)]
    assert max(later) - min(later) <= CLOCK


@pytest.mark.parametrize("ending", [".ts", ".mpg"])
def test_sound_that_only_the_second_of_two_recordings_has_is_in_sync(
    tmp_path: Path, ending: str
) -> None:
    codec, sound = ("libx264", "aac") if ending == ".ts" else ("mpeg2video", "mp2")
    one = make_clip(tmp_path / f"one{ending}", codec=codec)
    two = make_clip(tmp_path / f"two{ending}", codec=codec, sound=sound)
    clip = joined(tmp_path / f"clip{ending}", one, two)
    ahead = times(two)[0] - heard(two)[0][0]
    assert abs(times(clip)[30] - heard(clip)[0][0] - ahead) < PACKET


@pytest.mark.parametrize("said", [("dts",), ("pts", "dts")])
def test_a_clock_that_starts_again_goes_on_in_each_time_that_packets_say(
    tmp_path: Path, said: tuple[str, ...]
) -> None:
    clock, moved = OneClock(), []
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        for tick in (100, 101, 102, 0, 1):
            packet = av.Packet(bytes(8))
            packet.stream, packet.time_base, packet.duration = stream, FRAME, 1
            for name in said:
                setattr(packet, name, tick)
            clock.move(packet)
            moved.append((packet.pts, packet.dts))
    alone = range(100, 105)
    assert moved == [tuple(t if n in said else None for n in ("pts", "dts")) for t in alone]


@pytest.mark.parametrize(
    "stamps",
    [
        [tick * 200 for tick in range(12)],  # five frames a second
        [0, *range(2000, 2440, 40)],  # a still picture first, as screen recordings begin
        [*range(0, 160, 40), *range(9000, 9320, 40)],
    ],
    ids=["slow", "still first", "pause"],
)
def test_reordered_pictures_are_not_taken_for_a_clock_that_starts_again(
    tmp_path: Path, stamps: list[int]
) -> None:
    clip = make_clip(
        tmp_path / "a.mkv",
        count=len(stamps),
        stamps=stamps,
        time_base=Fraction(1, 1000),
        options={"bf": "3", "b_strategy": "0"},
    )
    with av.open(str(clip)) as made:
        first, second = (packet for packet, _ in zip(made.demux(video=0), range(2), strict=False))
        assert first.dts is None is second.dts  # as Matroska keeps presentation times only
    assert [t * 1000 for t in times(clip)] == stamps


def test_sound_that_steps_back_a_little_waits_until_time_goes_on(tmp_path: Path) -> None:
    one = recording(tmp_path / "one.ts", 0, picture=Fraction(0), sound=Fraction(0))
    two = recording(tmp_path / "two.ts", 25, picture=Fraction(1), sound=Fraction(9, 10))
    clip = joined(tmp_path / "clip.ts", one, two)

    said: list[str] = []
    with open_source(clip, warn=said.append) as source:
        sound = source.sound()
        assert sound is not None
        with sound.open() as opened:
            packets = [(at, bytes(packet)) for at, packet in opened.packets()]
    assert set(said) == {f"{clip}: sound that steps back in time was left out."}
    assert all(b > a for (a, _), (b, _) in pairwise(packets))
    kept = [data for _, data, _ in heard(two)][-len(packets) + len(heard(one)) :]
    assert [data for _, data in packets] == [data for _, data, _ in heard(one)] + kept
    assert len(kept) == pytest.approx((1 - 0.1) / PACKET, abs=2)
    np.testing.assert_allclose(np.diff(times(clip)).astype(float), 1 / 25, atol=1e-4)


def test_packets_shorter_than_a_tick_of_their_clock_are_all_kept(tmp_path: Path) -> None:
    count = 40
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=48_000, layout="mono")
        sound.codec_context.open()
        out.mux([*video.encode(as_frame(numbered(0), "yuv420p")), *video.encode(None)])
        for begin in range(0, count * 36, 36):  # three quarters of a millisecond each
            packet = av.Packet(bytes(72))
            packet.pts = packet.dts = begin
            packet.time_base, packet.stream = Fraction(1, 48_000), sound
            out.mux(packet)
    assert len(heard(tmp_path / "a.mkv")) == count


def test_the_last_frames_come_where_a_file_names_its_sound_first(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", sound="aac", options={"bf": "2"})
    with av.open(str(clip)) as found, av.open(str(tmp_path / "b.mkv"), "w") as out:
        streams = (found.streams.audio[0], found.streams.video[0])
        copies = {stream: out.add_stream_from_template(stream) for stream in streams}
        for packet in found.demux(*streams):
            if packet.dts is not None:
                packet.stream = copies[packet.stream]
                out.mux(packet)
    assert [number_in(frame.rgb) for frame in read(tmp_path / "b.mkv")] == list(range(30))
