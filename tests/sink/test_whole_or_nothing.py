"""A result appears under its name when it is whole, alone, or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clips import fill, finished, info_for, number_in
from PIL import Image
from programs import run

from retarget.errors import CannotWrite
from retarget.sink.open import open_sink
from retarget.sink.partial import filling
from retarget.sink.settings import SinkSettings
from tests.sink.conftest import NAMES, Save, later


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_interrupted_leaves_nothing(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    with pytest.raises(error), open_sink(tmp_path / name, info=info_for()) as sink:
        sink.write(finished(0))
        assert list(tmp_path.iterdir()), "something is being written"
        assert all(file.name.startswith(".") for file in tmp_path.iterdir())
        raise error
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_name_is_taken_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")  # Windows has no such locks
    lock = fcntl.flock

    def lock_and_interrupt(*what: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        lock(*what)

    monkeypatch.setattr(fcntl, "flock", lock_and_interrupt)
    with pytest.raises(KeyboardInterrupt), filling(tmp_path):
        raise AssertionError("was not interrupted")
    assert list(tmp_path.parent.glob(".retarget-*")) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_killed_run_left_is_cleared_by_a_later_one_and_what_a_living_one_writes_is_not(
    tmp_path: Path, name: str
) -> None:
    with open_sink(tmp_path / name, info=info_for()) as living:
        living.write(finished(0))
        ours = set(tmp_path.iterdir())
        run(f"""
            import os
            from pathlib import Path
            from clips import finished, info_for
            from retarget.sink.open import open_sink
            with open_sink(Path({str(tmp_path)!r}) / "killed{name}", info=info_for()) as sink:
                sink.write(finished(0))
                os._exit(0)
        """)
        (tmp_path / ".retarget-mine.txt").write_text("somebody's own")
        left = set(tmp_path.iterdir())
        assert len(left) > len(ours) + 1
        run(later(tmp_path))
        assert left < set(tmp_path.iterdir()), "what has just been written stays for an hour"
        for file in left:
            os.utime(file, (0, 0))
        (tmp_path / "later.png").unlink()
        run(later(tmp_path))
        names = {file.name for file in ours} | {".retarget-mine.txt", "later.png"}
        assert {file.name for file in tmp_path.iterdir()} == names


def test_files_that_were_to_be_replaced_when_a_run_was_killed_are_kept(tmp_path: Path) -> None:
    kept = tmp_path / ".retarget-0badcafe" / "old" / "0001.png"
    kept.parent.mkdir(parents=True)
    kept.write_text("somebody's own")
    os.utime(tmp_path / ".retarget-0badcafe", (0, 0))
    run(later(tmp_path))
    assert kept.is_file()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_program_s_end_breaks_off_leaves_nothing(tmp_path: Path, name: str) -> None:
    done = run(f"""
        import os
        import threading
        from pathlib import Path
        from clips import finished, info_for
        from retarget.sink.open import open_sink
        folder, begun = Path({str(tmp_path)!r}), threading.Event()
        def job():
            with open_sink(folder / {name!r}, info=info_for()) as sink:
                sink.write(finished(0))
                begun.set()
                threading.Event().wait()
        threading.Thread(target=job, daemon=True).start()
        begun.wait()
        if os.fork() == 0:
            raise SystemExit  # what a copy of the program does not write, it does not remove
        os.wait()
        print(len(list(folder.iterdir())) > 0)
    """)
    assert done.stdout == "True\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_interrupted_as_soon_as_it_is_there_leaves_nothing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def then_stopped(make: Callable[..., None]) -> Callable[..., None]:
        def stopped(path: Path, **options: bool) -> None:
            make(path, **options)
            made.append(path)
            raise KeyboardInterrupt

        return stopped

    monkeypatch.setattr(Path, "touch", then_stopped(Path.touch))
    monkeypatch.setattr(Path, "mkdir", then_stopped(Path.mkdir))
    with pytest.raises(KeyboardInterrupt), open_sink(tmp_path / name, info=info_for()) as sink:
        sink.write(finished(0))
    assert len(made) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_result_appears_only_when_it_is_whole_and_alone(save: Save, name: str) -> None:
    count = 1 if name == "a.png" else 3
    folder = save(name, count=count).parent
    assert not [file for file in folder.iterdir() if file.name.startswith(".")]
    assert list(folder.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_without_a_frame_there_is_no_result(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(CannotWrite, match="no frame"),
        open_sink(tmp_path / name, info=info_for()),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_is_kept_unless_it_may_be_replaced(save: Save, name: str) -> None:
    count = 1 if name == "a.png" else 3
    folder = save(name, count=count).parent
    files = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(CannotWrite, match="there already"):
        save(name, count=count)
    assert files == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    save(name, count=1 if name == "a.png" else 2, overwrite=True)
    left = [file for file in folder.rglob("*") if file.is_file()]
    assert len(left) == (1 if "." in name and "%" not in name else 2)


def test_an_interrupted_replacement_keeps_the_old_result(save: Save, tmp_path: Path) -> None:
    old = save("a.mp4").read_bytes()
    settings = SinkSettings(overwrite=True)
    with pytest.raises(RuntimeError), open_sink(tmp_path / "a.mp4", settings, info=info_for()) as s:
        s.write(finished(0))
        raise RuntimeError
    assert (tmp_path / "a.mp4").read_bytes() == old


def test_a_folder_that_holds_other_things_is_never_replaced(save: Save, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "thesis.doc").write_text("three years")
    with pytest.raises(CannotWrite, match="other files"):
        save("frames", overwrite=True)
    assert (tmp_path / "frames" / "thesis.doc").read_text() == "three years"


PLACES = ["a link", "the current folder", "a folder in a locked one", "numbered files"]


@pytest.fixture(params=PLACES)
def placed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What names pictures in the folder `in/real`, which is there already and is to stay."""
    real = tmp_path / "in" / "real"
    real.mkdir(parents=True)
    if request.param == "a link":
        (tmp_path / "link").symlink_to(real)
        return tmp_path / "link"
    if request.param == "the current folder":
        monkeypatch.chdir(real)
        return Path()
    if request.param == "a folder in a locked one":
        monkeypatch.setattr(os, "access", lambda path, mode: path != real.parent)
        return real
    return real / "frame_%05d.png"


