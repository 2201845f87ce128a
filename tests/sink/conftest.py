from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clips import Picture, finished, info_for, numbered

from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
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
