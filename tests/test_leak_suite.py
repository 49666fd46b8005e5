"""The open leak suite: a part of it is found whole, its clean messages give no hit, it is open."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path

import pytest

from audit.bundle.identity import read_identity
from audit.evidence.context import EvidenceContext
from audit.evidence.imports import import_file
from audit.identifiers.detector import Detector, text_payload
from audit.identifiers.redaction import Redactor
from audit.tables.vocabulary import FORMS, KINDS
from benchmarks.leaks import plan, runner
from benchmarks.leaks.containers import wrap
from benchmarks.leaks.generate import parts, read_truth, write_suite
from benchmarks.leaks.score import score
from benchmarks.leaks.subject import draw_subject

SUITE = Path(runner.__file__).parent
SEED = 20_251
SETS = ("product", "further", "pairs", "sample", "clean")


def run_part(part, identity, out):
    """Do what the runner does, without a process a file."""
    files = [part / name for name in runner.FILES if (part / name).exists()]
    context = EvidenceContext(identity=read_identity(identity))
    lines = [{"reads": [path.name for path in files if path.stem != "onion"]}]
    for path in files:
        if path.stem == "onion":
            continue
        hits = import_file(path, context).tables["identifier_hits"]
        rows = hits.to_dict(orient="records")
        lines += [runner.finding(path.name, row) for row in rows]
    (out / f"{part.name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def test_a_sample_is_found_whole_and_clean_messages_give_no_hit(tmp_path):
    suite, out = tmp_path / "suite", tmp_path / "out"
    out.mkdir()
    write_suite(suite, SEED, SETS, limit=160)
    for part in parts(suite):
        run_part(part, suite / "identity.json", out)
    result = score(suite, out.iterdir())
    assert (result.missed, result.false) == ([], [])
    assert result.planted["all",] > 600
    assert result.clean > 150


def test_the_onion_layer_is_found_by_the_real_command_line(tmp_path, monkeypatch, capsys):
    values = draw_subject(SEED)
    cases = [
        case
        for case in plan.sample(values, SEED, 2_000)
        if case.location == "onion layer" and len(case.containers) < 3
    ][:20]
    suite = tmp_path / "suite"
    monkeypatch.setattr(plan, "sample", lambda *_: cases)
    total = write_suite(suite, SEED, ["sample"])
    part = parts(suite)[0]
    monkeypatch.setattr("sys.argv", ["runner", str(part), str(suite / "identity.json")])
    runner.main()
    (tmp_path / f"{part.name}.jsonl").write_text(capsys.readouterr().out, encoding="utf-8")
    result = score(suite, [tmp_path / f"{part.name}.jsonl"])
    assert (result.missed, result.false) == ([], [])
    assert result.found["file", "onion.mitm"] == total > 10


def test_what_was_redacted_holds_nothing_in_any_form_and_container(tmp_path):
    values = draw_subject(SEED + 1)
    write_suite(tmp_path, SEED + 1, [])
    identity = read_identity(tmp_path / "identity.json")
    redactor, detector = Redactor(identity), Detector(identity)
    draw = random.Random(SEED)
    outputs = []
    for case in plan.sample(values, SEED, 250):
        form = case.form
        wrapped = wrap(form.data, is_text=form.is_text, whole=form.whole,
                       names=case.containers, draw=draw)  # fmt: skip
        if len(wrapped.data) < plan.LARGEST:
            outputs.append(redactor.data(b"id=" * draw.randint(0, 1) + wrapped.data))
    for output, result in zip(outputs, detector.scan_all(list(map(text_payload, outputs))),
                              strict=True):  # fmt: skip
        assert (result.hits, result.unsure) == ((), ()), output
        assert not [value for value in values if value.text.encode() in output]


def test_a_tool_that_finds_nothing_or_something_else_is_told_so(tmp_path):
    write_suite(tmp_path, 5, ["product", "clean"], limit=30)
    lines = list(read_truth(tmp_path))
    found = tmp_path / f"{lines[0]['part']}.jsonl"
    reads = {"reads": ["http.har", "http.mitm", "flows.mitm", "packets.pcap", "onion.mitm"]}
    found.write_text(json.dumps(reads) + "\n", encoding="utf-8")
    nothing = score(tmp_path, [found])
    assert nothing.recall == 0
    assert (
        len(nothing.missed)
        == nothing.planted["all",]
        == sum(len(line["files"]) for line in lines if line["set"] == "product")
    )
    plant = lines[0]["plants"][0]
    right = {"file": lines[0]["files"][0], "recipient": lines[0]["recipient"]}
    wrong = next(kind for kind in KINDS if kind != plant["kind"])
    text = [reads, right | {"kind": plant["kind"]}, right | {"kind": wrong},
            {"file": "http.har", "recipient": "elsewhere.example", "kind": "mac"}]  # fmt: skip
    found.write_text("\n".join(map(json.dumps, text)), encoding="utf-8")
    some = score(tmp_path, [found])
    assert some.found["all",] == 1
    assert len(some.false) == 2


def test_a_seed_gives_the_same_bytes_and_another_one_another_subject(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_suite(tmp_path / name, seed, ["sample", "clean"], limit=40)
    files = {
        name: {path.relative_to(tmp_path / name): path.read_bytes()
               for path in sorted((tmp_path / name).rglob("*")) if path.is_file()}
        for name in "abc"
    }  # fmt: skip
    assert files["a"] == files["b"]
    assert files["a"][Path("identity.json")] != files["c"][Path("identity.json")]


@pytest.mark.parametrize("seed", range(1, 40))
def test_every_kind_and_form_is_there_and_no_value_holds_another(seed):
    values = draw_subject(seed)
    assert {value.kind for value in values} == set(KINDS)
    texts = [value.text.casefold() for value in values]
    assert not [(a, b) for a in texts for b in texts if a != b and a in b]
    if seed == 1:
        families = {form.family for value in values for form in plan.forms(value)}
        assert families == set(FORMS)


def test_the_generator_shares_no_code_with_the_toolkit():
    for path in SUITE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
        }  # fmt: skip
        assert not names & {"audit", "tests"}, path


def test_the_files_are_what_they_say(tmp_path):
    from mitmproxy.io import FlowReader

    write_suite(tmp_path, 9, ["sample"], limit=200)
    lines = list(read_truth(tmp_path))
    part = parts(tmp_path)[0]
    for name in ("http.mitm", "flows.mitm", "onion.mitm"):
        with (part / name).open("rb") as file:
            flows = list(FlowReader(file).stream())
        assert len(flows) == sum(name in line["files"] for line in lines)
    archive = json.loads((part / "http.har").read_text(encoding="utf-8"))
    assert len(archive["log"]["entries"]) == sum("http.har" in line["files"] for line in lines)
