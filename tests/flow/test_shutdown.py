"""A program's end waits for what must not be broken off."""

from __future__ import annotations

from programs import run


def test_a_program_s_end_waits_for_the_body_and_lets_no_other_thread_into_one() -> None:
    done = run("""
        import atexit
        import threading
        import time
        atexit.register(time.sleep, 0.5)  # the thread goes on for a while, were it not held
        from retarget.flow.shutdown import unbroken
        inside = threading.Event()
        def job():
            with unbroken():
                inside.set()
                time.sleep(0.3)
                print("left", flush=True)
            with unbroken():
                print("entered again", flush=True)
        threading.Thread(target=job, daemon=True).start()
        inside.wait()
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("left\n", "", 0)


def test_a_lane_that_is_being_ended_may_still_enter_one() -> None:
    done = run("""
        import time
        from retarget.flow.lanes import Lanes
        def values():
            from retarget.flow.shutdown import unbroken
            while True:
                with unbroken():
                    time.sleep(0.05)
                yield 0
        def frames():
            with Lanes() as lanes:
                yield from lanes.ahead(values(), depth=1)
        some = frames()
        next(some)
    """)
    assert (done.stderr, done.returncode) == ("", 0)
