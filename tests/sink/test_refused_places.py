"""Places that cannot be written to: one sentence, and nothing left there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import fill, finished, info_for, read

from retarget.errors import CannotWrite
from retarget.sink.names import default_output
from retarget.sink.open import check_output, open_sink
from retarget.sink.partial import filling, save_text
from retarget.sink.refusals import check_free
from retarget.sink.settings import SinkSettings


@pytest.mark.parametrize(
    "name",
    [
        "none/a.mp4", "file/a.mp4", "a.xyz", "a.mp3", "folder.mp4", "file", "dangling",
        ".mp4", ".PNG", "none/frames", f"{'long' * 80}.mp4", f"{'long' * 80}.png", "long" * 80,
    ],
)  # fmt: skip
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    with (
        pytest.raises(CannotWrite) as caught,
        open_sink(tmp_path / name, SinkSettings(overwrite=True), info=info_for()) as sink,
    ):
        sink.write(finished(0))
    assert caught.value.what.endswith(".")
    assert caught.value.do.endswith(".")
    assert "\n" not in str(caught.value)
    assert "--overwrite" not in caught.value.do
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_gif_in_a_folder_that_is_not_named_in_utf_8_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"l\xe4cheln")
    folder.mkdir()
    with (
        pytest.raises(CannotWrite, match="whose name is not UTF-8"),
        open_sink(folder / "a.gif", info=info_for()) as sink,
    ):
        sink.write(finished(0))
    assert not list(folder.iterdir())
    with open_sink(folder / "a.mp4", info=info_for()) as sink:
        sink.write(finished(0))


def test_a_name_that_is_not_utf_8_is_escaped_in_what_is_told_of_it(tmp_path: Path) -> None:
    name = b"l\xe4cheln.mp4".decode("utf-8", "surrogateescape")  # as Python reads such a name
    save_text(tmp_path / "page.html", f"<h1>{name}</h1> ä", overwrite=False)
    assert (tmp_path / "page.html").read_text("utf-8") == "<h1>l\\udce4cheln.mp4</h1> ä"


@pytest.mark.parametrize("name", ["a.webm", "a.gif", "a.png", "a_%03d.png", "frames"])
def test_a_codec_that_the_result_does_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(CannotWrite, match=r"does not hold h265\.") as refused,
        open_sink(tmp_path / name, SinkSettings(codec="h265"), info=info_for()) as sink,
    ):
        sink.write(finished(0))
    assert "Name the output .mp4 or .mov or .mkv" in refused.value.do
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["story.pdf", "page.PNG", "set.mp4"])
def test_no_folder_is_made_under_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    with pytest.raises(CannotWrite, match="folder") as refused, filling(place):
        pass
    assert f"such as {place.stem}." in refused.value.do
    assert not list(tmp_path.iterdir())
    place.mkdir()
    with filling(place):  # whoever has made it meant it
        pass


def test_a_folder_that_is_there_takes_pictures_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "sh010.v002"
    with pytest.raises(CannotWrite, match=r"make the folder sh010\.v002"):
        fill(folder, range(2))
    folder.mkdir()
    fill(folder, range(2))
    assert sorted(file.name for file in folder.iterdir()) == [
        "frame_00000.png", "frame_00001.png",
    ]  # fmt: skip


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be entered, with one in it that may not be listed; root may do both."""
    stat, listed = Path.stat, Path.iterdir

    def refused(path: Path, **how: bool) -> os.stat_result:
        if tmp_path / "shut" in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **how)

    def unlisted(folder: Path) -> Iterator[Path]:
        if folder.name == "blind":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "stat", refused)
    monkeypatch.setattr(Path, "iterdir", unlisted)
    (tmp_path / "shut").mkdir()
    (tmp_path / "blind").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["shut/in/a.mp4", "shut/in/frames", "shut/in/%03d.png", "blind", "blind/%03d.png"],
)
def test_a_folder_that_may_not_be_entered_or_listed_is_one_sentence(
    locked: Path, name: str
) -> None:
    with pytest.raises(CannotWrite, match="may not be"):
        check_output(locked / name, overwrite=True)
    with pytest.raises(CannotWrite, match="may not be"):
        fill(locked / name, range(1))
    with pytest.raises(CannotWrite, match="may not be"):
        check_free(locked / "shut" / "in" / "run.json", overwrite=True)
    assert default_output(locked / "shut" / "in" / "a.mp4", "b.png").name == "a_as_b.mp4"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_permission_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(CannotWrite, match="may not be written"),
            open_sink(tmp_path / "a.mp4", info=info_for()),
        ):
            pass
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file size are POSIX")
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif", "a_%03d.png"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    script = f"""
        import resource, sys
        import numpy as np
        sys.path[:0] = {[str(Path(__file__).parents[1])]!r}
        from clips import finished, info_for
        from retarget.errors import CannotWrite
        from retarget.sink.open import check_output, open_sink
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        noise = lambda i: np.random.default_rng(i).integers(0, 255, (96, 128, 3), np.uint8)
        try:
            with open_sink({str(tmp_path / name)!r}, info=info_for()) as sink:
                for i in range(200):
                    sink.write(finished(i, picture=noise))
        except CannotWrite as problem:
            print("told:", problem.what)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "told:" in run.stdout, run.stderr
    assert str(tmp_path / name) in run.stdout
    assert "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_stream_is_refused_rather_than_made_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotWrite, match="not to a stream"):
        check_output(Path("-"), overwrite=True)
    with pytest.raises(CannotWrite, match="not to a stream"), filling(Path("-")):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["pipe.mp4", "stdout.mp4"])
def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "stdout.mp4").symlink_to("pipe.mp4")  # as /dev/stdout is a link
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CannotWrite, match="not to a stream") as refused:
        check_free(tmp_path / name, overwrite=True)
    assert name in refused.value.do
    with pytest.raises(CannotWrite, match="not to a stream"):
        save_text(tmp_path / name, "all of it", overwrite=True)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / name).is_fifo()
    assert (tmp_path / "stdout.mp4").is_symlink()


def test_a_relative_name_goes_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_sink("a.mp4", info=info_for()) as sink:
        sink.write(finished(0))
    assert len(read(tmp_path / "a.mp4")) == 1


def test_a_folder_that_may_not_be_written_to_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def access(path: Path, mode: int) -> bool:
        return not (path == tmp_path and mode == os.W_OK)

    monkeypatch.setattr(os, "access", access)  # root may write anywhere
    with pytest.raises(CannotWrite, match="may not be written to"):
        check_free(tmp_path / "run.json", overwrite=False)
