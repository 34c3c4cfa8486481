"""What every command has: the common options, the client made of them, and the places for words."""

import functools
import gc
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer
from typer.core import TyperGroup

from baygrid.cli.output import Output
from baygrid.client import config

if TYPE_CHECKING:
    from baygrid.client.connection import Connection

P = ParamSpec("P")

_COMMON = [
    inspect.Parameter("_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[
        bool, typer.Option("--json", help="One JSON value on stdout and nothing else.")]),
    inspect.Parameter("_server", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[
        str | None, typer.Option("--server", metavar="URL", help="Else BAYGRID_SERVER, else as logged in.")]),
    inspect.Parameter("_token", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="Else BAYGRID_TOKEN, else as logged in.")]),
]  # fmt: skip


class Session:
    """The common options of one call. `server` and `token` are as given; `client` is what all sources say."""

    def __init__(self, *, as_json: bool = False, server: str | None = None, token: str | None = None) -> None:
        self.out = Output(as_json=as_json)
        self.server = server
        self.token = token

    @functools.cached_property
    def access(self) -> config.Access:
        return config.access(self.server, self.token, os.environ)

    @functools.cached_property
    def client(self) -> "Connection":
        from baygrid.client.connection import Connection

        settle()
        return Connection(self.access.server, self.access.token)

    def own_project(self) -> str:
        """The one project that this token can see, for a command that was told none."""
        return self.client.own_project()

    @property
    def json(self) -> bool:
        return self.out.as_json


def settle() -> None:
    """Called when a command has imported what it needs: looking for garbage on the way costs a tenth of the
    start-up time and finds none."""
    gc.enable()


current = Session()
"""The session of the command that runs: the outermost handler of errors asks it how to show them."""


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Registers a function of a session as a command; --json, --server and --token come after its own."""

    def register(
        function: Callable[Concatenate[Session, P], None],
    ) -> Callable[Concatenate[Session, P], None]:
        app.command(name, help=function.__doc__, **settings)(with_session(function))
        return function

    return register


def with_session(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """The function as typer wants it: its own parameters but the session, then the common options."""

    def call(**given: Any) -> None:
        global current  # noqa: PLW0603
        current = Session(as_json=given.pop("_json"), server=given.pop("_server"), token=given.pop("_token"))
        own: Any = function
        own(current, **given)

    parameters = list(inspect.signature(function).parameters.values())[1:]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    call.__signature__ = inspect.Signature([*own, *_COMMON])  # type: ignore[attr-defined]
    call.__annotations__ = {}
    call.__name__ = function.__name__
    return call


def group(
    app: typer.Typer, name: str, listing: Any, help: str, cls: type[TyperGroup] | None = None
) -> typer.Typer:
    """A noun that lists by itself and has verbs below."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True, cls=cls)
    group.callback(invoke_without_command=True, help=help)(with_session(listing))
    app.add_typer(group, name=name)
    return group


class WithArgument(TyperGroup):
    """A noun that by itself takes an argument: the first word is that where it is no verb."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        ctx.meta[_VERB] = True
        _, words, _ = self.make_parser(ctx).parse_args(list(args))
        if not words or words[0] not in self.commands:
            ctx.meta[_VERB] = False
            ctx.allow_interspersed_args, ctx.allow_extra_args = True, False
        return super().parse_args(ctx, args)

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        found = super().get_params(ctx)
        return [it for it in found if it.param_type_name != "argument"] if ctx.meta.get(_VERB) else found


_VERB = "baygrid.verb"
