"""The command `segment-exports`: its options, its commands, and what becomes of failures."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.addresses import LOCAL
from cli.desk import Desk
from cli.failures import Failure
from cli.guessing import with_guess
from cli.table import COMMANDS, meant

_EPILOG = (
    "Exit statuses: 0 done, 1 failed or refused, 2 used wrongly, 3 not signed in or not allowed, 4 not reachable, "
    "5 the run waits for a decision, 6 something differs."
)


class _Group(TyperGroup):
    """Ends with the exit status of a failure, and guesses what a mistyped command was to be."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        guess = meant(args[0]) if args[0] not in self.commands else ""
        if guess and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]}. Did you mean {guess}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            ctx.obj.fail(with_guess(ctx.obj.api, failure) if failure.status else failure)
            raise typer.Exit(failure.exit_status) from None


# Pretty tracebacks show the values of variables, which may be people.
app = typer.Typer(cls=_Group, epilog=_EPILOG, no_args_is_help=True, pretty_exceptions_enable=False)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"segment-exports {_installed()}")
        raise typer.Exit


def _installed() -> str:
    try:
        return version("segment-exports")
    except PackageNotFoundError:
        return "(run from its folder, not installed)"


@app.callback()
def segment_exports(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(envvar="SEGMENT_EXPORTS_URL", help="Address of the app; without it one on this machine.")
    ] = LOCAL,
    client_id: Annotated[
        str,
        typer.Option(
            envvar="SEGMENT_EXPORTS_CLIENT_ID",
            help="Client id of the app's registration in Microsoft Entra ID: sign in for it with what is at hand (az "
            "login, a managed or workload identity, a service principal).",
        ),
    ] = "",
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version of this command.")
    ] = False,
) -> None:
    """Keep segments on marketing vendors' lists: a client of the app's API.

    SEGMENT_EXPORTS_TOKEN, an access token, takes the place of signing in; SEGMENT_EXPORTS_KEY, the function key, starts
    runs and opens nothing else.
    """
    context.obj = Desk(url, client_id)


for _each in COMMANDS:
    app.command(_each.name, help=_each.help, rich_help_panel=_each.group)(_each.carry_out)
