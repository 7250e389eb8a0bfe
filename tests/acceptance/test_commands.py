"""What holds of every command: its help, its JSON, its completion."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import click
import pytest

from option_a.cli.main import cli
from tests.acceptance.command import DAY, Place
from tests.support.apis.page_server import data_body, serve_api

CONTEXT = click.Context(cli)
NAMES = cli.list_commands(CONTEXT)
DAYS = ("--from", DAY, "--to", DAY)
JSON: dict[str, tuple[str, ...]] = {
    "run": ("--date", DAY),
    "backfill": DAYS,
    "plan": ("--date", DAY),
    "status": (),
    "logs": ("api-a", DAY),
    "verify": (),
    "add": ("{url}",),
    "doctor": ("api-a",),
    "preview": ("api-a",),
    "check": (),
    "dead": (),
    "redrive": (),
    "cancel": ("api-a", *DAYS),
    "query": ("SELECT 1 AS n",),
}
"""The arguments with which each command that knows --json is tried."""


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in NAMES:
        found = cli.get_command(CONTEXT, name)
        assert found is not None
        yield name, found


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_with_examples(option_a: Place, name: str) -> None:
    done = option_a(name, "--help")
    assert (done.code, done.err) == (0, "")
    _, found, examples = done.out.partition("Examples:\n")
    assert found
    assert f"option-a {name}" in examples


def test_the_command_itself_lists_every_command_and_the_exit_codes(option_a: Place) -> None:
    done = option_a("--help")
    assert done.code == 0
    for name, text in [*((name, name) for name in NAMES), ("exit codes", "Exit codes: 0")]:
        assert text in done.out, name
    assert option_a("--version").out.startswith("option-a, version ")


def test_help_leaves_nothing_behind(option_a: Place) -> None:
    option_a("--help")
    option_a("run", "--help")
    assert list(option_a.folder.iterdir()) == []


def test_every_command_that_knows_json_is_tried_below() -> None:
    knowing = {name for name, found in commands() if any("--json" in option.opts for option in found.params)}
    assert knowing == JSON.keys()


def test_json_of_every_command_is_one_document_and_nothing_else(option_a: Place) -> None:
    assert option_a("run", "--date", DAY).code == 0
    with serve_api(lambda asked: data_body([b'{"id":1}'])) as api:
        for name, arguments in JSON.items():
            done = option_a(name, *(argument.format(url=api.url) for argument in arguments), "--json")
            assert done.code == 0, (name, done.err)
            assert done.json() is not None, name


def test_json_stands_alone_on_stdout_even_while_it_loads(option_a: Place) -> None:
    done = option_a("run", "--date", DAY, "--json")
    assert done.json()["worked"] is True
    assert "complete" in done.err


def test_a_partition_in_json_has_its_figures(option_a: Place) -> None:
    answer = option_a("run", "--date", DAY, "--source", "api-a", "--json").json()
    assert answer["ok"] is True
    (row,) = answer["partitions"]
    assert (row["source"], row["date"], row["state"], row["origin"]) == ("api-a", DAY, "complete", "mock")
    assert row["pages"] == len(option_a.pages("api-a"))
    assert row["records"] == len(option_a.lines("api-a"))
    assert row["bytes"] == sum(map(len, option_a.pages("api-a").values()))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_one_that_the_shell_reads(option_a: Place, shell: str) -> None:
    done = option_a("completion", shell)
    assert done.code == 0
    assert "_OPTION_A_COMPLETE" in done.out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.out, text=True, check=True, capture_output=True)


def test_completion_completes_commands_and_options(option_a: Place) -> None:
    asked = option_a(_OPTION_A_COMPLETE="bash_complete", COMP_WORDS="option-a st", COMP_CWORD="1")
    assert "status" in asked.out
    asked = option_a(_OPTION_A_COMPLETE="bash_complete", COMP_WORDS="option-a run --fr", COMP_CWORD="2")
    assert "--fresh" in asked.out