def test_a_folder_that_is_there_already_stays_and_is_filled(placed: Path, tmp_path: Path) -> None:
    real = tmp_path / "in" / "real"
    (real / ".retarget-0badcafe").mkdir()  # of a run that was killed
    fill(placed, range(4))
    fill(placed, range(7, 9))
    shown = {file.name: number_in(np.asarray(Image.open(file))) for file in real.glob("[!.]*")}
    assert shown == {"frame_00000.png": 7, "frame_00001.png": 8}


def test_pictures_that_another_run_puts_there_meanwhile_stay(placed: Path, tmp_path: Path) -> None:
    other = tmp_path / "in" / "real" / "frame_00100.png"
    with open_sink(placed, info=info_for()) as sink:
        sink.write(finished(0))
        other.write_bytes(b"theirs")
    assert other.read_bytes() == b"theirs"
    assert other.with_name("frame_00000.png").is_file()


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_was_not_filled_is_left_as_it_was_found(tmp_path: Path, there: bool) -> None:
    place = tmp_path / "set"
    if there:
        place.mkdir()
    with pytest.raises(KeyboardInterrupt), filling(place, notes=["list.csv"]):
        (place / "list.csv").touch()
        raise KeyboardInterrupt
    assert place.exists() == there
    with pytest.raises(KeyboardInterrupt), filling(place, notes=["list.csv"]):
        (place / "list.csv").touch()
        (place / "1.png").touch()
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), filling(place, notes=["list.csv"]):
        raise KeyboardInterrupt
    assert {file.name for file in place.iterdir()} == {"list.csv", "1.png"}


@pytest.mark.parametrize("at", [1, 3, 4, 5])
def test_old_pictures_stay_where_new_ones_cannot_take_their_places(
    placed: Path, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "in" / "real"
    fill(placed, range(3))
    old = {file: file.read_bytes() for file in real.iterdir()}
    move, moved = Path.replace, 0

    def stopped(file: Path, to: Path) -> Path:
        nonlocal moved
        moved += 1
        out = move(file, to)
        if moved == at:
            raise KeyboardInterrupt
        return out

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        fill(placed, range(7, 9))
    assert {file: file.read_bytes() for file in real.iterdir()} == old
