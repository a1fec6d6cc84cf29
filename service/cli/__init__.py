"""The command line: one module per noun; every error is one line on standard error."""

import os
import signal
import sys
from importlib import import_module
from keyword import iskeyword

import click

from service import errors
from service.settings import BadSetting

COMMANDS = {
    "article": "articles",
    "backup": "backup",
    "copy-database": "copying",
    "deliveries": "deliveries",
    "demo": "demo",
    "doctor": "doctor",
    "editor": "editors",
    "export": "exports",
    "import": "imports",
    "migrate": "migrate",
    "prune": "pruning",
    "reader": "readers",
    "restore": "backup",
    "seed": "seeds",
    "serve": "serve",
    "site": "sites",
    "token": "tokens",
    "worker": "worker",
}
"""Each command's module; only the one that is called is imported."""


class Nouns(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name: the function of that name, or `import_`, in its module."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"service.cli.{COMMANDS[cmd_name]}")
        name = cmd_name.replace("-", "_")
        found: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        return found


@click.command(cls=Nouns)
@click.version_option(package_name="corrigenda")
def group() -> None:
    """Reader corrections for newsrooms."""


def main() -> None:
    """Run a command; what goes wrong is told in one line.

    The exit code is 1 after a refusal or a bad setting, 2 where the command was not understood.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(group.main(prog_name="corrigenda", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _tell(error.format_message(), *_help_for(error))
        sys.exit(error.exit_code)
    except click.Abort:
        _tell("Stopped.")
    except (errors.Refusal, BadSetting) as error:
        _tell(str(error))
    except UnicodeError:
        _tell("What was given is not UTF-8.")
    except OSError as error:
        # Who reads what is printed may have had enough.
        if not isinstance(error, BrokenPipeError):
            _tell(str(error))
        # Python would try at its end to write what could not be written, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # whatever a signal broke off; all else is raised again
        if not _was_stopped(error):
            raise
        _tell("Stopped.")
    sys.exit(1)


def _was_stopped(error: BaseException) -> bool:
    """Whether it comes of a signal: what was broken off cannot always be put away in order."""
    before: BaseException | None = error
    while before is not None and not isinstance(before, KeyboardInterrupt):
        before = before.__context__
    return before is not None


def _tell(*parts: str) -> None:
    # A database driver's message may have several lines.
    click.echo("corrigenda: " + " ".join(" ".join(parts).split()), err=True)


def _help_for(error: click.ClickException) -> list[str]:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return [f"See: {context.command_path} --help"] if context else []
