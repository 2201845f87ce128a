"""A video of several people: each performs from their own face at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from asked import calm
from clips import make_clip
from faces import astronaut, frame
from outside import tracker

from retarget.expression.performance import open_performance
from retarget.face.track import Track
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.flow.values import Expression, TrackedFrame
from retarget.jobs.cast import people_in
from retarget.jobs.fit import FitJob


def seen(picture: Picture, *, cut: bool) -> TrackedFrame:
    (tracked,) = Track(tracker(), Report())(iter([frame(picture)]))
    return replace(tracked, cut=cut)


def performed(
    folder: Path, name: str, count: int, picture: Callable[[int], Picture]
) -> list[Expression]:
    """What a clip of pictures shows, each for a twelfth of a second."""
    clip = make_clip(folder / f"{name}.mp4", count=count, rate=12, picture=picture)
    saved = open_performance(FitJob(driving=str(clip), output=folder / f"{name}.npz").run())
    return [f.expression for f in saved.frames() if f.expression is not None]


def test_each_person_of_a_video_performs_from_their_own_rest(tmp_path: Path) -> None:
    one, other = astronaut(), calm().frame.rgb
    both = performed(tmp_path, "both", 30, lambda i: one if i < 18 else other)
    alone = performed(tmp_path, "alone", 12, lambda _: other)
    seen, own = (np.mean([e.weights for e in all_], axis=0) for all_ in (both[20:], alone[2:]))
    np.testing.assert_allclose(seen, own, atol=0.1)


def test_a_person_is_known_again_in_another_shot_and_light() -> None:
    one, other = astronaut(), calm().frame.rgb
    darker = np.ascontiguousarray(np.rint(0.6 * np.roll(one, 40, axis=1)).astype(np.uint8))
    shots = [seen(one, cut=False), seen(other, cut=True), seen(darker, cut=True)]
    assert [len(person.samples) for person in people_in(shots)] == [2, 1]
    assert [len(person.samples) for person in people_in(shots[:1])] == [1]
