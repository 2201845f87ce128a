"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    for name in ("drive.mp4", "face.jpg"):
        shutil.copy(ROOT / "samples" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    shown: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), shown)
    assert (tmp_path / "out.mp4").stat().st_size > 10_000
    finished = shown["finished"]
    assert finished.frame.rgb.shape[2] == 3  # type: ignore[attr-defined]
