from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readers import wire
from tests.readers.wire import TcpTalk


def payloads(extract, direction="sent"):
    return {
        (payload.ref.start, payload.data)
        for payload in extract.payloads
        if payload.location == "payload" and payload.direction == direction
    }


def segments(pieces, *, seq=1000):
    """Packets of one direction: (offset, bytes) pairs after a handshake."""
    talk = TcpTalk(cseq=seq).open()
    ends = (wire.CLIENT, talk.cport, wire.SERVER, talk.sport)
    talk.packets += [wire.tcp(*ends, seq + 1 + at, 9001, 0x18, data) for at, data in pieces]
    return talk


def test_out_of_order_segments_are_put_in_order(tmp_path):
    extract = wire.read_talk(tmp_path, segments([(4, b"BBBB"), (0, b"AAAA"), (8, b"CC")]))
    assert payloads(extract) == {(0, b"AAAABBBBCC")}
    assert extract.truncated == []


def test_of_overlapping_bytes_the_first_copy_counts(tmp_path):
    talk = segments([(0, b"AAAA"), (2, b"xxBB"), (0, b"yyyyyyCC"), (4, b"zzzz")])
    assert payloads(wire.read_talk(tmp_path, talk)) == {
        (0, b"AAAABBCC"),  # and what came in its place
        (2, b"xxBB"),
        (0, b"yyyyyyCC"),
        (4, b"zzzz"),
    }


def test_missing_bytes_are_counted_said_and_what_follows_is_searched(tmp_path):
    extract = wire.read_talk(tmp_path, segments([(0, b"AAAA"), (10, b"CC")]))
    assert payloads(extract) == {(0, b"AAAA"), (10, b"CC")}
    assert extract.rows["conversations"][0]["missed_bytes"] == 6
    assert "6 bytes of the connection are not in the capture" in extract.truncated[0]


def test_bytes_that_were_acknowledged_but_not_seen_are_missed(tmp_path):
    talk = TcpTalk().open().sent(b"AAAA")
    talk.cseq += 100
    talk.received(b"answer")
    extract = wire.read_talk(tmp_path, talk)
    assert extract.rows["conversations"][0]["missed_bytes"] == 100


def test_sequence_numbers_may_wrap_around(tmp_path):
    extract = wire.read_talk(tmp_path, segments([(0, b"A" * 9), (9, b"B" * 9)], seq=2**32 - 5))
    assert payloads(extract) == {(0, b"A" * 9 + b"B" * 9)}


def test_a_port_used_again_is_a_connection_of_its_own(tmp_path):
    first = TcpTalk().open().sent(b"first").close()
    second = TcpTalk(cseq=77_000, sseq=88_000).open().sent(b"second").close()
    extract = wire.read_talk(tmp_path, first, second)
    assert len(extract.rows["conversations"]) == 1
    assert payloads(extract) == {(0, b"first"), (0, b"second")}


def test_a_capture_that_begins_in_the_middle_is_read_from_there(tmp_path):
    talk = TcpTalk(cseq=5, sseq=7)
    talk.received(b"late answer").sent(b"question")
    extract = wire.read_talk(tmp_path, talk)
    assert payloads(extract) == {(0, b"question")}
    assert payloads(extract, "received") == {(0, b"late answer")}


def test_segments_cut_by_snaplen_leave_a_gap(tmp_path):
    talk = TcpTalk().open().sent(b"A" * 100).sent(b"B" * 10)
    frames = wire.frames(talk.packets)
    frames[3] = (frames[3][0], frames[3][1][:-60])
    extract = wire.read(tmp_path, wire.pcapng(frames))
    assert payloads(extract) == {(0, b"A" * 40), (100, b"B" * 10)}
    assert extract.rows["conversations"][0]["missed_bytes"] == 60


def test_keep_alive_probes_add_nothing(tmp_path):
    talk = TcpTalk().open().sent(b"data")
    ends = (wire.CLIENT, talk.cport, wire.SERVER, talk.sport)
    talk.packets.append(wire.tcp(*ends, talk.cseq - 1, 9001, 0x10, b"\0"))
    extract = wire.read_talk(tmp_path, talk)
    assert payloads(extract) == {(0, b"data")}
    assert extract.truncated == []


def test_references_name_the_packets_that_carried_the_bytes(tmp_path):
    extract = wire.read_talk(tmp_path, segments([(4, b"BBBB"), (0, b"AAAA"), (0, b"AAAA")]))
    (payload,) = extract.payloads
    assert payload.ref.records == (4, 5)
    assert str(payload.ref) == "packets.pcapng#4,5:tcp.sent@0-8"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_segmentation_and_order_gives_the_same_bytes(tmp_path_factory, data):
    text = data.draw(st.binary(min_size=1, max_size=200).map(lambda raw: b"\x01" + raw))
    pieces = []
    for _ in range(data.draw(st.integers(0, 12))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        pieces.append((start, text[start:end]))
    pieces += [(at, text[at : at + 17]) for at in range(0, len(text), 17)]
    pieces = data.draw(st.permutations(pieces))
    seq = data.draw(st.integers(0, 2**32 - 1))
    folder = tmp_path_factory.mktemp("tcp")
    assert payloads(wire.read_talk(folder, segments(pieces, seq=seq))) == {(0, text)}


def test_a_segment_sent_again_with_other_bytes_is_searched_too(tmp_path):
    made = TcpTalk(sport=9090).open().sent(b"decoy!")
    made.cseq -= 6
    made.sent(b"canary").sent(b" and on")
    made.cseq -= 7
    extract = wire.read_talk(tmp_path, made.sent(b" and on").close())
    found = {str(p.ref): p.data for p in extract.payloads}
    assert found == {
        "packets.pcapng#4,6:tcp.sent@0-13": b"decoy! and on",
        "packets.pcapng#5:tcp.sent/again@0-6": b"canary",
    }
    assert extract.truncated == []


def test_a_segment_that_lies_before_the_stream_is_passed_over(tmp_path):
    talk = TcpTalk().open().sent(b"\x01hello")
    stray = wire.tcp(wire.CLIENT, talk.cport, wire.SERVER, talk.sport, 941, 9001, 0x18, b"x" * 50)
    extract = wire.read(tmp_path, wire.pcapng(wire.frames([*talk.packets, stray])))
    assert [payload.data for payload in extract.payloads] == [b"\x01hello"]
