"""What goes wrong on the way to a stack: one clear line each, and never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.command import DAY, Place
from tests.support.apis.http_server import Exchange, Server, reply
from tests.support.apis.page_server import data_body, serve_api
from tests.support.aws.deployed_stack import FakeStack
from tests.support.aws.moto import KEYS, MotoServer

NAME = "Mistaken"
MOCKS = ["api-a", "api-b", "api-c", "api-d"]
NO_KEYS = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
SAID = "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: cloudformation:DescribeStacks"


@pytest.fixture(scope="module")
def stack(server: MotoServer) -> FakeStack:
    made = FakeStack(server, NAME)
    made.deploy(MOCKS, None)
    return made


def refusing(code: str, message: str) -> bytes:
    """What AWS's query APIs answer with."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>"
    return reply(body.encode(), 400 if code == "Throttling" else 403, {"Content-Type": "text/xml"})


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        ("AccessDenied", SAID, "ask for permission to DescribeStacks"),
        ("ExpiredToken", "The security token included in the request is expired", "log in again: aws sso login"),
        ("InvalidClientTokenId", "The security token is invalid", "AWS does not know these credentials"),
        ("Throttling", "Rate exceeded", "AWS throttles requests: try again in a minute"),
        ("InternalFailure", "who knows", "nothing was lost: fix it and try again"),
    ],
)
def test_a_refusal_is_told_with_its_way_out(tmp_path: Path, code: str, message: str, advice: str) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.send(refusing(code, message))

    with Server(refuse) as server:
        env = {**KEYS, "AWS_ENDPOINT_URL": server.url, "AWS_MAX_ATTEMPTS": "1"}
        done = Place(tmp_path, **env)("status", "--stack", NAME)
    assert done.code == 1
    assert done.err.splitlines() == [
        f"error: cannot look at the stack {NAME}: {message} ({code}, DescribeStacks)",
        f"  {done.err.splitlines()[1].strip()}",
    ]
    assert advice in done.err
    assert done.out == ""


def test_a_stack_that_is_not_there_is_named_with_its_region(tmp_path: Path, server: MotoServer) -> None:
    done = Place(tmp_path, **server.env)("run", "--stack", "Nowhere")
    assert done.code == 2
    assert "error: there is no stack 'Nowhere' in us-east-1" in done.err
    assert "AWS_PROFILE and AWS_REGION" in done.err


def test_a_stack_of_somebody_elses_is_told_by_its_outputs(tmp_path: Path, server: MotoServer) -> None:
    stack = FakeStack(server, "Another")
    stack.describe({"Website": "https://example.com"})
    done = Place(tmp_path, **stack.env)("status")
    assert done.code == 2
    assert "the stack Another (CREATE_COMPLETE) is not one of Option A's, or not deployed whole" in done.err
    assert "`LakeBucket`" in done.err


def test_without_credentials_the_ways_to_get_some_are_told(tmp_path: Path, server: MotoServer) -> None:
    place = Place(tmp_path, **NO_KEYS, HOME=str(tmp_path), AWS_ENDPOINT_URL=server.endpoint)
    done = place("status", "--stack", NAME)
    assert done.code == 2
    assert "error: no AWS credentials" in done.err
    assert "aws configure, aws sso login, or AWS_PROFILE" in done.err


def test_without_a_region_it_says_so(tmp_path: Path) -> None:
    env = {key: value for key, value in KEYS.items() if "REGION" not in key}
    done = Place(tmp_path, **env, HOME=str(tmp_path))("status", "--stack", NAME)
    assert (done.code, "error: no AWS region is set" in done.err) == (2, True)


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = Place(tmp_path, AWS_PROFILE="nobody", HOME=str(tmp_path))("status", "--stack", NAME)
    assert done.code == 2
    assert "nobody" in done.err
    assert "aws configure list-profiles" in done.err


