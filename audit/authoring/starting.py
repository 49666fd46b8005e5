"""A new policy folder out of a policy's text: it lints, and its first check passes its tests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from audit.authoring.clauses import Suggestion, slug, suggest
from audit.authoring.one_line import one_line
from audit.authoring.schema import write_schemas
from audit.authoring.sentences import is_page, sentences_of, text_of_page
from audit.errors import PolicyError
from audit.yamlfile.loader import MAX_BYTES, display_name

SCHEMAS: Final = ".schemas"
"""Folder of a new policy with the schemas that its files name."""
_OTHERS: Final = re.compile(
    r"third|shar|sell|sold|advert|track|partner|analytic|telemetr|talk to|contact", re.IGNORECASE
)
_HOST: Final = re.compile(
    r"(?<![\w@.-])(?:https?://)?((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})\b", re.IGNORECASE
)
_MAIL: Final = re.compile(r"[\w.+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})\b", re.IGNORECASE)
_VARS: Final = {
    "recipients": """\
  own_hosts:
    type: list[host]
    description: Hosts that the policy's own services use; a host stands for all below it.
    default: [{hosts}]
""",
    "identifiers": """\
  personal_kinds:
    type: list[kind]
    description: What names the person or their device (docs/reference/vocabularies.md, Kind).
    default: [email, phone, user_name, address, mac, serial, ad_id, android_id]
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A new policy folder."""

    folder: Path
    sentences: int
    clauses: int
    check: Path
    """The first check."""


def start_policy(
    path: Path, folder: Path | None = None, identity: str | None = None, url: str | None = None
) -> Started:
    """Cut a text into clauses and write a policy folder; raises :class:`PolicyError`.

    Without ``folder`` it is made in the working folder and named by the policy's id.
    """
    data, text = _read(path)
    name = identity or slug(path.stem.replace("_", " "), 3) or "policy"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", name):
        raise PolicyError(
            f"'{name}' is no id of a policy", hint="lower case letters, digits, '-' and '_'"
        )
    suggestions = suggest(sentences_of(text))
    chosen = [item for item in suggestions if item.is_clause]
    if not chosen:
        raise PolicyError(
            "no sentence of this text says anything of data",
            source=display_name(path),
            hint="give the text of a privacy policy",
        )
    folder = folder or Path(name)
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise PolicyError("there is something already", source=display_name(folder))
    policy = _policy_yaml(name, path.stem, data, suggestions, url or "unknown")
    if len(policy.encode()) > MAX_BYTES:
        raise PolicyError("the text is too long for one policy", source=display_name(path))
    return _write(folder, name, data, text, suggestions, policy)


def _read(path: Path) -> tuple[bytes, str]:
    """Return the text to pin, and itself decoded; of a page, its words."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"the text cannot be read: {error.strerror or error}", source=display_name(path)
        ) from None
    hint = "save the policy's words as UTF-8 text"
    if data.startswith(b"%PDF") or b"\0" in data[:4096]:
        raise PolicyError("this is no text", source=display_name(path), hint=hint)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError("the text is not UTF-8", source=display_name(path), hint=hint) from None
    if is_page(text):
        text = text_of_page(text)
        data = text.encode()
    return data, text


def _write(
    folder: Path,
    name: str,
    data: bytes,
    text: str,
    suggestions: Sequence[Suggestion],
    policy: str,
) -> Started:
    first = next((item for item in suggestions if item.is_clause and item.kind == "promise"), None)
    first = first or next(item for item in suggestions if item.is_clause)
    kind = "recipients" if _OTHERS.search(first.sentence.text) else "identifiers"
    hosts = _hosts(text)
    values = {
        "policy": name,
        "id": f"{name}.{first.id}",
        "clause": first.id,
        "quote": one_line(first.sentence.text),
        "host": hosts[0],
        "vars": _VARS[kind].format(hosts=", ".join(hosts)).rstrip("\n"),
    }
    check = folder / "checks" / f"{first.id.replace('.', '-')}.yaml"
    contents = {
        folder / "policy.yaml": policy,
        folder / "pack.yaml": template("pack", values),
        folder / "gate.yaml": template("gate", values),
        folder / "targets" / "any" / "target.yaml": template("target", values),
        check: template(kind, values),
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (folder / "source.txt").write_bytes(data)
    write_schemas(folder / SCHEMAS)
    return Started(
        folder=folder,
        sentences=len(suggestions),
        clauses=sum(item.is_clause for item in suggestions),
        check=check,
    )


def template(name: str, values: dict[str, str]) -> str:
    """Return a shipped file with values put in."""
    text = (files("audit.authoring") / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _policy_yaml(
    name: str, title: str, data: bytes, suggestions: Sequence[Suggestion], url: str
) -> str:
    digest = hashlib.sha256(data).hexdigest()
    lines = [
        "# yaml-language-server: $schema=.schemas/policy.schema.json",
        "# The document that is judged. Ids, sections and kinds are suggestions: correct them now,",
        "# for reports and waivers refer to them later. Sentences that are no clause are comments.",
        "schema: audit/policy@1",
        f"id: {name}",
        f"title: {one_line(title.replace('-', ' ').replace('_', ' ').capitalize())}",
        "editions:",
        "  - id: first",
        "    text: source.txt",
        f"    sha256: {digest}",
        f"    url: {one_line(url)}",
        "    retrieved: unknown",
        "clauses:",
    ]
    for item in suggestions:
        words = item.sentence.text
        if not item.is_clause:
            lines.append(f"  # {item.sentence.number}. {words}")
            continue
        lines += [
            f"  # {item.sentence.number}.",
            f"  - id: {item.id}",
            f"    section: {one_line(item.sentence.section or 'Text')}",
            f"    kind: {item.kind}",
            f"    quote: {one_line(words)}",
        ]
    return "\n".join(lines) + "\n"


def _hosts(text: str) -> list[str]:
    """Return the hosts that a text names, the most frequent first."""
    found = [match[1].lower().removeprefix("www.") for match in _HOST.finditer(text)]
    found += [match[1].lower() for match in _MAIL.finditer(text)]
    named = sorted({*found}, key=lambda host: (-found.count(host), host))
    return [host for host in named if not host.endswith((".html", ".txt", ".pdf"))][:5] or [
        "own.example"
    ]
