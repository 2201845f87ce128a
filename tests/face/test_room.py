"""What memory a face needs is that of the cores that may be used."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from retarget.errors import RetargetError
from retarget.face import room
from retarget.flow import free_memory
from retarget.jobs import generators


@pytest.mark.parametrize(
    "check", [lambda: room.check_room.__wrapped__(imported=False), generators.check_room]
)
def test_the_cores_of_others_on_a_large_machine_take_no_memory_of_ours(
    check: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_memory, "free_address_space", lambda: 4e9)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    check()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    with pytest.raises(RetargetError, match="address space"):
        check()
