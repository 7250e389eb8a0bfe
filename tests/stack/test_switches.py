"""The `-c` switches: what is taken, and how what cannot be is refused."""

from __future__ import annotations

import pytest

from option_a.constructs.switches import RETENTIONS, Switches, read_switches
from option_a.ingest.errors import ConfigError


def test_without_any_there_are_defaults() -> None:
    assert read_switches({}) == Switches()


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [
        ("reservedConcurrency", "12", 12),
        ("reservedConcurrency", 12, 12),
        ("removal", "destroy", "destroy"),
        ("alarmEmail", "night@example.com", "night@example.com"),
        ("architecture", "x86_64", "x86_64"),
        ("memory", " 2048 ", 2048),
        ("logRetention", "3653", 3653),
        ("scanCutoff", "5", 5),
        ("sources", "other.toml", "other.toml"),
        ("stack", "Dev-1", "Dev-1"),
        ("nested", "true", True),
        ("nested", True, True),
        ("bundle", "false", False),
        ("bundle", False, False),
    ],
)
def test_a_value_is_read_as_the_command_line_gives_it(key: str, given: object, read: object) -> None:
    assert getattr(read_switches({key: given}), key) == read


@pytest.mark.parametrize(
    ("key", "given", "allowed"),
    [
        ("reservedConcurrency", "0", "a whole number"),
        ("reservedConcurrency", "-3", "a whole number"),
        ("reservedConcurrency", "²", "a whole number"),
        ("removal", "delete", "retain, destroy"),
        ("alarmEmail", "nobody", "an e-mail address"),
        ("architecture", "arm", "arm64, x86_64"),
        ("memory", "128", "256 to 10240"),
        ("memory", "1024.5", "256 to 10240"),
        ("memory", "10241", "256 to 10240"),
        ("logRetention", "31", "1, 3, 5, 7, 14, 30"),
        ("logRetention", "007", "1, 3, 5, 7, 14, 30"),
        ("scanCutoff", "", "a whole number from 1"),
        ("sources", "", "the path of a file"),
        ("stack", "1st", "letters, digits and hyphens"),
        ("stack", "under_score", "letters, digits and hyphens"),
        ("nested", "yes", "true, false"),
        ("bundle", "1", "true, false"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_is_allowed(key: str, given: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_switches({key: given})
    assert str(refused.value).startswith(f"-c {key}={given} is not valid (allowed: ")
    assert allowed in str(refused.value)


def test_an_unknown_switch_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"-c memroy: no such switch \(did you mean memory\? allowed: reserved"):
        read_switches({"memroy": "1"})


def test_the_context_of_the_cdk_itself_is_no_switch() -> None:
    own = {"@aws-cdk/core:x": True, "aws:cdk:enable-path-metadata": True, "acknowledged-issue-numbers": [1]}
    assert read_switches(own) == Switches()


def test_the_retentions_are_those_of_the_service() -> None:
    from aws_cdk import aws_logs as logs

    assert len(RETENTIONS) == len(logs.RetentionDays) - 1, "all of them but INFINITE"
