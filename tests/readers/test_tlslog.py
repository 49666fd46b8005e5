import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CaptureError
from audit.readers.tlslog import read_tls_log
from audit.tables.frames import make_frame


def line(outcome: str, **more: object) -> str:
    entry = {
        "ts": "2026-01-01T00:00:00.5Z",
        "client": "192.0.2.10:40000",
        "server": "198.51.100.7:443",
        "sni": "Api.example",
        "outcome": outcome,
        "reason": "because",
    }
    return json.dumps(entry | more) + "\n"


def read(folder, text: str | bytes):
    path = folder / "tls.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_tls_log(path, "c1")


@pytest.mark.parametrize(
    ("outcome", "transport", "refused_by", "content"),
    [
        ("passed-through", "tls-passthrough", None, "opaque"),
        ("refused-by-client", "pinned-refused", "client", "empty"),
        ("refused-by-server", "metadata-only", "server", "empty"),
    ],
)
def test_what_was_not_decrypted_is_a_handshake_and_a_conversation(
    tmp_path, outcome, transport, refused_by, content
):
    log = read(tmp_path, line(outcome))
    (row,) = log.extract.rows["tls_handshakes"]
    assert (row["transport"], row["refused_by"], row["sni"]) == (
        transport,
        refused_by,
        "api.example",
    )
    assert row["ref"] == "tls.jsonl#1"
    (conversation,) = log.closed.values()
    assert conversation["conversation"] == "tcp 192.0.2.10:40000 > 198.51.100.7:443"
    assert (conversation["transport"], conversation["content"]) == (transport, content)
    make_frame("tls_handshakes", [row])
    make_frame("conversations", [conversation])


def test_a_decrypted_connection_is_no_conversation_of_its_own(tmp_path):
    log = read(tmp_path, line("decrypted"))
    assert len(log.extract.rows["tls_handshakes"]) == 1
    assert not log.closed
    assert log.outcomes["tcp 192.0.2.10:40000 > 198.51.100.7:443"].outcome == "decrypted"


def test_the_last_outcome_of_a_conversation_holds(tmp_path):
    log = read(tmp_path, line("refused-by-server") + line("decrypted"))
    assert not log.closed
    assert len(log.extract.rows["tls_handshakes"]) == 2


def test_a_server_may_be_named_and_ipv6(tmp_path):
    log = read(
        tmp_path, line("passed-through", client="[2001:db8::1]:4000", server="api.example:443")
    )
    (row,) = log.closed.values()
    assert row["conversation"] == "tcp [2001:db8::1]:4000 > api.example:443"
    assert (row["host"], row["responder_ip"]) == ("api.example", None)


def test_a_half_written_last_line_is_said(tmp_path):
    log = read(tmp_path, line("decrypted") + line("decrypted")[:20])
    assert log.extract.truncated == ["tls.jsonl ends in the middle of line 2"]


def test_a_wrong_line_is_named_with_its_number(tmp_path):
    with pytest.raises(CaptureError, match=r"tls\.jsonl:1"):
        read(tmp_path, line("melted") + line("decrypted"))


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_one_error(tmp_path_factory, data):
    with contextlib.suppress(CaptureError):
        read(tmp_path_factory.mktemp("any"), data)


@given(
    st.dictionaries(
        st.sampled_from(["ts", "client", "server", "sni", "outcome", "reason"]),
        st.none() | st.integers() | st.text(max_size=12) | st.just("passed-through") | st.just([]),
    )
)
def test_any_values_give_rows_or_one_error(tmp_path_factory, values):
    try:
        log = read(tmp_path_factory.mktemp("any"), line(**({"outcome": "decrypted"} | values)))
    except CaptureError:
        return
    make_frame("tls_handshakes", log.extract.rows.get("tls_handshakes", ()))
    make_frame("conversations", log.closed.values())


def test_a_log_beyond_the_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.tlslog.MAX_BYTES", 10)
    path = tmp_path / "tls.jsonl"
    path.write_bytes(b" " * 11)
    with pytest.raises(CaptureError, match="larger"):
        read_tls_log(path, "c1")
