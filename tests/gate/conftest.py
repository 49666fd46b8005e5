from __future__ import annotations

import pytest

from audit.checks.load import load_policy

from .making import write_gate_policy


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory):
    return write_gate_policy(tmp_path_factory.mktemp("gate") / "policy")


@pytest.fixture(scope="session")
def policy(policy_folder):
    return load_policy(policy_folder)
