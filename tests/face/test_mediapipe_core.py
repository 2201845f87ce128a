"""MediaPipe is loaded in part, works whole when asked for, and keeps off the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retarget.face.open import carries_models
from retarget.flow.quiet import quiet

needs_models = pytest.mark.skipif(not carries_models(), reason="this mediapipe carries no models")
ROOT = Path(__file__).parents[2]


def run(code: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip


@needs_models
def test_tracking_prints_nothing_and_loads_no_plotting() -> None:
    done = run(
        "from faces import *; import sys\n"
        "assert track([astronaut(), wall(), astronaut()])[2].face\n"
        "print('matplotlib' in sys.modules)"
    )
    assert done.stderr == ""
    assert done.stdout == "False\n"


@needs_models
def test_all_of_mediapipe_is_there_for_whoever_asks_later() -> None:
    done = run(
        "from retarget.face.mediapipe_core import import_light\n"
        "import_light(); import mediapipe as mp\n"
        "print(mp.__version__[0], mp.solutions.face_mesh.__name__, mp.tasks.vision is not None)"
    )
    assert done.stdout == "0 mediapipe.python.solutions.face_mesh True\n"


def test_settings_are_read_without_loading_anything_heavy() -> None:
    done = run(
        "import sys, retarget.face.settings\n"
        "print([m for m in ('numpy', 'cv2', 'mediapipe', 'scipy') if m in sys.modules])"
    )
    assert done.stdout == "[]\n"


def test_what_others_write_meanwhile_comes_out_afterwards(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomebody else\n")
    assert capfd.readouterr().err == "somebody else\n"


def test_an_error_inside_is_raised_and_the_terminal_is_given_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="inside"), quiet():
        raise ValueError("inside")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
