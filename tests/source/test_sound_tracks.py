"""Of several sound tracks, which is carried over, and what is told."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from clips import heard, make_clip

from retarget.source.open import open_source


def with_two_tracks(one: Path, two: Path) -> None:
    """Write the clip `one` with its sound twice."""
    with av.open(str(one)) as clip, av.open(str(two), "w") as out:
        picture, sound = clip.streams.video[0], clip.streams.audio[0]
        copies = {
            picture.index: [out.add_stream_from_template(picture)],
            sound.index: [out.add_stream_from_template(sound) for _ in range(2)],
        }
        for packet in clip.demux():
            data = bytes(packet)
            for stream in copies[packet.stream.index] if data else ():
                again = av.Packet(data)
                again.pts, again.dts, again.time_base = packet.pts, packet.dts, packet.time_base
                again.stream = stream
                out.mux(again)


def test_of_several_sound_tracks_one_is_carried_and_it_is_told(tmp_path: Path) -> None:
    one, two = make_clip(tmp_path / "one.mkv", sound="aac"), tmp_path / "two.mkv"
    with_two_tracks(one, two)
    said: list[str] = []
    with open_source(two, warn=said.append) as source:
        found = source.sound()
        assert found is not None
        with found.open() as opened:
            carried = [bytes(packet) for _, packet in opened.packets()]
    assert said == [f"{two} has 2 sound tracks; one is carried over."]
    assert carried == [data for _, data, _ in heard(one)]


@pytest.mark.parametrize("unknown", [0, 1])
def test_of_two_sound_tracks_the_one_of_a_known_codec_is_carried(
    tmp_path: Path, unknown: int
) -> None:
    one, two = make_clip(tmp_path / "one.mkv", sound="aac"), tmp_path / "two.mkv"
    with_two_tracks(one, two)
    parts = two.read_bytes().split(b"A_AAC")
    assert len(parts) == 3
    names = [b"A_XYZ" if track == unknown else b"A_AAC" for track in range(2)]
    two.write_bytes(parts[0] + names[0] + parts[1] + names[1] + parts[2])
    assert [data for _, data, _ in heard(two)] == [data for _, data, _ in heard(one)]


def test_sound_that_is_left_out_as_its_codec_is_unknown_is_told(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", sound="aac")
    clip.write_bytes(clip.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    said: list[str] = []
    with open_source(clip, warn=said.append) as source:
        assert source.sound() is None
    assert said == [f"{clip}: its sound is left out, as its codec is not known here."]
