from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import run

from retarget.flow.atomic_files import given_or_free
from retarget.sink.names import (
    default_output,
    is_pattern,
    made_name,
    matches,
    numbered,
    pattern_of,
)


def test_a_result_is_named_beside_the_driving_video(tmp_path: Path) -> None:
    drive, face = tmp_path / "drive.mov", tmp_path / "other" / "face one.jpg"
    assert default_output(drive, face) == tmp_path / "drive_as_face_one.mp4"


@pytest.mark.parametrize(
    ("codec", "ending"), [("auto", ".mp4"), ("vp9", ".mp4"), ("prores", ".mov"), ("ffv1", ".mkv")]
)
def test_a_made_up_name_ends_as_its_codec_needs(codec: str, ending: str) -> None:
    assert default_output("drive.mov", "face.jpg", codec) == Path(f"drive_as_face{ending}")


def test_a_made_up_name_never_takes_the_place_of_something(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        with given_or_free(None, default_output(tmp_path / "a.mp4", "b.png")) as path:
            path.touch()
        names.append(path.name)
    assert names == ["a_as_b.mp4", "a_as_b_2.mp4", "a_as_b_3.mp4"]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)


def test_of_runs_that_make_up_one_name_at_once_the_later_takes_the_next(tmp_path: Path) -> None:
    plain = tmp_path / "a_as_b.mp4"
    with given_or_free(None, plain) as one, given_or_free(None, plain) as other:
        assert (one.name, other.name) == ("a_as_b.mp4", "a_as_b_2.mp4")
        told = run(f"""
            from pathlib import Path
            from retarget.flow.atomic_files import given_or_free
            with given_or_free(None, Path({str(plain)!r})) as third:
                print(third.name)
        """)
        assert told.stdout == "a_as_b_3.mp4\n"
        with given_or_free(plain, plain) as given:
            assert given == plain
    assert list(tmp_path.iterdir()) == []


def test_the_result_of_a_remote_video_goes_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = default_output("https://example.org/clips/take%201.mp4?x=../../etc", "face.png")
    assert path == Path("take_1_as_face.mp4")


def test_a_picture_of_a_remote_photo_goes_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = made_name("https://example.org/faces/anna.jpg", "0.6*joy + fear", ".png")
    assert path == Path("anna_0.6_joy_fear.png")


@given(st.text("ab/.%20 ?#é顔\\:…", min_size=1, max_size=300))
def test_any_address_makes_a_name_a_file_system_takes(text: str) -> None:
    name = default_output(f"https://example.org/{text}", f"https://example.org/{text}").name
    assert len(name.encode()) <= 255
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")


@pytest.mark.parametrize("letter", ["я", "顔", "𠮷"])
def test_long_names_of_any_letters_make_one_that_a_file_system_takes(letter: str) -> None:
    given = f"{letter * (240 // len(letter.encode()))}.mp4"
    name = default_output(given, given).name
    assert letter * 20 in name
    assert len(name.encode()) <= 255 - len("_preview_99")


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "अनीता", "か\u3099", "محمَّد", "a-b.c_d"])
def test_letters_keep_the_marks_on_them(name: str) -> None:
    plain = unicodedata.normalize("NFC", name)
    assert default_output("a.mp4", f"{name}.jpg") == Path(f"a_as_{plain}.mp4")


@given(st.integers(0, 10_000), st.sampled_from(["a_%05d.png", "%d.png", "x%03dy.jpg"]))
def test_a_numbered_name_matches_its_pattern(index: int, pattern: str) -> None:
    assert is_pattern(pattern)
    assert matches(pattern, numbered(pattern, index))
    assert numbered(pattern, index) == pattern % index


@pytest.mark.parametrize("name", ["frame_.png", "frame_1.jpg", "xframe_1.png", "frame_1.png.bak"])
def test_other_names_do_not_match(name: str) -> None:
    assert not matches("frame_%05d.png", name)


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("a.png", "a_%05d.png"),
        ("sh010.v2.png", "sh010.v2_%05d.png"),
        ("sh010.####.png", "sh010.%04d.png"),
        ("a_######.jpg", "a_%06d.jpg"),
    ],
)
def test_one_name_is_made_one_for_several(one: str, several: str) -> None:
    assert pattern_of(one) == several
    assert is_pattern(several)
