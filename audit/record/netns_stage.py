"""The ``netns`` rung: the client in a network namespace whose only way out is our gateway."""

from __future__ import annotations

from audit.bundle import layout
from audit.bundle.manifest import Drops, Network
from audit.record.client_environment import (
    name_service_mounts,
    planted_file_kinds,
    planted_mounts,
)
from audit.record.gateway import Echo, wire
from audit.record.lab import Lab
from audit.record.packet_tap import PacketTap
from audit.record.persona import ENVIRONMENT_KINDS
from audit.record.plan import LabNetwork
from audit.record.proxy import TRANSPARENT_PORT, ProxyTap
from audit.record.proxy_config import ProxyConfig
from audit.record.stage import Setting, Stage, Tapped
from audit.record.tunnel import Tunnel
from audit.record.uplink import Uplink, choose_uplink
from audit.sandbox.addresses import Addresses, draw_addresses, draw_tunnel
from audit.sandbox.channel import JobSpec, Mount
from audit.sandbox.network import Wiring
from audit.sandbox.sandbox import Sandbox
from audit.sandbox.tunnel import Ends


class NetnsStage(Stage):
    """Namespaces, a gateway, packets on every interface of the client."""

    vantage = "netns"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        drawn = draw_addresses().to_message() | {"client_mac": setting.persona["mac"]}
        self.addresses: Addresses = Addresses.from_message(drawn)
        self._intercepted = setting.plan.intercepts
        self._tap: PacketTap | None = None
        self._echo: Echo | None = None
        self._lab: Lab | None = None
        self._ipv6 = True
        self._uplink: Uplink | None = None
        self._tunnel: Tunnel | None = None

    def enter(self) -> None:
        """Start the sandbox and all that is slow to start, and wire it meanwhile.

        Raises :class:`RefusedError`, and :class:`SetupError` without a way out to a real network.
        """
        setting = self.setting
        self.sandbox = setting.stack.enter_context(
            Sandbox(setting.watch, "namespaces", setting.persona["host_name"], setting.space.root)
        )
        space = setting.space
        keys = (space.client_keys, space.control_keys, space.proxy_keys)
        self._tap = PacketTap(self.sandbox, setting.folder / layout.PACKETS, keys)
        if self._intercepted:
            flows, tls = self.proxy_files()
            config = ProxyConfig(flows=flows, tls=tls)
            self.proxy = ProxyTap(self.sandbox, space, "transparent", config)
        if isinstance(self.plan.network, LabNetwork):
            self._lab = Lab(self.sandbox, space, self.plan.network, loopback=False)
        self._echo = Echo(self.sandbox, self.echo, space.authority)
        wiring = Wiring(
            addresses=self.addresses,
            has_internet=self._lab is not None,
            proxy_port=TRANSPARENT_PORT if self._intercepted else None,
        )
        self._ipv6 = wire(self.sandbox, wiring)
        if self.plan.tunnel:
            near, far = draw_tunnel(self.addresses)
            self._tunnel = Tunnel(self.sandbox, Ends(client=near, gateway=far))
        if self._lab is None:
            self._uplink = choose_uplink(self.sandbox, self.addresses, space.own)
            setting.stack.callback(self._uplink.stop)

    def start(self) -> None:
        """Connect with the world and wait until everything listens."""
        if self._uplink:
            self._uplink.start()
        for part in (self._tap, self._echo, self._uplink, self.proxy, self._tunnel):
            if part is not None:
                part.wait_ready()
        if self._lab:
            self.facts = self._lab.wait_ready()

    @property
    def echo(self) -> str:
        """Return the gateway's own address."""
        return self.addresses.gateway_v4

    @property
    def taps(self) -> tuple[str, ...]:
        """Return the packet tap, and the proxy in the intercepted pass."""
        return ("packets", "proxy") if self._intercepted else ("packets",)

    @property
    def tunnel(self) -> Tunnel | None:
        """Return the tunnel, where the plan asks for one."""
        return self._tunnel

    @property
    def _resolvers(self) -> list[str]:
        if self._uplink:
            return list(self._uplink.resolvers)
        return [self.facts.resolver] if self.facts.resolver else []

    def planted_kinds(self) -> frozenset[str]:
        """Return what the environment, the links and the planted files of the machine show."""
        return ENVIRONMENT_KINDS | {"host_name", "mac", *planted_file_kinds()}

    def client_variables(self) -> dict[str, str]:
        """Return the key log in the passive pass, the trusted authority in the intercepted one."""
        if not self._intercepted:
            return {"SSLKEYLOGFILE": str(self.setting.space.client_keys)}
        trusted = self.plan.trust_variables
        if not trusted or self.proxy is None:
            return {}
        bundle = self.setting.space.write(
            "client/authority.pem", self.proxy.certificate.read_text(encoding="ascii"), 0o644
        )
        return dict.fromkeys(trusted, str(bundle))

    def control_variables(self) -> dict[str, str]:
        """Return the control's own key log in the passive pass."""
        if self._intercepted:
            return {}
        return {"SSLKEYLOGFILE": str(self.setting.space.control_keys)}

    def client_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a job with its own processes, machine files and name service."""
        setting = self.setting
        names = name_service_mounts(setting.space, self._resolvers, setting.persona["host_name"])
        hidden = [
            Mount(kind="hide", target=str(folder)) for folder in (setting.space.own, setting.folder)
        ]
        return JobSpec(
            argv=argv,
            env=env,
            cwd=self.working_folder(),
            place="client",
            powers="client",
            own_pids=True,
            mounts=[*planted_mounts(setting.space, setting.persona), *names, *hidden],
        )

    def peer_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a job in the lab's namespace, or beside the sandbox on the real network."""
        space = self.setting.space
        if not isinstance(self.plan.network, LabNetwork):
            return JobSpec(
                argv=argv, env=env, cwd=str(space.peer_home), place="outside", powers="kept"
            )
        return JobSpec(
            argv=argv,
            env=env,
            cwd=str(space.peer_home),
            place="internet",
            powers="client",
            mounts=name_service_mounts(space, self._resolvers, "peer"),
        )

    def control_job(self, argv: list[str], env: dict[str, str]) -> JobSpec:
        """Return a job in the client's network."""
        return JobSpec(argv=argv, env=env, cwd="/", place="client", powers="client")

    def network(self) -> Network:
        """Return the addresses of the wiring."""
        known = self.addresses
        v6 = (known.client_v6,) if self._ipv6 else ()
        tunnelled = (self._tunnel.address,) if self._tunnel else ()
        return Network(
            client=(known.client_v4, *v6, *tunnelled),
            client_mac=known.client_mac,
            gateway=(known.gateway_v4, *((known.gateway_v6,) if self._ipv6 else ())),
            resolvers=tuple(self._resolvers),
            echo=self.echo,
            tunnel=(self._tunnel.interface,) if self._tunnel else (),
        )

    def tap_trouble(self) -> str | None:
        """Return why a tap stopped listening, ``None`` while all do."""
        trouble = self._tap.trouble() if self._tap else None
        return trouble or super().tap_trouble()

    def stop(self) -> Tapped:
        """End the proxy first: its last secrets belong to the packets."""
        found = Tapped()
        if self.proxy:
            found.failed += self.proxy.stop()
            found.drops["proxy"] = Drops(received=self.proxy.flows)
        if self._tap:
            self._tap.stop(found)
        return found
