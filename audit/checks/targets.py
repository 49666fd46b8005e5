"""Finds and loads targets, and the policy that a call means."""

from __future__ import annotations

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
"""Target of the default policy for a client of which nothing is known."""


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
    the default policy's ``any``. Raises :class:`PolicyError` where nothing, or two, have the name.
    """
    if name_or_path is None or policy is not None:
        loaded = load_policy(find_policy(policy))
        return loaded, load_target(loaded, name_or_path or ANY)
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
