import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.identity import Identifier, Identity, make_identity, read_identity
from audit.bundle.layout import IDENTITY
from audit.errors import CaptureError

IDENTIFIERS = st.lists(
    st.builds(
        Identifier,
        st.sampled_from(["email", "mac", "message"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    ),
    max_size=5,
)


@given(found=IDENTIFIERS)
def test_what_was_written_is_read(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("identity")
    identity = make_identity(found)
    identity.write(folder)
    assert read_identity(folder / IDENTITY) == identity


def test_the_file_is_for_its_owner_alone(tmp_path):
    make_identity([Identifier("email", "a@mail.example")]).write(tmp_path)
    assert stat.S_IMODE((tmp_path / IDENTITY).stat().st_mode) == 0o600


@given(found=IDENTIFIERS, order=st.randoms())
def test_one_subject_has_one_key_whatever_the_order(found, order):
    shuffled = [*found, *found]
    order.shuffle(shuffled)
    assert make_identity(shuffled).key() == make_identity(found).key()


def test_another_value_makes_another_key():
    keys = {make_identity([Identifier("email", f"{n}@mail.example")]).key() for n in range(9)}
    assert len(keys) == 9


def test_whether_a_value_is_a_canary_does_not_change_the_key():
    canary, found = (
        make_identity([Identifier("mac", "02:00:00:00:00:01", made)]) for made in (True, False)
    )
    assert canary.key() == found.key()


def test_without_identifiers_there_is_no_key():
    assert Identity().key() is None


def test_empty_values_are_dropped():
    assert make_identity([Identifier("email", "")]) == Identity()


@pytest.mark.parametrize(
    "data",
    [[], {}, {"schema": "audit/identity@2"}, {"schema": "audit/identity@1", "identifiers": [{"kind": "email"}]},
     {"schema": "audit/identity@1", "identifiers": {}}, {"schema": "audit/identity@1", "identifiers": [{"kind": 1, "value": "x"}]}],
)  # fmt: skip
def test_another_shape_is_refused(tmp_path, data):
    (tmp_path / IDENTITY).write_text(json.dumps(data))
    with pytest.raises(CaptureError) as caught:
        read_identity(tmp_path / IDENTITY)
    assert caught.value.source == str(tmp_path / IDENTITY)


@given(data=st.binary(max_size=100))
def test_any_bytes_give_a_capture_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("identity") / IDENTITY
    path.write_bytes(data)
    with pytest.raises(CaptureError):
        read_identity(path)
