"""The add-on's hooks, called as mitmproxy calls them."""

import asyncio
import functools
import json
import warnings

import pytest

from audit.record.proxy_config import ProxyConfig
from tests.record.recordings import flows, json_lines

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a library below mitmproxy, on newer Pythons
    from mitmproxy import tls
    from mitmproxy.addons.proxyauth import ProxyAuth
    from mitmproxy.proxy import context
    from mitmproxy.test import taddons, tflow

    from audit.record.proxy_addon import Recording


def in_a_loop(test):
    """Runs a test inside an event loop, where mitmproxy expects to be."""

    @functools.wraps(test)
    def run(*arguments, **named):
        async def go():
            test(*arguments, **named)

        asyncio.run(go())

    return run


@pytest.fixture
def make(tmp_path, capsys):
    """Makes the add-on; the flows and TLS lines are read back with ``kept`` and ``noted``."""

    class Made:
        def __init__(self, **config):
            self.addon = Recording(
                ProxyConfig(flows=str(tmp_path / "flows"), tls=str(tmp_path / "tls"), **config)
            )

        def kept(self):
            return flows(tmp_path / "flows")

        def noted(self):
            return json_lines(tmp_path / "tls")

        def said(self):
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return Made


def connection(options, server=("203.0.113.5", 443), peer=("198.18.0.7", 40000)):
    client = tflow.tclient_conn()
    client.peername, client.sni = peer, "shop.example"
    made = context.Context(client, options)
    made.server.address = server
    return made


def hello(made):
    data = tls.ClientHelloData(made, None)
    data.client_hello = type("Hello", (), {"sni": "shop.example"})()
    return data


def failed(made, error):
    conn = made.client
    conn.error = error
    return tls.TlsData(conn, made)


@in_a_loop
def test_a_flow_is_kept_once_when_it_is_whole(make):
    made = make()
    with taddons.context(made.addon, ProxyAuth()):
        flow = tflow.tflow(resp=True)
        made.addon.requestheaders(flow)
        made.addon.request(flow)
        assert made.kept() == []
        made.addon.response(flow)
        assert [f.id for f in made.kept()] == [flow.id]
        made.addon.done()
    assert len(made.kept()) == 1
    assert made.said() == [{"flows": 1}]


@in_a_loop
def test_a_websocket_is_kept_once_when_it_closes(make):
    made = make()
    with taddons.context(made.addon, ProxyAuth()):
        flow = tflow.twebsocketflow()
        made.addon.requestheaders(flow)
        made.addon.response(flow)
        made.addon.error(flow)
        assert made.kept() == []
        made.addon.websocket_end(flow)
        made.addon.done()
    (kept,) = made.kept()
    assert len(kept.websocket.messages) == len(flow.websocket.messages) > 0


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@in_a_loop
def test_streams_of_an_unknown_protocol_are_kept(make, kind):
    made = make()
    with taddons.context(made.addon, ProxyAuth()):
        flow = {"tcp": tflow.ttcpflow, "udp": tflow.tudpflow}[kind]()
        getattr(made.addon, f"{kind}_start")(flow)
        getattr(made.addon, f"{kind}_end")(flow)
    assert [f.type for f in made.kept()] == [kind]


@in_a_loop
def test_what_is_open_at_the_end_is_kept_and_what_comes_later_is_not_kept_twice(make):
    made = make()
    with taddons.context(made.addon, ProxyAuth()):
        flow = tflow.tflow()
        made.addon.requestheaders(flow)
        made.addon.done()
        made.addon.error(flow)
    assert [f.id for f in made.kept()] == [flow.id]


@in_a_loop
def test_the_proxys_own_secret_is_taken_out_and_strangers_are_left_out(make):
    made = make()
    with taddons.context(made.addon, auth := ProxyAuth()) as stage:
        stage.configure(auth, proxyauth="audit:secret")
        ours, stranger = tflow.tflow(resp=True), tflow.tflow(resp=True)
        ours.metadata["proxyauth"] = ("audit", "secret")
        made.addon.response(ours)
        made.addon.response(stranger)
    (kept,) = made.kept()
    assert kept.id == ours.id
    assert "proxyauth" not in kept.metadata


