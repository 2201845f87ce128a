"""What a person gets to see: the table, the JSON, the page, the ranking."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget.evaluation import as_json, compare, page, plot, table
from retarget.evaluation.evaluate import Evaluator
from retarget.evaluation.observe import Estimators
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import Curve, Evaluation
from retarget.flow.report import Report
from tests.evaluation.conftest import COUNT, Picture


@pytest.fixture(scope="module")
def evaluations(
    clips: dict[str, Path],
    face: Picture,
    estimators: Estimators,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Evaluation]:
    photo = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(face).save(photo)
    settings = EvaluateSettings(faces=2, worst=2)
    evaluator = Evaluator(clips["driving"], photo, settings, Report(), estimators=estimators)
    return {name: evaluator.evaluate(clips[name]) for name in ("half", "frozen")}


class Seen(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "data")]
        assert not any(k.startswith("on") for k, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_figure_is_in_the_json_with_unit_estimator_and_source(
    evaluations: dict[str, Evaluation],
) -> None:
    told = json.loads(json.dumps(as_json.as_dict(evaluations["half"]), allow_nan=False))
    for measure in evaluations["half"].measures:
        row = told["measures"][measure.key]
        assert row["unit"]
        assert row["by"]
        assert row["source"]
        assert (row["value"] is None) <= bool(row["note"])  # what is absent says why
    assert len(told["curves"][0]["driving"]) == COUNT


def test_the_table_names_what_was_not_measured_and_why(
    evaluations: dict[str, Evaluation],
) -> None:
    text = " ".join(table.table(evaluations["half"]).split())
    assert "face_landmarker.task was not found" in text
    assert "nan" not in text
    assert "Every estimator saw the face in every frame." in text
    assert "The mouth opens" in text


def test_a_mouth_that_opens_half_as_far_is_said_in_a_sentence(
    evaluations: dict[str, Evaluation],
) -> None:
    said = [f for f in evaluations["half"].findings if f.startswith("The mouth opens")]
    assert len(said) == 1
    assert said[0].endswith("% less than driven.")
    assert 35 <= int(said[0].split()[3]) <= 65


def test_the_page_needs_nothing_else_and_runs_nothing(evaluations: dict[str, Evaluation]) -> None:
    seen = Seen(page.page(evaluations["half"]))
    assert "script" not in seen.tags
    assert seen.tags.count("img") == 4  # two worst moments, driving and result
    assert all(a.startswith("data:image/jpeg;base64,") for a in seen.addresses)
    assert "svg" in seen.tags
    for finding in evaluations["half"].findings:
        assert finding in seen.text


def test_a_hostile_name_is_only_text_on_the_page(evaluations: dict[str, Evaluation]) -> None:
    name = Path('<script>alert("1")</script><img src=x onerror=y>.mp4')
    hostile = replace(
        evaluations["half"], result=name, identity=name, worst=(), findings=(str(name),)
    )
    for text in (page.page(hostile), compare.page([hostile, hostile])):
        seen = Seen(text)
        assert "script" not in seen.tags
        assert "img" not in seen.tags
        assert str(name) in seen.text


def test_the_better_result_is_ranked_first_whatever_the_order(
    evaluations: dict[str, Evaluation],
) -> None:
    half, frozen = evaluations["half"], evaluations["frozen"]
    assert compare.ranked([frozen, half]) == compare.ranked([half, frozen]) == (half, frozen)
    text = compare.table([half, frozen])
    assert text.index("1. half.mp4") < text.index("2. frozen.mp4")


def test_a_result_that_only_shows_the_photo_wins_identity_alone(
    evaluations: dict[str, Evaluation],
) -> None:
    half, frozen = evaluations["half"], evaluations["frozen"]
    near, far = (e.value("identity.dlib_distance") for e in (frozen, half))
    assert near is not None
    assert far is not None
    assert near < far
    together, alone = (e.value("expression.hes") for e in (half, frozen))
    assert together is not None
    assert alone is not None
    assert together > alone + 0.3


def test_worst_moments_are_half_a_second_apart(evaluations: dict[str, Evaluation]) -> None:
    moments = sorted(w.seconds for w in evaluations["half"].worst)
    assert len(moments) == 2
    assert moments[1] - moments[0] >= 0.5


def test_a_long_curve_stays_small_and_keeps_its_extremes() -> None:
    count = 50_000
    values = np.zeros(count)
    values[31_234] = 1.0
    curve = Curve(
        title="t", unit="u", seconds=np.arange(count) / 25, driving=values, result=values * np.nan
    )
    drawn = plot.plot(curve)
    assert len(drawn) < 20_000
    assert drawn.count(f" {plot._y(1.0, -0.05, 1.05):.1f}") >= 1


def test_a_gap_in_a_curve_is_not_bridged() -> None:
    values = np.array([0.0, 1.0, np.nan, 0.0, 1.0])
    curve = Curve(title="t", unit="u", seconds=np.arange(5.0), driving=values, result=values)
    path = plot.plot(curve).split('class="driving" d="')[1].split('"')[0]
    assert path.count("M") == 2
    assert path.count("L") == 2
