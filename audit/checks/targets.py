"""Finds and loads targets, and the policy that a call means."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.checks.load import load_policy
from audit.checks.policy import Policy, Target
from audit.checks.shipped import POLICY_FILE, shipped_policies
from audit.checks.variables import check_type
from audit.errors import PolicyError
from audit.yamlfile import target as target_file
from audit.yamlfile.loader import display_name, load_yaml
from audit.yamlfile.problem import PolicyFileError, Problem, did_you_mean
from audit.yamlfile.validate import parse_model

TARGET_FILE: Final = "target.yaml"
ANY: Final = "any"
"""Target of a policy for a client of which nothing is known; ``any-…`` is one, too."""


def find_policy(name: str | None = None) -> Path:
    """Return a policy's folder: a path, the id of a shipped policy, or ``None`` for the default.

    Raises :class:`PolicyError` where there is none of that name.
    """
    shipped = {path.name: path for path in shipped_policies()}
    if name is None:
        return _default(list(shipped.values()))
    path = Path(name)
    if (path / POLICY_FILE).is_file():
        return path
    if path.name == POLICY_FILE and path.is_file():
        return path.parent
    if name in shipped:
        return shipped[name]
    raise PolicyError(
        f"there is no policy '{name}'",
        hint=did_you_mean(name, tuple(shipped))
        or f"name a folder with a {POLICY_FILE}, or one of: {' '.join(shipped)}",
    )


def _default(folders: list[Path]) -> Path:
    defaults = [
        folder
        for folder in folders
        if (data := load_yaml(folder / POLICY_FILE).data)
        and isinstance(data, dict)
        and data.get("default") is True
    ]
    if len(defaults) == 1:
        return defaults[0]
    what = "several policies say" if defaults else "no shipped policy says"
    raise PolicyError(f"{what} 'default: true'", hint="name one with --policy")


def target_names(policy_folder: Path) -> tuple[str, ...]:
    """Return the names of a policy's targets, sorted."""
    return tuple(
        sorted(path.parent.name for path in policy_folder.glob(f"targets/*/{TARGET_FILE}"))
    )


def load_target(policy: Policy, name_or_path: str | Path) -> Target:
    """Load a target: the name of a folder in the policy's ``targets/``, or a path.

    Raises :class:`PolicyError` where there is none, or where it sets what it may not.
    """
    folder = _folder(policy.folder, name_or_path)
    located = load_yaml(folder / TARGET_FILE)
    file = parse_model(located, target_file.TargetFile, target_file.SCHEMA)
    problems: list[Problem] = []
    if file.policy != policy.id:
        message = f"this target belongs to policy '{file.policy}', not '{policy.id}'"
        problems.append(located.problem(("policy",), "E115", message))
    for name, value in file.vars.items():
        variable = policy.pack.vars.get(name)
        path = ("vars", name)
        if variable is None:
            hint = did_you_mean(name, tuple(policy.pack.vars))
            message = f"the pack declares no variable '{name}'"
            problems.append(located.problem(path, "E103", message, at="key", hint=hint))
        elif not variable.settable:
            message = f"the pack does not let a target set '{name}'"
            allowed = tuple(key for key, item in policy.pack.vars.items() if item.settable)
            problems.append(located.problem(path, "E207", message, at="key", allowed=allowed))
        else:
            try:
                check_type(value, variable.type, policy.kinds)
            except ValueError as error:
                message = f"'{name}' is no {variable.type}: {error}"
                problems.append(located.problem(path, "E105", message))
    if problems:
        raise PolicyFileError(problems)
    return Target(name=folder.name, file=file, folder=folder)


