import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring as theirs

from audit.readers.tnetstring import CutError, OversizeError, TnetstringError, decode, records

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.binary(max_size=40)
    | st.text(max_size=40).filter(lambda text: text.isprintable())
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_what_mitmproxy_writes_is_read_alike(value):
    assert decode(theirs.dumps(value)) == value


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_raise_their_one_error(data):
    with contextlib.suppress(TnetstringError):
        decode(data)


@given(values, st.data())
def test_any_cut_of_a_dump_is_told_from_garbage(tmp_path_factory, value, data):
    whole = theirs.dumps(value)
    at = data.draw(st.integers(1, max(1, len(whole) - 1)))
    path = tmp_path_factory.mktemp("cut") / "flows.mitm"
    path.write_bytes(whole + whole[:at])
    if at == len(whole):
        assert list(records(path)) == [whole, whole]
        return
    reading = records(path)
    assert next(reading) == whole
    with pytest.raises(CutError):
        next(reading)


def test_values_that_nobody_reads_are_stepped_over():
    data = theirs.dumps({"keep": 1, "skip": {"deep": [1, 2]}, "last": b"x"})
    assert decode(data, frozenset({"skip"})) == {"keep": 1, "skip": None, "last": b"x"}


def test_nesting_is_bounded():
    value: object = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(TnetstringError, match="deep"):
        decode(theirs.dumps(value))


def test_a_length_that_leads_out_of_its_list_is_refused():
    with pytest.raises(TnetstringError):
        decode(b"4:9:a,]")


@pytest.mark.parametrize(
    "text", [b"1:x#", b"70:" + b"9" * 70 + b"#", b"3:yes!", b"1:a~", b"1:\xff;", b"1:a?"]
)
def test_wrong_scalars_are_refused(text):
    with pytest.raises(TnetstringError):
        decode(text)


def test_a_record_beyond_the_bound_is_stepped_over(tmp_path, monkeypatch):
    monkeypatch.setattr("audit.readers.tnetstring.MAX_RECORD", 10)
    path = tmp_path / "flows.mitm"
    path.write_bytes(theirs.dumps(b"x" * 11) + theirs.dumps(b"y"))
    first, second = records(path)
    assert isinstance(first, OversizeError)
    assert second == b"1:y,"


def test_lengths_are_digits_alone():
    for text in (b"+1:a,", b" 1:a,", b"1_0:aaaaaaaaaa,"):
        with pytest.raises(TnetstringError):
            decode(text)
    assert theirs.load(io.BytesIO(b"1:a,")) == decode(b"1:a,")
