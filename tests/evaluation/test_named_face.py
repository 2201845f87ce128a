"""Which face of several is measured, said behind a file's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget.cli.main import main
from retarget.errors import UnreadableInput
from retarget.evaluation.evaluate import evaluate
from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.suite import run_suite
from retarget.evaluation.suite_file import read_suite
from retarget.evaluation.values import Evaluation, Observed
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from tests.evaluation.conftest import write_clip

SHOWN = 12


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, face: Picture, other_face: Picture,
    performed: list[Picture],
) -> Path:  # fmt: skip
    """A photo and a clip, in each somebody else to the left of who is meant."""
    out = tmp_path_factory.mktemp("two")
    Image.fromarray(np.hstack([other_face, face])).save(out / "group.png")
    pictures = [np.hstack([other_face, p]) for p in performed[:SHOWN]]
    write_clip(out / "two.mp4", [np.asarray(p, np.uint8) for p in pictures])
    return out


def of_one(evaluation: Evaluation) -> float | None:
    return evaluation.value("identity.dlib_same")


def test_the_face_that_is_named_is_read_as_it_is_without_others(
    folder: Path, seen: dict[str, Observed], estimators: Estimators
) -> None:
    alone = seen["driving"].ratios[:SHOWN]
    for which in ("right", "1", "480,150"):
        read = observe(Path(f"{folder}/two.mp4#{which}"), estimators, sample_faces=False)
        assert np.abs(read.ratios - alone).mean() < 0.01
    left = observe(folder / "two.mp4#left", estimators, sample_faces=False)
    assert np.abs(left.ratios - alone).mean() > 0.03


@pytest.mark.usefixtures("estimators")
def test_a_result_is_measured_by_the_face_of_the_photo_it_shows(folder: Path) -> None:
    settings = EvaluateSettings(faces=2, measure=("expression", "identity"))

    def measured(result: str, driving: str, identity: str) -> Evaluation:
        return evaluate(folder / result, folder / driving, folder / identity, settings)

    same = measured("two.mp4", "two.mp4#right", "group.png#right")
    assert of_one(same) == 100
    assert same.value("expression.ratio_error") == 0
    assert same.value("expression.recoded_ratios") is not None
    other = measured("two.mp4#left", "two.mp4#right", "group.png#right")
    assert of_one(other) == 0


@pytest.mark.usefixtures("estimators")
def test_a_suite_measures_the_face_and_the_piece_that_its_options_choose(folder: Path) -> None:
    asked = '[options.track]\nwhich = "right"\n[options.source]\nstart = 0.125\n'
    pair = '[[pair]]\ndriving = "two.mp4"\nidentity = "group.png"\n'
    path = folder / "chosen.toml"
    path.write_text(asked + pair + pair.replace('"two.mp4"', '"two.mp4#left"'))
    right, left = read_suite(path).cases
    assert [Path(f).name for f in (right.driving, right.identity or "")] == [
        "two.mp4#right", "group.png#right",
    ]  # fmt: skip
    assert left.driving.name == "two.mp4#left", "what stands behind a name counts more"
    assert (right.name, right.start) == ("two_group", 0.125)
    path.write_text(asked.replace("right", "middle") + pair)
    with pytest.raises(UnreadableInput, match=r"middle.*does not say which face"):
        read_suite(path)


def test_what_is_no_choice_is_answered_with_those_that_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = str(folder / "two.mp4")
    assert main(["evaluate", two, "--driving", f"{two}#middle", "--identity", two]) == 1
    assert "left, right" in capsys.readouterr().err


def test_a_photo_with_a_face_named_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, two = folder / "group.png", str(folder / "two.mp4")
    kept = photo.read_bytes()
    words = ["--driving", two, "--identity", f"{photo}#right", "--json", str(photo)]
    assert main(["evaluate", two, *words]) == 1
    assert "also read from" in capsys.readouterr().err
    assert photo.read_bytes() == kept


def test_pairs_of_a_suite_name_faces(folder: Path) -> None:
    suite = folder / "suite.toml"
    pairs = (
        f'[[pair]]\ndriving = "two.mp4#{d}"\nidentity = "group.png#{i}"\n'
        for d, i in (("left", "right"), ("right", "left"))
    )
    suite.write_text("".join(pairs), "utf-8")
    first, second = read_suite(suite).cases
    assert first.name != second.name
    assert (first.driving, second.identity) == (folder / "two.mp4#left", folder / "group.png#left")
    suite.write_text('[[pair]]\ndriving = "two.mp4#middle"\n', "utf-8")
    with pytest.raises(UnreadableInput, match=r"line 2.*'middle' does not say"):
        read_suite(suite)


@pytest.mark.usefixtures("estimators")
def test_a_clip_that_drives_itself_is_held_against_the_face_that_is_named(folder: Path) -> None:
    suite = folder / "self.toml"
    pair = '[[pair]]\nname = "two"\ndriving = "two.mp4#right"\n'
    suite.write_text(f'results = "{{name}}.mp4"\n{pair}', "utf-8")
    settings = EvaluateSettings(faces=2, measure=("identity", "picture"))
    (found,) = run_suite(read_suite(suite), folder / "out", settings, Report())
    assert found.figures["identity.dlib_same"] == 100
    assert found.figures["picture.psnr"] is not None
