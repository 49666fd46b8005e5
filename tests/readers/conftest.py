"""Property tests have no deadline here: the machine may do other things beside them.

mitmproxy 12 calls pyparsing by names that pyparsing has deprecated: its first import says so.
"""

import importlib
import warnings

from hypothesis import settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("mitmproxy.io")

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
