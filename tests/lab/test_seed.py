"""The node list of a seed."""

import json

import pytest

from audit.lab.addresses import NODES
from audit.lab.network import make_nodes
from audit.lab.seed import list_nodes
from tests.lab.conftest import RunningLab

ASKED = {"public_ip": True, "storage_port": True, "pubkey_x25519": True, "pubkey_ed25519": True}


@pytest.mark.parametrize("fields", [ASKED, list(ASKED)])
def test_only_the_fields_asked_for_are_given(fields: object) -> None:
    answer = list_nodes(make_nodes(), {"fields": fields})
    assert len(answer["service_node_states"]) == len(NODES)
    assert all(set(state) == set(ASKED) for state in answer["service_node_states"])
    assert set(answer) == {"service_node_states", "status"}


@pytest.mark.parametrize("params", [{}, {"fields": {}}, {"fields": ["all"]}, {"fields": 7}])
def test_without_fields_everything_is_given(params: dict) -> None:
    state = list_nodes(make_nodes(), params)["service_node_states"][0]
    assert {"swarm_id", "service_node_pubkey", *ASKED} <= set(state)


def test_a_limit_draws_so_many() -> None:
    assert len(list_nodes(make_nodes(), {"limit": 4})["service_node_states"]) == 4


@pytest.mark.parametrize("port", [80, 443, 4443])
def test_seeds_answer_plain_and_over_tls(lab: RunningLab, port: int) -> None:
    call = {"jsonrpc": "2.0", "id": 5, "method": "get_n_service_nodes", "params": {"fields": ASKED}}
    place = f"seed2.getsession.org:{port}"
    status, body, headers = lab.ask(
        place, "POST", "/json_rpc", json.dumps(call).encode(), tls=port != 80
    )
    assert status == 200
    assert "date" in headers
    answer = json.loads(body)
    assert answer["id"] == 5
    found = {state["public_ip"] for state in answer["result"]["service_node_states"]}
    assert found == set(NODES.values())


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", -32_700), (b"[]", -32_600), (b'{"method": "get_info"}', -32_601)],
)
def test_what_a_seed_does_not_know_is_an_error(lab: RunningLab, body: bytes, code: int) -> None:
    _, answer, _ = lab.ask("seed1.getsession.org:80", "POST", "/json_rpc", body)
    assert json.loads(answer)["error"]["code"] == code


def test_unknown_paths_are_404_and_noted(lab: RunningLab) -> None:
    status, _, _ = lab.ask("seed3.getsession.org:80", "GET", "/unknown-to-seeds")
    assert status == 404
    (row,) = lab.wait_learned(path="/unknown-to-seeds")
    assert (row["standin"], row["status"]) == ("seed3", 404)
