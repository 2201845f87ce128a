"""What is listed of each model file."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget.errors import UnknownWord
from retarget.models import catalog, parts


def test_every_part_of_the_generator_is_in_the_catalogue() -> None:
    for part in parts.PARTS:
        assert any(parts.within(part, file.path) is not None for file in catalog.FILES), part


def test_names_and_groups_stand_for_files_once() -> None:
    assert catalog.named(["taesd", "taesd"]) == [catalog.TAESD]
    assert catalog.TAESD in catalog.named(["diffusion"])
    with pytest.raises(UnknownWord, match="taesd"):
        catalog.named(["taessd"])


def test_the_catalogue_is_sound() -> None:
    assert len({file.name for file in catalog.FILES}) == len(catalog.FILES)
    assert len({file.path for file in catalog.FILES}) == len(catalog.FILES)
    for file in catalog.FILES:
        assert file.url.startswith("https://"), file.name
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32, file.name
        assert not Path(file.path).is_absolute() and ".." not in file.path, file.name
