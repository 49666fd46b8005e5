import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle import pcapng
from audit.errors import CaptureError

FRAME = bytes.fromhex("ffffffffffff0200000000010806") + bytes(46)
SECRET = b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"
PACKETS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2**63),
        st.binary(max_size=70),
        st.integers(0, 9),
        st.booleans(),
    ),
    max_size=6,
)


def write(path, packets, *, secrets=(), interfaces=("eth0", "lo")):
    writer = pcapng.PcapngWriter(path, application="test", system="test")
    for name in interfaces:
        writer.add_interface(name, pcapng.ETHERNET)
    for interface, ts, data, more, outbound in packets:
        writer.add_packet(interface, ts, data, len(data) + more, outbound=outbound)
    for lines in secrets:
        writer.add_secrets(lines)
    for number, _ in enumerate(interfaces):
        writer.add_statistics(number, 5, received=len(packets), dropped=0, comment="all")
    writer.close()
    return path


def blocks(path):
    """Split a file into (type, body) by the lengths at both ends of each block."""
    data, found = path.read_bytes(), []
    while data:
        kind, length = struct.unpack("<II", data[:8])
        assert length % 4 == 0
        assert struct.unpack("<I", data[length - 4 : length]) == (length,)
        found.append((kind, data[8 : length - 4]))
        data = data[length:]
    return found


def packets_of(path):
    found = []
    for kind, body in blocks(path):
        if kind == 6:
            interface, high, low, kept, original = struct.unpack("<IIIII", body[:20])
            flags = struct.unpack("<HHI", body[20 + kept + -kept % 4 :][:8])
            found.append(
                (
                    interface,
                    high << 32 | low,
                    body[20 : 20 + kept],
                    original - kept,
                    flags == (2, 4, 2),
                )
            )
    return found


@given(packets=PACKETS)
def test_every_frame_is_kept_with_time_length_and_direction(tmp_path_factory, packets):
    path = write(tmp_path_factory.mktemp("pcapng") / "p", packets)
    assert packets_of(path) == packets


@given(packets=PACKETS, cut=st.integers(min_value=0))
def test_a_killed_writer_leaves_whole_blocks_and_one_cut_one(tmp_path_factory, packets, cut):
    path = write(tmp_path_factory.mktemp("pcapng") / "p", packets)
    data = path.read_bytes()
    path.write_bytes(data[: cut % (len(data) + 1)])
    with path.open("rb") as file:
        try:
            while pcapng._read_block(file, path):
                pass
        except CaptureError as error:
            assert error.source == str(path)  # noqa: PT017 - a cut block is told as such


@given(packets=PACKETS)
def test_moved_secrets_stand_before_the_first_packet_and_nothing_else_changes(
    tmp_path_factory, packets
):
    path = write(tmp_path_factory.mktemp("pcapng") / "p", packets, secrets=[SECRET[:-1], SECRET])
    rest = [block for block in blocks(path) if block[0] != 10]
    pcapng.move_secrets_first(path, SECRET)
    moved = blocks(path)
    assert [kind for kind, _ in moved[:2]] == [0x0A0D0D0A, 10]
    kind, length = struct.unpack("<II", moved[1][1][:8])
    assert (kind, moved[1][1][8 : 8 + length]) == (0x544C534B, SECRET)
    assert [block for block in moved if block[0] != 10] == rest


def test_without_secrets_no_secrets_block_is_left(tmp_path):
    path = write(tmp_path / "p", [], secrets=[SECRET])
    pcapng.move_secrets_first(path, b"")
    assert 10 not in [kind for kind, _ in blocks(path)]


def test_a_cut_file_stays_as_it_was(tmp_path):
    path = write(tmp_path / "p", [(0, 1, FRAME, 0, True)], secrets=[SECRET])
    path.write_bytes(path.read_bytes()[:-5])
    before = path.read_bytes()
    with pytest.raises(CaptureError, match="middle of a block"):
        pcapng.move_secrets_first(path, SECRET)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["p"]


def test_an_existing_file_is_never_overwritten(tmp_path):
    (tmp_path / "p").write_bytes(b"evidence")
    with pytest.raises(FileExistsError):
        pcapng.PcapngWriter(tmp_path / "p", application="test", system="test")


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_wireshark_reads_names_times_and_directions(tmp_path):
    path = write(
        tmp_path / "p",
        [
            (0, 1_700_000_000_123_456_789, FRAME, 0, True),
            (1, 1_700_000_001_000_000_001, FRAME, 40, False),
        ],
        secrets=[SECRET],
    )
    pcapng.move_secrets_first(path, SECRET)
    fields = [
        "frame.interface_name",
        "frame.time_epoch",
        "frame.cap_len",
        "frame.len",
        "frame.packet_flags_direction",
    ]
    run = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    first, second = (line.split("\t") for line in run.stdout.splitlines())
    assert first[:4] == ["eth0", "1700000000.123456789", "60", "60"]
    assert second[:4] == ["lo", "1700000001.000000001", "60", "100"]
    assert [int(row[4], 0) for row in (first, second)] == [2, 1]
