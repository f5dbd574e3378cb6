"""The operating system's limit of open files. Each connection is one; beyond the limit none is accepted, not even a
probe's."""

import contextlib
import logging
from dataclasses import replace
from typing import Final

from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
RESERVED_FILES: Final = 256  # for gRPC's connections, libraries and logs


def within_open_files(settings: Settings) -> Settings:
    """The settings with at most as many connections as there may be open files. Raises the limit where possible."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return settings
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + RESERVED_FILES
    if allowed == resource.RLIM_INFINITY or allowed >= wanted:
        return settings
    raised = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    with contextlib.suppress(OSError, ValueError):  # some systems have a lower limit than they report
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, most))
        allowed = raised
    if allowed >= wanted:
        return settings
    connections = max(1, allowed - RESERVED_FILES)
    LOGGER.warning(
        "Only %d files may be open (ulimit -n), so there can be %d HTTP connections instead of %d",
        allowed, connections, settings.max_connections,
    )  # fmt: skip
    return replace(settings, max_connections=connections)
