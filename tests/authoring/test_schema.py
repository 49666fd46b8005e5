"""The generated schemas hold what the loader holds, and complete what it knows."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from audit.authoring.schema import MODELS, OUTPUTS, schema_of, write_schemas, write_vscode
from audit.checks.modifiers import MODIFIERS
from audit.errors import PolicyError
from audit.model.reading import parse_result
from audit.tables.frames import columns_of
from audit.tables.rows import TABLES
from audit.yamlfile.loader import load_yaml, load_yaml_bytes
from tests.conftest import ROOT

from .making import CHECK

FILES = sorted(
    [*(ROOT / "policies").rglob("*.yaml"), *(ROOT / "tests/checks/worked").rglob("*.yaml")]
)
KINDS = (*MODELS, *OUTPUTS)
VALIDATORS = {kind: jsonschema.Draft202012Validator(schema_of(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema(kind):
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_shipped_file_is_valid(path: Path):
    data = load_yaml(path).data
    kind = data["schema"].removeprefix("audit/").split("@")[0]
    assert not [error.message for error in VALIDATORS[kind].iter_errors(data)]


def errors(old: str, new: str) -> list[str]:
    assert old in CHECK
    data = load_yaml_bytes(CHECK.replace(old, new).encode(), "x.yaml").data
    return [error.message for error in VALIDATORS["check"].iter_errors(data)]


def test_a_sound_check_is_valid():
    assert errors("severity: high", "severity: high") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("severity: high", "severity: hihg"),
        ("title:", "titel:"),
        ("host|domain: tracker", "hots|domain: tracker"),
        ("host|domain: tracker", "host|endswith: tracker"),
        ("host|domain: tracker.example", "name: x"),
        ("{process: app}", "{process: ape}"),
        ("from: conversations", "from: conversation"),
        ("actions: [app.idle]}", "actions: [app.idel]}"),
        ("{host|domain: tracker.example}", "{layer|exists: often}"),
        ("{host|domain: tracker.example}", "{first_seen|age|gt: 3 months}"),
        ("{host|domain: tracker.example}", "{not: {hots: x}}"),
    ],
)
def test_what_the_loader_refuses_the_schema_marks(old, new):
    assert errors(old, new)


@pytest.mark.parametrize(
    "match",
    [
        "{not: {host|domain: '${good_hosts}'}}",
        "{any: [{host|domain|not: a.example}, {layer|in: [1, 2]}]}",
        "{first_seen|age|gt: '${limit}'}",
        "{recipient|contains|i|not: x}",
        "{peer_role: some_role}",
        "{taps|len|gt: 1}",
    ],
)
def test_what_the_loader_takes_the_schema_takes(match):
    assert errors("{host|domain: tracker.example}", match) == []


def test_each_table_offers_its_columns_with_their_meaning():
    definitions = schema_of("check")["$defs"]
    for table in TABLES:
        offered = definitions[f"condition.{table}"]["properties"]
        for name, column in columns_of(table).items():
            if column.type != "json":
                assert offered[name]["description"] == column.meaning
    offered = definitions["condition.conversations"]["properties"]
    assert {"host|domain", "host|list", "responder_ip|cidr", "first_seen|age|gt"} <= offered.keys()
    assert "host|endswith" not in offered
    for modifier in set(MODIFIERS) - {"has_key", "keys_within"}:
        assert any(modifier in key.split("|")[1:] for key in offered), modifier


def test_a_path_into_json_is_legal():
    text = CHECK.replace("from: conversations", "from: http_requests").replace(
        "{host|domain: tracker.example}", "{json.params|keys_within: [a], json.method: x}"
    )
    data = load_yaml_bytes(text.encode(), "x.yaml").data
    assert not list(VALIDATORS["check"].iter_errors(data))


def test_settings_of_an_editor_are_kept(tmp_path):
    (tmp_path / ".vscode").mkdir()
    settings = tmp_path / ".vscode" / "settings.json"
    settings.write_text('{"editor.tabSize": 2}')
    write_vscode(tmp_path)
    found = json.loads(settings.read_text())
    assert found["editor.tabSize"] == 2
    for path in found["yaml.schemas"]:
        assert (tmp_path / path).is_file()
    settings.write_text("[]")
    with pytest.raises(ValueError, match="no JSON object"):
        write_vscode(tmp_path)


RESULTS = [
    ROOT / "reports/sample/result.json",
    ROOT / "tests/report/golden/session-python/result.json",
]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_results_are_valid(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    assert not [error.message for error in VALIDATORS["result"].iter_errors(result)]


def _drop(key):
    return lambda result: result.pop(key)


@pytest.mark.parametrize(
    "change",
    [
        *(_drop(key) for key in ("as_of", "policy", "captures", "coverage", "verdicts", "gate")),
        lambda result: result.update(schema="audit/result@2"),
        lambda result: result.update(remark="x"),
        lambda result: result["gate"].update(exit_code=2),
        lambda result: result["verdicts"][0].update(outcome="passed"),
        lambda result: result["verdicts"][0].pop("quote"),
        lambda result: result["verdicts"][0]["findings"][0].update(baseline="old"),
        lambda result: result["verdicts"][0]["findings"][0].update(recordings=[1]),
        lambda result: result["verdicts"][0]["findings"][0]["evidence"][0].update(bytes="00"),
        lambda result: result["captures"][0].update(digests=[]),
        lambda result: result["clauses"][0].update(outcome="unknown"),
    ],
)
def test_a_broken_result_is_not_valid_and_is_not_read(change):
    result = json.loads(RESULTS[1].read_text(encoding="utf-8"))
    result["verdicts"].sort(key=lambda verdict: not verdict["findings"])
    change(result)
    assert list(VALIDATORS["result"].iter_errors(result))
    with pytest.raises(PolicyError):
        parse_result(json.dumps(result).encode(), "result.json")


def test_every_field_of_a_result_says_what_it_means():
    schema = schema_of("result")
    silent = [
        f"{name}.{key}"
        for name, node in {"Result": schema, **schema["$defs"]}.items()
        for key, field in node.get("properties", {}).items()
        if not field.get("description")
    ]
    assert not silent


def test_the_schema_in_the_package_is_the_one_of_the_model():
    shipped = ROOT / "audit" / "model" / "result.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == schema_of("result")


def test_all_schemas_are_written(tmp_path):
    written = write_schemas(tmp_path)
    assert [path.name for path in written] == [f"{kind}.schema.json" for kind in KINDS]
