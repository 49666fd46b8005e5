"""Layers: what came out of what, over any number of them."""

from __future__ import annotations

import numpy as np

from audit.identifiers.layer import Batch, first_layer, join, joined_batch, next_layer


def test_parts_are_joined_with_gaps_that_no_run_crosses():
    data, starts, ends = join([b"ab", b"", b"cde"])
    assert [data[s:e] for s, e in zip(starts, ends, strict=True)] == [b"ab", b"", b"cde"]
    assert data.count(b"\n\n\n") == 2


def test_results_go_back_to_the_stretch_of_layer_one_that_they_came_from():
    layer = first_layer([b"first", b"second", b"third"])
    low = layer.starts.tolist()
    one = next_layer(layer, [joined_batch("run", [b"x", b"y"], low[1:], low[1:], fields=True)])
    assert one.owners.tolist() == [0, 1]
    assert one.fields.tolist() == [True, True]
    two = next_layer(
        one, [joined_batch("run", [b"z"], [int(one.starts[1])], [int(one.ends[1])], fields=False)]
    )
    assert (two.owners.tolist(), two.depth) == ([1], 2)
    assert two.data[two.starts[0] : two.ends[0]] == b"z"


def test_of_undone_escapes_only_what_touches_them_is_new():
    layer = first_layer([b"unused"])
    batch = Batch(
        "percent",
        b"0123456789" * 3,
        np.array([0]),
        np.array([30]),
        np.array([0]),
        np.array([6]),
        fields=False,
        rank=1,
        changed=np.array([20]),
    )
    below = next_layer(layer, [batch])
    starts, ends = np.array([0, 10, 18, 25]), np.array([5, 20, 22, 30])
    assert below.is_new(starts, ends).tolist() == [False, True, True, False]
    below.ranks[:] = 0
    assert below.is_new(starts, ends).all()


def test_stretches_read_as_text_or_not():
    layer = first_layer([b"words", b"\x00\x01\x02", "Zoë".encode()])
    assert [layer.reads_as_text(number) for number in range(3)] == [True, False, True]
    assert layer.stretch_of(np.array([0, len(layer.data) - 1])).tolist() == [0, 2]
