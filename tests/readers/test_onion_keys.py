import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.onion_keys import read_node_keys
from tests.readers import onions


def test_keys_read_back_and_do_not_show(tmp_path):
    (node,) = onions.nodes(1)
    (key,) = read_node_keys(onions.write_keys(tmp_path, [node]))
    assert (key.private, key.name, key.host, key.port) == (
        node.private,
        node.name,
        "203.0.113.1",
        22021,
    )
    assert node.private.hex() not in repr(key)
    assert str(node.private) not in repr(key)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"x25519_private": "zz" * 32},
        {"x25519_private": "00"},
        {"x25519_private": "00" * 32, "endpoint": 7},
        7,
    ],
)
def test_a_wrong_entry_is_named(tmp_path, entry):
    path = tmp_path / "onion-keys.json"
    path.write_text(
        json.dumps({"schema": "audit/onion-keys@1", "keys": [{"x25519_private": "00" * 32}, entry]})
    )
    with pytest.raises(CaptureError, match=r"onion-keys\.json:2"):
        read_node_keys(path)


@given(
    st.binary(max_size=60) | st.from_regex(rb'\{"schema": "audit/onion-keys@1", "keys": .{0,9}\}')
)
def test_any_bytes_are_keys_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "onion-keys.json"
    path.write_bytes(data)
    with contextlib.suppress(CaptureError):
        read_node_keys(path)
