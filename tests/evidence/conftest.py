"""Property tests have no deadline here: the machine may do other things beside them."""

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
