from __future__ import annotations

import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, number_in, numbered
from PIL import Image

from retarget.source.open import open_source
from retarget.source.settings import SourceSettings


def folder(path: Path) -> Path:
    path.mkdir()
    for i in range(40):
        Image.fromarray(numbered(i)).save(path / f"{i}.png")
    return path


def still(path: Path) -> Path:
    Image.fromarray(numbered(7)).save(path)
    return path


LONG = {"g": "250", "bf": "3"}
REORDERED = {"g": "12", "bf": "3", "b_strategy": "0"}
KINDS: dict[str, Callable[[Path], Path]] = {
    "one keyframe": lambda t: make_clip(t / "a.mp4", count=90, options=LONG),
    "many keyframes": lambda t: make_clip(t / "b.mp4", count=90, options={"g": "9", "bf": "2"}),
    "only keyframes": lambda t: make_clip(t / "c.mkv", count=60, codec="ffv1", pixels="bgr0"),
    "few keyframes": lambda t: make_clip(t / "d.mkv", count=90, options={"g": "40"}),
    "no index": lambda t: make_clip(t / "e.ts", count=90, options={"g": "12"}),
    "no times": lambda t: make_clip(t / "f.h264", count=50),
    "old": lambda t: make_clip(t / "g.avi", count=50, codec="mpeg4", options={"g": "12"}),
    "old, frames in another order": lambda t: make_clip(t / "m.avi", count=50, options=REORDERED),
    "uneven": lambda t: make_clip(
        t / "h.mp4", stamps=[i * i for i in range(60)], time_base=Fraction(1, 500)
    ),
    "animation": lambda t: make_clip(t / "i.gif", count=50, rate=20, codec="gif", pixels="rgb8"),
    "folder": lambda t: folder(t / "j"),
    "picture": lambda t: still(t / "k.png"),
}


@pytest.mark.parametrize("piece", [{}, {"start": 0.5, "end": 1.7}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_of_real_frames_in_order_and_never_more_than_asked(
    tmp_path: Path, kind: str, piece: dict[str, float]
) -> None:
    path = KINDS[kind](tmp_path)
    with open_source(path, SourceSettings(**piece)) as source:  # type: ignore[arg-type]
        real = {frame.at: frame for frame in source.frames()}
        for count in (1, 5, 16):
            sample = list(source.sample(count))
            assert 1 <= len(sample) <= count
            assert [f.index for f in sample] == sorted({f.index for f in sample})
            for frame in sample:
                np.testing.assert_array_equal(frame.rgb, real[frame.at].rgb)
            if kind != "uneven":  # where nothing but decoding could tell the number
                assert all(frame.index == real[frame.at].index for frame in sample)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"picture", "uneven"}))
def test_a_sample_is_spread_over_the_whole_piece(tmp_path: Path, kind: str) -> None:
    with open_source(KINDS[kind](tmp_path)) as source:
        total = len(list(source.frames()))
        spots = [frame.index / total for frame in source.sample(8)]
    assert len(spots) >= 4
    assert spots[0] <= 0.25
    assert spots[-1] >= 0.75
    assert max(np.diff(spots)) <= 0.4


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for every frame that a sample has had decoded."""
    from retarget.source import sample

    count: list[int] = []
    plain = sample.decoded

    def counted(*given, **how):  # type: ignore[no-untyped-def]
        for frame in plain(*given, **how):
            count.append(1)
            yield frame

    monkeypatch.setattr(sample, "decoded", counted)
    return count


@pytest.mark.parametrize("between", ["0", "2"])
def test_sampling_a_clip_with_many_keyframes_decodes_about_one_frame_each(
    tmp_path: Path, made: list[int], between: str
) -> None:
    options = {"g": "12", "bf": between, "sc_threshold": "0"}
    clip = make_clip(tmp_path / "c.mp4", count=240, options=options)
    with open_source(clip) as source:
        numbers = [number_in(frame.rgb) for frame in source.sample(10)]
    assert len(made) <= 12
    assert all(number % 12 == 0 for number in numbers)


def test_sampling_a_clip_with_one_keyframe_leaves_out_what_no_other_frame_needs(
    tmp_path: Path, made: list[int]
) -> None:
    options = {"g": "250", "bf": "3", "b_strategy": "0", "sc_threshold": "0"}
    clip = make_clip(tmp_path / "c.mp4", count=200, options=options)
    with open_source(clip) as source:
        assert len(list(source.sample(10))) == 10
    assert len(made) <= 120


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"picture", "uneven", "no times"}))
def test_a_sample_holds_one_frame_at_a_time(tmp_path: Path, kind: str) -> None:
    with open_source(KINDS[kind](tmp_path)) as source:
        sample = source.sample(4)
        first = weakref.ref(next(sample).rgb)
        next(sample)
        assert first() is None


def test_a_sample_of_nothing_is_a_mistake(tmp_path: Path) -> None:
    with open_source(make_clip(tmp_path / "c.mp4")) as source, pytest.raises(ValueError):
        source.sample(0)
