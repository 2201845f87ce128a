"""What `pip install` is told to bring along is there on each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
MEDIAPIPE = [
    requirement
    for requirement in map(Requirement, PROJECT["project"]["dependencies"])
    if requirement.name == "mediapipe"
]


@pytest.mark.parametrize(
    ("machine", "python", "version", "other"),
    [
        ("x86_64", "3.10", "0.10.21", "0.10.30"),
        ("arm64", "3.12", "0.10.21", "0.10.30"),  # a Mac
        ("AMD64", "3.12", "0.10.21", "0.10.30"),
        ("x86_64", "3.13", "0.10.30", "0.10.21"),
        ("aarch64", "3.10", "0.10.30", "0.10.21"),  # Linux on ARM, for which 0.10.21 has no wheel
        ("aarch64", "3.12", "0.10.30", "0.10.21"),
        ("aarch64", "3.13", "0.10.30", "0.10.21"),
    ],
)
def test_a_mediapipe_is_asked_for_that_has_a_wheel(
    machine: str, python: str, version: str, other: str
) -> None:
    here = {"platform_machine": machine, "python_version": python}
    (asked,) = [r for r in MEDIAPIPE if r.marker is not None and r.marker.evaluate(here)]
    assert version in asked.specifier
    assert other not in asked.specifier
