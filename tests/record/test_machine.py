import socket
import sys

import pytest

from audit.record.machine import machine_identifiers


def test_values_of_the_machine_are_no_canaries():
    found = machine_identifiers()
    assert not any(item.canary for item in found)
    assert not {item.value for item in found if item.kind == "address"} & {"127.0.0.1", "::1"}


def test_names_that_say_nothing_are_left_out(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "vm")
    assert "host_name" not in {item.kind for item in machine_identifiers()}
    monkeypatch.setattr(socket, "gethostname", lambda: "maries-laptop")
    assert "maries-laptop" in {
        item.value for item in machine_identifiers() if item.kind == "host_name"
    }


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's tables")
def test_the_macs_are_those_of_real_links():
    macs = [item.value for item in machine_identifiers() if item.kind == "mac"]
    assert "00:00:00:00:00:00" not in macs
    assert all(len(mac) == 17 for mac in macs)
