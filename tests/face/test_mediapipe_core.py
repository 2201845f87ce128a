"""MediaPipe is loaded in part, works whole when asked for, and keeps off the terminal."""

from __future__ import annotations

import os
import tempfile

import pytest
from outside import needs_tracker
from programs import run

from retarget.face.open import carries_models
from retarget.flow.quiet import quiet

needs_models = pytest.mark.skipif(not carries_models(), reason="this mediapipe carries no models")


@needs_tracker
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


@needs_tracker
def test_all_of_mediapipe_is_there_also_after_faces_were_followed() -> None:
    done = run(
        "from faces import *\n"
        "assert track([astronaut()])[0].face\n"
        "import mediapipe as mp\n"
        "print(mp.tasks.vision.HandLandmarker.__name__, mp.Image.__name__)\n"
        "from mediapipe.tasks.python import BaseOptions, vision\n"
        "print(BaseOptions.__name__, vision.HandLandmarker is mp.tasks.vision.HandLandmarker)"
    )
    assert done.stdout == "HandLandmarker Image\nBaseOptions True\n", done.stderr


@needs_tracker
@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no such processes")
def test_a_process_forked_from_one_that_followed_faces_is_told_that_it_cannot() -> None:
    done = run("""
        import os
        from faces import astronaut, track
        track([astronaut()])
        child = os.fork()
        try:
            track([astronaut()])
        except Exception as problem:
            print(type(problem).__name__, problem)
        if child:
            print("ended as it should:", os.waitpid(child, 0)[1] == 0)
    """)
    assert "RetargetError Faces cannot be followed" in done.stdout
    assert "spawn" in done.stdout
    assert done.stdout.endswith("ended as it should: True\n")
    assert done.stdout.count("RetargetError") == 1  # the first process goes on


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


def test_where_no_temporary_file_can_be_the_lines_are_let_through(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> None:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "TemporaryFile", nowhere)
    with quiet():
        monkeypatch.undo()
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
    assert capfd.readouterr().err.startswith("INFO: ")


def test_an_error_inside_is_raised_and_the_terminal_is_given_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="inside"), quiet():
        raise ValueError("inside")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


@needs_models
def test_faces_can_be_followed_where_warnings_are_errors() -> None:
    done = run(
        "import warnings; warnings.simplefilter('error')\n"
        "from faces import astronaut, track\n"
        "print(track([astronaut()])[0].face is not None)"
    )
    assert done.stdout == "True\n", done.stderr
