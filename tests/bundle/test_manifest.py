import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.layout import MANIFEST
from audit.bundle.manifest import Drops, Network, Rung, read_manifest
from audit.errors import CaptureError
from tests.bundle.bundles import make_manifest


def test_what_was_written_is_read(tmp_path):
    manifest = make_manifest(
        network=Network(client=("198.18.0.7",), echo="198.18.0.1"),
        ladder=(Rung(name="netns", works=True),),
        drops={"packets": Drops(received=3)},
        truncated=("cut",),
    )
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_replacing_the_manifest_leaves_no_other_file(tmp_path):
    make_manifest().write(tmp_path)
    make_manifest(status="complete").write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    assert read_manifest(tmp_path).status == "complete"


def test_a_folder_without_a_manifest_is_no_capture(tmp_path):
    with pytest.raises(CaptureError, match="no capture") as caught:
        read_manifest(tmp_path)
    assert caught.value.source == str(tmp_path)
    assert caught.value.hint


def test_another_schema_is_refused_by_name(tmp_path):
    make_manifest().write(tmp_path)
    data = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(data | {"schema": "audit/capture@2"}))
    with pytest.raises(CaptureError, match="audit/capture@1: schema"):
        read_manifest(tmp_path)


def test_a_key_that_nobody_knows_is_refused_with_its_name(tmp_path):
    make_manifest().write(tmp_path)
    data = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(data | {"colour": "red"}))
    with pytest.raises(CaptureError, match="colour"):
        read_manifest(tmp_path)


@given(
    data=st.binary(max_size=300)
    | st.text(max_size=100).map(lambda t: json.dumps({"schema": t}).encode())
)
def test_any_bytes_give_a_capture_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("manifest")
    (folder / MANIFEST).write_bytes(data)
    with pytest.raises(CaptureError):
        read_manifest(folder)
