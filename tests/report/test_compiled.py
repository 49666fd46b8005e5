"""Compiled templates are kept beside them, and never outlive the text that they came from."""

import sys

import pytest
from jinja2 import DictLoader, Environment

from audit.report.compiled import CompiledTemplates


@pytest.fixture(autouse=True)
def writes_bytecode(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def environment(folder, text):
    loader = DictLoader({"page": text})
    return Environment(loader=loader, autoescape=True, bytecode_cache=CompiledTemplates(folder))


def test_what_is_kept_renders_alike_and_a_changed_text_is_compiled_anew(tmp_path):
    folder = tmp_path / "kept"
    for text in ("{{ a }}!", "{{ a }}!", "{{ a }}?"):
        made = environment(folder, text).get_template("page").render(a="<x>")
        assert made == "&lt;x&gt;" + text[-1]
    assert len(list(folder.iterdir())) == 1


def test_a_kept_file_that_is_damaged_is_compiled_anew(tmp_path):
    environment(tmp_path, "{{ a }}").get_template("page")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"not compiled")
    assert environment(tmp_path, "{{ a }}").get_template("page").render(a=1) == "1"


@pytest.mark.parametrize("place", ["file", "missing/deep"])
def test_a_folder_that_cannot_be_written_keeps_nothing_and_breaks_nothing(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    assert environment(tmp_path / place, "{{ a }}").get_template("page").render(a=1) == "1"
