"""What every generator promises (retarget/generate/generator.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from asked import ask, calm, smiling

from retarget.flow.values import FaceRequest, GeneratedFace
from retarget.generate.generator import Generator
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator

Make = Callable[[], Generator]
KINDS: dict[str, Make] = {
    "warp": lambda: WarpGenerator(WarpSettings()),
    "warp, one thread": lambda: WarpGenerator(WarpSettings(threads=1)),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    return KINDS[request.param]


def some() -> list[FaceRequest]:
    asked = [
        {"jawOpen": 0.7}, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, {"mouthPucker": 0.8},
        {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "browInnerUp": 0.6}, {"eyeLookInLeft": 0.8},
    ]  # fmt: skip
    return [ask(calm(), weights, index=n) for n, weights in enumerate(asked)]


def drawn(generator: Generator, requests: list[FaceRequest]) -> list[GeneratedFace]:
    return list(generator(iter(requests)))


def test_there_is_one_face_for_each_request_in_order(make: Make) -> None:
    requests = some()
    assert [face.request for face in drawn(make(), requests)] == requests


def test_the_same_requests_give_the_same_pixels_together_and_one_by_one(make: Make) -> None:
    together = drawn(make(), some())
    alone = [drawn(make(), [request])[0] for request in some()]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.rgb, other.rgb)


def test_what_was_drawn_before_leaves_no_trace(make: Make) -> None:
    first, second = some()[:2]
    generator = make()
    drawn(generator, [first, second, first])
    np.testing.assert_array_equal(drawn(generator, [second])[0].rgb, drawn(make(), [second])[0].rgb)


def test_the_photos_own_expression_gives_the_photo(make: Make) -> None:
    for identity in (calm(), smiling()):
        (face,) = drawn(make(), [ask(identity)])
        left, top = face.crop.offset or (0, 0)
        height, width = face.rgb.shape[:2]
        photo = identity.frame.rgb[top : top + height, left : left + width]
        off = np.abs(face.rgb.astype(int) - photo)
        assert off.mean() < 0.5
        assert np.percentile(off, 99.9) < 24


def test_two_identities_may_alternate(make: Make) -> None:
    requests = [ask(identity, {"jawOpen": 0.5}) for identity in (calm(), smiling(), calm())]
    faces = drawn(make(), requests)
    assert [face.request.identity for face in faces] == [calm(), smiling(), calm()]
    np.testing.assert_array_equal(faces[0].rgb, faces[2].rgb)


def test_leaving_early_ends_without_the_rest_being_asked_for(make: Make) -> None:
    asked = []

    def endless() -> Iterator[FaceRequest]:
        while True:
            asked.append(1)
            yield ask(calm(), {"jawOpen": 0.3})

    stream = make()(endless())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(asked) < 8
