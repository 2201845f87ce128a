"""Find, verify and fetch model files.

They are searched in the given folder, in that of RETARGET_MODELS, and in the user's cache, with the
layouts of the publishers' instructions, and fetched into the first of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from retarget.errors import CannotWrite, MissingModel, RetargetError
from retarget.flow import digest
from retarget.flow.atomic_files import move
from retarget.flow.paths import is_file
from retarget.models import catalog, fetch, folders, parts
from retarget.models.catalog import ModelFile
from retarget.models.lock import Lock, Locked

Confirm = Callable[[ModelFile], bool]
"""Asked before a file is fetched whose licence forbids commercial use."""
PullProgress = Callable[[ModelFile, int, "int | None"], None]
"""Called with the file, the bytes so far and the total (None: unknown)."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of `retarget models`."""

    file: ModelFile
    found: Path | None
    """Its path; None: it is missing."""
    revision: str | None


class Store:
    """The models on this machine.

    Args:
        folder: searched first, and fetched into; None: RETARGET_MODELS, else the user's cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folders = folders.to_look_in(folder)
        self._verified: set[Path] = set()

    def find(self, model: ModelFile) -> Path | None:
        """The file's path, not verified; None where it is missing."""
        for folder in self.folders:
            for root in folders.roots(folder):
                for place in (*parts.places(model.path), *model.elsewhere):
                    if is_file(root / place):
                        return root / place
        return None

    def part(self, name: str) -> Path:
        """The path of a part of the diffusion generator, its files verified."""
        found = parts.ModelFolder(*self.folders)(name)
        for model in catalog.FILES:
            inside = parts.within(name, model.path)
            if inside is not None and (found / inside).is_file():
                self._verify(model, found / inside)
        return found

    def need(self, model: ModelFile) -> Path:
        """The file's path, verified.

        Raises:
            MissingModel: it is missing, or its digest is wrong.
        """
        path = self.find(model)
        if path is None:
            looked = ", ".join(str(folder / model.path) for folder in self.folders)
            raise MissingModel(
                f"The model file {Path(model.path).name} ({model.serves}) is not here; "
                f"looked for {looked}.",
                do=f"Fetch it with `retarget models pull {model.name}`, or name the folder that "
                f"holds it in the environment variable {folders.VARIABLE}.",
            )
        self._verify(model, path)
        return path

    def status(self) -> list[Row]:
        """Every file of the catalogue, and its path if it is present."""
        return [self._row(model) for model in catalog.FILES]

    def pull(
        self, models: Iterable[ModelFile], *, accept_licence: bool = False,
        confirm: Confirm | None = None, progress: PullProgress | None = None,
    ) -> list[Path]:  # fmt: skip
        """Fetch missing files, and verify present ones.

        Args:
            models: the files, from `catalog.named`.
            accept_licence: accept licences that forbid commercial use without asking.
            confirm: asked about each such file otherwise.
            progress: called with the progress of each file.

        Returns:
            The path of each file.

        Raises:
            MissingModel: a file cannot be fetched, its digest is wrong, or its licence was not
                accepted.
            CannotWrite: the folder is not writable or full.
        """
        wanted = list(models)
        for model in wanted:  # asked before the first download
            if self.find(model) is None and not (model.commercial or accept_licence):
                _ask(model, confirm)
        return [self._pull(model, progress) for model in wanted]

    def _pull(self, model: ModelFile, progress: PullProgress | None) -> Path:
        if self.find(model) is not None:
            return self.need(model)
        folder = self.folders[0]
        if str(folder).startswith("~"):
            raise CannotWrite(
                f"There is no home folder for {folder}.",
                do=f"Name another one with --models or {folders.VARIABLE}.",
            )
        target = folder / model.path
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as closed:
            raise CannotWrite(
                f"The models folder {folder} cannot be written ({closed.strerror}).",
                do=f"Name another one with --models or {folders.VARIABLE}.",
            ) from closed
        lock = Lock(folder)
        held = lock.files.get(model.path)
        revision = model.revision or (held and held.revision) or "main"
        url = model.url.replace("{revision}", revision)
        told = None if progress is None else lambda done, total: progress(model, done, total)
        most = model.megabytes * 4_000_000 + 16_000_000  # bytes; catalogued sizes are rounded
        got = fetch.fetch(url, part, most, told)
        sha256 = digest.of_file(part)
        wrong = _unlike(sha256, model, held, got)
        if wrong is not None:
            fetch.discard(part)
            raise wrong
        move(part, target)
        fetch.discard(part)
        lock.keep(model.path, _stamped(target, sha256, got.revision or model.revision, url))
        return target

    def _verify(self, model: ModelFile, path: Path) -> None:
        if path in self._verified:
            return
        lock = Lock(self._folder_of(path))
        held = lock.files.get(model.path)
        wanted = model.sha256 or (held.sha256 if held else None)
        if wanted is None:
            return  # put there by the user, without a known digest
        now = path.stat()
        stamp = Locked(sha256=wanted, size=now.st_size, time=now.st_mtime_ns)
        if held is not None and replace(stamp, revision=held.revision, url=held.url) == held:
            return  # verified before, and not touched since
        if digest.of_file(path) != wanted:
            raise MissingModel(
                f"{path} is not the file it should be: its SHA-256 differs from the recorded one.",
                do=f"Delete it and fetch it again with `retarget models pull {model.name}`.",
            )
        self._verified.add(path)
        before = held or Locked(sha256=wanted, revision=model.revision)
        lock.keep(model.path, _stamped(path, wanted, before.revision, before.url))

    def _folder_of(self, path: Path) -> Path:
        """The models folder of a found file, whose lock has its entry."""
        near = [(r, f) for f in self.folders for r in folders.roots(f) if path.is_relative_to(r)]
        return max(near, key=lambda pair: len(pair[0].parts))[1]

    def _row(self, model: ModelFile) -> Row:
        found = self.find(model)
        held = None
        if found is not None:
            held = Lock(self._folder_of(found)).files.get(model.path)
        return Row(
            file=model, found=found, revision=model.revision or (held.revision if held else None)
        )


def _ask(model: ModelFile, confirm: Confirm | None) -> None:
    if confirm is not None and confirm(model):
        return
    raise MissingModel(
        f"The licence of {model.name} forbids commercial use ({model.licence}), "
        "and it was not accepted.",
        do="If your use is allowed, say so with --accept-licence.",
    )


def _unlike(
    sha256: str, model: ModelFile, held: Locked | None, got: fetch.Fetched
) -> RetargetError | None:
    """The error if a fetched file's digest is wrong."""
    wanted = model.sha256 or (held.sha256 if held else None) or got.sha256
    if wanted is None or sha256 == wanted:
        return None
    pinned = "pinned" if model.sha256 else "recorded in the lock" if held else "named by its server"
    return MissingModel(
        f"What came for {model.name} is not the file it should be: its SHA-256 is "
        f"{sha256[:12]}…, the one {pinned} is {wanted[:12]}….",
        do="Nothing was kept; try again later, and if it stays so, do not trust the source.",
    )


def _stamped(path: Path, sha256: str, revision: str | None, url: str | None) -> Locked:
    now = path.stat()
    entry = Locked(sha256=sha256, revision=revision, url=url)
    return replace(entry, size=now.st_size, time=now.st_mtime_ns)
