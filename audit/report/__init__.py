"""A result, told: one neutral tree (:mod:`audit.report.view`), then a page, JSON or a few lines."""
