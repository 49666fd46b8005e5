"""Values as YAML on one line."""

from __future__ import annotations

import yaml


def one_line(value: object) -> str:
    """Return a value without line ends as YAML that stands on one line, however long."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=10**9, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")
