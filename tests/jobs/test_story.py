"""Storyboards: drawn, kept, gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from outside import needs_tracker, tracker
from PIL import Image
from stories import STORY

from retarget.errors import CannotWrite, NoFaceFound
from retarget.face.settings import TrackSettings
from retarget.face.still import find_face
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.generate.settings import WarpSettings
from retarget.jobs.draw import DrawSettings
from retarget.jobs.story import StoryJob
from retarget.jobs.story_draw import PanelDrawer
from retarget.jobs.storyboard import Panel
from retarget.source.open import open_source


def test_a_story_gives_numbered_frames_a_page_and_a_manifest(story: Path) -> None:
    folder = StoryJob(story=story).run()
    assert folder == story.with_suffix("")
    assert {p.name for p in folder.iterdir()} == {
        "0001.png", "0002.png", "manifest.json", "page.pdf", "page.png",
    }  # fmt: skip
    with Image.open(folder / "0001.png") as panel:
        assert panel.size == (240, 180)
    assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")
    told = json.loads((folder / "manifest.json").read_text())
    assert [p["caption"] for p in told["panels"]] == ["She smiled.", ""]
    assert told["panels"][1]["characters"][0]["action_units"]["AU26"] > 0


def test_letters_that_the_page_cannot_show_are_told(story: Path) -> None:
    story.write_text(STORY.replace("She smiled.", "世界").replace("A visit", "Ein Märchen"))
    report = Report()
    StoryJob(story=story).run(report)
    assert [line for line in report.warnings if "'世界'" in line]


def test_the_given_background_is_kept(story: Path) -> None:
    folder = StoryJob(story=story, page=False).run()
    with Image.open(folder / "0002.png") as panel:
        corner = np.asarray(panel)[:12, :12].reshape(-1, 3).mean(0)
    assert np.abs(corner - (0x40, 0x60, 0x80)).max() < 12


def test_only_what_changed_is_made_again_and_the_pixels_are_the_same(story: Path) -> None:
    folder = StoryJob(story=story).run()
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    times = {p.name: p.stat().st_mtime_ns for p in folder.glob("0*.png")}
    story.write_text(STORY.replace("surprise", "fear").replace("She smiled.", "She was glad."))
    StoryJob(story=story).run()
    assert (folder / "0001.png").stat().st_mtime_ns == times["0001.png"]
    assert (folder / "0002.png").read_bytes() != files["0002.png"]
    story.write_text(STORY)
    StoryJob(story=story).run()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == files


def test_a_shorter_story_leaves_no_panel_of_the_longer_one(story: Path) -> None:
    StoryJob(story=story).run()
    story.write_text(STORY[: STORY.rindex("[[panel]]")])
    folder = StoryJob(story=story).run()
    assert sorted(p.name for p in folder.glob("0*.png")) == ["0001.png"]


def test_a_panel_that_somebody_retouched_is_neither_drawn_over_nor_taken_away_unasked(
    story: Path,
) -> None:
    panel = StoryJob(story=story).run() / "0002.png"
    Image.new("RGB", (240, 180)).save(panel)
    retouched = panel.read_bytes()
    for text in (STORY, STORY[: STORY.rindex("[[panel]]")]):
        story.write_text(text)
        with pytest.raises(CannotWrite, match=r"0002\.png was changed since it was drawn"):
            StoryJob(story=story).run()
    assert panel.read_bytes() == retouched
    story.write_text(STORY)
    StoryJob(story=story, overwrite=True).run()
    assert panel.read_bytes() != retouched


def test_two_people_share_a_panel(story: Path) -> None:
    story.write_text(
        STORY.replace('who = "eileen"\nexpression = "surprise"\nframing = "close-up"',
                      'who = ["eileen", "eileen"]\nexpression = ["joy", "anger"]')
    )  # fmt: skip
    folder = StoryJob(story=story, page=False).run()
    with Image.open(folder / "0002.png") as panel:
        halves = np.asarray(panel)[:, :120], np.asarray(panel)[:, 120:]
    wall = np.array([0x40, 0x60, 0x80])
    for half in halves:
        assert (np.abs(half.astype(int) - wall).max(2) > 40).mean() > 0.2


def test_several_people_without_an_expression_are_all_neutral(story: Path) -> None:
    said = 'who = "eileen"\nexpression = "surprise"'
    story.write_text(STORY.replace(said, 'who = ["eileen", "eileen"]'))
    manifest = json.loads((StoryJob(story=story, page=False).run() / "manifest.json").read_text())
    people = manifest["panels"][1]["characters"]
    assert [person["expression"] for person in people] == ["neutral", "neutral"]


@pytest.mark.parametrize("background", ["photo", "#406080"])
def test_three_faces_close_up_are_each_shown_whole(story: Path, background: str) -> None:
    story.write_text(
        STORY.replace("#406080", background)
        .replace("[240, 180]", "[960, 720]")
        .replace('who = "eileen"\nexpression = "surprise"',
                 'who = ["eileen", "eileen", "eileen"]\nexpression = ["joy", "anger", "neutral"]')
    )  # fmt: skip
    folder = StoryJob(story=story, page=False).run()
    with open_source(str(folder / "0002.png")) as source:
        frame = next(source.frames())
    across = [find_face(frame, tracker(which=which), Report()).points[:, 0] for which in "012"]
    edges = [edge for x in across for edge in (x.min(), x.max())]
    assert edges == sorted(edges)
    assert edges[0] > 0
    assert edges[-1] < 960


def test_a_shoulder_reaches_as_far_as_the_photo_shows_it(story: Path) -> None:
    Image.fromarray(skimage.data.astronaut()).convert("L").save(story.parent / "grey.png")
    story.write_text(
        STORY.replace("[240, 180]", "[180, 240]").replace("#406080", "#808080")
        .replace('who = "eileen"\nexpression = "surprise"\nframing = "close-up"',
                 'who = ["grey", "eileen"]\nexpression = ["joy", "joy"]')
        .replace("[[panel]]", '[characters.grey]\nphoto = "grey.png"\n\n[[panel]]', 1)
    )  # fmt: skip
    folder = StoryJob(story=story, page=False).run()
    with Image.open(folder / "0002.png") as panel:
        feet = np.asarray(panel)[200:].astype(int)
    orange = np.ptp(feet, axis=2) > 40  # her suit; all else is grey
    assert orange[:, :45].any()


@pytest.mark.parametrize("name", ["0001.png", "page.png", "page_2.png"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_story_draws_over_nothing_that_it_is_made_of(
    story: Path, name: str, linked: bool
) -> None:
    photo = (story.parent / "eileen.png").rename(story.parent / name)
    kept = photo.read_bytes()
    story.write_text(STORY.replace("eileen.png", name))
    output = story.parent
    if linked:
        output = story.parent / "link"
        output.symlink_to(story.parent)
    with pytest.raises(CannotWrite, match="also read"):
        StoryJob(story=story, output=output, overwrite=True).run()
    assert photo.read_bytes() == kept
    assert not (story.parent / "manifest.json").exists()


@needs_tracker
def test_a_story_draws_over_no_picture_that_an_expression_names(story: Path) -> None:
    photo = story.parent / "eileen.png"
    shown = story.parent / "0002.png"
    shown.write_bytes(photo.read_bytes())
    story.write_text(STORY.replace('"surprise"', '"from:0002.png"'))
    with pytest.raises(CannotWrite, match="also read"):
        StoryJob(story=story, output=story.parent, overwrite=True).run()
    assert shown.read_bytes() == photo.read_bytes()


def test_only_pages_of_the_story_itself_give_way(story: Path) -> None:
    story.write_text("columns = 1\n" + STORY + '[[panel]]\nwho = "eileen"\n')
    folder = StoryJob(story=story).run()
    assert (folder / "page_2.png").is_file()
    for name in ("page_notes.png", "page_7.png"):
        (folder / name).write_text("mine")
    story.write_text(STORY)
    StoryJob(story=story, page=False).run()
    StoryJob(story=story).run()
    assert {p.name for p in folder.glob("page*.png")} == {
        "page.png", "page_notes.png", "page_7.png",
    }  # fmt: skip


def test_without_pages_none_of_an_earlier_run_lie_beside_the_panels(story: Path) -> None:
    folder = StoryJob(story=story).run()
    assert {"page.png", "page.pdf"} < {p.name for p in folder.iterdir()}
    (folder / "page_notes.png").write_bytes(b"somebody's own")
    StoryJob(story=story, page=False).run()
    assert {p.name for p in folder.glob("page*")} == {"page_notes.png"}
    (folder / "page.pdf").write_bytes(b"somebody's own")
    StoryJob(story=story, page=False).run()
    assert {p.name for p in folder.glob("page*")} == {"page_notes.png", "page.pdf"}


def test_a_photo_without_a_face_names_the_panel_and_keeps_the_finished_ones(story: Path) -> None:
    Image.new("RGB", (300, 300), (80, 120, 80)).save(story.parent / "wall.png")
    extra = '\n[characters.wall]\nphoto = "wall.png"\n[[panel]]\nwho = "wall"\n'
    story.write_text(STORY + extra)
    with pytest.raises(NoFaceFound, match=r"story\.toml, line 20: panel 3: .*wall\.png"):
        StoryJob(story=story).run()
    folder = story.with_suffix("")
    made = (folder / "0001.png").stat().st_mtime_ns
    assert len(json.loads((folder / "manifest.json").read_text())["panels"]) == 2
    story.write_text(STORY)
    StoryJob(story=story).run()
    assert (folder / "0001.png").stat().st_mtime_ns == made


@pytest.mark.parametrize(
    "other",
    [
        {"draw": DrawSettings(warp=WarpSettings(driving_mouth=False))},
        {"track": TrackSettings(certainty=0.4)},
    ],
)
def test_panels_are_made_again_when_it_is_set_how(story: Path, other: dict[str, Any]) -> None:
    folder = StoryJob(story=story, page=False).run()
    times = {p.name: p.stat().st_mtime_ns for p in folder.glob("0*.png")}
    StoryJob(story=story, page=False, **other).run()
    assert all((folder / name).stat().st_mtime_ns > before for name, before in times.items())


def test_panels_after_one_that_fails_stay_finished(story: Path) -> None:
    folder = StoryJob(story=story, page=False).run()
    made = (folder / "0002.png").stat().st_mtime_ns
    Image.new("RGB", (300, 300), (80, 120, 80)).save(story.parent / "wall.png")
    wall = '[characters.wall]\nphoto = "wall.png"\n\n[[panel]]\nwho = "wall"'
    story.write_text(STORY.replace('[[panel]]\nwho = "eileen"', wall, 1))
    with pytest.raises(NoFaceFound):
        StoryJob(story=story, page=False).run()
    story.write_text(STORY)
    StoryJob(story=story, page=False).run()
    assert (folder / "0002.png").stat().st_mtime_ns == made


def test_a_story_that_failed_at_its_first_panel_can_go_on(story: Path) -> None:
    photo = (story.parent / "eileen.png").read_bytes()
    Image.new("RGB", (300, 300), (80, 120, 80)).save(story.parent / "eileen.png")
    with pytest.raises(NoFaceFound):
        StoryJob(story=story).run()
    (story.parent / "eileen.png").write_bytes(photo)
    assert (StoryJob(story=story).run() / "0002.png").is_file()


def test_a_killed_story_goes_on_where_it_was(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def second(drawer: PanelDrawer, panel: Panel) -> Picture:
        if panel.number == 2:
            # What a killed process leaves behind: nothing of ours runs any more.
            shutil.copytree(story.with_suffix(""), story.parent / "left")
            raise Killed
        return draw(drawer, panel)

    draw = PanelDrawer.draw
    monkeypatch.setattr(PanelDrawer, "draw", second)
    with pytest.raises(Killed):
        StoryJob(story=story).run()
    monkeypatch.undo()
    left = story.parent / "left"
    made = (left / "0001.png").stat().st_mtime_ns
    StoryJob(story=story, output=left).run()
    assert (left / "0001.png").stat().st_mtime_ns == made
