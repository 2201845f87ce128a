"""`python -m retarget` is the `retarget` program."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while all below is loaded says nothing

from retarget.cli.main import run

if __name__ == "__main__":
    run()
