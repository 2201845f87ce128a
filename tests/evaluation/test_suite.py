from __future__ import annotations

import json
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retarget.errors import NoFaceFound, RetargetError, UnreadableInput
from retarget.evaluation import suite as suites
from retarget.evaluation import suite_table
from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.suite import Outcome, run_suite
from retarget.evaluation.suite_file import CROSS, SELF, read_suite
from retarget.evaluation.suite_table import interval, summaries
from retarget.evaluation.values import Evaluation, Observed
from retarget.flow.report import Report
from tests.evaluation.conftest import Picture, write_clip

MADE: list[str] = []
BOTH = ["a_b.mp4", "a_self.mp4"]
SETTINGS = EvaluateSettings(faces=1)


@dataclass(frozen=True, kw_only=True)
class CopyJob:
    """Stands for a job that makes results: it hands out the driving clip."""

    driving: str
    identity: str
    output: Path
    fails: bool = False

    def run(self, report: Report) -> None:
        MADE.append(self.output.name)
        if self.fails:
            raise NoFaceFound("It sees no face.", do="Show one.")
        self.output.write_bytes(Path(self.driving).read_bytes())


@pytest.fixture
def folder(
    tmp_path: Path, performed: list[Picture], face: Picture, estimators: Estimators,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:  # fmt: skip
    MADE.clear()
    write_clip(tmp_path / "a.mp4", performed[:5])
    Image.fromarray(face).save(tmp_path / "b.png")
    quick = copy(estimators)
    quick.settings = SETTINGS
    monkeypatch.setattr(suites, "Estimators", lambda settings: quick)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the clips that are read to be measured, as they are read."""
    from retarget.evaluation import evaluate

    names: list[str] = []

    def counted(path: Path, *args: Any, **options: Any) -> Observed:
        names.append(path.name)
        return observe(path, *args, **options)

    monkeypatch.setattr(evaluate, "observe", counted)
    return names


def measured(read: list[str], path: Path, settings: EvaluateSettings = SETTINGS) -> list[str]:
    """Which results a run measures anew."""
    read.clear()
    run(path, settings)
    return [name for name in read if name in BOTH]


def written(folder: Path, text: str) -> Path:
    path = folder / "suite.toml"
    path.write_text(text, "utf-8")
    return path


TWO = """
job = "tests.evaluation.test_suite:CopyJob"
[[pair]]
driving = "a.mp4"
identity = "b.png"
[[pair]]
driving = "a.mp4"
"""


def run(path: Path, settings: EvaluateSettings = SETTINGS) -> tuple[Outcome, ...]:
    return run_suite(read_suite(path), path.parent / "out", settings, Report())


def test_a_suite_makes_and_measures_its_pairs_once(folder: Path, read: list[str]) -> None:
    path = written(folder, TWO)
    first = run(path)
    assert [o.case.kind for o in first] == [CROSS, SELF]
    assert MADE == BOTH
    read.clear()
    again = run(path)
    assert read == []
    assert [o.figures for o in again] == [o.figures for o in first]
    assert len(MADE) == 2


def test_a_driving_clip_is_read_once_for_all_its_pairs(folder: Path, read: list[str]) -> None:
    run(written(folder, TWO))
    # the clip, its first pair, the clip encoded anew, its second pair
    assert read == ["a.mp4", "a_b.mp4", "driving.mp4", "a_self.mp4"]


def test_only_self_reenactment_has_a_truth(folder: Path) -> None:
    cross, own = run(written(folder, TWO))
    assert cross.figures["picture.psnr"] is None
    assert own.figures["picture.psnr"] == 100  # the job hands out the truth itself
    assert own.figures["picture.ssim"] == pytest.approx(1)


def test_a_pair_whose_options_or_files_changed_is_made_again(folder: Path, read: list[str]) -> None:
    run(written(folder, TWO))
    assert measured(read, written(folder, TWO + "start = 0.01\n")) == ["a_self.mp4"]
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes())  # a new time of change
    assert measured(read, folder / "suite.toml") == ["a_b.mp4"]
    assert MADE[2:] == ["a_b.mp4"]


def test_other_settings_only_measure_anew(folder: Path, read: list[str]) -> None:
    path = written(folder, TWO)
    run(path)
    other = replace(SETTINGS, active=0.1)
    assert measured(read, path, other) == BOTH
    assert MADE == BOTH
    assert all(o.seconds is not None for o in run(path, other))


def test_an_estimator_that_comes_to_hand_measures_anew(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder, TWO)
    run(path)
    (folder / "arcface.onnx").touch()
    monkeypatch.setattr(suites, "arcface", lambda settings: folder / "arcface.onnx")
    assert measured(read, path) == BOTH


def test_a_run_that_was_cut_short_keeps_what_was_made(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder, TWO)
    measure = suites.Evaluator.evaluate

    def stopped(self: suites.Evaluator, result: Path) -> Evaluation:
        if result.name == "a_self.mp4":
            raise KeyboardInterrupt
        return measure(self, result)

    monkeypatch.setattr(suites.Evaluator, "evaluate", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(path)
    monkeypatch.setattr(suites.Evaluator, "evaluate", measure)
    assert measured(read, path) == ["a_self.mp4"]
    assert MADE == BOTH


def test_frames_without_a_face_are_told_with_the_suite(
    folder: Path, performed: list[Picture]
) -> None:
    blank = np.full_like(performed[0], 90)
    write_clip(folder / "gap.mp4", [*performed[:4], blank, blank])
    text = TWO + "[[pair]]\ndriving = 'gap.mp4'\n"
    outcomes = run(written(folder, text))
    told = " ".join(suite_table.table(outcomes).split())
    assert "gap_self: No face seen: dlib in 2 of 6 driving frames; dlib in 2 of 6" in told
    assert "a_b:" not in told
    assert "gap_self: No face seen" in suite_table.page("x", outcomes)


def test_a_cut_off_file_of_figures_is_measured_anew(folder: Path, read: list[str]) -> None:
    path = written(folder, TWO)
    run(path)
    figures = folder / "out" / "a_b.json"
    figures.write_text(figures.read_text("utf-8")[:100], "utf-8")
    assert measured(read, path) == ["a_b.mp4"]


def test_a_pair_that_fails_is_told_and_the_rest_goes_on(folder: Path) -> None:
    text = TWO + "[[pair]]\nname = 'bad'\ndriving = 'a.mp4'\noptions = {fails = true}\n"
    report = Report()
    path = written(folder, text)
    outcomes = run_suite(read_suite(path), folder / "out", SETTINGS, report)
    assert [o.problem is None for o in outcomes] == [True, True, False]
    assert any("bad failed: It sees no face." in line for line in report.warnings)
    assert "bad failed" in suite_table.table(outcomes)
    told = json.loads(json.dumps(suite_table.as_dict(outcomes)))
    assert told["groups"][SELF]["picture.psnr"]["pairs"] == 1


def test_a_suite_in_which_all_fails_says_so(folder: Path) -> None:
    text = "job = 'tests.evaluation.test_suite:CopyJob'\n"
    text += "[[pair]]\ndriving = 'a.mp4'\noptions = {fails = true}\n"
    with pytest.raises(RetargetError, match="None of the 1 pairs"):
        run(written(folder, text))


def test_results_that_exist_are_measured_and_not_made(folder: Path) -> None:
    (folder / "made").mkdir()
    (folder / "made" / "a_b.mp4").write_bytes((folder / "a.mp4").read_bytes())
    text = "results = 'made/{name}.mp4'\n[[pair]]\ndriving = 'a.mp4'\nidentity = 'b.png'\n"
    (outcome,) = run(written(folder, text))
    assert outcome.problem is None
    assert MADE == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[[pair]]\ndriver = 'a.mp4'",
            "line 2: pair 1: There is no word in a suite 'driver'.*Known: driving",
        ),
        ("[[pair]]\ndriving = 'absent.mp4'", "line 2"),
        (f"[[pair]]\ndriving = '{'a' * 300}.mp4'", "line 2"),
        ("[[pair]]\nidentity = 'b.png'", "no driving"),
        ("name = 'x'", "no pair"),
        ("[[pair]]\ndriving = 'a.mp4'\nname = '../x'", "cannot name a file"),
        ("[[pair]]\ndriving = 'a.mp4'\n[[pair]]\ndriving = 'a.mp4'", "Two pairs"),
        ("results = 'x.mp4'\n[[pair]]\ndriving = 'a.mp4'", "every pair"),
        ("[[pair]", "TOML"),
        ("[[pair]]\ndriving = 'a.mp4'\nstart = nan", "line 3.*a number"),
        ("[[pair]]\ndriving = 'a.mp4'\nstart = inf", "line 3.*a number"),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(folder: Path, text: str, said: str) -> None:
    with pytest.raises(UnreadableInput, match=said):
        read_suite(written(folder, text))


def test_files_of_any_name_make_a_pair(folder: Path) -> None:
    (folder / "a.mp4").rename(folder / "my (last) clip.mp4")
    suite = read_suite(written(folder, "[[pair]]\ndriving = 'my (last) clip.mp4'\n"))
    assert [case.name for case in suite.cases] == ["my_last_clip_self"]


@pytest.mark.parametrize("job", ["tests.evaluation.test_suite:NoJob", "os:system", "os:PathLike"])
def test_a_job_that_is_none_is_refused(folder: Path, job: str) -> None:
    text = TWO.replace("tests.evaluation.test_suite:CopyJob", job)
    assert job in text
    with pytest.raises(UnreadableInput, match="cannot be found"):
        run(written(folder, text))


def test_options_of_a_pair_lie_over_those_of_the_suite(folder: Path) -> None:
    text = (
        "[options.transfer]\nmotion = 'expression'\nhow = 1\n[self_options.transfer]\n"
        "motion = 'full'\n[[pair]]\ndriving = 'a.mp4'\noptions = {transfer = {how = 2}}\n"
        "[[pair]]\ndriving = 'a.mp4'\nidentity = 'b.png'\n"
    )
    own, cross = read_suite(written(folder, text)).cases
    assert own.options == {"transfer": {"motion": "full", "how": 2}}
    assert cross.options == {"transfer": {"motion": "expression", "how": 1}}


def test_mean_spread_and_interval_are_those_of_the_pairs() -> None:
    figures = [{"expression.l1": v} for v in (0.1, 0.2, 0.3)] + [{"expression.l1": None}]
    (summary,) = summaries(figures)
    assert (summary.count, summary.of) == (3, 4)
    assert summary.mean == pytest.approx(0.2)
    assert summary.spread == pytest.approx(0.1)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        low_high = interval(list(rng.normal(5.0, 1.0, 30)))
        assert low_high is not None
        held += low_high[0] <= 5.0 <= low_high[1]
    assert 0.88 <= held / 200 <= 0.98
    assert interval([1.0, 2.0]) is None
