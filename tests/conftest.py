"""Every test can ask for real OpenZFS hosts; see tests/testbed."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.testbed.fixtures"]

# A busy machine makes an example slow, not wrong.
settings.register_profile("zfsctl", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("zfsctl")
