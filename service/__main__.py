"""`python -m service` is `mfn`."""

import sys

from service.cli import main

sys.exit(main())
