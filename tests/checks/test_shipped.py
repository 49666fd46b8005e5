from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.checks.shipped import shipped_policies, shipped_root


def test_the_policies_of_the_checkout_are_shipped():
    assert shipped_root() == Path(audit.__file__).resolve().parents[1] / "policies"
    assert "session" in [folder.name for folder in shipped_policies()]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package, which brings its policies inside itself."""
    package = tmp_path / "site-packages" / "audit"
    (package / "_policies" / "mine").mkdir(parents=True)
    (package / "_policies" / "mine" / "policy.yaml").touch()
    (tmp_path / "site-packages" / "policies" / "someone-elses").mkdir(parents=True)
    monkeypatch.setattr(audit, "__file__", str(package / "__init__.py"))
    return package


def test_an_installed_package_takes_its_own_before_what_lies_beside_it(installed):
    assert [folder.name for folder in shipped_policies()] == ["mine"]
