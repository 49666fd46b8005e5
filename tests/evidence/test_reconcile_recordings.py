"""One flow out of a real recording: its 5-tuple, and nothing else, is missed by the proxy."""

import json
import random
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.pcapng import move_secrets_first
from audit.evidence.capture import read_evidence
from audit.evidence.context import EvidenceContext
from audit.evidence.sources import Source, source_of
from audit.readers.mitm import FlowOptions, read_flows

SAMPLE = Path(__file__).resolve().parents[2] / "captures" / "sample"
TINY = Path(__file__).parent / "data" / "tiny-intercepted"
TAKEN_OUT = 4
"""Flows of the larger recording that are taken out in one run, drawn anew each time."""


def records(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        colon = data.index(b":", at)
        end = colon + 2 + int(data[at:colon])
        found.append(data[at:end])
        at = end
    return found


def carriers(source: Source) -> list[object]:
    """Return the conversation of each flow, in the order of the dump."""
    found = read_flows(source.flows, FlowOptions(capture="c"))
    rows = [*found.rows.get("conversations", ()), *found.rows.get("http_requests", ())]
    by_number = {
        int(str(row["ref"]).partition("#")[2].partition(":")[0]): row["conversation"]
        for row in rows
    }
    return [by_number[number] for number in range(1, len(records(source.flows.read_bytes())) + 1)]


def missed(source: Source) -> list[tuple[object, object]]:
    found = read_evidence(source, EvidenceContext()).coverage["missed_by_proxy"]
    return [(one["conversation"], one["reason"]) for one in found]


def chosen(count: int) -> list[int]:
    return sorted(random.sample(range(count), min(TAKEN_OUT, count)))


@pytest.mark.parametrize("folder", [SAMPLE, TINY])
def test_one_flow_out_of_a_dump_is_missed_with_a_reason_and_nothing_else_is(folder, tmp_path):
    source = source_of(open_bundle(folder))
    flows, conversations = records(source.flows.read_bytes()), carriers(source)
    before = missed(source)
    path = tmp_path / "flows.mitm"
    for number in chosen(len(flows)):
        path.write_bytes(b"".join(flows[:number] + flows[number + 1 :]))
        after = [one for one in missed(replace(source, flows=path)) if one not in before]
        assert [name for name, _ in after] == [conversations[number]], f"flow {number + 1}"
        assert after[0][1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> dict:
    """The sample's flows as mitmproxy itself writes them into an HTTP archive."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mitmproxy.addons.savehar import SaveHar
        from mitmproxy.io import FlowReader
    with (SAMPLE / "flows.mitm").open("rb") as file:
        return json.loads(json.dumps(SaveHar().make_har(list(FlowReader(file).stream()))))


@pytest.mark.parametrize("has_keys", [True, False])
def test_one_entry_out_of_an_archive_is_missed_and_nothing_else_is(has_keys, archive, tmp_path):
    """The archive names no port; where the packets are closed, name and time alone tell it."""
    source = source_of(open_bundle(SAMPLE))
    conversations = carriers(source)
    packets, path = tmp_path / "packets.pcapng", tmp_path / "flows.har"
    shutil.copyfile(source.packets, packets)
    if not has_keys:
        move_secrets_first(packets, b"")
    source = replace(source, flows=None, tls=None, archive=path, packets=packets)
    entries = archive["log"]["entries"]
    assert len(entries) == len(conversations)

    def missed_without(*numbers: int) -> list[object]:
        kept = [one for number, one in enumerate(entries) if number not in numbers]
        path.write_text(json.dumps({"log": archive["log"] | {"entries": kept}}))
        return [name for name, _ in missed(source)]

    assert missed_without() == []
    for number in chosen(len(entries)):
        found = missed_without(number)
        is_shared = conversations.count(conversations[number]) > 1
        # closed packets show no single request: a conversation that others still use is not missed
        assert found == ([] if is_shared and not has_keys else [conversations[number]])


def test_an_empty_dump_missed_every_conversation_of_the_client(tmp_path):
    source = source_of(open_bundle(TINY))
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"")
    names = {name for name, _ in missed(replace(source, flows=path))}
    assert names >= set(carriers(source))
