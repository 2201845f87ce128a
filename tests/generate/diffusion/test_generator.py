"""What the diffusion generator promises, on tiny networks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from retarget.errors import MissingModel, RetargetError
from retarget.flow.lanes import Lanes
from retarget.flow.report import Report
from retarget.flow.values import FaceRequest, GeneratedFace
from retarget.generate.diffusion.draw import Draw, Frame
from retarget.generate.diffusion.generator import DiffusionGenerator
from retarget.generate.diffusion.identity import LICENCE
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import scene

pytestmark = pytest.mark.usefixtures("read_once")

QUICK = DiffusionSettings(quality="draft", device="cpu", precision="full", batch=1)


def generator(
    models: Path, settings: DiffusionSettings = QUICK, **more: object
) -> DiffusionGenerator:
    """A fresh one; where nothing else is said, it is shared with the tests before."""
    if more:
        return DiffusionGenerator(settings, ModelFolder(models), **more)
    return _shared(models, settings)


@cache
def _shared(models: Path, settings: DiffusionSettings) -> DiffusionGenerator:
    return DiffusionGenerator(settings, ModelFolder(models))


def drawn(made: DiffusionGenerator, asked: Iterable[FaceRequest]) -> list[GeneratedFace]:
    return list(made(iter(asked)))


def apart(one: list[GeneratedFace], other: list[GeneratedFace]) -> int:
    assert len(one) == len(other)
    pairs = zip(one, other, strict=True)
    return max(int(np.abs(a.rgb.astype(int) - b.rgb).max()) for a, b in pairs)


def mean_apart(one: list[GeneratedFace], other: list[GeneratedFace]) -> float:
    return float(
        np.mean([np.abs(a.rgb.astype(int) - b.rgb) for a, b in zip(one, other, strict=True)])
    )


@pytest.fixture(scope="module")
def plain(models: Path) -> DiffusionGenerator:
    return generator(models)


def test_every_request_is_drawn_once_and_in_order(plain: DiffusionGenerator) -> None:
    asked = scene.requests(scene.person(), 5)
    faces = drawn(plain, asked)
    assert [f.request for f in faces] == asked
    for face in faces:
        assert face.rgb.shape == (64, 64, 3)
        assert face.mask is not None and face.mask.max() == 255 and face.mask.min() == 0


@pytest.mark.parametrize("batch", [2, 3, 8])
def test_the_pixels_do_not_depend_on_the_batch(
    models: Path, plain: DiffusionGenerator, batch: int
) -> None:
    asked = scene.requests(scene.person(), 5, cuts=(0, 3))
    together = drawn(generator(models, replace(QUICK, batch=batch)), asked)
    assert apart(drawn(plain, asked), together) <= 1


def test_the_same_seed_draws_the_same_pixels_and_another_seed_others(
    models: Path, plain: DiffusionGenerator
) -> None:
    asked = scene.requests(scene.person(), 2)
    first = drawn(plain, asked)
    torch.randn(3)  # the global random state has no say
    assert apart(first, drawn(plain, asked)) == 0
    assert apart(first, drawn(generator(models, report=Report()), asked)) == 0
    assert apart(first, drawn(generator(models, replace(QUICK, seed=1)), asked)) > 10


def test_the_pixels_do_not_depend_on_the_number_of_threads(plain: DiffusionGenerator) -> None:
    asked = scene.requests(scene.person(), 2)
    one = drawn(plain, asked)
    torch.set_num_threads(2)
    try:
        assert apart(one, drawn(plain, asked)) <= 1
    finally:
        torch.set_num_threads(1)


def test_the_next_batch_is_made_ready_while_one_is_drawn(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that draws is not left waiting for the host."""
    size, further = 2, threading.Event()
    latents = Draw.latents

    def waiting(draw: Draw, frames: list[Frame], *more: object) -> torch.Tensor:
        assert further.wait(30)
        return latents(draw, frames, *more)

    def coming(asked: Iterable[FaceRequest]) -> Iterator[FaceRequest]:
        for request in asked:
            if request.index == size:
                further.set()
            yield request

    monkeypatch.setattr(Draw, "latents", waiting)
    asked = scene.requests(scene.person(), 2 * size)
    made = generator(models, replace(QUICK, batch=size), guide=scene.Still())
    assert [f.request for f in drawn(made, coming(asked))] == asked


class Failing(scene.Still):
    """A guide that fails at the fourth request."""

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        for face in super().__call__(frames):
            if face.request.index == 3:
                raise RetargetError("The guide failed.", do="Look.")
            yield face


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("retarget-")]


