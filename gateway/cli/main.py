"""The command line: `gateway COMMAND`. A command is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

import click

from gateway import __version__

COMMANDS: Mapping[str, str] = {
    "demo": "Wallets, the gateway and providers on this machine, playing real sessions.",
    "serve": "The gateway itself.",
    "check": "Is this configuration right, and what can each route say?",
    "dialects": "Every dialect: calls, keys, settings.",
    "translate": "One provider's request: what it means, and what a wallet would be sent.",
    "sign": "Sign a request, explain the signature, find out why two differ.",
    "new-dialect": "Begin a dialect after a living one, with the list of what is still to say.",
    "laws": "The laws that every dialect obeys, on one of them.",
    "wallet": "A wallet that speaks any dialect, for tests and demos.",
    "provider": "A provider that speaks any dialect, for tests and demos.",
    "tx": "The journal: list, show, retry, resolve.",
    "journal": "The journal as a whole: copy it, check it, say what it forgot.",
    "completion": "Shell completion.",
}
"""Each is `command` in the module of its name."""


class Commands(click.Group):
    """Commands by name, without importing them for `gateway --help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"gateway.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gateway")
def main() -> None:
    """The gateway between game providers and operators' wallets.

    \b
    gateway demo                        see it work, on an empty machine
    gateway check gateway.yaml          is the configuration right?
    gateway serve --config gateway.yaml

    Exit status: 0 done, 1 the thing checked is wrong, 2 the call is wrong.
    """
    # A terminal that cannot show a sign gets a question mark, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
