"""Words of the closed vocabularies."""

import pytest

from audit.tables.vocabulary import joint_content


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (set(), "empty"),
        ({"empty"}, "empty"),
        ({"empty", "opaque"}, "opaque"),
        ({"readable", "opaque"}, "mixed"),
        ({"mixed"}, "mixed"),
    ],
)
def test_parts_that_differ_make_the_whole_mixed(parts, whole):
    assert joint_content(parts) == whole
