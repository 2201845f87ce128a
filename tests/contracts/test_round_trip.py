"""What is read, written and read again keeps its frames, times and sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from clips import heard, make_clip, number_in, read

from retarget.flow.values import FinishedFrame
from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

MS = Fraction(1, 1000)
UNEVEN = [0, 33, 67, 70, 190, 200, 1400, 1433]
CLIPS: dict[str, Callable[[Path], Path]] = {
    "plain": lambda t: make_clip(t / "a.mp4", sound="aac"),
    "television rate": lambda t: make_clip(
        t / "b.mp4", rate=Fraction(30_000, 1001), count=90, sound="aac", options={"bf": "3"}
    ),
    "variable rate": lambda t: make_clip(
        t / "c.mp4", stamps=UNEVEN, lengths=[33, 34, 3, 120, 10, 1200, 33, 250], time_base=MS,
        sound="aac",
    ),
    "variable rate, Matroska": lambda t: make_clip(
        t / "d.mkv", stamps=UNEVEN, time_base=MS, sound="libopus"
    ),
    "late first frame": lambda t: make_clip(
        t / "e.mp4", stamps=range(600, 1800, 40), time_base=MS, sound="aac"
    ),
    "no sound": lambda t: make_clip(t / "f.mp4"),
    "sound longer than the picture": lambda t: make_clip(
        t / "g.mp4", sound="aac", sound_seconds=4.0
    ),
    "sound shorter than the picture": lambda t: make_clip(
        t / "h.mp4", count=60, sound="aac", sound_seconds=0.5
    ),
    "another codec of sound": lambda t: make_clip(t / "i.mkv", sound="libmp3lame"),
    "lossless sound": lambda t: make_clip(t / "j.mkv", sound="flac"),
    "broadcast": lambda t: make_clip(t / "k.ts", sound="aac"),
    "a fast clock": lambda t: make_clip(
        t / "l.mp4", stamps=range(0, 1_000_000, 33_333), time_base=Fraction(1, 1_000_000)
    ),
}  # fmt: skip

MADE_ANEW = ("variable rate, Matroska", "lossless sound")  # a .mov holds neither Opus nor FLAC


def copied(clip: Path, target: Path, **piece: float) -> Path:
    with (
        open_source(clip, SourceSettings(**piece)) as source,  # type: ignore[arg-type]
        open_sink(target, SinkSettings(), info=source.info, sound=source.sound()) as sink,
    ):
        for frame in source.frames():
            sink.write(FinishedFrame(frame=frame))
    return target


def check_same_times(
    expected: list[tuple[Fraction, Fraction]], got: list[tuple[Fraction, Fraction]]
) -> None:
    assert len(got) == len(expected)
    for (at, length), (found_at, found_length) in zip(expected, got, strict=True):
        assert abs(found_at - at) <= MS
        assert abs(found_length - length) <= MS


def spans(path: Path, **piece: float) -> list[tuple[Fraction, Fraction]]:
    return [(frame.at.exact, frame.duration) for frame in read(path, **piece)]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("kind", CLIPS)
def test_frames_times_and_sound_packets_are_the_same(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    clip = CLIPS[kind](tmp_path)
    result = copied(clip, tmp_path / f"result{suffix}")
    before, after = spans(clip), spans(result)
    if suffix == ".mkv" or clip.suffix == ".mkv":  # which does not say how long the last one is
        before[-1] = after[-1] = (before[-1][0], Fraction(0))
        assert abs(spans(result)[-1][0] - before[-1][0]) <= MS
    check_same_times(before, after)
    count = range(len(before))
    assert [number_in(frame.rgb) for frame in read(result)] == list(count)
    if suffix == ".mov" and kind in MADE_ANEW:
        return
    sound, copy = heard(clip), heard(result)
    framing = 7 if kind == "broadcast" else 0  # bytes of ADTS before each packet, for receivers
    assert [data for _, data, _ in copy] == [data[framing:] for _, data, _ in sound]
    for (at, _, length), (found_at, _, found_length) in zip(sound, copy, strict=True):
        assert abs(found_at - at) <= MS
        assert suffix == ".mkv" or abs(found_length - length) <= MS


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(("start", "end"), [(0.5, 1.5), (0.51, 2.0), (0.0, 1.02), (2.0, 9.0)])
def test_a_piece_begins_at_nought_and_its_sound_stays_in_step(
    tmp_path: Path, suffix: str, start: float, end: float
) -> None:
    clip = make_clip(tmp_path / "c.mp4", count=60, sound="aac", options={"g": "15"})
    piece = {"start": start, "end": end}
    result = copied(clip, tmp_path / f"piece{suffix}", **piece)
    expected = spans(clip, **piece)
    zero = expected[0][0] if start else Fraction(0)
    got = spans(result)
    if suffix == ".mkv":
        expected[-1] = (expected[-1][0], got[-1][1])
    check_same_times([(at - zero, length) for at, length in expected], got)
    sound = [(at - zero, data) for at, data, _ in heard(clip, **piece) if not start or at >= zero]
    copy = heard(result)
    assert [data for _, data, _ in copy] == [data for _, data in sound]
    assert all(abs(one[0] - two[0]) <= MS for one, two in zip(sound, copy, strict=True))
    if start == 0.5:
        assert 44 <= len(copy) <= 48  # one second of packets of 1024 samples at 48 kHz