def test_a_profile_serves_for_the_queues_and_for_the_lake(tmp_path: Path, stack: FakeStack) -> None:
    (tmp_path / "credentials").write_text("[ana]\naws_access_key_id = anas\naws_secret_access_key = anas\n")
    env = {
        **NO_KEYS, "HOME": str(tmp_path), "AWS_PROFILE": "ana", "AWS_ENDPOINT_URL": stack.aws.endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), "OPTION_A_STACK": stack.name,
    }  # fmt: skip
    done = Place(tmp_path, **env)("status", "--json")
    assert done.code == 0, done.err
    assert len(done.json()["partitions"]) == 4


def test_a_place_that_does_not_answer_is_told(tmp_path: Path) -> None:
    env = {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = Place(tmp_path, **env)("status", "--stack", NAME)
    assert done.code == 1
    assert f"error: cannot look at the stack {NAME}: Could not connect" in done.err


def test_a_bucket_that_is_gone_is_told(tmp_path: Path, server: MotoServer) -> None:
    stack = FakeStack(server, "Hollow")
    stack.deploy(MOCKS, None)
    stack.aws.client("s3").delete_bucket(Bucket=stack.bucket)
    done = Place(tmp_path, **stack.env)("status")
    assert done.code == 1
    assert "in the lake s3://hollow-lake: " in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "--lake", "elsewhere"), "has its own lake"),
        (("run", "--workers", "3"), "--workers applies to one machine only"),
        (("run", "--durable"), "--durable applies to one machine only"),
    ],
)
def test_options_that_contradict_a_stack_are_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = Place(tmp_path, **KEYS)(*arguments, "--stack", NAME)
    assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--detach"), "--detach needs --stack"),
        (("redrive", "--unreadable"), "--unreadable is for --stack"),
    ],
)
def test_options_of_a_stack_are_refused_on_one_machine(option_a: Place, arguments: tuple[str, ...], said: str) -> None:
    done = option_a(*arguments)
    assert (done.code, said in done.err) == (2, True), done.err


def test_without_boto3_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['boto3'] = None; from option_a.cli.main import main; main()"
    line = [sys.executable, "-c", code, "status", "--stack", NAME]
    done = subprocess.run(
        line, cwd=tmp_path, env=Place(tmp_path).env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == "error: --stack needs boto3\n  pip install -r requirements.txt\n"


def test_a_secret_of_aws_serves_on_one_machine_too(tmp_path: Path, server: MotoServer) -> None:
    """No stack is asked for: the source alone names the secret."""
    option_a = Place(tmp_path, **server.env)
    with serve_api(lambda asked: data_body([b'{"id":1}'] if asked.page == 1 else [])) as api:
        auth = 'auth = { style = "bearer", token = "aws-secret:orders#token" }'
        option_a.declare(f'[sources.orders]\nurl = "{api.url}/orders"\ndate_param = "date"\n{auth}\n')
        refused = option_a("run", "--date", DAY)
        assert refused.code == 1
        assert "the secret orders cannot be read: ResourceNotFoundException" in refused.err
        server.client("secretsmanager").create_secret(Name="orders", SecretString='{"token": "tell-nobody"}')
        done = option_a("redrive")
    assert done.code == 0, done.err
    assert option_a.lines("orders") == [b'{"id":1}']
    assert "tell-nobody" not in done.out + done.err


def test_a_date_in_the_future_is_refused_before_anything_is_sent(tmp_path: Path, stack: FakeStack) -> None:
    option_a = Place(tmp_path, **stack.env)
    done = option_a("run", "--date", "2999-01-01")
    assert (done.code, "is in the future" in done.err) == (2, True)
    assert option_a("status", "--json").json()["queues"] == []


def test_a_lake_that_one_machine_has_stays_apart(tmp_path: Path, stack: FakeStack) -> None:
    here, there = Place(tmp_path), Place(tmp_path, **stack.env)
    assert here("run", "--date", DAY).code == 0
    assert {task["why"] for task in there("plan", "--date", DAY, "--json").json()} == {"missing"}
    assert {row["state"] for row in here("status", "--json").json()["partitions"] if row["date"] == DAY} == {"complete"}
