"""What helps to write checks: examples that run, lint, coverage of a policy's clauses."""
