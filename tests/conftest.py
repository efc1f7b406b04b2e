"""What holds for every test: no deadline decides one, and CI tries the same examples each time."""

import os

from hypothesis import settings

settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")