@pytest.mark.parametrize("where", ["asked", "guide", "networks", "consumer", "broken off"])
def test_what_fails_ends_every_thread_and_is_told_as_it_was(
    models: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two whole batches of one frame each, and whichever of the lanes it comes from."""

    def coming() -> Iterator[FaceRequest]:
        for request in scene.requests(scene.person(), 6):
            if where == "asked" and request.index == 3:
                raise RetargetError("The driving video failed.", do="Look.")
            yield request

    def failing(draw: Draw, frames: list[Frame], *more: object) -> torch.Tensor:
        if frames[0].request.index == 3:
            raise RetargetError("The networks failed.", do="Look.")
        return latents(draw, frames, *more)

    latents = Draw.latents
    if where == "networks":
        monkeypatch.setattr(Draw, "latents", failing)
    made = generator(models, QUICK, guide=Failing() if where == "guide" else scene.Still())
    faces, seen = made(coming()), []
    try:
        for face in faces:
            seen.append(face.request.index)
            if where == "consumer" and face.request.index == 2:
                raise RetargetError("The sink failed.", do="Look.")
            if where == "broken off" and face.request.index == 2:
                break
    except RetargetError as error:
        assert error.do == "Look."
    assert seen == [0, 1, 2]
    faces.close()  # type: ignore[attr-defined]
    assert threads() == []
    if where in ("asked", "guide"):
        assert len(drawn(made, scene.requests(scene.person(), 2))) == 2  # and it can go on


def test_of_large_frames_no_batch_more_waits_than_small_lanes_keep(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driving frames are of 4K, and 64 are drawn together: 200 of them would be 5 GB."""
    size = 64

    def large(request: FaceRequest) -> FaceRequest:
        driving = request.driving
        assert driving is not None and driving.tracked is not None
        rgb = np.broadcast_to(np.uint8(0), (2160, 3840, 3))
        frame = replace(driving.tracked.frame, rgb=rgb)
        tracked = replace(driving.tracked, frame=frame)
        return replace(request, driving=replace(driving, tracked=tracked))

    depths = []
    ahead = Lanes.ahead

    def noted(lanes: Lanes, values: Iterator[object], *, depth: int, name: str) -> Iterator[object]:
        depths.append(depth)
        return ahead(lanes, values, depth=depth, name=name)

    monkeypatch.setattr(Lanes, "ahead", noted)
    made = generator(models, replace(QUICK, batch=size), guide=scene.Still())
    next(made(large(r) for r in scene.requests(scene.person(), 2)))
    next(made(iter(scene.requests(scene.person(), 2))))
    assert depths == [4, 4, size, size]


def test_two_people_in_one_batch_are_each_as_if_alone(models: Path) -> None:
    one, other = scene.person(0), scene.person(1)
    asked = [scene.request(who, i, jawOpen=0.3) for i, who in enumerate((one, other, one))]
    together = drawn(generator(models, replace(QUICK, batch=3)), asked)
    for face in together:
        assert apart(drawn(generator(models), [face.request]), [face]) <= 1
    assert apart(together[:1], together[1:2]) > 10


@pytest.mark.parametrize("scheduler", ["lcm", "dpm", "ddim"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_every_scheduler_draws_with_and_without_guidance(
    models: Path, scheduler: str, guidance: float
) -> None:
    settings = replace(QUICK, scheduler=scheduler, guidance=guidance, steps=3, batch=2)
    asked = scene.requests(scene.person(), 2)
    faces = drawn(generator(models, settings), asked)
    assert apart(faces[:1], faces[1:]) > 0


def test_guidance_changes_what_is_drawn(models: Path, plain: DiffusionGenerator) -> None:
    asked = scene.requests(scene.person(), 1)
    assert apart(drawn(plain, asked), drawn(generator(models, replace(QUICK, guidance=2.0)), asked))


def test_expression_identity_and_photo_all_have_a_say(plain: DiffusionGenerator) -> None:
    calm, wide = scene.request(scene.person(), 0), scene.request(scene.person(), 1, jawOpen=0.9)
    assert apart(drawn(plain, [calm]), drawn(plain, [wide])) > 2
    assert apart(drawn(plain, [calm]), drawn(plain, [scene.request(scene.person(1), 0)])) > 2


def test_a_guide_is_followed_around_the_face_and_redrawn_within(models: Path) -> None:
    guide = scene.Still()
    made = generator(models, guide=guide)
    person = scene.person()
    made.prepare(person)
    assert guide.prepared == [person]
    asked = scene.requests(person, 2)
    faces = drawn(made, asked)
    guides = list(guide(iter(asked)))
    for face, start in zip(faces, guides, strict=True):
        assert np.array_equal(face.crop.to_frame, start.crop.to_frame)
        changed = np.abs(face.rgb.astype(int) - start.rgb).max(axis=2)
        assert changed[44, 40] > 10  # the nose
        assert not changed[0].any() and not changed[:, 0].any()


def test_a_barely_drowned_guide_comes_back_nearly_as_it_was_encoded(models: Path) -> None:
    """At the least strength the start is what the autoencoder makes of the guide."""
    person, guide = scene.person(), scene.Still()
    asked = scene.requests(person, 1)
    near = replace(QUICK, scheduler="ddim", strength=0.05, steps=4)
    weak = drawn(generator(models, near, guide=guide), asked)
    strong = drawn(generator(models, replace(near, strength=1.0), guide=guide), asked)
    other = drawn(generator(models, replace(near, seed=5), guide=guide), asked)
    much = drawn(generator(models, replace(near, strength=1.0, seed=5), guide=guide), asked)
    # The less noise, the less the noise has a say.
    assert mean_apart(weak, other) < mean_apart(strong, much) / 2


def test_a_warm_start_carries_over_and_a_cut_ends_it(models: Path) -> None:
    person = scene.person()
    settings = replace(QUICK, scheduler="dpm", steps=3, warm_start=0.4)
    made = generator(models, settings)
    asked = scene.requests(person, 4, cuts=(0, 2))
    warm = drawn(made, asked)
    cold = drawn(generator(models, replace(settings, warm_start=0.0)), asked)
    assert apart(warm[:1], cold[:1]) == 0
    assert apart(warm[1:2], cold[1:2]) > 2
    assert apart(warm[2:3], cold[2:3]) == 0  # nothing is remembered across the cut
    assert apart(warm[2:], drawn(made, asked[2:])) == 0


def test_an_anchored_chain_comes_back_to_the_first_frame(models: Path) -> None:
    """The anchored frame is drawn as if it followed the shot's first."""
    person = scene.person()
    settings = replace(QUICK, scheduler="dpm", steps=3, warm_start=0.4, anchor_every=3)
    first, *rest = scene.requests(person, 4)
    chained = drawn(generator(models, settings), [first, *rest])
    direct = drawn(generator(models, settings), [first, rest[-1]])
    assert apart(chained[3:], direct[1:]) == 0
    drifting = drawn(generator(models, replace(settings, anchor_every=100)), [first, *rest])
    assert apart(chained[3:], drifting[3:]) > 0


def test_a_compiled_network_is_only_ever_handed_whole_batches(
    models: Path, plain: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    latents = Draw.latents

    def counting(draw: Draw, frames: list[Frame], *more: object) -> torch.Tensor:
        sizes.append(len(frames))
        return latents(draw, frames, *more)

    monkeypatch.setattr(Draw, "latents", counting)
    monkeypatch.setattr("retarget.generate.diffusion.load.compile_blocks", lambda *_: None)
    asked = scene.requests(scene.person(), 5)
    together = drawn(generator(models, replace(QUICK, batch=3, compile=True)), asked)
    assert sizes == [3, 3]
    assert apart(drawn(plain, asked), together) <= 1


def test_a_moment_without_a_face_holds_what_was_seen_before(plain: DiffusionGenerator) -> None:
    person = scene.person()
    seen = scene.request(person, 0, cut=True, jawOpen=0.8)
    gone = scene.request(person, 1, away=True)
    faces = drawn(plain, [seen, gone])
    assert apart(faces[:1], faces[1:]) == 0
    after_cut = drawn(plain, [seen, replace(gone, cut=True)])
    assert apart(faces[1:], after_cut[1:]) > 0


def test_what_is_held_ends_at_a_cut_within_a_batch_too(
    models: Path, plain: DiffusionGenerator
) -> None:
    person = scene.person()
    asked = [scene.request(person, 0, cut=True, jawOpen=0.8)]
    asked += [scene.request(person, 1, away=True, cut=True), scene.request(person, 2, away=True)]
    together = drawn(generator(models, replace(QUICK, batch=3)), asked)
    assert apart(drawn(plain, asked), together) <= 1
    assert apart(together[:1], together[1:2]) > 0


def test_expressions_without_pixels_ask_for_the_map_in_one_sentence(
    plain: DiffusionGenerator,
) -> None:
    asked = scene.request(scene.person(), 0, pixels=False, jawOpen=0.5)
    with pytest.raises(MissingModel, match="without pixels") as told:
        drawn(plain, [asked])
    assert "flame-map" in told.value.do


def test_the_recognisers_licence_is_told_once(models: Path) -> None:
    report = Report()
    made = generator(models, report=report)
    made.prepare(scene.person())
    made.prepare(scene.person(1))
    assert report.warnings.count(LICENCE) == 1


def test_an_absent_detector_is_worth_a_line_and_a_broken_one_an_error(
    models: Path, tmp_path: Path
) -> None:
    report, found, broken = Report(), ModelFolder(models), tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")

    def without(name: str) -> Path:
        return ModelFolder(tmp_path)(name) if name == "face-detector" else found(name)

    DiffusionGenerator(QUICK, without, report=report).prepare(scene.person())
    assert any("detector is not here" in line for line in report.warnings)
    with pytest.raises(MissingModel, match="damaged"):
        DiffusionGenerator(
            QUICK, lambda name: broken if name == "face-detector" else found(name)
        ).prepare(scene.person())
    with pytest.raises(MissingModel, match="face-detector is missing"):
        DiffusionGenerator(replace(QUICK, photos=(broken,)), without).prepare(scene.person())


def test_the_kept_photos_do_not_grow_with_the_clip(models: Path) -> None:
    made = generator(models, report=Report())
    asked = [scene.request(scene.person(i), i) for i in range(5)]
    drawn(made, asked)
    assert len(made._loaded._looks._kept) <= 2


def test_cuda_where_there_is_none_is_refused_in_one_sentence(models: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(RetargetError, match="no CUDA device"):
        generator(models, replace(QUICK, device="cuda"))


def test_a_missing_file_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match=r"unet is missing.*arc2face") as told:
        generator(tmp_path).prepare(scene.person())
    assert "retarget models pull diffusion" in told.value.do
