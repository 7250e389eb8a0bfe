"""`option-a completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from option_a.cli.options import examples


@click.command(
    "completion",
    epilog=examples(
        """
        eval "$(option-a completion bash)"    # in ~/.bashrc
        eval "$(option-a completion zsh)"     # in ~/.zshrc
        option-a completion fish > ~/.config/fish/completions/option-a.fish
        """
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script with which your shell completes commands and options."""
    from option_a.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "option-a", "_OPTION_A_COMPLETE").source())
