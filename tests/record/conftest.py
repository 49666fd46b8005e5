from __future__ import annotations

import pytest

from tests.sandbox import places


@pytest.fixture(params=["netns", "proxy"])
def vantage(request):
    """Each rung in turn; the first one only where the machine allows it."""
    if request.param == "netns":
        places.require_namespaces()
    return request.param


@pytest.fixture
def netns():
    places.require_namespaces()
    return "netns"
