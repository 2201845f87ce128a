"""What every generator promises (retarget/generate/generator.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asked import ask, calm, smiling

from retarget.composite.paste import Paste
from retarget.composite.settings import PasteSettings
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.diffusion.align import face_mask
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.generator import Generator
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator

Make = Callable[[], Generator]


def by_diffusion(all_models: Path, **settings: object) -> Generator:
    from retarget.generate.diffusion.generator import DiffusionGenerator
    from retarget.models.parts import ModelFolder

    asked = DiffusionSettings(
        quality="draft", device="cpu", precision="full", batch=2, reference_scale=0.8, **settings
    )
    guide = WarpGenerator(WarpSettings()) if asked.guided else None
    return DiffusionGenerator(asked, ModelFolder(all_models), guide)


KINDS: dict[str, Callable[..., Generator]] = {
    "warp": lambda: WarpGenerator(WarpSettings()),
    "warp, one thread": lambda: WarpGenerator(WarpSettings(threads=1)),
    "diffusion": by_diffusion,
    "diffusion, from noise": lambda models: by_diffusion(models, guided=False),
    "diffusion, warm start": lambda models: by_diffusion(models, guided=False, warm_start=0.4),
}
BATCHED = 1
"""Most that a pixel may differ where sums were made in another order, as in another batch."""


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    kind = KINDS[request.param]
    if request.param.startswith("warp"):
        return kind
    models = request.getfixturevalue("all_models")
    request.getfixturevalue("read_once")
    return lambda: kind(models)


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
    requests = [replace(request, cut=True) for request in some()]
    together = drawn(make(), requests)
    alone = [drawn(make(), [request])[0] for request in requests]
    for one, other in zip(together, alone, strict=True):
        most = 0 if isinstance(make(), WarpGenerator) else BATCHED
        np.testing.assert_allclose(one.rgb.astype(int), other.rgb, rtol=0, atol=most)


def test_what_was_drawn_before_leaves_no_trace(make: Make) -> None:
    first, second = some()[:2]
    generator = make()
    drawn(generator, [first, second, first])
    np.testing.assert_array_equal(drawn(generator, [second])[0].rgb, drawn(make(), [second])[0].rgb)


def test_nothing_is_remembered_across_a_cut(make: Make) -> None:
    before, *_, first = some()
    first = replace(first, cut=True)
    after = drawn(make(), [before, before, first])[-1]
    np.testing.assert_array_equal(after.rgb, drawn(make(), [first])[0].rgb)


@pytest.mark.parametrize("identity", [calm, smiling])
def test_the_photos_own_expression_gives_the_photo(
    make: Make, identity: Callable[[], Identity]
) -> None:
    """Where a generator draws with random weights, around the face only."""
    photo, generator = identity(), make()
    (face,) = drawn(generator, [ask(photo)])
    result = next(Paste(PasteSettings(match_color=False))(iter([face]))).frame.rgb
    off = np.abs(result.astype(int) - photo.frame.rgb)
    if not isinstance(generator, WarpGenerator):
        size = photo.frame.rgb.shape[1::-1]
        off = off[face_mask(photo.face.points, size) == 0]
        assert off.size > 0.5 * result.size
    assert off.mean() < 0.5
    assert np.percentile(off, 99.9) < 24


def test_two_identities_may_alternate(make: Make) -> None:
    whose = (calm(), smiling(), calm())
    requests = [replace(ask(identity, {"jawOpen": 0.5}), cut=True) for identity in whose]
    faces = drawn(make(), requests)
    assert [face.request.identity for face in faces] == [calm(), smiling(), calm()]
    np.testing.assert_allclose(faces[0].rgb.astype(int), faces[2].rgb, rtol=0, atol=BATCHED)
    assert not np.array_equal(faces[0].rgb, faces[1].rgb)


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
