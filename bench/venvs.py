"""The peers' virtual environment, apart from ours, so that their pins never meet option-a's."""

from __future__ import annotations

import hashlib
import re
import subprocess
import venv
from pathlib import Path

_HERE = Path(__file__).parent
_FOLDER = _HERE / ".venvs" / "peers"
_REQUIREMENTS = _HERE / "requirements-peers.txt"
_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def peers_python() -> Path:
    """The interpreter that has the peers installed; made anew when the pins have changed."""
    python = _FOLDER / "bin" / "python"
    stamp = _FOLDER / "installed"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print("installing the peers into bench/.venvs/peers ...", flush=True)
        venv.create(_FOLDER, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(_REQUIREMENTS)]
        subprocess.run(install, check=True)
        stamp.write_text(wanted)
    return python


def peer_versions(*names: str) -> dict[str, str]:
    """The pinned versions of some of the peers."""
    pins = {match[1]: match[2] for match in _PIN.finditer(_REQUIREMENTS.read_text())}
    return {name: pins[name] for name in names}
