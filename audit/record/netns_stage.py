"""The ``netns`` rung: the client in a network namespace whose only way out is our gateway."""

from __future__ import annotations

import json
import signal
from typing import Final

from audit.bundle import layout
from audit.bundle.manifest import Drops, Network
from audit.errors import CaptureError, SetupError
from audit.record.client_environment import (
    name_service_mounts,
    planted_file_kinds,
    planted_mounts,
)
from audit.record.lab import Lab
from audit.record.persona import ENVIRONMENT_KINDS
from audit.record.plan import LabNetwork
from audit.record.proxy import TRANSPARENT_PORT, ProxyTap
from audit.record.proxy_config import ProxyConfig
from audit.record.stage import ECHO_PORTS, Setting, Stage, Tapped
from audit.record.uplink import Uplink, choose_uplink
from audit.sandbox.addresses import Addresses, draw_addresses
from audit.sandbox.channel import JobSpec, Mount
from audit.sandbox.network import REFUSED, Wiring
from audit.sandbox.program import Program, describe_exit
from audit.sandbox.sandbox import RefusedError, Sandbox, own_environment, own_program

_WIRING_LIMIT_S: Final = 20.0
_READY_LIMIT_S: Final = 20.0
_TAP_END_LIMIT_S: Final = 300.0
"""Gigabytes of packets are copied once to put their secrets first."""


