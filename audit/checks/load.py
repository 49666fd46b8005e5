"""Loads policies and targets; every mistake of every file at once, each at its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

import audit
from audit.checks.compiling import compile_check
from audit.checks.conditions import build_condition
from audit.checks.faults import Faults
from audit.checks.lists import NamedList, make_named_list
from audit.checks.policy import LoadedCheck, Policy
from audit.checks.scope import ColumnScope
from audit.checks.shipped import POLICY_FILE
from audit.checks.variables import check_type
from audit.errors import PolicyError
from audit.tables.frames import columns_of
from audit.yamlfile import check as check_file
from audit.yamlfile import lists as list_file
from audit.yamlfile import pack as pack_file
from audit.yamlfile import policy as policy_file
from audit.yamlfile.loader import display_name, load_yaml
from audit.yamlfile.located import Located
from audit.yamlfile.located import Path as Path_
from audit.yamlfile.problem import PolicyFileError, Problem, did_you_mean
from audit.yamlfile.validate import parse_model

PACK_FILE = "pack.yaml"
_Model = TypeVar("_Model", bound=BaseModel)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_REQUIRES = re.compile(r"audit\s*>=\s*(\d+(?:\.\d+)*)")


def load_policy(folder: Path) -> Policy:
    """Load the policy in ``folder``; raises :class:`PolicyError` with every mistake found."""
    if not (folder / POLICY_FILE).is_file():
        raise PolicyError(
            f"there is no {POLICY_FILE} here",
            source=display_name(folder),
            hint="name a policy's folder, or a shipped policy",
        )
    return _Loading(folder).load()


class _Loading:
    """One policy on its way in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[Problem] = []
        self._located: dict[str, Located] = {}

    def load(self) -> Policy:
        document = self._file(POLICY_FILE, policy_file.PolicyFile, policy_file.SCHEMA)
        pack = self._file(PACK_FILE, pack_file.PackFile, pack_file.SCHEMA)
        lists = dict(self._lists())
        is_sound = not self._problems
        checks = list(self._checks())
        if document is None or pack is None:
            raise PolicyFileError(self._problems)
        policy = Policy(
            folder=self._folder,
            file=document,
            pack=pack,
            checks=tuple(sorted(checks, key=lambda check: check.file.id)),
            lists=lists,
            texts=dict(self._texts(document)),
            located=self._located,
        )
        before = len(self._problems)
        self._policy(policy)
        self._pack(policy)
        if is_sound and len(self._problems) == before:
            for check in policy.checks:  # their names mean something only beside a sound pack
                self._check(policy, check)
        self._unique(policy)
        if self._problems:
            raise PolicyFileError(self._problems)
        return policy

    def _file(self, name: str, model: type[_Model], schema: str) -> _Model | None:
        try:
            located = load_yaml(self._folder / name)
            self._located[name] = located
            return parse_model(located, model, schema)
        except PolicyFileError as error:
            self._problems += error.problems
        except PolicyError as error:
            self._problems.append(_plain(error))
        return None

    def _lists(self) -> Iterator[tuple[str, NamedList]]:
        for name in self._names("lists"):
            file = self._file(name, list_file.ListFile, list_file.SCHEMA)
            if file is None:
                continue
            if f"lists/{file.id}.yaml" != name:
                self._refuse(name, ("id",), "E112", f"the list '{file.id}' stands in {name}")
            yield file.id, make_named_list(file)

    def _checks(self) -> Iterator[LoadedCheck]:
        for name in self._names("checks"):
            file = self._file(name, check_file.CheckFile, check_file.SCHEMA)
            if file is not None:
                yield LoadedCheck(file=file, located=self._located[name], path=name)

    def _names(self, folder: str) -> list[str]:
        found = (self._folder / folder).glob("*.yaml")
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def _refuse(
        self, name: str, path: Path_, code: str, message: str, hint: str | None = None
    ) -> None:
        self._problems.append(self._located[name].problem(path, code, message, hint=hint))

    def _texts(self, document: policy_file.PolicyFile) -> Iterator[tuple[str, str]]:
        for index, edition in enumerate(document.editions):
            place = ("editions", index)
            path = self._folder / edition.text
            if not path.resolve().is_relative_to(self._folder.resolve()):
                message = "the text must lie in the policy's folder"
                self._refuse(POLICY_FILE, (*place, "text"), "E113", message)
                continue
            try:
                data = path.read_bytes()
                text = data.decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                message = f"the text cannot be read: {reason}"
                self._refuse(POLICY_FILE, (*place, "text"), "E113", message)
                continue
            digest = hashlib.sha256(data).hexdigest()
            if digest != edition.sha256:
                self._refuse(
                    POLICY_FILE,
                    (*place, "sha256"),
                    "E114",
                    "the text is not the one that was pinned",
                    hint=f"its digest is {digest}; a changed text is a new edition",
                )
            yield edition.id, text

    def _policy(self, policy: Policy) -> None:
        editions = policy.editions
        seen: set[str] = set()
        for index, clause in enumerate(policy.file.clauses):
            if clause.id in seen:
                message = f"the clause '{clause.id}' stands twice"
                self._refuse(POLICY_FILE, ("clauses", index, "id"), "E111", message)
            seen.add(clause.id)
            if clause.edition is not None and clause.edition not in editions:
                message = f"there is no edition '{clause.edition}'"
                self._refuse(POLICY_FILE, ("clauses", index, "edition"), "E115", message)

    def _pack(self, policy: Policy) -> None:
        pack = policy.pack
        match = _REQUIRES.fullmatch(pack.requires)
        if match is None:
            message = "expected a lowest version, such as 'audit>=0.1'"
            self._refuse(PACK_FILE, ("requires",), "E116", message)
        elif _version(match[1]) > _version(audit.__version__):
            message = f"this pack needs {pack.requires}, this is audit {audit.__version__}"
            self._refuse(PACK_FILE, ("requires",), "E116", message)
        for name, variable in pack.vars.items():
            if variable.default is None:
                continue
            try:
                check_type(variable.default, variable.type, policy.kinds)
            except ValueError as error:
                message = f"the default of '{name}' is no {variable.type}: {error}"
                self._refuse(PACK_FILE, ("vars", name, "default"), "E105", message)
        faults = Faults()
        for role, rule in pack.peer_roles.items():
            self._role(policy, rule, faults.under("peer_roles", role))
        self._take(self._located[PACK_FILE], faults)

    def _role(self, policy: Policy, rule: pack_file.RoleRule, faults: Faults) -> None:
        if isinstance(rule, pack_file.ListedRole):
            source = rule.address_listed_in.role
            if source not in policy.pack.peer_roles:
                faults.under("address_listed_in", "role").add(
                    "E117", f"there is no role '{source}'"
                )
            return
        columns = columns_of("conversations")
        scope = ColumnScope(
            table="conversations",
            columns={name: columns[name] for name in ("host", "responder_ip")},
            variables=policy.variables(),
            lists=policy.lists,
        )
        build_condition(rule, scope, faults)

    def _check(self, policy: Policy, check: LoadedCheck) -> None:
        clause = check.file.clause
        identity, _, edition = clause.policy.partition("@")
        located = check.located
        if identity != policy.id or (edition and edition not in policy.editions):
            known = (policy.id, *(f"{policy.id}@{name}" for name in policy.editions))
            message = f"this check stands in policy '{policy.id}', not '{clause.policy}'"
            self._problems.append(
                located.problem(("clause", "policy"), "E115", message, allowed=known)
            )
        if clause.id not in policy.clauses:
            self._problems.append(
                located.problem(
                    ("clause", "id"),
                    "E118",
                    f"the policy has no clause '{clause.id}'",
                    hint=did_you_mean(clause.id, tuple(policy.clauses)),
                )
            )
        faults = Faults()
        compile_check(check, policy, None, _EPOCH, faults)
        self._take(located, faults)

    def _take(self, located: Located, faults: Faults) -> None:
        self._problems += [fault.problem(located) for fault in faults.found]

    def _unique(self, policy: Policy) -> None:
        seen: dict[str, str] = {}
        for check in policy.checks:
            first = seen.setdefault(check.file.id, check.path)
            if first != check.path:
                message = f"the check '{check.file.id}' also stands in {first}"
                self._problems.append(check.located.problem(("id",), "E111", message))


def _plain(error: PolicyError) -> Problem:
    return Problem(
        source=error.source or "", line=1, column=1, code="E000", message=error.message,
        hint=error.hint,
    )  # fmt: skip


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
