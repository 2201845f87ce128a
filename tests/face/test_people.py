"""A face is expected where it was heading, and looks as it did while nobody else was close."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from faces import astronaut, stranger

from retarget.face.people import Person, matched
from retarget.face.region import Reading

FACE = np.random.default_rng(2).uniform(-1, 1, (478, 3)).astype(np.float32)


def at(x: float, y: float = 128.0, size: float = 100.0) -> Reading:
    """A face about (x, y), `size` pixels wide."""
    spread = (FACE.max(axis=0) - FACE.min(axis=0))[:2].max()
    middle = (FACE.max(axis=0) + FACE.min(axis=0)) / 2
    points = (FACE - middle) * size / spread + (x, y, 0)
    return Reading(points=points.astype(np.float32), presence=1.0)


def walked(rate: int, speed: float, seconds: float = 1.0) -> Person:
    """Someone who has walked to the right from column 100, so many pixels a second."""
    person = Person(astronaut(), at(100))
    person.since = Fraction(1, rate)
    for i in range(1, round(rate * seconds) + 1):
        person.seen(astronaut(), at(100 + speed * i / rate), alone=True)
    return person


@pytest.mark.parametrize("rate", [12, 30, 60])
def test_a_face_that_is_lost_is_expected_to_go_on_for_a_moment(rate: int) -> None:
    person = walked(rate, 60)
    assert person.expected() == pytest.approx((160 + 60 / rate, 128), abs=0.5)
    person.unseen = Fraction(1, 5) - person.since
    assert person.expected() == pytest.approx((172, 128), abs=0.5)
    person.unseen = Fraction(60)
    assert 160 + 0.2 * 60 < person.expected()[0] < 160 + 0.6 * 60


def test_a_face_that_turns_round_is_soon_expected_the_other_way_at_any_rate() -> None:
    ahead = []
    for rate in (15, 30, 60):
        person = walked(rate, 60)
        for i in range(1, rate // 5 + 1):
            person.seen(astronaut(), at(160 - 60 * i / rate), alone=True)
        ahead.append((person.expected()[0] - person.region.x) / float(person.since))
    assert max(ahead) < -50
    assert np.ptp(ahead) < 3


def test_a_face_astray_is_beside_where_it_is_expected_or_of_another_size() -> None:
    person = walked(30, 60)
    x, y = person.expected()
    assert person.astray(at(x, y)) == pytest.approx(0, abs=0.02)
    assert person.astray(at(x + 20, y)) == pytest.approx(person.astray(at(x - 20, y)), rel=0.02)
    assert person.astray(at(x, y + 40)) > 1.5 * person.astray(at(x, y + 20)) > 0.2
    larger, smaller = (person.astray(at(x, y, 100 * by)) for by in (1.5, 1 / 1.5))
    assert larger == pytest.approx(smaller, abs=0.05)
    assert larger > 0.5


def test_the_longer_a_face_is_unseen_the_farther_it_may_have_gone() -> None:
    person = walked(30, 0)
    soon = person.astray(at(200))
    person.unseen = Fraction(2)
    assert person.astray(at(200)) < 0.3 * soon


@pytest.mark.parametrize("alone", [True, False])
def test_a_look_is_learned_only_while_nobody_is_close(alone: bool) -> None:
    person = Person(astronaut(), at(220, 120))
    person.since = Fraction(1, 30)
    for _ in range(30):
        person.seen(stranger(), at(220, 120), alone=alone)
    knows = (
        person.other_look(astronaut(), at(220, 120)),
        person.other_look(stranger(), at(220, 120)),
    )
    assert (knows[0] > knows[1]) == alone


def test_faces_are_told_apart_so_that_all_fit_best_and_a_stranger_is_nobody() -> None:
    rgb = astronaut()
    people = [Person(rgb, at(100)), Person(rgb, at(150))]
    for person in people:
        person.since = Fraction(1, 30)
    assert matched(rgb, people, [at(152), at(120)]) == {0: 1, 1: 0}
    assert matched(rgb, people, [at(500, 400, 30)]) == {}
    assert matched(rgb, [], [at(1)]) == matched(rgb, people, []) == {}
