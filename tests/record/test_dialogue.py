import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bundle.identity import Identifier
from audit.bundle.journal import JournalWriter, read_journal
from audit.bundle.layout import JOURNAL
from audit.errors import CaptureError
from audit.record.dialogue import Dialogue, parse_driver_line

ME, FRIEND = "05" + "ab" * 32, "05" + "cd" * 32


class Talk:
    """A dialogue whose ends are lists."""

    def __init__(self, folder):
        self.folder = folder
        self.to_client, self.to_peer, self.identifiers = [], [], []
        self.journal = JournalWriter(folder)
        self.dialogue = Dialogue(
            journal=self.journal,
            to_client=self.to_client.append,
            to_peer=self.to_peer.append,
            learned=self.identifiers.extend,
            blank=lambda text: text.replace("secret", "[kind]"),
        )

    def client(self, **line):
        self.dialogue.hear_client(json.dumps(line).encode())

    def peer(self, **line):
        self.dialogue.hear_peer(json.dumps(line).encode())

    def lines(self):
        return read_journal(self.folder / JOURNAL)[0]


@pytest.fixture
def talk(tmp_path):
    made = Talk(tmp_path)
    yield made
    made.journal.close()


def test_accounts_are_handed_to_the_other_end_and_become_identifiers(talk):
    talk.peer(action="account.create", facts={"account": FRIEND})
    talk.client(
        action="account.create",
        facts={"account": ME},
        identifiers=[{"kind": "recovery_phrase", "value": "a b c"}],
    )
    assert talk.to_client == [{"peer": {"account": FRIEND}}]
    assert talk.to_peer == [{"client": {"account": ME}}]
    assert set(talk.identifiers) == {
        Identifier("contact_id", FRIEND),
        Identifier("account_id", ME),
        Identifier("recovery_phrase", "a b c"),
    }


def test_identifiers_do_not_reach_the_journal(talk):
    talk.client(
        action=None, note="my secret", identifiers=[{"kind": "recovery_phrase", "value": "secret"}]
    )
    assert "secret" not in (talk.folder / JOURNAL).read_text()
    assert talk.lines()[0].note == "my [kind]"


def test_lines_carry_who_spoke_and_the_phase_then(talk):
    talk.dialogue.record("app.install.clean", "install")
    talk.dialogue.record("app.first-launch", "first-launch")
    talk.dialogue.phase = "account-create"
    talk.client(action="account.create", facts={"account": ME})
    talk.client(action="app.message.send", facts={"text_sha256": "00"})
    talk.peer(action="app.message.receive", facts={"account": ME, "text_sha256": "00"})
    assert [
        (line.driver, line.action, line.phase, line.corroborated_by) for line in talk.lines()
    ] == [
        ("recorder", "app.install.clean", "install", "recorder"),
        ("recorder", "app.first-launch", "first-launch", "recorder"),
        ("script", "account.create", "account-create", None),
        ("script", "app.message.send", "steady", None),
        ("peer", "app.message.receive", "steady", None),
    ]


def test_a_driver_may_name_the_phase_itself(talk):
    talk.client(action="app.relaunch", phase="after-drop")
    assert talk.lines()[0].phase == "after-drop"


def test_the_peer_has_all_only_when_it_names_every_digest(talk):
    talk.client(action="app.message.send", facts={"text_sha256": "aa"})
    talk.client(action="app.attachment.send", facts={"file_sha256": "bb"})
    assert not talk.dialogue.peer_has_all()
    talk.peer(action="app.message.receive", facts={"text_sha256": "aa"})
    talk.peer(action="app.attachment.receive", facts={"file_sha256": "other"})
    assert not talk.dialogue.peer_has_all()
    talk.peer(action="app.attachment.receive", facts={"file_sha256": "bb"})
    assert talk.dialogue.peer_has_all()


def test_what_the_client_could_not_send_is_not_waited_for(talk):
    talk.client(action="app.message.send", ok=False, facts={"text_sha256": "aa"})
    assert talk.dialogue.peer_has_all()


def test_a_driver_that_never_stops_talking_is_stopped(talk, monkeypatch):
    monkeypatch.setattr("audit.record.dialogue._MOST_LINES", 3)
    for _ in range(5):
        talk.client(action=None, note="x")
    assert len(talk.lines()) == 3
    assert "more than 3 lines" in talk.dialogue.trouble.message


def test_notes_are_cut_and_can_always_be_written(talk):
    talk.client(action=None, note="\ud800" + "x" * 9999)
    (line,) = talk.lines()
    assert len(line.note) == 500
    assert line.note.startswith("?x")


def test_the_first_wrong_line_is_kept_as_trouble_and_the_rest_is_heard(talk):
    talk.client(action="app.fly")
    talk.client(action="app.swim")
    talk.client(action="app.message.send")
    assert "app.fly" in talk.dialogue.trouble.message
    assert [line.action for line in talk.lines()] == ["app.message.send"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello", "no JSON line"),
        (b"[1]", "without an action"),
        (b'{"action": "app.fly"}', "unknown action"),
        (b'{"action": null, "phase": "dusk"}', "unknown phase"),
        (b'{"action": null, "facts": {"colour": "red"}}', "unknown fact 'colour'"),
        (b'{"action": null, "facts": {"account": 5}}', "object of texts"),
        (b'{"action": null, "facts": []}', "object of texts"),
        (b'{"action": null, "facts": {"account": "' + b"a" * 10_001 + b'"}}', "object of texts"),
        (b'{"action": null, "facts": {"account": "\\ud800"}}', "object of texts"),
        (b'{"action": null, "identifiers": [{"kind": "shoe", "value": "43"}]}', "known kind"),
        (b'{"action": null, "identifiers": {"kind": "email"}}', "known kind"),
        (b'{"action": null, "identifiers": 5}', "known kind"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(line, complaint):
    with pytest.raises(CaptureError, match=complaint) as caught:
        parse_driver_line(line, "client", 7)
    assert caught.value.source == "line 7 of the client"


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["action", "phase", "facts", "identifiers", "note", "kind", "value"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=9,
    ).map(lambda data: json.dumps(data).encode())
)
def test_any_line_is_understood_or_refused(line):
    try:
        parse_driver_line(line, "peer", 1)
    except CaptureError as error:
        assert error.source  # noqa: PT017 - the only error allowed
