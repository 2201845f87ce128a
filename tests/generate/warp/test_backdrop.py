"""What is behind a person who moves keeps still."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm
from drawn import Picture, draw, whole

from retarget.composite.matte import PersonMatte
from retarget.flow import landmarks
from retarget.flow.values import FaceRequest, HeadPose, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.backdrop import Backdrop
from retarget.generate.warp.warp import WarpGenerator

UNIT = 60.0


@cache
def striped() -> Identity:
    """The sample's person before upright stripes, told from them."""
    photo = calm().frame.rgb
    person = PersonMatte().where(photo, calm().face.points)
    assert person is not None
    columns = np.arange(photo.shape[1])
    stripes = np.where((columns // 8 % 2)[None, :, None], 200, 60).astype(np.uint8)
    share = cv2.GaussianBlur(person, (0, 0), 1.0)[..., None] / 255
    rgb = np.rint(share * photo + (1 - share) * np.broadcast_to(stripes, photo.shape))
    frame = replace(calm().frame, rgb=rgb.astype(np.uint8))
    return replace(calm(), frame=frame, person=person)


def beside(identity: Identity) -> npt.NDArray[np.bool_]:
    """(height, width) what is behind the person, not too near to them, beside the face."""
    assert identity.person is not None
    near = cv2.dilate(identity.person, np.ones((61, 61), np.uint8)) > 20
    low, high = identity.face.points[:, 1].min(), identity.face.points[:, 1].max()
    rows = np.arange(near.shape[0])[:, None]
    return ~near & (rows > low) & (rows < high)


def moved(identity: Identity, settings: WarpSettings) -> Picture:
    """The head a fifth of the eye distance to the right."""
    unit = identity.face.eye_distance
    pose = HeadPose(
        rotation=identity.pose.rotation,
        translation=identity.pose.translation + unit * np.array([0.2, 0.0, 0.0]),
        scale=identity.pose.scale,
    )
    return whole(draw(WarpGenerator(settings), ask(identity, pose=pose)))


def test_what_is_behind_a_head_that_moves_stays_or_bends_as_was_chosen() -> None:
    identity = striped()
    behind = beside(identity)
    assert behind.sum() > 2000
    photo = identity.frame.rgb.astype(int)
    still = np.abs(moved(identity, WarpSettings()) - photo)[behind]
    along = np.abs(moved(identity, WarpSettings(background="along")) - photo)[behind]
    assert still.mean() < 1.5
    assert along.mean() > 5 * still.mean()


def aside(identity: Identity, way: float) -> FaceRequest:
    """The head held, its jaw and cheeks so many eye distances to the right."""
    asked = ask(identity)
    height = identity.face.points[:, 1]
    below = np.clip((height - height[landmarks.NOSE_BRIDGE]) / np.ptp(height) / 0.3, 0, 1)
    by = way * identity.face.eye_distance * below
    return replace(asked, points=asked.points + np.stack([by, 0 * by, 0 * by], axis=1))


def test_what_is_behind_a_cheek_that_moves_stays_or_bends_as_was_chosen() -> None:
    identity = striped()
    assert identity.person is not None
    behind = cv2.dilate(identity.person, np.ones((31, 31), np.uint8)) < 20
    behind[: round(float(identity.face.points[landmarks.NOSE_TIP, 1]))] = False
    behind[:, round(float(identity.face.points[landmarks.CHIN, 0])) :] = False  # what it covers

    def changed(settings: WarpSettings) -> float:
        drawn = whole(draw(WarpGenerator(settings), aside(identity, 0.2)))
        return float(np.abs(drawn.astype(int) - identity.frame.rgb)[behind].mean())

    assert changed(WarpSettings()) < 0.3 * changed(WarpSettings(background="along"))


def test_where_a_head_that_is_held_hardly_moves_nothing_is_filled_in_around_it() -> None:
    identity = striped()
    drawn = [
        whole(draw(WarpGenerator(WarpSettings(background=background)), aside(identity, 0.002)))
        for background in ("still", "along")
    ]
    np.testing.assert_array_equal(*drawn)


def test_the_face_moves_alike_before_either() -> None:
    identity = striped()
    pictures = [
        moved(identity, WarpSettings()),
        moved(identity, WarpSettings(background="along")),
    ]
    one, other = (picture.astype(int) for picture in pictures)
    points = identity.face.points[:, :2] + (0.2 * identity.face.eye_distance, 0)
    face = np.zeros(one.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    np.testing.assert_array_equal(one[face > 0], other[face > 0])


def test_what_a_person_hid_is_like_what_is_around_it_and_not_like_them() -> None:
    photo = np.full((200, 200, 3), (200, 180, 60), np.uint8)
    photo[:100] = (40, 120, 200)
    person = np.zeros((200, 200), np.uint8)
    cv2.circle(person, (100, 100), 50, 255, -1)
    photo[cv2.dilate(person, np.ones((7, 7), np.uint8)) > 0] = (255, 0, 0)  # with some hair
    taken = Backdrop.of(photo, person, UNIT)
    assert taken.share[100, 100] == 255
    assert taken.share[:40].max() == 0
    np.testing.assert_array_equal(taken.behind[:35], photo[:35])
    red = taken.behind[..., 0].astype(int) - taken.behind[..., 1]
    assert red.max() < 60
    assert (np.abs(taken.behind[60, 100].astype(int) - (40, 120, 200)) < 40).all()
    assert (np.abs(taken.behind[140, 100].astype(int) - (200, 180, 60)) < 40).all()


def test_edges_of_the_room_go_on_behind_a_head() -> None:
    """They come to it from above, where its outline is oblique."""
    photo = np.full((400, 400, 3), 60, np.uint8)
    photo[:, 160:240] = 190
    person = np.zeros((400, 400), np.uint8)
    cv2.circle(person, (200, 220), 90, 255, -1)
    behind = Backdrop.of(photo, person, UNIT).behind.astype(int)
    off = np.abs(behind - photo)
    top = 220 - int(np.sqrt(90**2 - 40**2))
    uncovered = [off[top : top + 12, edge - 12 : edge + 12] for edge in (160, 240)]
    assert np.mean(uncovered) < 0.28 * (190 - 60)


def test_what_is_filled_in_has_the_grain_of_what_is_beside_it_but_not_its_lines() -> None:
    random = np.random.default_rng(0)
    photo = np.full((200, 200, 3), 120, np.int64)
    photo[:, :100] += random.normal(0, 10, (200, 100, 1)).round().astype(int)  # old film
    photo[::20, 100:] = 30  # boards
    person = np.zeros((200, 200), np.uint8)
    cv2.circle(person, (100, 100), 40, 255, -1)
    behind = Backdrop.of(np.clip(photo, 0, 255).astype(np.uint8), person, UNIT).behind

    def grain(columns: slice) -> float:
        within = behind[80:120, columns].mean(axis=2)
        return float((within - cv2.GaussianBlur(within, (0, 0), 2)).std())

    assert 5 < grain(slice(62, 74)) < 15
    assert grain(slice(126, 138)) < 3


@pytest.mark.parametrize("everywhere", [0, 255])
def test_a_photo_that_is_all_person_or_none_is_taken_apart_all_the_same(everywhere: int) -> None:
    photo = calm().frame.rgb
    taken = Backdrop.of(photo, np.full(photo.shape[:2], everywhere, np.uint8), UNIT)
    assert (taken.share == everywhere).all()
    if not everywhere:
        np.testing.assert_array_equal(taken.behind, photo)
