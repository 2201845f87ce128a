from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from clips import lay_tone, numbered

from retarget.evaluation import sound
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.video import SoundPackets, sound_wave
from tests.evaluation.conftest import Picture, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, performed: list[Picture]) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("sound")

    def make(name: str, shift: float | None) -> Path:
        return write_clip(folder / f"{name}.mp4", performed, sound_shift=shift)

    return make


def measured(driving: Path, result: Path) -> dict[str, float | None]:
    sheet = Sheet()
    sound.measure(driving, result, sheet)
    return {key: found[0] for key, found in sheet.found.items()}


def recoded(source: Path, target: Path, shift: float) -> Path:
    """The same pictures, the sound decoded and encoded anew, `shift` seconds later."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        video = out.add_stream_from_template(given.streams.video[0])
        audio = out.add_stream("aac", rate=16000, layout="mono", bit_rate=32000)
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        given.seek(0)
        for frame in given.decode(audio=0):
            frame.pts += round(shift * 16000)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return target


def test_equal_sound_is_equal_and_in_step(clip: Callable[..., Path]) -> None:
    one = clip("one", 0.0)
    assert measured(one, one) == {"sound.packets": 100.0, "sound.offset": 0.0}


def test_the_same_packets_shifted_are_equal_and_late(clip: Callable[..., Path]) -> None:
    found = measured(clip("one", 0.0), clip("late", 0.128))
    assert found["sound.packets"] == 100.0
    assert found["sound.offset"] == pytest.approx(128, abs=1)


def test_sound_encoded_anew_is_not_equal_and_its_offset_is_heard(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    one = clip("one", 0.0)
    found = measured(one, recoded(one, tmp_path / "recoded.mp4", 0.2))
    assert found["sound.packets"] is not None
    assert found["sound.packets"] < 10
    assert found["sound.offset"] == pytest.approx(200, abs=70)  # AAC adds up to a frame of 64 ms


def test_sound_of_a_result_that_begins_later_is_compared_from_there(
    clip: Callable[..., Path],
) -> None:
    one = clip("one", 0.0)
    assert sound.wave_offset(one, one, start=0.25) == pytest.approx(0.25, abs=0.002)
    assert sound.wave_offset(one, one) == 0


def test_sound_of_a_piece_lacks_no_packet_outside_the_piece() -> None:
    packets = tuple(bytes([number]) for number in range(10))
    whole = SoundPackets(digests=packets, starts=tuple(number / 10 for number in range(10)))
    piece = SoundPackets(digests=packets[3:6], starts=(0.0, 0.1, 0.2))
    driven = whole.between(0.3, 0.6)
    assert len(driven.digests) == 3
    assert sound.same_packets(driven, piece, start=0.3) == (1.0, pytest.approx(0, abs=1e-9))
    assert sound.same_packets(whole.between(0.3, None), piece, start=0.3)[0] == 3 / 7


def test_packets_before_the_first_picture_belong_to_a_whole_clip_only() -> None:
    early = SoundPackets(digests=(b"a", b"b"), starts=(-0.02, 0.0))
    assert early.between(0.0, None) == early
    assert early.between(0.0001, None).digests == ()


def test_a_result_without_sound_has_none_of_the_packets(clip: Callable[..., Path]) -> None:
    found = measured(clip("one", 0.0), clip("mute", None))
    assert found == {"sound.packets": 0.0, "sound.offset": None}


def test_a_driving_clip_without_sound_is_not_held_against_the_result(
    clip: Callable[..., Path],
) -> None:
    found = measured(clip("mute", None), clip("mute", None))
    assert found == {"sound.packets": None, "sound.offset": None}


def test_a_broken_packet_is_silence_and_moves_nothing(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    with av.open(str(clip), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        stream = out.add_stream("flac", rate=48_000, layout="mono")
        for index in range(40):
            out.mux(video.encode(av.VideoFrame.from_ndarray(numbered(index), format="rgb24")))
        out.mux(video.encode(None))
        lay_tone(out, stream, 1.5, click=1.0)
    with av.open(str(clip)) as whole:
        early = [bytes(p) for p in whole.demux(audio=0)][3]
    assert clip.read_bytes().count(early) == 1
    clip.write_bytes(clip.read_bytes().replace(early, bytes(len(early))))
    wave = sound_wave(clip, 1000, 1.5)
    assert abs(int(np.argmax(np.abs(wave))) - 1000) < 20
