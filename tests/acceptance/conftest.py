"""What tests of this floor start from: an empty folder, an AWS that is not ours, the functions as they are deployed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import Place
from tests.support.aws.function_asset import build_asset, link_runtime
from tests.support.aws.moto import MotoServer, moto_server


@pytest.fixture
def option_a(tmp_path: Path) -> Place:
    """`option_a("run", "--json")` runs the command in an empty folder."""
    return Place(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    """An AWS that is not ours; stacks on it are told apart by their names."""
    with moto_server() as running:
        yield running


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda itself brings: its client and the AWS SDK."""
    return link_runtime(tmp_path_factory.mktemp("lambda") / "runtime")


@pytest.fixture(scope="session")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions' asset for this machine."""
    return build_asset(tmp_path_factory.mktemp("lambda") / "asset")
