import json

import pytest

from audit.checks.variables import Variables
from audit.errors import PolicyError
from audit.evidence.roles import assign_roles, compile_roles, split_path, values_at
from audit.yamlfile.pack import ListedRole, Variable

VARIABLES = Variables(
    declared={"hosts": Variable(type="list[host]")}, values={"hosts": ["seed.example"]}
)
LISTED = ListedRole.model_validate(
    {"address_listed_in": {"role": "seed", "json": "result.nodes[].ip"}}
)
ROLES = compile_roles({"seed": {"host|domain": "${hosts}"}, "node": LISTED}, VARIABLES, {})


def conversation(ip: str, host: str | None = None, **more) -> dict:
    return {
        "responder_ip": ip,
        "host": host,
        "recipient": host or ip,
        "proto": "tcp",
        "layer": 0,
        "conversation": ip,
    } | more


def listing(*addresses: object, host: str = "seed.example") -> dict:
    nodes = [{"ip": address} for address in addresses]
    return conversation("198.51.100.1", host) | {"json": json.dumps({"result": {"nodes": nodes}})}


RESOLVERS = frozenset({"198.51.100.53"})


def roles(*rows: dict, roles=ROLES, **tables) -> list:
    assign_roles({"conversations": list(rows), **tables}, roles, RESOLVERS)
    return [row["peer_role"] for row in rows]


def test_roles_go_by_condition_and_by_the_addresses_that_a_role_lists():
    found = roles(
        conversation("198.51.100.1", "a.seed.example"),
        conversation("203.0.113.5"),
        conversation("203.0.113.9"),
        http_responses=[listing("203.0.113.5", None, 7)],
    )
    assert found == ["seed", "node", None]


def test_only_answers_of_the_named_role_list():
    assert roles(
        conversation("203.0.113.5"), http_responses=[listing("203.0.113.5", host="liar.example")]
    ) == [None]


def test_a_listed_role_may_list_in_turn():
    further = ListedRole.model_validate(
        {"address_listed_in": {"role": "node", "json": "result.nodes[].ip"}}
    )
    chain = compile_roles(
        {"far": further, "seed": {"host|domain": "${hosts}"}, "node": LISTED}, VARIABLES, {}
    )
    answers = [
        listing("203.0.113.5"),
        listing("203.0.113.6", host="x")
        | {"host": None, "responder_ip": "203.0.113.5", "recipient": "203.0.113.5"},
    ]
    assert roles(conversation("203.0.113.6"), roles=chain, http_responses=answers) == ["far"]


def test_an_address_is_compared_in_its_shortest_form():
    assert roles(conversation("2001:db8::5"), http_responses=[listing("2001:DB8:0:0::5")]) == [
        "node"
    ]


def test_who_answers_names_is_the_resolver_in_that_conversation_alone():
    dns = [{"conversation": "udp a", "server": "198.51.100.53", "responder_ip": "198.51.100.53"}]
    found = roles(
        conversation("198.51.100.53", conversation="udp a", proto="udp", only_dns=True),
        conversation("198.51.100.53", conversation="icmp a", proto="icmp"),
        conversation("198.51.100.53", conversation="tcp a"),
        dns_queries=dns,
    )
    assert found == ["resolver", "resolver", None]
    assert dns[0]["peer_role"] == "resolver"


def test_nobody_becomes_a_resolver_by_being_asked():
    dns = [{"conversation": "udp a", "server": "198.51.100.9", "responder_ip": "198.51.100.9"}]
    found = roles(
        conversation("198.51.100.9", conversation="udp a", proto="udp", only_dns=True),
        conversation("198.51.100.9", conversation="icmp a", proto="icmp"),
        dns_queries=dns,
    )
    assert found == [None, None]


def test_a_conversation_with_a_resolver_that_carries_more_than_look_ups_is_no_look_up():
    assert roles(conversation("198.51.100.53", proto="udp", only_dns=False)) == [None]


def claim(ip: str, host: str) -> dict:
    return conversation(ip, host) | {"host_basis": "claimed", "recipient": ip}


def test_a_claimed_name_gives_no_role_and_the_claim_is_noted():
    good, other = claim("198.51.100.8", "seed.example"), claim("198.51.100.8", "x.example")
    assert roles(good, other) == [None, None]
    assert (good["claimed_role"], other["claimed_role"]) == ("seed", None)


def test_an_answer_of_a_server_that_only_claims_its_name_lists_nobody():
    liar = listing("203.0.113.5") | {"host_basis": "claimed", "recipient": "198.51.100.1"}
    assert roles(conversation("203.0.113.5"), http_responses=[liar]) == [None]


def test_an_answer_inside_the_onion_lists_nobody():
    inside = listing("203.0.113.5") | {"layer": 3}
    assert roles(conversation("203.0.113.5"), http_responses=[inside]) == [None]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_what_stays_on_the_machine_is_loopback(address):
    assert roles(conversation(address)) == ["loopback"]


def test_a_server_inside_the_onion_has_its_role_too():
    row = conversation("203.0.113.5", layer=2, conversation="tcp guard")
    assert roles(http_requests=[row], http_responses=[listing("203.0.113.5")]) == []
    assert row["peer_role"] == "node"


def test_a_wrong_rule_is_an_error_of_the_policy():
    with pytest.raises(PolicyError):
        compile_roles({"seed": {"hots": "x"}}, VARIABLES, {})


def test_paths_walk_lists_and_objects():
    data = {"a": [{"b": 1}, {"b": 2}, {"c": 3}, 4]}
    assert list(values_at(data, split_path("a[].b"))) == [1, 2]
    assert list(values_at([[1], [2, 3]], split_path("[][]"))) == [1, 2, 3]
    assert list(values_at(data, split_path("x.y"))) == []
