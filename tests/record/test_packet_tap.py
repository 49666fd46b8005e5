import pytest

from audit.record.packet_tap import _count
from audit.record.stage import Tapped

COUNTED = {
    "packets": 7,
    "received": 9,
    "dropped": 0,
    "interfaces": ["eth0", "lo"],
    "unknown_links": [],
}


def count(**changes):
    found = Tapped()
    _count(COUNTED | changes, found)
    return found


def test_a_tap_that_worked_has_nothing_to_complain_of():
    found = count()
    assert (found.failed, found.truncated) == ([], [])
    assert (found.packets, found.interfaces) == (7, ("eth0", "lo"))
    assert (found.drops["packets"].received, found.drops["packets"].dropped) == (9, 0)


def test_an_empty_recording_is_a_failure_never_the_absence_of_violations():
    assert count(packets=0).failed == ["the packet tap saw no packet at all"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"dropped": 3}, "the kernel dropped 3 packets of the tap"),
        ({"unknown_links": ["can0"]}, "interface can0 is of an unknown link type"),
    ],
)
def test_what_could_not_be_kept_makes_the_recording_incomplete(change, sentence):
    found = count(**change)
    assert found.truncated == [sentence]
    assert found.failed == []
