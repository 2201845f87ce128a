"""The program as a process: it loads little, ends when it is told to, and speaks where it can."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from outside import needs_tracker
from programs import run as run_program

SAMPLES = Path(__file__).parents[2] / "samples"


def test_import_and_help_load_nothing_heavy() -> None:
    code = (
        "import sys; from retarget.cli.main import main; main(['--help']);"
        "heavy = {'numpy', 'cv2', 'av', 'mediapipe', 'torch', 'scipy', 'tyro', 'rich'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_main_job_does_not_load_torch() -> None:
    code = (
        "import sys; from retarget.cli.parse import job_from;"
        "job_from(['drive.mp4', '--identity', 'face.jpg']);"
        "sys.exit('torch' in sys.modules or 'mediapipe' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_tracker
def test_a_video_is_made_without_what_takes_long_to_load(tmp_path: Path) -> None:
    words = [SAMPLES / "drive.mp4", "--identity", SAMPLES / "face.jpg", "--end", "0.1"]
    made = run_program(f"""
        import sys
        from retarget.cli.main import main
        assert main({[*map(str, words), "-o", str(tmp_path / "out.mp4")]}) == 0
        loaded = {{"scipy", "torch", "ffmpeg"}} & set(sys.modules)
        sys.exit(str(loaded) if loaded else 0)
        """)
    assert made.returncode == 0, made.stderr


@needs_tracker
@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_program_that_is_told_to_end_leaves_nothing_unfinished(sent: str, tmp_path: Path) -> None:
    words = [SAMPLES / "drive.mp4", "--identity", SAMPLES / "face.jpg", "-o", tmp_path / "out.mp4"]
    number = getattr(signal, sent)
    running = subprocess.Popen(
        [sys.executable, "-m", "retarget", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background ignores some signals, and hands that down.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509  (no threads yet)
    )
    while not list(tmp_path.iterdir()) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(number)
    said = running.communicate()[1]
    assert running.returncode == 128 + number, said
    assert list(tmp_path.iterdir()) == []
    assert "Stopped" in said


def as_program(script: str) -> subprocess.CompletedProcess[str]:
    """A script that runs the program with a job of its own, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), "any"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word() -> None:
    loading = as_program("""
        import os, runpy, signal, sys
        class Stopping:
            def find_spec(self, name, *_):
                if name == "retarget.cli.parse":
                    os.kill(os.getpid(), signal.SIGINT)
        sys.meta_path.insert(0, Stopping())
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runpy.run_module("retarget", run_name="__main__")
    """)
    assert (loading.returncode, loading.stdout, loading.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("sent", ["SIGTERM", "SIGINT"])
def test_a_second_signal_right_after_the_first_changes_nothing(sent: str) -> None:
    script = f"""
        import os, signal
        from retarget.cli import main
        def job(words):
            try:
                os.kill(os.getpid(), signal.{sent})
            finally:  # what is unfinished is being cleared away
                os.kill(os.getpid(), signal.{sent})
                print("cleared away")
        main._run = job
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main.run()
    """
    run = as_program(script)
    assert run.returncode == 128 + getattr(signal, sent), run.stderr
    assert run.stdout == "cleared away\n"
    assert run.stderr == "retarget: Stopped. Nothing unfinished was left behind.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("error", ["ImportError('numpy')", "RetargetError('numpy', do='install')"])
def test_an_error_that_a_signal_led_to_is_not_told(error: str) -> None:
    script = f"""
        import os, signal
        from retarget.cli import main
        from retarget.errors import RetargetError
        def job(words):
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt as stopped:  # as packages do while they are imported
                raise {error} from stopped
        main._run = job
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main.run()
    """
    run = as_program(script)
    assert run.returncode == 130, run.stderr
    assert run.stderr == "retarget: Stopped. Nothing unfinished was left behind.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("lost", ["as_an_extension_module_is_loaded", "as_garbage_is_taken_away"])
def test_an_interrupt_that_is_lost_ends_the_job_at_its_next_frame(lost: str) -> None:
    run = as_program(f"""
        import os, signal, sys
        from types import SimpleNamespace
        from retarget.cli import main
        def interrupt(*_):
            os.kill(os.getpid(), signal.SIGINT)
        def as_an_extension_module_is_loaded():
            try:
                interrupt()
            except KeyboardInterrupt:  # NumPy's import_array() prints it
                sys.excepthook(*sys.exc_info())
        def as_garbage_is_taken_away():
            type("Garbage", (), dict(__del__=interrupt))()
        def job(report):
            {lost}()
            for frame in report.watch(iter("ab")):
                print(frame)
        main.job_from = lambda words: SimpleNamespace(run=job)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main.run()
    """)
    assert (run.returncode, run.stdout) == (130, "")
    assert run.stderr == "retarget: Stopped. Nothing unfinished was left behind.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_an_interrupt_that_is_lost_when_all_is_done_keeps_the_next_command_from_beginning() -> None:
    run = as_program("""
        import os, signal
        from types import SimpleNamespace
        from retarget.cli import main
        def job(report):
            interrupt = lambda _: os.kill(os.getpid(), signal.SIGINT)
            type("Garbage", (), dict(__del__=interrupt))()
            return "whole.mp4"
        main.job_from = lambda words: SimpleNamespace(run=job)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main.run()
    """)
    assert (run.returncode, run.stdout, run.stderr) == (130, "whole.mp4\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no such device")
@pytest.mark.parametrize("length", [3, 100_000])
def test_a_full_disk_behind_standard_output_is_one_sentence(length: int) -> None:
    script = f"from retarget.cli import main; main._run = lambda _: main.show('o' * {length})"
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", f"{script}; main.run()", "any"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert run.returncode == 1
    assert "What was to be said cannot be written" in run.stderr
    assert len(run.stderr.splitlines()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="keeps a folder that somebody is in")
def test_a_current_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    run = as_program(f"""
        import os
        from retarget.cli.main import run
        os.chdir({str(here)!r})
        os.rmdir({str(here)!r})
        run()
    """)
    assert run.returncode == 1
    assert run.stderr.startswith("retarget: The current folder cannot be used: ")
    assert len(run.stderr.splitlines()) == 2


def test_letters_that_the_terminal_does_not_have_are_written_out() -> None:
    script = "from retarget.cli import main; main._run = lambda _: main.show('ö.mp4'); main.run()"
    run = subprocess.run(
        [sys.executable, "-c", script, "any"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert run.stderr == ""
    assert run.stdout == "\\xf6.mp4\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such shell")
def test_nobody_is_asked_where_standard_input_is_closed(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "retarget", "models", "pull", "diffusion", "--models", tmp_path]
    told = " ".join(shlex.quote(str(word)) for word in words)
    run = subprocess.run(f"{told} <&-", shell=True, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "--accept-licence" in run.stderr and "Traceback" not in run.stderr
    assert not list(tmp_path.iterdir())


@needs_tracker
@pytest.mark.skipif(sys.platform == "win32", reason="has no such shell")
def test_closed_standard_streams_do_not_matter(tmp_path: Path) -> None:
    words = [
        SAMPLES / "drive.mp4", "--identity", SAMPLES / "face.jpg", "-o", tmp_path / "out.mp4",
        "--end", "0.2",
    ]  # fmt: skip
    told = " ".join(shlex.quote(str(word)) for word in (sys.executable, "-m", "retarget", *words))
    assert subprocess.run(f"{told} <&- >&- 2>&-", shell=True, check=False).returncode == 0
    assert (tmp_path / "out.mp4").stat().st_size > 1000
