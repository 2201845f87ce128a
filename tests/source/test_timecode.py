"""The timecode of a shot is kept, and counts on where its beginning is left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import finished, info_for, make_clip

from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings
from retarget.source.timecode import advanced

BROADCAST = Fraction(30_000, 1001)


def shot(path: Path, timecode: str, rate: Fraction) -> Path:
    def tune(stream: av.VideoStream) -> None:
        stream.metadata["timecode"] = timecode

    return make_clip(path, count=12, rate=rate, tune=tune)


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("start", "rate", "timecode"),
    [
        (0.0, Fraction(25), "01:02:03:04"),
        (0.2, Fraction(25), "01:02:03:09"),
        (0.0, BROADCAST, "01:02:03;04"),
        (0.2, BROADCAST, "01:02:03;10"),
    ],
)
def test_a_result_has_the_timecode_of_its_first_driving_frame(
    tmp_path: Path, suffix: str, start: float, rate: Fraction, timecode: str
) -> None:
    said = "01:02:03:04" if rate == 25 else "01:02:03;04"
    take = shot(tmp_path / f"take{suffix}", said, rate)
    made = tmp_path / f"made{suffix}"
    with open_source(take, SourceSettings(start=start)) as source:
        info = source.info
    with open_sink(made, SinkSettings(), info=info_for(rate, timecode=info.timecode)) as sink:
        for index in range(3):
            sink.write(finished(index, rate))
    with open_source(made, SourceSettings()) as source:
        assert source.info.timecode == timecode
        assert len(list(source.frames())) == 3


@pytest.mark.parametrize(
    ("timecode", "frames", "rate", "later"),
    [
        ("00:00:59;29", 1, BROADCAST, "00:01:00;02"),
        ("00:01:00;02", 1, BROADCAST, "00:01:00;03"),
        ("00:09:59;29", 1, BROADCAST, "00:10:00;00"),
        ("00:00:00;00", 107_892, BROADCAST, "01:00:00;00"),
        ("00:00:59;59", 1, 2 * BROADCAST, "00:01:00;04"),
        ("23:59:59:23", 1, Fraction(24), "00:00:00:00"),
        ("00:00:59:23", 1, Fraction(24_000, 1001), "00:01:00:00"),
        ("00:00:00:25", 0, Fraction(25), None),
        ("00:00:00;10", 0, Fraction(25), None),
        ("noon", 0, Fraction(25), None),
    ],
)
def test_timecode_counts_on_as_smpte_counts(
    timecode: str, frames: int, rate: Fraction, later: str | None
) -> None:
    assert advanced(timecode, frames, rate) == later
