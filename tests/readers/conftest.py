"""Property tests here are bounded by their input: on a busy machine the clock says nothing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
