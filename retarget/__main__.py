"""`python -m retarget` is the `retarget` program."""

from retarget.cli.main import run

run()
