import os
import stat

from audit.record.workspace import Workspace


def test_everything_is_for_its_owner_alone_and_the_profile_is_empty():
    space = Workspace.create()
    try:
        for folder in (space.root, space.home, space.own, space.authority, space.peer_home):
            assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
        assert not any(space.home.iterdir())
    finally:
        space.remove()
    assert not space.root.exists()


def test_what_the_client_sees_and_what_it_does_not_are_apart():
    space = Workspace.create()
    try:
        for shown in (space.home, space.client_tmp, space.client_keys):
            assert not shown.is_relative_to(space.own)
        for hidden in (space.authority, space.peer_home, space.proxy_keys, space.control_keys):
            assert hidden.is_relative_to(space.own)
    finally:
        space.remove()


def test_files_get_their_mode_whatever_the_mask():
    before = os.umask(0o777)
    try:
        os.umask(0o022)
        space = Workspace.create()
        os.umask(0o077)
        path = space.write("own/x", "1", 0o644)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert stat.S_IMODE(space.write_json("own/y", {}).stat().st_mode) == 0o600
        space.remove()
    finally:
        os.umask(before)
