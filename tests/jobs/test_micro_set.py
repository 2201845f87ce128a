"""Sets of stimuli: complete, resumable, the same every time."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget.errors import CannotWrite, NoFaceFound, RetargetError
from retarget.face.settings import TrackSettings
from retarget.flow.blendshapes import NAMES
from retarget.flow.report import Report
from retarget.jobs.micro import MicroJob
from retarget.sink.settings import SinkSettings

skimage_data = pytest.importorskip("skimage.data")

SET = """\
identities = ["eileen.png"]
expressions = ["surprise", "contempt"]
intensities = [1.0]
durations = [[70, 40, 100]]
size = 96
before_ms = 100
after_ms = 100
rate = 30
"""


@pytest.fixture
def stimuli(tmp_path: Path) -> Path:
    Image.fromarray(skimage_data.astronaut()).save(tmp_path / "eileen.png")
    path = tmp_path / "stimuli.toml"
    path.write_text(SET)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_second_run_gives_the_same_bytes_and_a_broken_one_goes_on(
    stimuli: Path, tmp_path: Path
) -> None:
    one = MicroJob(set=stimuli, output=tmp_path / "one").run()
    two = MicroJob(set=stimuli, output=tmp_path / "two").run()
    assert contents(one) == contents(two)
    assert len(rows(one)) == 2
    before = contents(one)
    kept, lost = (one / row["file"] for row in rows(one))
    made = kept.stat().st_mtime_ns
    lost.unlink()
    MicroJob(set=stimuli, output=one).run()
    assert contents(one) == before
    assert kept.stat().st_mtime_ns == made


def test_what_a_set_leaves_open_is_as_in_a_single_clip(stimuli: Path, tmp_path: Path) -> None:
    stimuli.write_text('identities = ["eileen.png"]\nexpressions = ["fear"]\nsize = 64\n')
    (row,) = rows(folder := MicroJob(set=stimuli).run())
    table = tmp_path / "single.csv"
    MicroJob(identity=str(tmp_path / "eileen.png"), expression="fear", table=table).run()
    assert (folder / row["table"]).read_bytes() == table.read_bytes()


def test_a_set_of_which_nothing_could_be_drawn_leaves_nothing(stimuli: Path) -> None:
    stimuli.write_text(SET + "participants = 2\n")
    Image.new("RGB", (300, 300), (80, 120, 80)).save(stimuli.parent / "eileen.png")
    with pytest.raises(NoFaceFound, match=r"clip 1: .*eileen\.png: no human face"):
        MicroJob(set=stimuli).run()
    assert {file.name for file in stimuli.parent.iterdir()} == {"stimuli.toml", "eileen.png"}


def test_the_report_counts_frames_that_were_drawn_and_not_clips(
    stimuli: Path, tmp_path: Path
) -> None:
    first, second = Report(), Report()
    for report in (first, second):
        MicroJob(set=stimuli, output=tmp_path / "out").run(report)
    assert first.frames == sum(int(row["frames"]) for row in rows(tmp_path / "out"))
    assert second.frames == 0


def test_what_is_to_be_told_of_its_clips_is_told_of_the_set_once(
    stimuli: Path, tmp_path: Path
) -> None:
    Image.fromarray(skimage_data.astronaut()[:301, 100:401]).save(tmp_path / "eileen.png")
    stimuli.write_text(SET.replace("size = 96\n", ""))
    report = Report()
    MicroJob(set=stimuli, output=tmp_path / "odd").run(report)
    assert [line for line in report.warnings if "even sides" in line] == [
        "A clip of stimuli.toml is 302 x 302 pixels: its codec needs even sides, so the last row "
        "or column is there twice."
    ]


def test_a_clip_that_was_damaged_since_is_made_again(stimuli: Path, tmp_path: Path) -> None:
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    before = contents(folder)
    damaged = folder / rows(folder)[0]["file"]
    damaged.write_bytes(before[damaged.name][:-100])
    MicroJob(set=stimuli, output=folder).run()
    assert contents(folder) == before


def test_clips_are_made_again_when_another_face_is_asked_for(stimuli: Path, tmp_path: Path) -> None:
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    before = {row["file"]: row["key"] for row in rows(folder)}
    MicroJob(set=stimuli, output=folder, track=TrackSettings(which="left")).run()
    assert all(row["key"] != before[row["file"]] for row in rows(folder))


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [("eileen.png", "S01.png", "identity"), ('"contempt"', '"R12D+R14E"', "expression")],
)
def test_the_manifest_says_what_this_set_says_though_the_pixels_are_the_same(
    stimuli: Path, tmp_path: Path, old: str, new: str, column: str
) -> None:
    short = SET.replace('"surprise", ', "")
    stimuli.write_text(short)
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    (tmp_path / "S01.png").write_bytes((tmp_path / "eileen.png").read_bytes())
    stimuli.write_text(short.replace(old, new))
    MicroJob(set=stimuli, output=folder, sink=SinkSettings(overwrite=True)).run()
    assert [row[column] for row in rows(folder)] == [new.strip('"')]


def test_photos_of_one_name_in_several_folders_are_told_apart(
    stimuli: Path, tmp_path: Path
) -> None:
    for who in ("s01", "s02"):
        (tmp_path / who).mkdir()
        (tmp_path / who / "calm.png").write_bytes((tmp_path / "eileen.png").read_bytes())
    asked = SET.replace('"eileen.png"', '"s01/calm.png", "s02/calm.png"')
    stimuli.write_text(asked.replace('"surprise", ', ""))
    told = rows(MicroJob(set=stimuli, output=tmp_path / "set").run())
    assert [row["identity"] for row in told] == ["s01/calm.png", "s02/calm.png"]
    assert ["s01-calm" in told[0]["file"], "s02-calm" in told[1]["file"]] == [True, True]


def test_the_manifest_names_the_frames_of_each_event(stimuli: Path, tmp_path: Path) -> None:
    stimuli.write_text(SET.replace("rate = 30", "rate = 29.97"))
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    for row in rows(folder):
        assert float(row["frames_per_second"]) == pytest.approx(30000 / 1001, abs=1e-6)
        with (folder / row["table"]).open(newline="") as file:
            table = list(csv.DictReader(file))
        assert len(table) == int(row["frames"])
        events = [i for i, line in enumerate(table) if line["event"] == "0"]
        assert events[0] == int(row["onset_frame"])
        assert events[-1] == int(row["offset_frame"])
        assert table[int(row["apex_frame"])]["phase"] == "apex"


@pytest.mark.parametrize(
    ("old", "new", "line", "about"),
    [
        ('"surprise"', '"surprize"', 2, "surprise"),
        ("eileen.png", "nobody.png", 1, "nobody.png"),
        ("eileen.png", "x" * 300, 1, "no file x"),
        ("eileen.png", "../eileen.png", 1, "lies outside"),
        ("[1.0]", "[1.5]", 3, "0 to 1"),
        ("70, 40, 100", "70, 40", 4, "three times"),
        ("70, 40, 100", "70, -40, 100", 4, "three times"),
        ("70, 40, 100", "7, 40, 100", 4, "less than one frame"),
        ("size = 96", "sise = 96", 5, "size"),
        ("rate = 30", "rate = 'fast'", 8, "rate"),
        ("rate = 30", "rate = 30\nseed = 1.7", 9, "no whole number"),
        ("rate = 30", "rate = 1000", 8, "1000 frames per second"),
        ("[1.0]", "[" + "0.5," * 20000 + "0.5]", 1, "20000 are the most"),
    ],
)
def test_a_mistake_in_a_set_names_its_line(
    stimuli: Path, tmp_path: Path, old: str, new: str, line: int, about: str
) -> None:
    stimuli.write_text(SET.replace(old, new))
    with pytest.raises(RetargetError, match=rf"line {line}: .*{about}"):
        MicroJob(set=stimuli, output=tmp_path / "set").run()
    assert not (tmp_path / "set").exists()


def test_a_codec_that_the_sets_ending_does_not_hold_is_refused_before_anything_is_made(
    stimuli: Path, tmp_path: Path
) -> None:
    with pytest.raises(CannotWrite, match=r"\.mp4 file does not hold ffv1") as refused:
        MicroJob(set=stimuli, output=tmp_path / "set", sink=SinkSettings(codec="ffv1")).run()
    assert "ending" in refused.value.do
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("expression", ["AU5", "L12", "R12", "L12 + head(yaw=9)", "head(yaw=9)"])
def test_an_event_goes_from_the_first_side_that_moves_to_the_last(
    stimuli: Path, tmp_path: Path, expression: str
) -> None:
    asked = SET.replace("rate = 30", "rate = 200\nlag_ms = 12")
    stimuli.write_text(asked.replace('"surprise", "contempt"', f'"{expression}"'))
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    row = rows(folder)[0]
    with (folder / row["table"]).open(newline="") as file:
        table = list(csv.DictReader(file))
    shapes = [name for name in table[0] if name.endswith(("Left", "Right"))]
    moving = [sum(float(line[name]) for name in (*shapes, "yaw")) for line in table]
    moved = [i for i, much in enumerate(moving) if much > 0]
    assert moved[0] == int(row["onset_frame"])
    assert moved[-1] == int(row["offset_frame"])
    assert abs(moving.index(max(moving)) - int(row["apex_frame"])) <= 1


def test_a_photo_without_a_face_names_clip_and_photo_and_keeps_the_finished_ones(
    stimuli: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (300, 300), (80, 120, 80)).save(tmp_path / "wall.png")
    stimuli.write_text(SET.replace('"eileen.png"', '"eileen.png", "wall.png"'))
    with pytest.raises(NoFaceFound, match=r"stimuli\.toml, clip 3: .*wall\.png"):
        MicroJob(set=stimuli, output=tmp_path / "set").run()
    assert len(rows(tmp_path / "set")) == 2


def test_a_folder_with_other_files_is_left_alone(stimuli: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(CannotWrite):
        MicroJob(set=stimuli, output=folder).run()
    assert contents(folder) == {"letter.txt": b"mine"}


def test_a_changed_set_leaves_no_clip_of_the_former_one_and_takes_nothing_else_away(
    stimuli: Path, tmp_path: Path
) -> None:
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    (folder / "00001_notes.csv").write_text("mine")
    cut = folder / rows(folder)[1]["file"]
    cut.write_bytes(b"cut by hand")
    stimuli.write_text(SET.replace("[1.0]", "[0.5]"))
    before, report = contents(folder), Report()
    with pytest.raises(CannotWrite, match="clips that this set does not name"):
        MicroJob(set=stimuli, output=folder).run()
    assert contents(folder) == before
    MicroJob(set=stimuli, output=folder, sink=SinkSettings(overwrite=True)).run(report)
    named = {row[column] for row in rows(folder) for column in ("file", "table")}
    assert {p.name for p in folder.iterdir()} == {
        *named, "manifest.csv", "00001_notes.csv", cut.name
    }  # fmt: skip
    assert any(cut.name in line for line in report.warnings)


def test_a_manifest_of_something_else_protects_its_folder(stimuli: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.csv").write_text("photo,age\na.png,30\n")
    with pytest.raises(CannotWrite, match="not of a set"):
        MicroJob(set=stimuli, output=folder).run()
    assert contents(folder) == {"manifest.csv": b"photo,age\na.png,30\n"}


def test_a_set_that_was_killed_in_its_first_clip_goes_on(
    stimuli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"

    def killed(*_: object, **__: object) -> None:
        (folder / ".retarget-0.mp4").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("retarget.jobs.micro_fill.ClipWriter.performed", killed)
        with pytest.raises(KeyboardInterrupt):
            MicroJob(set=stimuli, output=folder).run()
    MicroJob(set=stimuli, output=folder).run()
    assert len(rows(folder)) == 2


def test_an_intensity_is_how_far_the_face_goes_from_the_base_and_none_keeps_it_calm(
    stimuli: Path, tmp_path: Path
) -> None:
    asked = SET.replace(', "contempt"', "").replace("[1.0]", "[0, 0.5, 1]")
    stimuli.write_text(f'base = "joy:0.5"\nlag_ms = 50\n{asked}')
    folder = MicroJob(set=stimuli, output=tmp_path / "set").run()
    frames = {tuple(row[f"{n}_frame"] for n in ("onset", "apex", "offset")) for row in rows(folder)}
    assert len(frames) == 1, "what is compared is marked alike"
    tables = []
    for row in rows(folder):
        with (folder / row["table"]).open(newline="") as file:
            lines = list(csv.DictReader(file))
        tables.append(np.array([[float(line[name]) for name in NAMES] for line in lines]))
    none, half, whole = tables
    assert np.ptp(none, axis=0).max() == 0
    np.testing.assert_allclose(half, (none + whole) / 2, atol=2e-5)
    assert np.ptp(whole, axis=0).max() > 0.4
