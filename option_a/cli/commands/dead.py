"""`option-a dead`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, json_option, pipeline_options
from option_a.cli.render import moment, plural, print_json, printable, table
from option_a.ingest.ports import DeadLetter
from option_a.workspace.settings import Settings


@click.command("dead", epilog=examples("option-a dead\noption-a dead --discard-unreadable\noption-a dead --json"))
@click.option("--discard-unreadable", is_flag=True, help="Delete unreadable dead letters, which redrive cannot send.")
@json_option
@pipeline_options
def command(discard_unreadable: bool, as_json: bool, settings: Settings) -> None:
    """List dead letters: tasks that failed for good, with their causes."""
    pipeline = open_pipeline(settings)
    if discard_unreadable:
        pipeline.delete_dead_letters([letter for letter in pipeline.dead_letters() if letter.task is None])
    letters = pipeline.dead_letters()
    if as_json:
        print_json([_row(letter) for letter in letters])
        return
    if letters:
        rows = [
            (
                letter.queue,
                letter.task.day if letter.task else "?",
                moment(letter.died_at),
                letter.cause.kind,
                printable(letter.cause.message),
            )
            for letter in letters
        ]
        click.echo(table(("source", "date", "died", "cause", "message"), rows) + "\n")
    click.echo(". ".join([plural(len(letters), "dead letter"), *_advice(letters)]))


def _advice(letters: list[DeadLetter]) -> Iterator[str]:
    if any(letter.task is not None for letter in letters):
        yield "When the cause is fixed: option-a redrive"
    if any(letter.task is None for letter in letters):
        yield "To delete unreadable letters: option-a dead --discard-unreadable"


def _row(letter: DeadLetter) -> dict[str, object]:
    return {
        "source": letter.queue, "date": letter.task.date if letter.task else None, "died_at": letter.died_at,
        "receives": letter.receives, "cause": letter.cause, "body": letter.body.decode(errors="replace"),
    }  # fmt: skip