class NetnsStage(Stage):
    """Namespaces, a gateway, packets on every interface of the client."""

    vantage = "netns"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._drawn = draw_addresses()
        self.addresses: Addresses = self._with_mac(setting.persona["mac"])
        self._intercepted = setting.plan.intercepts
        self._tap: Program | None = None
        self._tap_said: list[bytes] = []
        self._ipv6 = True
        self._uplink: Uplink | None = None

    def _with_mac(self, mac: str) -> Addresses:
        return Addresses.from_message(self._drawn.to_message() | {"client_mac": mac})

    def enter(self) -> None:
        """Start the sandbox and wire it; raises :class:`RefusedError`."""
        setting = self.setting
        self.sandbox = setting.stack.enter_context(
            Sandbox(setting.watch, "namespaces", setting.persona["host_name"], setting.space.root)
        )
        self._start_tap()
        if self._intercepted:
            flows, tls = self.proxy_files()
            config = ProxyConfig(flows=flows, tls=tls)
            self.proxy = ProxyTap(self.sandbox, setting.space, "transparent", config)
        self._wire()
        if not isinstance(self.plan.network, LabNetwork):
            self._uplink = choose_uplink(self.sandbox, self.addresses, setting.space.own)
            setting.stack.callback(self._uplink.stop)
            self._uplink.start()

    def _wire(self) -> None:
        wiring = Wiring(
            addresses=self.addresses,
            has_internet=isinstance(self.plan.network, LabNetwork),
            proxy_port=TRANSPARENT_PORT if self._intercepted else None,
        )
        answer: list[bytes] = []
        spaces = self.sandbox.namespaces
        program = Program(
            self.sandbox,
            "the wiring of the sandbox",
            JobSpec(
                argv=own_program("audit.sandbox.network"),
                env=own_environment(),
                cwd="/",
                place="gateway",
            ),
            stdin=wiring.to_json().encode(),
            on_line=answer.append,
            descriptors=(spaces["client"], spaces["gateway"], spaces["internet"]),
        )
        code = program.wait(_WIRING_LIMIT_S)
        if code == REFUSED:
            raise RefusedError(program.last_words().removeprefix(": "))
        if code != 0:
            raise SetupError(f"{program.name} {describe_exit(code)}{program.last_words()}")
        self._ipv6 = bool(json.loads(answer[0])["ipv6"])
        program.close()

    def _start_tap(self) -> None:
        space, tap = self.setting.space, self.sandbox.tap
        assert tap is not None  # noqa: S101 - the sandbox has namespaces
        keys = (space.client_keys, space.control_keys, space.proxy_keys)
        self._tap = Program(
            self.sandbox,
            "the packet tap",
            JobSpec(
                argv=own_program(
                    "audit.record.tap",
                    str(self.setting.folder / layout.PACKETS),
                    *map(str, keys),
                ),
                env=own_environment(),
                cwd="/",
                place="gateway",
            ),
            on_line=self._tap_said.append,
            descriptors=(tap,),
        )

    def start(self) -> None:
        """Start echo, proxy and lab together, then wait for each."""
        setting = self.setting
        lab = None
        if isinstance(self.plan.network, LabNetwork):
            lab = Lab(self.sandbox, setting.space, self.plan.network, loopback=False)
        heard: list[bytes] = []
        echo = Program(
            self.sandbox,
            "the control echo",
            JobSpec(
                argv=own_program(
                    "audit.record.echo",
                    self.echo,
                    *(str(port) for port in ECHO_PORTS.values()),
                    str(setting.space.authority),
                ),
                env=own_environment(),
                cwd="/",
                place="gateway",
            ),
            on_line=heard.append,
        )
        self._wait_for_tap()
        setting.watch.until(
            lambda: bool(heard) or not echo.running, _READY_LIMIT_S, "the control echo to listen"
        )
        if not heard:
            raise SetupError(f"the control echo did not start{echo.last_words()}")
        if lab:
            self.facts = lab.wait_ready()
        if self._uplink:
            self._uplink.wait_ready()
        if self.proxy:
            self.proxy.wait_ready()

    def _wait_for_tap(self) -> None:
        tap = self._tap
        assert tap is not None  # noqa: S101 - started on entering
        self.setting.watch.until(
            lambda: bool(self._tap_said) or not tap.running, _READY_LIMIT_S, "the packet tap"
        )
        if not self._tap_said:
            raise CaptureError(self.tap_trouble() or "the packet tap did not start")

    @property
    def echo(self) -> str:
        """Return the gateway's own address."""
        return self.addresses.gateway_v4

    @property
    def taps(self) -> tuple[str, ...]:
        """Return the packet tap, and the proxy in the intercepted pass."""
        return ("packets", "proxy") if self._intercepted else ("packets",)

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
        trusted = self.plan.target.trust_ca if self.plan.target else []
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
        return Network(
            client=(known.client_v4, *v6),
            client_mac=known.client_mac,
            gateway=(known.gateway_v4, *((known.gateway_v6,) if self._ipv6 else ())),
            resolvers=tuple(self._resolvers),
            echo=self.echo,
        )

    def tap_trouble(self) -> str | None:
        """Return why a tap stopped listening, ``None`` while all do."""
        if self._tap and not self._tap.running:
            return self._tap.last_words().removeprefix(": ") or "the packet tap ended too early"
        return super().tap_trouble()

    def stop(self) -> Tapped:
        """End the proxy first: its last secrets belong to the packets."""
        found = Tapped()
        if self.proxy:
            found.truncated += self.proxy.stop()
            found.drops["proxy"] = Drops(received=self.proxy.flows)
        if self._tap:
            self._stop_tap(self._tap, found)
        return found

    def _stop_tap(self, tap: Program, found: Tapped) -> None:
        if tap.running:
            tap.job.signal(signal.SIGTERM)
        code = tap.wait(_TAP_END_LIMIT_S, "the packet tap to write its last packets")
        if code != 0:
            words = tap.last_words().removeprefix(": ")
            found.truncated.append(words or f"the packet tap {describe_exit(code)}")
            return
        counted = json.loads(self._tap_said[-1])
        found.packets = counted["packets"]
        found.interfaces = tuple(counted["interfaces"])
        found.drops["packets"] = Drops(received=counted["received"], dropped=counted["dropped"])
        if counted["dropped"]:
            found.truncated.append(f"the kernel dropped {counted['dropped']} packets of the tap")
        if counted["packets"] == 0:
            found.truncated.append("the packet tap saw no packet at all")
        found.truncated += [
            f"interface {name} is of an unknown link type" for name in counted["unknown_links"]
        ]
        tap.close()
