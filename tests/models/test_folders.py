"""Where model files lie for a user with and without a home."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from retarget.errors import CannotWrite, MissingModel
from retarget.evaluation import model_files, picture
from retarget.evaluation.settings import EvaluateSettings
from retarget.models import folders
from retarget.models.folders import cache  # before the other tests' stands in for it
from retarget.models.store import Store
from tests.models.conftest import model


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user who is a number without a name, as in a container."""
    pwd = pytest.importorskip("pwd")

    def unknown(_: int | str) -> None:
        raise KeyError("uid not found")

    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(folders, "cache", cache)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_missing_file_says_where_it_would_be_looked_for() -> None:
    assert not any(row.found for row in Store().status())
    with pytest.raises(MissingModel, match="looked for ~"):
        Store().need(model())


@pytest.mark.usefixtures("homeless")
def test_without_a_home_what_is_in_a_named_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "thing.bin").write_bytes(b"mine")
    unpinned = model(sha256=None, elsewhere=("thing.bin",))
    assert Store(tmp_path).need(unpinned) == tmp_path / "thing.bin"


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_result_is_measured_by_what_needs_no_file() -> None:
    assert model_files.arcface(EvaluateSettings()) is None
    assert picture.Lpips.find()[0] is None


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("named", [None, Path("~nobody-of-this-name/models")])
def test_a_home_that_is_not_there_is_not_made(named: Path | None, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="There is no home folder for ~") as told:
        Store(named).pull([model()])
    assert folders.VARIABLE in told.value.do
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("platform", "variable", "below"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", None, "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_each_system_has_its_own_place_for_caches(
    platform: str, variable: str | None, below: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(folders, "sys", SimpleNamespace(platform=platform))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    if variable is not None:
        monkeypatch.delenv(variable, raising=False)
    assert cache() == tmp_path / below / "retarget" / "models"
    if variable is not None:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert cache() == tmp_path / "elsewhere" / "retarget" / "models"
