"""What went wrong in another process is told in this one."""

from __future__ import annotations

import copy
import pickle

import pytest

from retarget.errors import RetargetError, UnknownWord


@pytest.mark.parametrize(
    "error",
    [
        RetargetError("The disk is full.", do="Make room."),
        RetargetError("The disk is full.", do="Make room.").placed("board.toml, line 3"),
        UnknownWord("preset", "naturl", ["natural", "lively"]),
    ],
)
@pytest.mark.parametrize("passed_on", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_an_error_is_passed_on_whole(error: RetargetError, passed_on: object) -> None:
    assert callable(passed_on)
    came = passed_on(error)
    assert type(came) is type(error)
    assert (str(came), vars(came)) == (str(error), vars(error))
