import os

import pytest

from audit.record.client_environment import (
    base_environment,
    client_environment,
    name_service_mounts,
    planted_mounts,
    proxy_variables,
)
from audit.record.persona import draw_persona
from audit.record.workspace import Workspace


@pytest.fixture
def space():
    made = Workspace.create()
    yield made
    made.remove()


def test_nothing_of_the_callers_environment_is_passed_on(space, monkeypatch):
    for name in (
        "https_proxy",
        "REQUESTS_CA_BUNDLE",
        "PIP_INDEX_URL",
        "PYTHONPATH",
        "SSH_AUTH_SOCK",
    ):
        monkeypatch.setenv(name, "x")
    found = client_environment("/opt/client/bin/python", space, draw_persona())
    assert set(found) == {
        "HOME",
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "PYTHONUNBUFFERED",
    }
    assert "x" not in found.values()


def test_the_persona_is_who_the_client_runs_as(space):
    persona = draw_persona()
    found = client_environment("/opt/client/bin/python", space, persona)
    assert found["USER"] == found["LOGNAME"] == persona["user_name"]
    assert found["TZ"] == persona["time_zone"]
    assert found["LANG"] == f"{persona['locale']}.UTF-8"


def test_the_programs_own_folder_leads_the_path(tmp_path):
    found = base_environment("/opt/client/bin/python", tmp_path, tmp_path, "peer")
    assert found["PATH"].split(":")[0] == "/opt/client/bin"


def test_proxy_variables_stand_in_both_cases_and_nothing_is_excepted():
    found = proxy_variables("http://u:p@127.0.0.1:1")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        assert found[name] == found[name.upper()] == "http://u:p@127.0.0.1:1"
    assert found["no_proxy"] == found["NO_PROXY"] == ""


def test_every_planted_file_holds_a_value_of_the_persona(space):
    persona = draw_persona()
    mounts = planted_mounts(space, persona)
    for mount in mounts:
        if mount.kind == "bind":
            with open(mount.source, encoding="utf-8") as file:  # noqa: PTH123 - a path as text
                text = file.read()
            assert any(value in text for value in persona.values.values())


def test_the_first_user_of_our_uid_is_the_persona(space):
    persona = draw_persona()
    (users,) = [mount for mount in planted_mounts(space, persona) if mount.target == "/etc/passwd"]
    with open(users.source, encoding="utf-8") as file:  # noqa: PTH123 - a path as text
        mine = [line for line in file if line.split(":")[2] == str(os.geteuid())]
    name, _, _, _, full_name, home, _ = mine[0].split(":")
    assert (name, full_name, home) == (
        persona["user_name"],
        persona["display_name"],
        str(space.home),
    )


def test_name_services_of_the_machine_are_hidden_before_ours_is_laid_over(space):
    mounts = name_service_mounts(space, ["198.51.100.53", "198.51.100.54"], "host")
    assert mounts[0].target == "/run"
    (resolv,) = [mount for mount in mounts if mount.target == "/etc/resolv.conf"]
    assert not resolv.optional
    with open(resolv.source, encoding="utf-8") as file:  # noqa: PTH123 - a path as text
        assert file.read().startswith("nameserver 198.51.100.53\nnameserver 198.51.100.54\n")
