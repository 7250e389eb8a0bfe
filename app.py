"""The CDK app. `cdk deploy` runs it; `python app.py [-c switch=value]` synthesizes into cdk.out with no CLI."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    from option_a.ingest.config import DEFAULT_NAMES, read_sources
    from option_a.ingest.errors import BuildError, ConfigError, OptionAError, UserError, Where
    from option_a.lakeformation.read import FILE, read_access
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing.name} is not installed (pip install -r requirements.txt)")

if TYPE_CHECKING:
    from option_a.constructs.switches import Switches
    from option_a.ingest.config import Sources
    from option_a.lakeformation.groups import Groups

ROOT = Path(__file__).parent
_DEFAULTS = "".join(f"[sources.{name}]\n" for name in DEFAULT_NAMES)


def main() -> None:
    """Exit codes: 0 synthesized, 1 something is missing or broken, 2 a mistake in sources.toml or in a switch."""
    try:
        synthesize(sys.argv[1:], os.environ)
    except OptionAError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UserError) else 1)
    except ModuleNotFoundError as missing:
        sys.exit(f"error: {missing.name} is not installed (pip install -r requirements.txt)")


def synthesize(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Write the cloud assembly. Raises OptionAError."""
    given = {**_kept_context(), **_given(arguments)}
    _need_node(env)
    from aws_cdk import App

    from option_a.constructs.bundle import build
    from option_a.constructs.checks import check, check_reserved, function_environment
    from option_a.constructs.functions import Code
    from option_a.constructs.switches import read_switches
    from option_a.lakeformation_stack import add_lake_formation
    from option_a.stack import IngestionStack

    app = App(context=given, outdir=env.get("CDK_OUTDIR", "cdk.out"))
    switches = read_switches(app.node.get_all_context())
    text, folder = _read(switches.sources, "sources.toml", "sources"), (ROOT / switches.sources).parent
    declared = read_sources(text, env, switches.sources)
    sources = list(declared.values())
    check_reserved(sources, switches.reservedConcurrency)
    try:
        check(sources)
    except ConfigError as error:
        raise error.at(Where(file=switches.sources)) from None
    groups = _groups(switches, declared)
    with tempfile.TemporaryDirectory() as asset:
        build(
            Path(asset),
            root=ROOT,
            sources_text=_DEFAULTS if text is None else text,
            certificates={name: folder / name for name in {source.ca_bundle for source in sources} if name},
            architecture=switches.architecture,
            packages=switches.bundle,
            say=lambda line: print(line, file=sys.stderr),
        )
        code = Code(asset, hashlib.sha256((text or "").encode()).hexdigest(), function_environment(env))
        stack = IngestionStack(app, switches.stack, sources=sources, switches=switches, code=code)
        if groups:
            add_lake_formation(app, stack, groups=groups, sources=declared, switches=switches)
        app.synth()


def _groups(switches: Switches, sources: Sources) -> Groups:
    """Who may read what; nobody is asked where Lake Formation is off."""
    from option_a.constructs.lakeformation.checks import check_access, check_administrator

    check_administrator(switches)
    if switches.lakeFormation == "off":
        return {}
    groups = read_access(_read(switches.access, FILE, "access"), sources, switches.access)
    check_access(groups, sources, switches)
    return groups


def _kept_context() -> dict[str, Any]:
    """What the CLI would take from cdk.json: with it or without, the templates are the same."""
    kept: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    return kept


def _given(arguments: Sequence[str]) -> dict[str, str]:
    found = {}
    for flag, pair in zip(arguments[::2], [*arguments[1::2], ""], strict=False):
        key, equals, value = pair.partition("=")
        if flag not in ("-c", "--context") or not equals:
            raise ConfigError(f"{flag} {pair}".rstrip() + " is no argument", hint="write -c switch=value")
        found[key] = value
    return found


def _need_node(env: Mapping[str, str]) -> None:
    if shutil.which(env.get("JSII_NODE", "node")) is None:
        raise BuildError("there is no Node.js on the PATH, and AWS CDK needs it", hint="https://nodejs.org, version 22")


def _read(name: str, default: str, switch: str) -> str | None:
    """A text that declares something; None where there is no file and none was asked for."""
    try:
        return (ROOT / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError) and name == default:
            return None
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{name}: {reason}", hint=f"-c {switch}=PATH names another file") from None


if __name__ == "__main__":
    main()
