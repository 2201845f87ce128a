"""One warp for the tests of what it draws."""

from __future__ import annotations

import pytest

from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator


@pytest.fixture(scope="session")
def warp() -> WarpGenerator:
    return WarpGenerator(WarpSettings(threads=1))
