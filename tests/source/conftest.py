from __future__ import annotations

from collections.abc import Callable

import pytest

from retarget.errors import RetargetError


def _one_sentence(act: Callable[[], object], kind: type[RetargetError] = RetargetError) -> None:
    with pytest.raises(kind) as caught:
        act()
    for line in (caught.value.what, caught.value.do):
        assert line.endswith(".")
        assert "\n" not in line
        assert len(line) < 300


@pytest.fixture
def one_sentence() -> Callable[..., None]:
    """Check that a problem is told in one sentence and one piece of advice."""
    return _one_sentence
