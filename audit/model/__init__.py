"""Frozen values that every room shares: captures, clauses, findings, verdicts, the result."""
