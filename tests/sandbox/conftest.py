from __future__ import annotations

import pytest

from tests.sandbox import places


@pytest.fixture
def box():
    """A sandbox with namespaces, or a skipped test."""
    places.require_namespaces()
    with places.sandbox() as made:
        yield made


@pytest.fixture
def plain():
    """A keeper without namespaces: works everywhere."""
    with places.sandbox("plain") as made:
        yield made
