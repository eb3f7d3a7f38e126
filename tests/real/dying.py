"""Run everything that is due, as `zfsctl run` does, and be killed on the way.

Arguments: the policy file, the kind of event that is waited for, the number of such events, and the seconds from the
last of them until SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from zfsctl.model.event import Event
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.operations.session import SessionOptions, open_session


def main(config: str, kind: str, count: str, delay: str) -> None:
    """Never returns when the events come."""
    left = int(count)

    def listen(event: Event) -> None:
        nonlocal left
        left -= type(event).__name__ == kind
        if left == 0:
            if float(delay):
                threading.Thread(target=die_after, args=(float(delay),), daemon=True).start()
            else:
                die_after(0)

    with open_session(SessionOptions(config=Path(config))) as session:
        apply_plan(session, plan_run(session, RunRequest()), listeners=(listen,))


def die_after(seconds: float) -> None:
    """Be killed as by the kernel: nothing is cleaned up."""
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
