"""Is it still this person? Sampled frames of the result against the photo.

Read it together with expression: a result that only shows the photo scores best here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget.evaluation.catalog import Sheet
from retarget.evaluation.dlib_face import SAME_PERSON
from retarget.evaluation.values import FaceSample


def measure(samples: Sequence[FaceSample], photo: FaceSample, sheet: Sheet) -> None:
    """Note the figures of identity.

    - dlib: mean Euclidean distance of the 128-number descriptors (0 same picture; dlib calls
      less than 0.6 the same person, right for 99.38 % of LFW's pairs) and the share of samples
      below it.
    - ArcFace: mean cosine (CSIM), about 0.6 to 0.7 in a healthy edited face; -1..1.
    """
    keys = ("identity.dlib_distance", "identity.dlib_same", "identity.arcface")
    if not samples:
        sheet.miss("dlib sees no face in the sampled frames", *keys)
        return
    distances = np.array([np.linalg.norm(s.dlib - photo.dlib) for s in samples])
    note = f"{len(samples)} frames"
    sheet.put("identity.dlib_distance", float(distances.mean()), note)
    sheet.put("identity.dlib_same", float((distances < SAME_PERSON).mean()) * 100, note)
    if photo.arcface is None:
        sheet.miss("no ArcFace network was found (insightface's packs are not fetched)", keys[2])
        return
    cosines = [float(s.arcface @ photo.arcface) for s in samples if s.arcface is not None]
    sheet.put("identity.arcface", float(np.mean(cosines)), note)


def together(sheet: Sheet) -> None:
    """HES (PixelSmile): the harmonic mean of expression and identity.

    Expression: the mean correlation of the active scores, else of the landmark ratios, at least
    0. Identity: ArcFace's cosine, else 1 - dlib distance. 0 where either is 0.
    """
    value = {key: found[0] for key, found in sheet.found.items()}
    follows = value.get("expression.correlation")
    if follows is None:
        follows = value.get("expression.ratio_correlation")
    cosine, distance = value.get("identity.arcface"), value.get("identity.dlib_distance")
    who = cosine if cosine is not None else 1 - distance if distance is not None else None
    if follows is None or who is None:
        sheet.miss("it needs expression and identity", "expression.hes")
        return
    a, b = max(follows, 0.0), max(who, 0.0)
    note = "with ArcFace" if cosine is not None else "with dlib"
    sheet.put("expression.hes", 2 * a * b / (a + b) if a + b > 0 else 0.0, note)
