"""Runs the command line: `python -m service` is `mfn`."""

import sys

from service.cli.main import main

sys.exit(main())
