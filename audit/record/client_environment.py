"""What the client finds around it: environment variables from nothing, planted machine files."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Final

from audit.record.persona import Persona
from audit.record.workspace import Workspace
from audit.sandbox.channel import Mount

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "all_proxy")
_DMI: Final = "/sys/class/dmi/id"


def base_environment(program: str, home: Path, temporary: Path, user: str) -> dict[str, str]:
    """Return the variables that every driver gets; the program's own folder leads ``PATH``."""
    return {
        "HOME": str(home),
        "PATH": f"{Path(program).parent}:{_PATH}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "USER": user,
        "LOGNAME": user,
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
    }


def client_environment(program: str, space: Workspace, persona: Persona) -> dict[str, str]:
    """Return the client's variables: the persona's user, locale and time zone."""
    found = base_environment(program, space.home, space.client_tmp, persona["user_name"])
    locale = f"{persona['locale']}.UTF-8"
    found |= {"LANG": locale, "LC_ALL": locale, "TZ": persona["time_zone"]}
    return found


def proxy_variables(url: str) -> dict[str, str]:
    """Return the variables that lead a client to an explicit proxy, in both cases."""
    found = {"no_proxy": "", "NO_PROXY": ""}
    for name in _PROXY_VARIABLES:
        found |= {name: url, name.upper(): url}
    return found


def name_service_mounts(space: Workspace, resolvers: list[str], host_name: str) -> list[Mount]:
    """Return the mounts that give a job the recording's resolvers, and no way around them.

    Sockets of the machine's name services lie in ``/run``: a client could ask them past the
    sandbox. They are hidden.
    """
    lines = "".join(f"nameserver {address}\n" for address in resolvers)
    resolv = space.write("own/resolv.conf", f"{lines}options timeout:2 attempts:2\n", 0o644)
    hosts = space.write(
        f"own/hosts-{host_name}",
        f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host_name}\n",
        0o644,
    )
    switch = space.write("own/nsswitch.conf", _SWITCH, 0o644)
    return [
        Mount(kind="hide", target="/run", optional=True),
        Mount(kind="bind", source=str(resolv), target="/etc/resolv.conf"),
        Mount(kind="bind", source=str(hosts), target="/etc/hosts", optional=True),
        Mount(kind="bind", source=str(switch), target="/etc/nsswitch.conf", optional=True),
    ]


_SWITCH: Final = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"


_PLANTED: Final = {
    "/etc/machine-id": "serial",
    "/var/lib/dbus/machine-id": "serial",
    "/etc/hostname": "host_name",
    "/etc/timezone": "time_zone",
    f"{_DMI}/product_name": "device_model",
    f"{_DMI}/product_serial": "serial",
    f"{_DMI}/board_serial": "serial",
    f"{_DMI}/product_uuid": "serial",
}
"""File of the machine -> the persona's value that stands in its place."""
_USERS: Final = "/etc/passwd"


def planted_file_kinds() -> frozenset[str]:
    """Return the kinds that files of the machine show: where a file is missing, none is planted."""
    found = {kind for path, kind in _PLANTED.items() if Path(path).exists()}
    if Path(_USERS).exists():
        found |= {"user_name", "display_name"}
    return frozenset(found)


def planted_mounts(space: Workspace, persona: Persona) -> list[Mount]:
    """Return the mounts that show the persona's machine in the place of the real one."""
    mounts = [Mount(kind="proc", target="/proc"), Mount(kind="sysfs", target="/sys")]
    for number, (target, name) in enumerate(_PLANTED.items()):
        source = space.write(f"own/planted/{number}", persona[name] + "\n", 0o444)
        mounts.append(Mount(kind="bind", source=str(source), target=target, optional=True))
    users = space.write("own/planted/passwd", _users(persona, space.home), 0o644)
    mounts.append(Mount(kind="bind", source=str(users), target=_USERS, optional=True))
    return mounts


def _users(persona: Persona, home: Path) -> str:
    """Return ``/etc/passwd`` with the persona as the first user of our uid."""
    mine = (
        f"{persona['user_name']}:x:{os.geteuid()}:{os.getegid()}:{persona['display_name']}"
        f":{home}:/bin/sh\n"
    )
    others = (entry for entry in pwd.getpwall() if entry.pw_uid != os.geteuid() or not entry.pw_uid)
    return mine + "".join(
        f"{entry.pw_name}:x:{entry.pw_uid}:{entry.pw_gid}:{entry.pw_gecos}:{entry.pw_dir}"
        f":{entry.pw_shell}\n"
        for entry in others
    )
