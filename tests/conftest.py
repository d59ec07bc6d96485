"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let ctrl-C interrupt, here and in processes started here.

    A shell starts what runs in its background with ctrl-C ignored, and that is inherited.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