def _folder(policy_folder: Path, name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    inside = policy_folder / "targets" / path.name
    is_name = len(path.parts) == 1
    for folder in (inside, path) if is_name else (path,):
        if (folder / TARGET_FILE).is_file():
            return folder
    if path.name == TARGET_FILE and path.is_file():
        return path.parent
    names = target_names(policy_folder)
    raise PolicyError(
        f"there is no target '{name_or_path}' in {display_name(policy_folder)}",
        hint=did_you_mean(str(name_or_path), names) or f"targets there: {' '.join(names)}",
    )


def locate_target(name_or_path: str | None, policy: str | None = None) -> tuple[Policy, Target]:
    """Load the policy and target that a call means.

    A target's name is looked for in ``policy``, else in every shipped policy; without one it is
    the ``any`` (or only ``any-…``) of the policy, or of the default policy. Raises
    :class:`PolicyError` where nothing, or two, have the name.
    """
    if name_or_path is None or policy is not None:
        loaded = load_policy(find_policy(policy))
        return loaded, load_target(loaded, name_or_path or target_of_anything(loaded.folder))
    path = Path(name_or_path)
    found = [folder for folder in shipped_policies() if name_or_path in target_names(folder)]
    if len(found) > 1:
        raise PolicyError(
            f"several policies have a target '{name_or_path}'",
            hint=f"add --policy with one of: {' '.join(folder.name for folder in found)}",
        )
    if not found and (path.is_dir() or path.is_file()):
        folder = path if path.is_dir() else path.parent
        loaded = load_policy(_policy_of(folder))
        return loaded, load_target(loaded, folder)
    if not found:
        names = tuple(name for folder in shipped_policies() for name in target_names(folder))
        raise PolicyError(
            f"there is no target '{name_or_path}'",
            hint=did_you_mean(name_or_path, names) or f"shipped targets: {' '.join(names)}",
        )
    loaded = load_policy(found[0])
    return loaded, load_target(loaded, name_or_path)


def target_of_anything(policy_folder: Path) -> str:
    """Return the policy's target for a client that none describes: ``any``, or the only ``any-…``.

    Raises :class:`PolicyError` where there is none, or several.
    """
    names = target_names(policy_folder)
    found = [name for name in names if name.startswith(f"{ANY}-")]
    if ANY in names or not found:
        return ANY
    if len(found) == 1:
        return found[0]
    raise PolicyError(
        f"no target is named, and {display_name(policy_folder)} has several for any client",
        hint=f"add --target with one of: {' '.join(found)}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Policy and target that captures name; ``None``: they name none."""

    policy: str | None = None
    target: str | None = None


def locate_judged(
    target: str | None, policy: str | None, recorded: Recorded
) -> tuple[Policy, Target, str | None]:
    """Load what captures are judged by, and say in a sentence what nobody named.

    What a call names holds; else what the captures name, as far as the policy knows it; else the
    policy's target for any client. The sentence is ``None`` where nothing was chosen. Raises
    :class:`PolicyError`.
    """
    if target is not None:
        return *_named(target, policy, recorded), None
    if policy is None or recorded.target is None:
        return *locate_target(recorded.target, policy or recorded.policy), None
    folder = find_policy(policy)
    if recorded.target in target_names(folder):
        return *locate_target(recorded.target, policy), None
    loaded = load_policy(folder)
    chosen = load_target(loaded, target_of_anything(folder))
    said = (
        f"policy '{loaded.id}' has no target '{recorded.target}', of which the recording is: "
        f"judged as '{chosen.name}'"
    )
    return loaded, chosen, said


def _named(target: str, policy: str | None, recorded: Recorded) -> tuple[Policy, Target]:
    """Load a target that a call names: of the policy recorded for, if it is there."""
    if policy is None and recorded.policy is not None and Path(target).name == target:
        with contextlib.suppress(PolicyError):  # recorded for a policy that is not here
            if target in target_names(find_policy(recorded.policy)):
                policy = recorded.policy
    return locate_target(target, policy)


def _policy_of(folder: Path) -> Path:
    """Return the policy that a target outside of it names, or that it lies in."""
    for parent in folder.resolve().parents:
        if (parent / POLICY_FILE).is_file():
            return parent
    file = parse_model(load_yaml(folder / TARGET_FILE), target_file.TargetFile, target_file.SCHEMA)
    return find_policy(file.policy)


def target_of_nothing(policy: Policy) -> Target:
    """Return a target that sets nothing and can do everything, for examples and lint."""
    app = target_file.App(name="any client")
    file = target_file.TargetFile.model_validate(
        {"schema": target_file.SCHEMA, "policy": policy.id, "app": app.model_dump()}
    )
    return Target(name=ANY, file=file, folder=None)
