"""A program that misbehaves: plants what it knows of a person in traffic to trackers.

What it plants is drawn at random, so that whoever searches for it cannot know it beforehand. All
encodings are written here once more, on purpose: a test that used the detector's own would only
show that the detector agrees with itself.
"""
