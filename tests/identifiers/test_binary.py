from audit.identifiers.binary import walk_protobuf


def test_four_bytes_of_a_message_are_an_address_first() -> None:
    for address in ("192.168.1.5", "240.191.103.43", "136.200.12.7", "8.0.8.0", "18.2.65.66"):
        packed = bytes(int(part) for part in address.split("."))
        leaves = walk_protobuf(b"\x08\x01\x12\x04" + packed)
        assert leaves is not None
        assert (leaves[-1].start, leaves[-1].end, leaves[-1].type) == (4, 8, "bytes")
