"""Examples may take as long as they do: a busy machine is no fault. A machine may be anywhere.

`make unit` asks for the profile `dev`, which tries few examples; all else tries as many as Hypothesis does by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.register_profile("dev", deadline=None, max_examples=20)
settings.load_profile("unhurried")


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that counts its days by a zone of its own."""
    with monkeypatch.context() as machine:
        machine.setenv("TZ", "FAR+11")
        time.tzset()
        yield
    time.tzset()
