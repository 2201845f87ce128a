"""TOML files as people write and save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget.errors import UnreadableInput
from retarget.flow.toml_file import TomlFile


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding=encoding)
    return path


def test_the_mark_that_editors_put_before_a_text_does_not_count(tmp_path: Path) -> None:
    file = TomlFile(written(tmp_path, 'first = "a"\nsecond = "b"\n', "utf-8-sig"), "preset")
    assert file.data == {"first": "a", "second": "b"}
    assert [file.line((name,)) for name in file.data] == [1, 2]


def test_a_stream_is_told_to_be_given_as_a_file() -> None:
    with pytest.raises(UnreadableInput, match="not from a stream"):
        TomlFile(Path("-"), "storyboard")


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("who = anna", 'name = "text"'),
        ("who = “anna”", "straight quotes"),
        ('photo = "..\\anna.jpg"', "/ between folders"),
        ("[characters.Jürgen]", "stands in quotes"),
        ("my smile = 1", "stands in quotes"),
    ],
)
def test_what_people_write_that_is_not_toml_is_answered_with_how_to_write_it(
    tmp_path: Path, line: str, remedy: str
) -> None:
    with pytest.raises(UnreadableInput, match=r"mine\.toml is not TOML: .* line 2\b") as refused:
        TomlFile(written(tmp_path, f"# a story\n{line}\n"), "storyboard")
    assert remedy in refused.value.do


@pytest.mark.parametrize("content", [b"identity,expression\na.jpg,joy\n", b"\xff\xd8\xff\xe0"])
def test_a_table_or_a_photo_in_its_place_is_called_what_it_is_not(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(
        UnreadableInput, match=r"set of stimuli mine\.csv is not TOML, which"
    ) as said:
        TomlFile(tmp_path / "mine.csv", "set of stimuli")
    assert said.value.do == "Give a .toml file."


@pytest.mark.parametrize("value", ["[" * 9000 + "]" * 9000, "9" * 9000])
def test_lists_and_numbers_beyond_all_measure_are_refused_in_a_sentence(
    tmp_path: Path, value: str
) -> None:
    with pytest.raises(UnreadableInput, match=r"mine\.toml holds lists in lists, or a number"):
        TomlFile(written(tmp_path, f"a = {value}"), "storyboard")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a.b]\n[a.b]\n", r"Cannot declare \[a\.b\] twice \(at line 2"),
        ("[a]\n[a]\n", r"Cannot declare \[a\] twice \(at line 2"),
        ("[a]\nb = 1\nb = 2\n", r"Cannot overwrite a value \(at line 3"),
    ],
)
def test_what_is_written_twice_is_to_be_written_once(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnreadableInput, match=said) as refused:
        TomlFile(written(tmp_path, text), "preset")
    assert "once" in refused.value.do
