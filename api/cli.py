"""The command `onemap`: assembles the command modules, and turns every error into one clear sentence."""

import json
import sys
from importlib import import_module

import typer
from rich.console import Console

from api.commands import MODULES, language, told
from gis.errors import OneMapError, SetupError

INTERRUPTED = 130


def build() -> typer.Typer:
    """The whole command, made of the modules of `api.commands`."""
    cli = typer.Typer(
        name="onemap",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=told("OneMap: one map of a city.", "一张图：一座城市的时空地理平台。"),
    )
    for name in MODULES:
        module = import_module(f"api.commands.{name}")
        if hasattr(module, "register"):
            module.register(cli)
        else:
            cli.add_typer(module.app, name=name)
    return cli


def main() -> None:
    """Run the command; a failure ends with exit code 1 and a sentence on the error stream."""
    try:
        build()()
    except OneMapError as error:
        _complain(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away, as `head` does
        sys.exit(1)
    except OSError as error:
        _complain(_of_the_system(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _of_the_system(error: OSError) -> OneMapError:
    """What the operating system refused, with the file that it refused."""
    subject = str(error.filename or "")
    return SetupError(
        f"{subject or 'The system'}: {error.strerror or error}. Check that the file is there and that you may use it",
        f"{subject or '系统'}：{error.strerror or error}。请确认文件存在且有权使用",
        subject=subject,
    )


def _complain(error: OneMapError) -> None:
    if "--json" in sys.argv:
        facts = {"error": error.text.as_dict(), "kind": type(error).__name__, "subject": error.subject}
        facts |= {"inside": error.inside} if error.inside else {}
        sys.stderr.write(json.dumps(facts, ensure_ascii=False) + "\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(told("Error: ", "错误："), style="bold red", end="")
    sentence = error.in_(language())
    console.print(f"{sentence} ({error.inside})" if error.inside else sentence, markup=False)


if __name__ == "__main__":
    main()
