"""Make the person in one photo perform what a driving video's face performs.

    driving    source ─ face ─ expression ─┐
                                           ├─ transfer ─ generate ─ composite ─ sink
    identity   source ─ face ──────────────┘                                     └ sound

Importing this loads nothing heavy; start reading at jobs/video.py. From Python:

    retarget.jobs.video.VideoJob                  a video: run() writes it, frames() hands it over
    retarget.jobs.live.LiveJob                    frames(pictures): a camera, or pictures of yours
    retarget.jobs.still.StillJob, story.StoryJob, micro.MicroJob, fit.FitJob, moments.MomentsJob
    retarget.expression.performance               open and save performances, to edit them between
    retarget.flow.report.Report                   progress, warnings and times of a run
    retarget.flow.values                          what frames() hands over, and what stages pass on
    retarget.generate.generator.Generator         for a generator of your own
    retarget.errors.RetargetError                 what went wrong, and what to do

Each job is a dataclass, whose fields are the options that `retarget COMMAND --help` explains. What
they hold, such as TransferSettings, is in the settings.py of its room: source, face, expression,
transfer, generate, composite or sink.
"""

from __future__ import annotations

__version__ = "0.1.0"
