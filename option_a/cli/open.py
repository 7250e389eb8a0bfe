"""Opens the pipeline that the settings name: this machine, or a stack on AWS, imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from option_a.ingest.errors import ConfigError
from option_a.workspace.pipeline import Pipeline
from option_a.workspace.settings import Settings

if TYPE_CHECKING:
    from option_a.aws.stack.pipeline import StackPipeline
    from option_a.local.pipeline import LocalPipeline


def open_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that the settings name. Raises ConfigError."""
    return open_local(settings) if settings.stack is None else open_stack(settings)


def open_local(settings: Settings) -> LocalPipeline:
    """The pipeline on this machine."""
    from option_a.local.pipeline import LocalPipeline

    return LocalPipeline(settings)


def open_stack(settings: Settings) -> StackPipeline:
    """The pipeline of a stack. Raises ConfigError if boto3 is not installed."""
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise ConfigError("--stack needs boto3", hint="pip install -r requirements.txt") from None
    from option_a.aws.stack.pipeline import StackPipeline

    return StackPipeline(settings)
