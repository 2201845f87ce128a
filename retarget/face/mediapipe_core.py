"""MediaPipe's graph runner alone, in a tenth of the time that `import mediapipe` takes.

MediaPipe's own `__init__` imports every solution and task, and with them matplotlib and
sounddevice: 1.5 s of processor time, of which this project needs 0.2 s. So the package, and its
subpackages that do the same, are put into `sys.modules` without running that file; any other
attribute (`mediapipe.solutions`) is loaded on first access, as if imported in full.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
import warnings
from contextlib import suppress
from functools import partial
from importlib.abc import Loader
from types import ModuleType
from typing import Any

from retarget.errors import MissingPackage

_NAME = "mediapipe"
_VISION = f"{_NAME}.tasks.python.vision"
_lock = threading.RLock()
_to_load: list[tuple[ModuleType, Loader]] = []
_hidden: dict[str, ModuleType] = {}


def import_light() -> ModuleType:
    """The package `mediapipe`, with the rest of it loaded only when it is asked for.

    Raises:
        MissingPackage: mediapipe is not installed.
    """
    with _lock:
        if _NAME not in sys.modules:
            _import_protobuf()
        package = _light(_NAME)
    if package is None:
        raise MissingPackage(
            "Finding faces needs the package 'mediapipe', which is not installed.",
            do="Install it with: pip install retarget",
        )
    return package


def _import_protobuf() -> None:
    """Import protobuf, whose C types raise a DeprecationWarning once on Python 3.12.

    Programs and tests that turn warnings into errors could not import it otherwise.
    """
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("google.protobuf.internal.api_implementation")


def import_vision(*modules: str) -> list[ModuleType]:
    """Modules of MediaPipe's vision tasks, without all the other tasks."""
    package = import_light()
    with _lock:
        for name in (f"{_NAME}.tasks.python", _VISION):
            _light(name)
        found = [importlib.import_module(f"{_VISION}.{module}") for module in modules]
        if _to_load and "tasks" in vars(package):  # hidden, so that access loads the whole package
            _hidden.update(tasks=vars(package).pop("tasks"))
    return found


def _light(name: str) -> ModuleType | None:
    """A package whose `__init__` has not run; None where it is not installed."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return None
    package = importlib.util.module_from_spec(spec)
    _to_load.append((package, spec.loader))
    package.__getattr__ = partial(_load_rest, package)  # type: ignore[method-assign]
    sys.modules[name] = package
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, package)
    return package


def _load_rest(package: ModuleType, attribute: str) -> Any:
    if attribute.startswith("__") and attribute != "__version__":
        raise AttributeError(attribute)  # asked by the import system itself
    with _lock:
        pending = _to_load[::-1]  # the innermost first, as they would have been loaded
        _to_load.clear()
        for light, _ in pending:
            del light.__getattr__
        vars(sys.modules[_NAME]).update(_hidden)
        for light, loader in pending:
            loader.exec_module(light)
    return getattr(package, attribute)
