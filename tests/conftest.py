"""Every test can ask for real OpenZFS hosts; see tests/testbed."""

pytest_plugins = ["tests.testbed.fixtures"]
