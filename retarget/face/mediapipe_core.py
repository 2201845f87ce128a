"""MediaPipe's graph runner alone, in a tenth of the time that `import mediapipe` takes.

MediaPipe's own `__init__` imports every solution and task, and with them matplotlib and
sounddevice: 1.5 s of processor time, of which this project needs 0.2 s. So the package is put in
place without running that file; whoever asks it for anything else later (`mediapipe.solutions`)
gets it then, as if it had been imported in full.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import warnings
from contextlib import suppress
from types import ModuleType
from typing import Any

from retarget.errors import MissingPackage

_NAME = "mediapipe"
_lock = threading.RLock()


def import_light() -> ModuleType:
    """The package `mediapipe`, with the rest of it loaded only when it is asked for.

    Raises:
        MissingPackage: mediapipe is not installed.
    """
    with _lock:
        if _NAME in sys.modules:
            return sys.modules[_NAME]
        spec = importlib.util.find_spec(_NAME)
        if spec is None or spec.loader is None:
            raise MissingPackage(
                "Finding faces needs the package 'mediapipe', which is not installed.",
                do="Install it with: pip install retarget",
            )
        _import_protobuf()
        package = importlib.util.module_from_spec(spec)
        loader = spec.loader

        def load_rest(attribute: str) -> Any:
            if attribute.startswith("__") and attribute != "__version__":
                raise AttributeError(attribute)  # asked by the import system itself
            with _lock:
                if vars(package).pop("__getattr__", None) is not None:
                    loader.exec_module(package)
            return getattr(package, attribute)

        package.__getattr__ = load_rest  # type: ignore[method-assign]
        sys.modules[_NAME] = package
        return package


def _import_protobuf() -> None:
    """Import what MediaPipe is described in, whose C types Python 3.12 warns of once.

    Programs and tests that take warnings for errors could not import it.
    """
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("google.protobuf.internal.api_implementation")
