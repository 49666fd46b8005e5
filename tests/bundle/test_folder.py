import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.folder import files_in, open_bundle, verify_digests
from audit.bundle.layout import JOURNAL, MANIFEST
from audit.errors import CaptureError
from tests.bundle.bundles import make_bundle, make_line, make_manifest


def test_a_complete_bundle_opens_whole(tmp_path):
    folder = make_bundle(tmp_path / "b", make_line(note="hello"))
    bundle = open_bundle(folder)
    assert bundle.truncated == ()
    assert [line.note for line in bundle.journal] == ["hello"]
    assert bundle.path(JOURNAL) == folder / JOURNAL
    assert bundle.path("flows.mitm") is None


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_is_found(tmp_path_factory, position, bit):
    folder = make_bundle(tmp_path_factory.mktemp("bundle") / "b")
    path = folder / JOURNAL
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(CaptureError, match="was changed after the recording"):
        open_bundle(folder)


def test_a_missing_and_an_added_file_are_found(tmp_path):
    folder = make_bundle(tmp_path / "b")
    (folder / JOURNAL).rename(folder / "other.jsonl")
    manifest = make_manifest(status="complete", files={JOURNAL: "0" * 64})
    assert verify_digests(folder, manifest) == [
        "journal.jsonl is missing",
        "other.jsonl is not in the manifest",
    ]
    with pytest.raises(CaptureError, match="and 1 more"):
        open_bundle(folder)


def test_a_bundle_in_state_recording_opens_as_truncated(tmp_path):
    make_manifest().write(tmp_path)
    bundle = open_bundle(tmp_path)
    assert bundle.truncated == ("the recorder did not finish: the bundle is in state 'recording'",)


def test_what_the_recorder_calls_incomplete_stays_so(tmp_path):
    bundle = open_bundle(
        make_bundle(tmp_path / "b", truncated=("the client ended with exit code 1",))
    )
    assert bundle.truncated == ("the client ended with exit code 1",)


def test_the_digest_locates_the_files_and_not_the_folder(tmp_path):
    one, two = (open_bundle(make_bundle(tmp_path / name)) for name in ("one", "two"))
    other = open_bundle(make_bundle(tmp_path / "three", make_line(note="other")))
    assert one.digest == two.digest != other.digest


def test_files_are_named_with_slashes_and_without_the_manifest(tmp_path):
    (tmp_path / "server").mkdir()
    for name in ("server/log.txt", "flows.mitm", MANIFEST, MANIFEST + ".part"):
        (tmp_path / name).write_text("x")
    (tmp_path / "server" / MANIFEST).write_text("{}")
    assert files_in(tmp_path) == ["flows.mitm", f"server/{MANIFEST}", "server/log.txt"]


def test_a_link_is_no_part_of_a_bundle(tmp_path):
    folder = make_bundle(tmp_path / "b")
    (tmp_path / "elsewhere").write_text("foreign")
    (folder / "flows.mitm").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CaptureError, match="no plain file"):
        open_bundle(folder)
