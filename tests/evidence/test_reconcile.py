from audit.evidence.merge import Unit
from audit.evidence.reconcile import overlap, reconcile

CLIENT, PROXY, SERVER = "192.0.2.10:40000", "192.0.2.1:8080", "198.51.100.7:443"


def conversation(start: str, end: str, first: int = 0, last: int = 9, **more) -> Unit:
    def split(text):
        host, _, port = text.rpartition(":")
        return host, int(port)

    (source, sport), (target, dport) = split(start), split(end)
    row = {
        "conversation": f"tcp {start} > {end}", "proto": "tcp", "originator_ip": source,
        "originator_port": sport, "responder_ip": target, "responder_port": dport,
        "first_seen": f"2024-01-01T00:00:{first:02}Z", "last_seen": f"2024-01-01T00:00:{last:02}Z",
    }  # fmt: skip
    return Unit(row=row | more)


def units(*rows: Unit) -> dict:
    return {"conversations": list(rows)}


def test_a_conversation_that_both_name_alike_stays():
    packets, proxy = units(conversation(CLIENT, SERVER)), units(conversation(CLIENT, SERVER))
    found = reconcile(packets, proxy, {})
    assert not found.names
    assert proxy["conversations"][0].row["conversation"] == f"tcp {CLIENT} > {SERVER}"


def test_through_an_explicit_proxy_the_clients_end_tells_the_conversation():
    packets = units(conversation(CLIENT, PROXY))
    proxy = units(conversation(CLIENT, "api.example:443", responder_ip=SERVER.partition(":")[0]))
    proxy["http_requests"] = [Unit(row={"conversation": f"tcp {CLIENT} > api.example:443"})]
    found = reconcile(packets, proxy, {})
    assert found.names == {f"tcp {CLIENT} > api.example:443": f"tcp {CLIENT} > {PROXY}"}
    assert proxy["http_requests"][0].row["conversation"] == f"tcp {CLIENT} > {PROXY}"
    row = packets["conversations"][0].row
    assert (row["responder_ip"], row["responder_port"]) == ("198.51.100.7", 443)
    assert row["conversation"] == f"tcp {CLIENT} > {PROXY}"


def test_a_port_used_again_later_is_another_conversation():
    packets = units(
        conversation(CLIENT, PROXY, 40, 50), conversation(CLIENT, "192.0.2.1:9090", 0, 5)
    )
    proxy = units(conversation(CLIENT, "api.example:443", 41, 49))
    assert reconcile(packets, proxy, {}).names == {
        f"tcp {CLIENT} > api.example:443": f"tcp {CLIENT} > {PROXY}"
    }


def test_what_could_be_two_conversations_is_none():
    packets = units(conversation(CLIENT, PROXY), conversation(CLIENT, "192.0.2.1:9090"))
    assert not reconcile(packets, units(conversation(CLIENT, "api.example:443")), {}).names


def test_the_dumps_own_word_decides_between_them():
    packets = units(conversation(CLIENT, PROXY), conversation(CLIENT, "192.0.2.1:9090"))
    name = f"tcp {CLIENT} > api.example:443"
    found = reconcile(
        packets,
        units(conversation(CLIENT, "api.example:443")),
        {name: (f"tcp {CLIENT} > {PROXY}",)},
    )
    assert found.names == {name: f"tcp {CLIENT} > {PROXY}"}


def test_what_the_proxy_sent_on_is_no_conversation_of_the_client():
    onward = conversation("192.0.2.1:50000", SERVER)
    packets = units(conversation(CLIENT, SERVER), onward)
    legs = {f"tcp {CLIENT} > {SERVER}": (str(onward.row["conversation"]),)}
    found = reconcile(packets, units(conversation(CLIENT, SERVER)), legs)
    assert found.onward == {"tcp 192.0.2.1:50000 > 198.51.100.7:443": f"tcp {CLIENT} > {SERVER}"}


def test_packets_taken_behind_the_proxy_are_told_by_what_it_sent_on():
    """Through an upstream proxy too: the dump names the end that it really reached."""
    onward = conversation("192.0.2.1:50000", "203.0.113.9:3128")
    packets = units(onward)
    name = f"tcp {CLIENT} > api.example:443"
    found = reconcile(
        packets,
        units(conversation(CLIENT, "api.example:443")),
        {name: (str(onward.row["conversation"]),)},
    )
    assert found.names == {name: onward.row["conversation"]}
    assert not found.onward


def test_conversations_overlap_within_the_clocks_play():
    one, other = conversation(CLIENT, PROXY, 10, 20).row, conversation(CLIENT, PROXY, 24, 30).row
    assert overlap(one, other)
    assert not overlap(one, conversation(CLIENT, PROXY, 26, 30).row)
    assert overlap(one, {})
