"""The list of what can be said, and its sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from outside import needs_tracker
from PIL import Image

from retarget.errors import CannotWrite, RetargetError, UnknownWord
from retarget.jobs.expressions import ExpressionsJob
from retarget.jobs.still import StillJob


def test_the_list_names_every_word_under_its_emotion() -> None:
    told = ExpressionsJob().run()
    assert isinstance(told, str)
    assert "sadness · sympathy" in told
    assert re.search(r"^  happy +happiness$", told, re.MULTILINE)
    by_head = ExpressionsJob(head="joy").run()
    assert "33 expressions." in str(by_head)


def test_a_search_finds_words_by_action_unit() -> None:
    told = ExpressionsJob(search=("AU9",)).run()
    assert isinstance(told, str)
    assert "disgust" in told
    assert "happiness" not in told


@pytest.mark.parametrize("asked", ["smile", "lip corner puller", "12D", "AU12D"])
def test_a_search_looks_into_what_the_words_do(asked: str) -> None:
    told = ExpressionsJob(search=(asked,)).run()
    assert isinstance(told, str)
    assert "amusement" in told
    assert "worry" not in told


def test_the_group_of_the_word_that_is_called_just_so_comes_first() -> None:
    told = str(ExpressionsJob(search=("Smile",)).run())
    assert told.startswith("everyday · mouth\n")
    assert re.search(r"^  smile +6C\+12E$", told.partition("\n\n")[0], re.MULTILINE)
    assert told.count("everyday · mouth") == 1


def test_words_of_which_none_answers_to_all_are_told_so() -> None:
    with pytest.raises(RetargetError, match="No expression answers to all of AU12, shame"):
        ExpressionsJob(search=("AU12", "shame")).run()


def test_what_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    sheet = ExpressionsJob(head="joy", identity="none.png", sheet=tmp_path / "s.gif")
    with pytest.raises(CannotWrite, match="ending"):
        sheet.run()
    still = StillJob(identity=("none.png",), expression=("joy",), output=tmp_path / "s.gif")
    with pytest.raises(CannotWrite, match="ending"):
        still.run()


def test_a_search_for_nothing_known_offers_the_nearest_word() -> None:
    with pytest.raises(UnknownWord) as problem:
        ExpressionsJob(search=("jealosy",)).run()
    assert problem.value.nearest == "jealousy"


def test_a_face_at_rest_can_be_found_too() -> None:
    assert "calm" in ExpressionsJob(search=("neutral",)).run()


def test_the_list_of_units_names_their_sources() -> None:
    told = ExpressionsJob(units=True).run()
    assert isinstance(told, str)
    assert "lip corner puller" in told
    assert "from: FACS" in told


@pytest.mark.parametrize("asked", ["AU1", "inner brow", "browinnerup"])
def test_a_search_among_the_units_finds_what_it_names(asked: str) -> None:
    told = str(ExpressionsJob(units=True, search=(asked,)).run())
    assert told.startswith("AU1 ")
    assert told.count("from:") == 1


def test_a_search_among_the_units_for_none_of_them_offers_the_nearest() -> None:
    with pytest.raises(UnknownWord, match="AU99"):
        ExpressionsJob(units=True, search=("AU99",)).run()


def test_a_sheet_draws_the_words_that_were_found(astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    job = ExpressionsJob(head="surprise", sheet=out, identity=str(astronaut), tile=64)
    assert job.run() == out
    with Image.open(out) as page:
        assert page.width >= 3 * 64


@needs_tracker
def test_a_sheet_never_takes_the_place_of_a_picture_that_a_word_names(
    astronaut: Path, tmp_path: Path
) -> None:
    read = tmp_path / "angry.png"
    read.write_bytes(astronaut.read_bytes())
    words = tmp_path / "words.toml"
    words.write_text(f'[groups.mine]\ncross = "from:{read}"\n')
    job = ExpressionsJob(
        search=("cross",), words=words, sheet=read, identity=str(astronaut), overwrite=True
    )
    with pytest.raises(CannotWrite, match="also read"):
        job.run()
    assert read.read_bytes() == astronaut.read_bytes()
