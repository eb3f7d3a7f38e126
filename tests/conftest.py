"""Every test can ask for real OpenZFS hosts; see tests/testbed."""

import os
import shutil

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.testbed.fixtures"]

# A busy machine makes an example slow, not wrong.
settings.register_profile("zfsctl", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# The inner loop asks every law a few times; make test asks it as often as it says itself.
settings.register_profile("inner-loop", settings.get_profile("zfsctl"), max_examples=10)
settings.load_profile("zfsctl")

MEMORY = "/dev/shm"


def takes_the_tests(folder: str) -> bool:
    """Whether there is room for all temporary files, and programs among them may run."""
    return (
        os.access(folder, os.W_OK | os.X_OK)
        and not os.statvfs(folder).f_flag & os.ST_NOEXEC
        and shutil.disk_usage(folder).free > 2 << 30
    )


# The folders of tmp_path, and no others: half of the time went into flushing state files that nobody reads again.
if "TMPDIR" not in os.environ and takes_the_tests(MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)
