"""Fuzzing of every reader: see README.md beside this file."""
