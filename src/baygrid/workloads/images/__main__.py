"""python -m baygrid.workloads.images"""

import sys

from baygrid.workloads.images.cli import main

sys.exit(main())
