"""`python -m steelyard` is the command line."""

import sys

from steelyard.cli import main

sys.exit(main())
