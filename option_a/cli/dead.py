"""`option-a dead`."""

from __future__ import annotations

import click

from option_a.cli.options import examples, json_option, place
from option_a.cli.pipeline import opened
from option_a.cli.render import emit, moment, plain, plural, table
from option_a.home.wiring import Settings
from option_a.ingest.ports import DeadLetter


@click.command("dead", epilog=examples("option-a dead\noption-a dead --json"))
@click.option("--discard-unreadable", is_flag=True, help="Delete the letters that nobody can read; redrive cannot.")
@json_option
@place
def command(discard_unreadable: bool, as_json: bool, settings: Settings) -> None:
    """The tasks that could not be done, with their causes."""
    pipeline = opened(settings)
    if discard_unreadable:
        pipeline.forget_dead([letter for letter in pipeline.dead_letters() if letter.task is None])
    letters = pipeline.dead_letters()
    if as_json:
        emit([_row(letter) for letter in letters])
        return
    if letters:
        rows = [
            (
                letter.queue,
                letter.task.day if letter.task else "?",
                moment(letter.died_at),
                letter.cause.kind,
                plain(letter.cause.message),
            )
            for letter in letters
        ]
        click.echo(table(("source", "date", "died", "cause", "message"), rows) + "\n")
    click.echo(
        plural(len(letters), "dead letter") + (". When the cause is mended: option-a redrive" if letters else "")
    )


def _row(letter: DeadLetter) -> dict[str, object]:
    return {
        "source": letter.queue, "date": letter.task.date if letter.task else None, "died_at": letter.died_at,
        "receives": letter.receives, "cause": letter.cause, "body": letter.body.decode(errors="replace"),
    }  # fmt: skip
