from audit.evidence.merge import Unit
from audit.evidence.onward import onward_of_missed
from audit.tables.extract import Payload
from audit.tables.reference import Reference
from tests.evidence.test_reconcile import PROXY, conversation

TO_PROXY = conversation("192.0.2.10:40001", PROXY, 1, 5)
ONWARD = conversation("192.0.2.1:50001", "198.51.100.7:443", 2, 6)


def connect(unit: Unit, target: bytes) -> Unit:
    payload = Payload(table="conversations", row=0, location="path", detail="", direction="sent",
                      data=target, ref=Reference(file="p"))  # fmt: skip
    return Unit(row=unit.row, payloads=[payload])


def onward(*units: Unit, proxies=frozenset({PROXY}), accounted=frozenset(), **tables) -> dict:
    return onward_of_missed({"conversations": list(units)} | tables, accounted, proxies)


def test_what_a_connect_names_is_what_the_proxy_sent_on():
    found = onward(connect(TO_PROXY, b"198.51.100.7:443"), ONWARD)
    assert found == {ONWARD.row["conversation"]: TO_PROXY.row["conversation"]}


def test_a_name_tells_it_too():
    found = onward(
        connect(TO_PROXY, b"Api.Example:443"), Unit(row=ONWARD.row | {"host": "api.example"})
    )
    assert len(found) == 1


def test_the_same_request_tells_it_too():
    asked = {"method": "GET", "path": "/a", "query": ""}
    rows = [
        Unit(row=asked | {"conversation": unit.row["conversation"]}) for unit in (TO_PROXY, ONWARD)
    ]
    assert len(onward(TO_PROXY, ONWARD, http_requests=rows)) == 1


def test_what_began_before_or_after_is_the_clients_own():
    asked = connect(TO_PROXY, b"198.51.100.7:443")
    for first in (0, 6):
        assert not onward(asked, conversation("192.0.2.1:50001", "198.51.100.7:443", first, 9))


def test_another_server_is_the_clients_own():
    assert not onward(connect(TO_PROXY, b"203.0.113.1:443"), ONWARD)


def test_without_a_known_proxy_nothing_is_guessed():
    assert not onward(connect(TO_PROXY, b"198.51.100.7:443"), ONWARD, proxies=frozenset())


def test_one_of_two_alike_is_taken_and_the_other_stays_missed():
    second = conversation("192.0.2.1:50002", "198.51.100.7:443", 3, 6)
    assert len(onward(connect(TO_PROXY, b"198.51.100.7:443"), ONWARD, second)) == 1


def test_what_flows_account_for_is_left_alone():
    accounted = frozenset({ONWARD.row["conversation"]})
    assert not onward(connect(TO_PROXY, b"198.51.100.7:443"), ONWARD, accounted=accounted)
