"""`gateway completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gateway.cli.main import main

VARIABLE = "_GATEWAY_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash:  eval "$(gateway completion bash)"            in ~/.bashrc
    zsh:   eval "$(gateway completion zsh)"             in ~/.zshrc
    fish:  gateway completion fish | source             in ~/.config/fish/config.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, "gateway", VARIABLE).source())
