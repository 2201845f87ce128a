"""The order in which each participant of a study sees a set."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from outside import needs_tracker
from PIL import Image

from retarget.errors import CannotWrite, RetargetError
from retarget.flow.report import Report
from retarget.jobs.micro import MicroJob
from retarget.jobs.micro_order import order_for
from retarget.jobs.micro_set import Stimulus, StimulusSet, read_set
from retarget.language.words import shipped_words
from retarget.sink.settings import SinkSettings
from tests.faces import astronaut


def whole(tmp_path: Path, faces: int, expressions: list[str], participants: int = 8) -> StimulusSet:
    names = [f"{i}.png" for i in range(faces)]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    path = tmp_path / "set.toml"
    path.write_text(
        f"identities = {names}\nexpressions = {expressions}\nintensities = [0.3, 0.6]\n"
        f"participants = {participants}\nseed = 4\n"
    )
    return read_set(path, outside=False, words=shipped_words(), look=lambda *_: pytest.fail())


WORDS = ["joy", "fear", "anger", "contempt"]


def orders(said: StimulusSet) -> list[list[Stimulus]]:
    return [order_for(i, said) for i in range(said.participants)]


def test_everybody_sees_every_clip_once_and_in_an_order_of_their_own(tmp_path: Path) -> None:
    seen = orders(whole(tmp_path, 3, WORDS))
    numbers = [tuple(one.number for one in order) for order in seen]
    assert all(sorted(order) == list(range(1, 25)) for order in numbers)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("faces", [1, 2, 3, 5])
def test_no_expression_comes_twice_in_a_row_nor_one_face_of_several(
    tmp_path: Path, faces: int
) -> None:
    for order in orders(whole(tmp_path, faces, WORDS)):
        for one, two in pairwise(order):
            assert one.text != two.text
            assert faces < 3 or one.who != two.who


def test_one_expression_alone_may_come_again_and_again(tmp_path: Path) -> None:
    assert all(len(order) == 6 for order in orders(whole(tmp_path, 3, ["joy"])))


def test_every_clip_comes_first_equally_often(tmp_path: Path) -> None:
    seen = orders(whole(tmp_path, 2, WORDS, participants=32))
    assert set(Counter(order[0].number for order in seen).values()) == {2}


@pytest.mark.parametrize(
    ("participants", "told"), [("1.5", "whole number"), ("-1", "number from"), ("90000", "most")]
)
def test_participants_that_cannot_be_are_refused_with_their_line(
    tmp_path: Path, participants: str, told: str
) -> None:
    with pytest.raises(RetargetError, match=rf"line 4: .*{told}"):
        whole(tmp_path, 3, WORDS, participants=participants)


@needs_tracker
def test_orders_lie_beside_the_clips_and_ones_that_were_changed_stay(tmp_path: Path) -> None:
    Image.fromarray(astronaut()).save(tmp_path / "eileen.png")
    path = tmp_path / "set.toml"
    text = (
        'identities = ["eileen.png"]\nexpressions = ["joy", "fear"]\nsize = 96\nrate = 30\n'
        "before_ms = 40\nafter_ms = 40\n"
    )
    path.write_text(f"{text}participants = 2\n")
    folder = MicroJob(set=path).run()
    with (folder / "orders.csv").open(newline="", encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert [(row["participant"], row["trial"]) for row in told] == [
        ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"),
    ]  # fmt: skip
    assert all((folder / row["file"]).is_file() for row in told)
    path.write_text(f"{text}participants = 3\n")
    MicroJob(set=path).run()
    with (folder / "orders.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file))[:4] == told
    (folder / "orders.csv").write_text("mine")
    with pytest.raises(CannotWrite, match="other orders"):
        MicroJob(set=path).run()
    assert (folder / "orders.csv").read_text() == "mine"
    MicroJob(set=path, sink=SinkSettings(overwrite=True)).run()
    assert len((folder / "orders.csv").read_text().splitlines()) == 7
    path.write_text(text)
    report = Report()
    MicroJob(set=path).run(report)
    assert any("no participants" in line for line in report.warnings)
