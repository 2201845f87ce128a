"""Make the person in one photo perform what a driving video's face performs.

    driving    source ─ face ─ expression ─┐
                                           ├─ transfer ─ generate ─ composite ─ sink
    identity   source ─ face ──────────────┘                                     └ sound

Importing this loads nothing heavy; start reading at jobs/video.py.
"""

from __future__ import annotations

__version__ = "0.1.0"
