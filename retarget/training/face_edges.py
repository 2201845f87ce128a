"""Make the mean edges for `retarget/face/likeness.py`: `retarget/data/face_edges.npy`.

    python -m retarget.training.face_edges PICTURES_AND_CLIPS... -o OUT.npy

Each file should show another person; each counts the same. Of a clip, samples are read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from retarget.face.likeness import edges
from retarget.face.settings import TrackSettings
from retarget.face.still import find_face
from retarget.face.track import Track
from retarget.flow.arrays import Floats
from retarget.flow.report import Report
from retarget.source.open import open_source

LOOKS = 20
"""Samples of a clip."""


def faces(path: Path) -> Iterator[Floats]:
    """The edges of the face in a picture or in each sample of a clip."""
    with open_source(str(path)) as source:
        if source.info.still:
            frame = next(source.frames())
            yield edges(frame.rgb, find_face(frame, TrackSettings(), Report()))
            return
        for seen in Track(TrackSettings(), Report())(source.sample(LOOKS)):
            if seen.face is not None:
                yield edges(seen.frame.rgb, seen.face)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the mean over the persons of the given files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    said = parser.parse_args(argv)
    persons = [np.mean(list(faces(path)), axis=0) for path in said.files]
    np.save(said.output, np.mean(persons, axis=0).astype(np.float16))
    print(f"{said.output}: {len(persons)} persons")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
