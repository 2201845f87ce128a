"""Storyboards that are refused, with the line that is wrong, and what they may not touch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from outside import needs_tracker
from PIL import Image
from stories import STORY

from retarget.errors import CannotWrite, MissingModel, NoFaceFound, RetargetError, UnreadableInput
from retarget.jobs.story import StoryJob


@pytest.mark.parametrize(
    ("old", "new", "line", "about"),
    [
        ('"surprise"', '"surprize"', 14, "panel 2: .*surprise"),
        ('who = "eileen"\nexpression = "0', 'who = "elieen"\nexpression = "0', 8, "eileen"),
        ("close-up", "closeup", 15, "close-up"),
        ('"#406080"', '"beach.jpg"', 16, "no file beach.jpg"),
        ('"#406080"', f'"{"a long beach " * 20}"', 16, "no file a long beach"),
        ('"#406080"', '"../beach.jpg"', 16, "lies outside"),
        ('"#406080"', '""', 16, "'' is not the name of a file"),
        ('"#406080"', r'"beach\u0000.jpg"', 16, "is not the name of a file"),
        ('"eileen.png"', '""', 5, "is not the name of a file"),
        ('"surprise"', r'"from:a\u0000.png"', 14, "is not the name of a file"),
        ('"#406080"', '"#4060"', 16, "not a colour"),
        ('"#406080"', '"blurr"', 16, "Did you mean 'blur'"),
        ('"#406080"', '"red"', 16, "#rrggbb"),
        ('"eileen.png"', '"nobody.png"', 5, "nobody.png"),
        ("caption", "capton", 10, "caption"),
        ("caption", "text", 10, "Did you mean 'caption'"),
        ('caption = "She smiled."', "photo = 3", 10, "eileen has 1 photo, and"),
        ('caption = "She smiled."', "seed = -1", 10, "from 0 to 2147483648"),
        ('caption = "She smiled."', "seed = 1.7", 10, "no whole number"),
        (
            'who = "eileen"\nexpression = "0',
            'character = "eileen"\nexpression = "0',
            8,
            "mean 'who'",
        ),
        (
            'who = "eileen"\nexpression = "s',
            'who = ["eileen", "eileen"]\nexpression = "s',
            14,
            r"One expression is given for 2 characters. .*expression = \[",
        ),
        ('"#406080"', '"#406080"\naspect = "tall"', 17, "'tall' .*9:16"),
        ("[240, 180]", "[240, 1e9]", 2, "whole numbers"),
        ("[240, 180]", "[240, 99999]", 2, "whole numbers"),
        ('"She smiled."', '"She smiled.', 10, "not TOML"),
        ('title = "A visit"', 'font = "story.toml"', 1, "not a font"),
        ('title = "A visit"', 'font = "none.ttf"', 1, "no file none.ttf"),
    ],
)
def test_a_mistake_in_a_story_names_its_line_and_draws_nothing(
    story: Path, old: str, new: str, line: int, about: str
) -> None:
    story.write_text(STORY.replace(old, new))
    with pytest.raises(UnreadableInput, match=rf"line {line}\b.*{about}|{about}.*line {line}\b"):
        StoryJob(story=story).run()
    assert not story.with_suffix("").exists()


def test_panels_that_are_no_tables_are_refused_in_a_sentence(story: Path) -> None:
    story.write_text(f"panel = [1]\n{STORY[: STORY.index('[[panel]]')]}")
    with pytest.raises(UnreadableInput, match=r"line 1: panel 1: This is no table.*\[\[panel\]\]"):
        StoryJob(story=story).run()


def test_a_character_that_is_no_table_is_told_how_to_become_one(story: Path) -> None:
    story.write_text('[characters]\neileen = "eileen.png"\n' + STORY[STORY.index("[[panel]]") :])
    with pytest.raises(UnreadableInput, match=r"line 2: .* Write \[characters\.eileen\] above"):
        StoryJob(story=story).run()


def test_a_file_outside_may_be_allowed(story: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    moved = inner / "story.toml"
    moved.write_text(STORY.replace('"eileen.png"', '"../eileen.png"'))
    with pytest.raises(UnreadableInput, match="lies outside"):
        StoryJob(story=moved).run()
    assert (StoryJob(story=moved, outside=True, page=False).run() / "0001.png").is_file()


def test_a_link_out_of_the_folder_is_no_way_around_that(story: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "eileen.png").symlink_to(tmp_path / "eileen.png")
    moved = inner / "story.toml"
    moved.write_text(STORY)
    with pytest.raises(UnreadableInput, match="lies outside"):
        StoryJob(story=moved).run()


def test_a_link_that_leads_round_in_a_circle_is_no_photo(story: Path) -> None:
    photo = story.parent / "eileen.png"
    photo.unlink()
    photo.symlink_to(photo)
    with pytest.raises(UnreadableInput, match=r"line 5: There is no file eileen\.png"):
        StoryJob(story=story).run()


def test_ten_thousand_panels_are_refused_in_a_sentence(story: Path) -> None:
    story.write_text(STORY + '[[panel]]\nwho = "eileen"\n' * 10_000)
    with pytest.raises(UnreadableInput, match=r"10002 of \[\[panel\]\], and 300 are the most"):
        StoryJob(story=story).run()


@pytest.mark.parametrize("content", ["[]", '{"name": "app"}', "not json"])
def test_a_manifest_of_something_else_protects_its_folder(
    story: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text(content)
    with pytest.raises(CannotWrite, match="not of a story"):
        StoryJob(story=story, output=tmp_path / "mine").run()


@needs_tracker
def test_a_prompt_without_a_model_says_what_is_missing(story: Path) -> None:
    story.write_text(STORY.replace("#406080", "prompt: a street at night"))
    with pytest.raises(MissingModel, match="text-to-image"):
        StoryJob(story=story).run()


def test_a_folder_with_other_files_is_left_alone(story: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    job = StoryJob(story=story, output=folder, page=False)
    with pytest.raises(CannotWrite):
        job.run()
    replace(job, overwrite=True).run()
    assert (folder / "letter.txt").read_text() == "mine"


def test_a_missing_storyboard_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match=r"none\.toml"):
        StoryJob(story=tmp_path / "none.toml").run()


def test_a_story_of_which_nothing_could_be_drawn_leaves_nothing(story: Path) -> None:
    Image.new("RGB", (300, 300), (80, 120, 80)).save(story.parent / "eileen.png")
    with pytest.raises(NoFaceFound, match="panel 1"):
        StoryJob(story=story).run()
    assert {file.name for file in story.parent.iterdir()} == {"story.toml", "eileen.png"}
