"""Every number that a command line can give has bounds, and what lies outside of them is told in one sentence."""

import re
from collections.abc import Iterator

import click
import pytest

from photodrag.pipeline.cli import main, photodrag
from photodrag.pipeline.commands.options import DRAG, PLACE, Numbers, TuneSteps


def options_of(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command, click.Option]]:
    """All options of a command and those below it, with the words that lead there."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from options_of(below, *path, name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield path, command, parameter


OPTIONS = list(options_of(photodrag))
RANGES = [given for given in OPTIONS if isinstance(given[2].type, click.IntRange | click.FloatRange)]
NOT_NUMBERS = click.Choice | click.Path
"""Beside flags and plain texts; every other type must be one of those below."""
OWN = Numbers | TuneSteps | type(DRAG) | type(PLACE)


def test_every_number_has_bounds():
    assert len(RANGES) > 15
    for path, _, option in OPTIONS:
        kind = option.type
        if isinstance(kind, click.IntRange | click.FloatRange):
            assert kind.min is not None and kind.max is not None and kind.max < 1e19, (path, option.opts)
        else:
            assert not isinstance(kind, click.types.IntParamType | click.types.FloatParamType), (path, option.opts)


WRONG = ["nan", "inf", "-inf", "-777", "1e999", "1" + "0" * 30, "9" * 5000, "0x10", ""]


def ran(capsys, arguments: list[str]) -> str:
    """What is said of arguments that are wrong."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.fullmatch(r"[^\n]+\n", err), err
    return err


@pytest.mark.parametrize("wrong", WRONG, ids=lambda text: text[:8])
def test_wrong_numbers(wrong, portrait, tmp_path, capsys):
    seen = set()
    for path, command, option in RANGES:
        name = option.opts[0]
        if name in seen:
            continue
        seen.add(name)
        needed = [str(portrait) for argument in command.params if isinstance(argument, click.Argument)]
        needed += [word for one in command.params if one.required and one.opts[0] == "--out" for word in ("--out", "o")]
        err = ran(capsys, [*path, *needed, f"{name}={wrong}"])
        assert f"Invalid value for '{name}'" in err, err


@pytest.mark.parametrize(
    "wrong", ["nan", "inf", "-1e999", "1e8", "1" + "0" * 30, "9" * 5000], ids=lambda text: text[:8]
)
@pytest.mark.parametrize("option", ["--drag", "--pin", "--box", "--move"])
def test_wrong_coordinates(option, wrong, portrait, capsys):
    made = {"--drag": ["{},3:4,5", "1,2:3,{}", "1,2:+{},-4", "1,2:+{}%,-4"], "--pin": ["{},3"], "--box": ["1,2,{},4"]}
    made["--move"] = ["{},3", "3,{}"]
    for text in made[option]:
        err = ran(capsys, ["edit", str(portrait), "--smile=0.5", f"{option}={text.format(wrong)}"])
        assert f"Invalid value for '{option}'" in err or "is no point: give x,y in photo pixels" in err


@pytest.mark.parametrize("wrong", ["0", "1.5", "nan", "10001", "1" + "0" * 30, "9" * 5000, "²"], ids=lambda t: t[:8])
def test_wrong_steps_of_tuning(wrong, portrait, capsys):
    for command in ("edit", "invert"):
        assert "Invalid value for '--tune'" in ran(capsys, [command, str(portrait), f"--tune={wrong}"])
