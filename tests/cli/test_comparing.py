"""Installs of the two real clients compared: what tells them apart, and that no verdict changes."""

import json
import shutil
from pathlib import Path

import pytest

from audit.bundle.folder import open_bundle
from tests.conftest import Demo, run_audit

pytestmark = [pytest.mark.system]

CLIENTS = ("session-python", "sessionpy-messenger")
PASSES = ("passive", "intercepted")


def outcomes(result: dict) -> dict[str, str]:
    return {verdict["check"]: verdict["outcome"] for verdict in result["verdicts"]}


@pytest.mark.parametrize("client", CLIENTS)
def test_installs_of_real_clients_differ_by_their_account_key_alone(
    demo: Demo, client: str, tmp_path: Path
) -> None:
    """Each pass began with a fresh profile: here they are taken for two installs.

    The key of the account, in its Ed25519 form, is what storage nodes get beside the account id;
    ``lastHash`` names the last message that a node handed out.
    """
    bundles = []
    for number, pass_ in enumerate(PASSES, start=1):
        folder = Path(shutil.copytree(demo.captures / f"{client}-{pass_}", tmp_path / pass_))
        manifest = open_bundle(folder).manifest
        manifest.model_copy(update={"install": f"install-{number}"}).write(folder)
        bundles.append(folder)
    ran = run_audit("run", *bundles, "--compare-installs", "--out", tmp_path / "out")
    assert ran.code == 1, ran.err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    entry = next(one for one in result["reported"] if one["id"] == "candidate-identifiers")
    found = {(row[3], row[4].split(" of ")[0].rpartition(".")[2]) for row in entry["rows"]}
    assert ("storage_node", "pubkey_ed25519") in found
    assert found <= {("storage_node", "pubkey_ed25519"), ("storage_node", "lastHash")}
    assert outcomes(result) == outcomes(
        json.loads((demo.reports / client / "result.json").read_text())
    )
    alone = run_audit("run", bundles[0], "--compare-installs", "--out", tmp_path / "alone")
    assert alone.code == 2
    assert "two installs" in alone.err
