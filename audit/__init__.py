"""Privacy-compliance audits: policy sentences, checked against recordings of a real client.

The rooms of this package and the order in which they may import one another are
described in ``docs/architecture.md`` and enforced by import-linter.
"""

__version__ = "0.1.0"
