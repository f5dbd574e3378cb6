"""Connections are open files, of which the system lets a process have so many: beyond that none is taken up at all, not
even a probe's."""

import contextlib
import logging
from dataclasses import replace
from typing import Final

from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
FILES_BESIDE: Final = 256  # of gRPC's connections, libraries and logs


def within_open_files(settings: Settings) -> Settings:
    """The settings with no more connections than there may be open files; the system's limit is raised where it can
    be."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return settings
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + FILES_BESIDE
    if allowed == resource.RLIM_INFINITY or allowed >= wanted:
        return settings
    raised = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    with contextlib.suppress(OSError, ValueError):  # some systems have a lower limit than they tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, most))
        allowed = raised
    if allowed >= wanted:
        return settings
    connections = max(1, allowed - FILES_BESIDE)
    LOGGER.warning(
        "Only %d files may be open (ulimit -n), so there can be %d HTTP connections instead of %d",
        allowed, connections, settings.max_connections,
    )  # fmt: skip
    return replace(settings, max_connections=connections)
