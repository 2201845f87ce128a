"""Pages of panels and sheets of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from retarget.errors import CannotWrite
from retarget.sink.letters import LEADING, Letters
from retarget.sink.page import Framed, pages, save_pdf
from retarget.sink.sheet import Tile, save_picture, sheet


def panels(count: int, wide: int = 120, caption: str = "") -> list[Framed]:
    picture = Image.new("RGB", (wide, 90), (200, 30, 30))
    return [Framed(size=picture.size, read=picture.copy, caption=caption) for _ in range(count)]


def red(page: Image.Image) -> float:
    picture = np.asarray(page).astype(int)
    return float(((picture[..., 0] > 150) & (picture[..., 1] < 80)).mean())


@pytest.mark.parametrize("layout", ["comic", "grid"])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_a_few_panels_stand_on_one_page(layout: str, count: int) -> None:
    drawn = pages(panels(count), layout=layout, columns=0, title="")
    assert len(drawn) == 1
    assert red(drawn[0]) > 0.1


@pytest.mark.parametrize("layout", ["comic", "grid"])
def test_many_panels_go_on_over_several_pages(layout: str) -> None:
    drawn = pages(panels(60), layout=layout, columns=3, title="Long")
    assert len(drawn) > 1
    assert all(red(page) > 0.02 for page in drawn)


@pytest.mark.parametrize("layout", ["comic", "grid"])
def test_a_panel_of_any_proportion_stays_on_the_paper(layout: str) -> None:
    mixed = panels(2, wide=20) + panels(3, wide=440) + panels(2)
    for page in pages(mixed, layout=layout, columns=2, title=""):
        edge = np.concatenate([np.asarray(page)[:, -20:].ravel(), np.asarray(page)[-20:].ravel()])
        assert (edge == 255).all()


@pytest.mark.parametrize("layout", ["comic", "grid"])
def test_captions_of_any_length_are_set(layout: str) -> None:
    long = "word " * 60 + "Donaudampfschifffahrtsgesellschaftskapitän" * 4
    plain = pages(panels(3), layout=layout, columns=3, title="")
    written = pages(panels(3, caption=long), layout=layout, columns=3, title="")
    ink = [(np.asarray(page[0]) < 60).all(2).mean() for page in (plain, written)]
    assert ink[1] > ink[0]


def test_a_caption_changes_nothing_outside_its_panel_in_a_comic() -> None:
    plain, written = (
        np.asarray(pages([*panels(1, caption=text), *panels(1)], layout="comic", columns=2,
                         title="")[0])
        for text in ("", "Hello there")
    )  # fmt: skip
    half = plain.shape[1] // 2
    np.testing.assert_array_equal(plain[:, half:], written[:, half:])
    assert (plain[:, :half] != written[:, :half]).any()


def test_the_same_pages_give_the_same_pdf(tmp_path: Path) -> None:
    drawn = pages(panels(3, caption="Hi"), layout="comic", columns=3, title="T")
    for name in ("a.pdf", "b.pdf"):
        save_pdf(drawn, tmp_path / name, title="T", overwrite=False)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_a_sheet_too_large_for_memory_is_refused() -> None:
    tile = Tile(rgb=np.zeros((1000, 1000, 3), np.uint8), caption="x")
    with pytest.raises(CannotWrite, match="pixels"):
        sheet([tile] * 500, 20)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".pdf"])
def test_a_picture_says_in_its_file_that_it_is_synthetic(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    save_picture(np.zeros((20, 20, 3), np.uint8), path, overwrite=False)
    told = path.read_bytes()
    said = "digitalsourcetype/compositeSynthetic"
    assert said.encode() in told or said.encode("utf-16-be") in told


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="ending"):
        save_picture(np.zeros((20, 20, 3), np.uint8), tmp_path / "a.xyz", overwrite=False)


@pytest.mark.parametrize(
    "text", ["Größe, café — “déjà vu”…", "Привет, мир!", "Ελληνικά", "مرحبا", "שלום"]
)
def test_words_of_most_alphabets_can_be_written(text: str) -> None:
    assert Letters().lacking(text) == ""


def test_letters_that_the_font_lacks_are_named_once() -> None:
    assert Letters().lacking("He said 世世界.") == "世界"


def test_line_breaks_and_tabs_are_no_letters_that_a_font_could_lack() -> None:
    assert Letters().lacking("\nIt came\r\n\tat last.") == ""


def test_a_line_that_runs_from_right_to_left_ends_at_the_right() -> None:
    page = Image.new("RGB", (400, 60), (255, 255, 255))
    Letters().write(ImageDraw.Draw(page), ["שלום (hello)"], (0, 0), 400, 24)
    dark = np.flatnonzero((np.asarray(page)[..., 0] < 128).any(axis=0))
    assert dark.max() > 380
    assert dark.min() > 150


@pytest.mark.parametrize(
    ("first", "second", "direction"),
    [("אנה קנתה לעצמה", "iPhone של חברה", "rtl"), ("Anna asked what", "שלום means", "ltr")],
)
def test_a_line_that_begins_with_a_foreign_word_runs_as_its_paragraph_does(
    first: str, second: str, direction: str
) -> None:
    letters, size = Letters(), 24
    written, asked = (Image.new("RGB", (400, 80), (255, 255, 255)) for _ in range(2))
    widths = [letters.width(line, size) for line in (first, second)]
    lines = letters.wrapped(f"{first} {second}", round(max(widths)) + 20, size)
    letters.write(ImageDraw.Draw(written), lines, (0, 0), 400, size)
    for i, (line, width) in enumerate(zip((first, second), widths, strict=True)):
        place = (round(400 - width) if direction == "rtl" else 0, round(i * size * LEADING))
        pen = ImageDraw.Draw(asked)
        pen.text(place, line, (15, 15, 15), letters.font(size), direction=direction)
    np.testing.assert_array_equal(np.asarray(written), np.asarray(asked))


@pytest.mark.parametrize("width", range(60, 200, 7))
def test_no_line_begins_with_the_mark_that_ends_a_sentence(width: int) -> None:
    """Chinese has no spaces, so any of its letters may end a line."""
    text = "她看着你，什么也没有说。真的！「再见」，她说。"
    lines = Letters().wrapped(text, width, 24)
    assert "".join(lines) == text
    assert not [line for line in lines if line[0] in "，。！」"]


def test_a_long_title_stays_on_the_paper() -> None:
    drawn = pages(panels(2), layout="comic", columns=0, title="A very long title. " * 12)
    assert (np.asarray(drawn[0])[:, -20:] == 255).all()
    assert red(drawn[0]) > 0.05
