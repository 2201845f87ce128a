"""A photo of the driving person is known as well as the clip knows that person."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from retarget.expression.fit import in_head_frame
from retarget.expression.rest import find_rest, understand
from retarget.expression.same_person import sameness, with_driving_rest
from retarget.expression.settings import RestSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import Identity, Instant, RestFace, VideoFrame
from tests.expression.acting import BLANK, face, person, pose, tracked

BLANK_FRAME = VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30)))
SMILE = {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}


def rest_of(who: np.ndarray) -> RestFace:
    """The rest of somebody whose neutral was given."""
    return find_rest(tracked([face(who)]), RestSettings(certainty=0.0))


def photo_of(who: np.ndarray, does: dict[str, float]) -> Identity:
    return understand(BLANK_FRAME, face(who, does))


@pytest.mark.parametrize("seed", [3, 5, 12])
def test_a_smile_of_the_driving_person_is_known_to_be_one(seed: int) -> None:
    who = person(seed, 0.6)
    alone = photo_of(who, SMILE)
    together = with_driving_rest(alone, rest_of(who))
    off = [float(np.abs(i.rest.head - who)[:, :2].mean()) for i in (alone, together)]
    assert off[1] < 0.6 * off[0]
    smiles = [i.expression.weights[blendshapes.index("mouthSmileLeft")] for i in (alone, together)]
    assert abs(smiles[1] - 0.4) < abs(smiles[0] - 0.4)
    assert together.rest.found == "from the driving face"


def test_a_moment_of_the_clip_is_known_by_what_it_does_where_no_rest_tells_whose_it_is() -> None:
    """Of a face that does much at once, shapes tell too little to see the rest behind it."""
    who = person(3, 0.6)
    shouting = {"jawOpen": 0.9, "browInnerUp": 0.9, "mouthLeft": 0.7, "noseSneerLeft": 0.9}
    grimace = photo_of(np.asarray(who + np.where(who[:, 1:2] > 0, 0.06, 0.0)), shouting)
    assert sameness(grimace.face, rest_of(who)) == 0
    head, _ = in_head_frame(grimace.face, rest_of(who).head, face_model())
    near, far = head + 0.001, head * np.array([1.1, 1.0, 1.0])
    known = with_driving_rest(grimace, rest_of(who), moments=[who, near])
    assert known.rest.found == "from the driving face"
    assert with_driving_rest(grimace, rest_of(who), moments=[who, far]) is grimace


@pytest.mark.parametrize(
    ("turns", "alike"),
    [
        ([-4, 0, 4, 7], True),
        ([-20, -9, 5, 20, 30], True),
        ([-4, 0, 2], False),
        ([-9, -8, -6, 6], False),
    ],
)
def test_a_photo_is_as_filmed_where_the_driving_head_lies_so_and_not_far_from_there(
    turns: list[float], alike: bool
) -> None:
    who = person(3, 0.6)
    photo = understand(BLANK_FRAME, face(who, SMILE, pose(yaw=6.0)))
    poses = [pose(yaw=turn) for turn in turns]
    assert with_driving_rest(photo, rest_of(who), poses).as_filmed is alike


def test_a_stranger_keeps_the_rest_that_was_found_for_them() -> None:
    for seed in range(10, 16):
        stranger = photo_of(person(seed, 0.6), SMILE)
        assert with_driving_rest(stranger, rest_of(person(3, 0.6))) is stranger


def test_a_glance_makes_nobody_another_person() -> None:
    one, other = person(3, 0.6), person(4, 0.6)
    rest = rest_of(one)
    between = (face(one + share * (other - one)) for share in np.linspace(0, 1, 41))
    doubtful = next(f for f in between if 0 < sameness(f, rest) < 1)
    points = doubtful.points.copy()
    points[landmarks.MESH_COUNT :, :2] += 0.1 * doubtful.eye_distance
    assert sameness(replace(doubtful, points=points), rest) == sameness(doubtful, rest)


def test_nobody_becomes_another_person_all_of_a_sudden() -> None:
    one, other = person(3, 0.6), person(4, 0.6)
    shares = [
        sameness(face(one + share * (other - one), {}), rest_of(one))
        for share in np.linspace(0, 1, 41)
    ]
    assert shares[0] == 1 and shares[-1] == 0
    assert np.diff(shares).max() <= 0
    assert any(0 < share < 1 for share in shares)
