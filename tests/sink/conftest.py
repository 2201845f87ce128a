from __future__ import annotations

import errno
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clips import Picture, finished, info_for, numbered

from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings

NAMES = ["a.mp4", "a.mkv", "a.webm", "a.gif", "a_%03d.png", "a.png", "frames"]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write numbered frames to a name in a fresh folder."""

    def saved(
        name: str,
        *,
        count: int = 20,
        rate: Fraction | int = 25,
        picture: Callable[[int], Picture] = numbered,
        warn: Callable[[str], None] = lambda line: None,
        sound: Any = None,
        **settings: Any,
    ) -> Path:
        target = tmp_path / name
        chosen = SinkSettings(**settings)
        with open_sink(target, chosen, info=info_for(rate), sound=sound, warn=warn) as sink:
            for index in range(count):
                sink.write(finished(index, rate, picture))
        return target

    return saved


def later(folder: Path, name: str = "later.png") -> str:
    """A program that writes one frame there."""
    return f"""
        from pathlib import Path
        from clips import finished, info_for
        from retarget.sink.open import open_sink
        with open_sink(Path({str(folder)!r}) / {name!r}, info=info_for()) as sink:
            sink.write(finished(0))
    """


def no_links(*_: object) -> None:
    """As `os.link` on a disk without them."""
    raise PermissionError(errno.EPERM, "this disk has none")
