"""What all tests share: property tests have no deadline, for machines that do other things too."""

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
