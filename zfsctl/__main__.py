"""`python -m zfsctl` is `zfsctl`."""

import sys

from zfsctl.cli.main import main

sys.exit(main())