@in_a_loop
def test_the_control_is_answered_where_there_is_no_gateway(make):
    made = make(echo="198.18.0.1")
    with taddons.context(made.addon, ProxyAuth()):
        control, other = tflow.tflow(), tflow.tflow()
        control.request.host, control.request.path = "198.18.0.1", "/token"
        made.addon.request(control)
        made.addon.request(other)
    assert control.response.text == "/token\n"
    assert other.response is None


@in_a_loop
def test_every_tls_attempt_is_noted_with_its_outcome(make):
    made = make()
    with taddons.context(made.addon) as stage:
        good = connection(stage.options)
        made.addon.tls_clienthello(hello(good))
        made.addon.tls_established_client(tls.TlsData(good.client, good))
        bad = connection(
            stage.options, server=("2001:db8::5", 443), peer=("::ffff:198.18.0.7", 40001)
        )
        made.addon.tls_failed_client(failed(bad, "the client disconnected during the handshake"))
        made.addon.tls_failed_server(failed(connection(stage.options), "no shared cipher"))
    assert [
        (line["client"], line["server"], line["sni"], line["outcome"]) for line in made.noted()
    ] == [
        ("198.18.0.7:40000", "203.0.113.5:443", "shop.example", "decrypted"),
        ("198.18.0.7:40001", "[2001:db8::5]:443", "shop.example", "refused-by-client"),
        ("198.18.0.7:40000", "203.0.113.5:443", "shop.example", "refused-by-server"),
    ]
    assert made.noted()[1]["reason"] == "the client disconnected during the handshake"
    assert all(line["ts"].endswith("Z") for line in made.noted())


@in_a_loop
def test_after_a_refusal_the_same_server_is_let_through_and_no_other(make):
    made = make()
    with taddons.context(made.addon) as stage:
        made.addon.tls_failed_client(failed(connection(stage.options), "unknown ca"))
        again, other = (
            hello(connection(stage.options)),
            hello(connection(stage.options, server=("203.0.113.6", 443))),
        )
        made.addon.tls_clienthello(again)
        made.addon.tls_clienthello(other)
    assert again.ignore_connection
    assert not other.ignore_connection
    assert made.noted()[-1]["outcome"] == "passed-through"


@in_a_loop
def test_in_the_passive_pass_only_the_control_is_opened(make):
    made = make(intercept=False, echo="198.18.0.1")
    with taddons.context(made.addon) as stage:
        control, other = (
            hello(connection(stage.options, server=("198.18.0.1", 443))),
            hello(connection(stage.options)),
        )
        made.addon.tls_clienthello(control)
        made.addon.tls_clienthello(other)
    assert not control.ignore_connection
    assert other.ignore_connection


def test_announced_addresses_lead_to_their_stand_ins_and_no_other_leaves(make):
    made = make(
        map={"203.0.113.5:443": "127.0.0.1:4000", "[2001:db8::5]:443": "127.0.0.1:4001"},
        only_mapped=True,
    )
    reached = []

    async def connect(_factory, host=None, port=None, **options):
        reached.append((host, port, options))

    async def run():
        loop = asyncio.get_running_loop()
        loop.create_connection = connect
        made.addon._lead_to_stand_ins()
        await loop.create_connection(None, "203.0.113.5", 443, local_addr=("1.2.3.4", 0))
        await loop.create_connection(None, "2001:db8::5", 443)
        with pytest.raises(ConnectionRefusedError, match=r"203.0.113.9:443 is not in the lab"):
            await loop.create_connection(None, "203.0.113.9", 443)

    asyncio.run(run())
    assert reached == [("127.0.0.1", 4000, {}), ("127.0.0.1", 4001, {})]


@in_a_loop
def test_a_full_disk_is_told_and_does_not_end_the_proxy(make, monkeypatch):
    import errno
    import os

    made = make()
    with taddons.context(made.addon, ProxyAuth()):

        def full(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        made.addon.response(tflow.tflow(resp=True))
        monkeypatch.undo()
    assert made.said() == [{"error": "the disk is full, flows is cut short"}]
