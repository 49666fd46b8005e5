"""A policy started from any text lints, and its first check passes its tests with no survivor."""

from __future__ import annotations

import hashlib

import jsonschema
import pytest

from audit.authoring.examples import run_examples
from audit.authoring.lint import lint_folder
from audit.authoring.mutation import mutate
from audit.authoring.schema import MODELS, schema_of
from audit.authoring.starting import start_policy
from audit.checks.load import load_policy
from audit.checks.targets import locate_target
from audit.errors import PolicyError
from audit.yamlfile.loader import load_yaml
from tests.conftest import ROOT

TEXTS = {
    "notes.md": "# Privacy\n\nWe never share your data with third parties. We run on notes.example.org.\n",
    "plain_policy.txt": "We store your e-mail: only yours, and \"nothing\" else. It's #1 {for us}.\nCookies? No.\n",
    "page.html": "<html><body><h1>Logs</h1><p>We don&rsquo;t keep logs of your address.</p></body></html>",
    "datenschutz.txt": "Wir geben Ihre Daten nicht weiter. Daten löschen wir nach 7 Tagen.\r\n",
    "odd.txt": "We collect nothing: - ever; 'yes' & no @ all, 100% of data | [x] > y.",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_started_is_sound(tmp_path, name):
    source = tmp_path / name
    source.write_bytes(TEXTS[name].encode())
    started = start_policy(source, tmp_path / "out")
    assert not [problem.render() for problem in lint_folder(started.folder)]
    policy = load_policy(started.folder)
    assert not [p.render() for result in run_examples(policy) for p in result.problems]
    (found,) = mutate(policy)
    assert not [survivor.problem.render() for survivor in found.survivors]
    assert locate_target(None, str(started.folder))[1].name == "any"
    assert len(policy.file.clauses) == started.clauses >= 1


def test_the_text_is_pinned_byte_by_byte(tmp_path):
    source = ROOT / "policies" / "session" / "source.txt"
    started = start_policy(source, tmp_path / "out", "mine", "https://example.org/privacy")
    (edition,) = load_policy(started.folder).file.editions
    assert edition.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert edition.url == "https://example.org/privacy"
    text = (started.folder / "policy.yaml").read_text()
    assert all(f"# {number}." in text for number in range(1, started.sentences + 1))


def test_files_name_a_schema_that_lies_beside_them_and_holds(tmp_path):
    (tmp_path / "notes.md").write_text(TEXTS["notes.md"])
    folder = start_policy(tmp_path / "notes.md", tmp_path / "out").folder
    files = list(folder.rglob("*.yaml"))
    assert len(files) == 5
    for path in files:
        first = path.read_text().splitlines()[0]
        named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert named.is_file(), path
        kind = named.name.split(".")[0]
        assert kind in MODELS
        assert not list(
            jsonschema.Draft202012Validator(schema_of(kind)).iter_errors(load_yaml(path).data)
        )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7 ...", "this is no text"),
        (b"We keep \xff data.", "not UTF-8"),
        (b"Hello there.", "no sentence of this text"),
        (b"", "no sentence of this text"),
        (b"We keep no data. " * 20_000, "too long for one policy"),
    ],
)
def test_what_is_no_policy_is_told_and_nothing_is_written(tmp_path, data, words):
    source = tmp_path / "x.txt"
    source.write_bytes(data)
    with pytest.raises(PolicyError, match=words):
        start_policy(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_there_already_is_kept(tmp_path):
    (tmp_path / "notes.md").write_text(TEXTS["notes.md"])
    with pytest.raises(PolicyError, match="there is something already"):
        start_policy(tmp_path / "notes.md", tmp_path)
    with pytest.raises(PolicyError, match="cannot be read"):
        start_policy(tmp_path / "nothing.md", tmp_path / "out")
    with pytest.raises(PolicyError, match="no id of a policy"):
        start_policy(tmp_path / "notes.md", tmp_path / "out", "Über")
