"""Puts the lab's addresses on the loopback interface of the namespace it runs in."""

from __future__ import annotations

import errno

from audit.errors import SetupError
from audit.lab.addresses import PEER, all_addresses

_LOCAL_TABLE = 255
_SCOPE_HOST = 254
_TYPE_LOCAL = 2
_PROTOCOL_KERNEL = 2


def carry_addresses() -> None:
    """Add every address as a /32 of ``lo`` and bring it up.

    Whoever speaks to the stand-ins from inside this namespace does so from the peer's address: the
    kernel would otherwise use the called address itself as the source. Raises
    :class:`SetupError` without the right to configure the network.
    """
    from pyroute2 import IPRoute, NetlinkError

    try:
        with IPRoute() as route:
            index = route.link_lookup(ifname="lo")[0]
            route.link("set", index=index, state="up")
            for address in [PEER, *all_addresses()]:
                try:
                    route.addr("add", index=index, address=address, prefixlen=32)
                except NetlinkError as error:
                    if error.code != errno.EEXIST:
                        raise
                if address != PEER:
                    route.route(
                        "replace",
                        dst=f"{address}/32",
                        table=_LOCAL_TABLE,
                        type=_TYPE_LOCAL,
                        scope=_SCOPE_HOST,
                        proto=_PROTOCOL_KERNEL,
                        oif=index,
                        prefsrc=PEER,
                    )
    except NetlinkError as error:
        raise SetupError(
            f"the lab cannot configure this network namespace: {error}",
            hint="start it inside a namespace of its own, or with --loopback",
        ) from None
