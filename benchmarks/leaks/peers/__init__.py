"""Runners of other tools, each for the part of the suite that its tool can read."""
