import stat

import pytest

from audit.bundle.folder import open_bundle
from audit.bundle.identity import Identifier
from audit.bundle.manifest import Client
from audit.errors import UsageError
from audit.record.new_bundle import NewBundle, shown_command, tool_versions
from tests.record.recordings import make_plan


@pytest.fixture
def bundle(tmp_path):
    made = NewBundle(make_plan(tmp_path / "b"), Client(name="x"), "Europe/Paris")
    yield made
    made.journal.close()


def test_a_bundle_opens_from_the_first_moment_on(bundle):
    opened = open_bundle(bundle.folder)
    assert opened.manifest.status == "recording"
    assert opened.truncated
    assert opened.manifest.time_zone == "Europe/Paris"


def test_identifiers_are_kept_as_they_become_known(bundle):
    bundle.learn([Identifier("email", "a@mail.example")])
    bundle.learn([Identifier("email", "a@mail.example"), Identifier("account_id", "05ab")])
    assert [item.kind for item in open_bundle(bundle.folder).identity.identifiers] == [
        "account_id",
        "email",
    ]


def test_values_are_blanked_the_longest_first_and_tiny_ones_not_at_all(bundle):
    bundle.learn(
        [
            Identifier("email", "marie@mail.example"),
            Identifier("user_name", "marie"),
            Identifier("locale", "fr"),
        ]
    )
    assert (
        bundle.blank("I am marie@mail.example alias marie, from")
        == "I am [email] alias [user_name], from"
    )


def test_keys_of_the_lab_are_for_their_owner_alone_and_absent_without_a_lab(bundle):
    bundle.write_onion_keys(())
    assert not (bundle.folder / "onion-keys.json").exists()
    bundle.write_onion_keys(({"endpoint": "203.0.113.5:443"},))
    assert stat.S_IMODE((bundle.folder / "onion-keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "a" * 101, "ümlaut"])
def test_a_name_that_is_none_is_refused_before_anything_is_made(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be the name of a capture"):
        NewBundle(make_plan(tmp_path / "b", id=name), Client(name="x"), "UTC")
    assert not any(tmp_path.iterdir())


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "b").mkdir()
    NewBundle(make_plan(tmp_path / "b"), Client(name="x"), "UTC").journal.close()
    assert (tmp_path / "b" / "capture.json").exists()


def test_a_discarded_bundle_is_gone(bundle, tmp_path):
    bundle.discard()
    assert not any(tmp_path.iterdir())


def test_a_command_is_shown_without_paths_of_the_machine():
    shown = shown_command(
        ["/home/marie/.venv/bin/python", "-m", "client", "/home/marie/x.toml", "a/b"]
    )
    assert shown == ("python", "-m", "client", "x.toml", "a/b")


def test_what_recorded_is_named():
    assert set(tool_versions()) == {"audit", "python", "mitmproxy", "kernel", "machine"}
