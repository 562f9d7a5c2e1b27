"""The commands that look at data and at finished runs: a file a command, each parsed there and calling one function."""

from steelyard.commands import data, learning_curve
from steelyard.commands.making import MakeCommand

ALL = (data.add, learning_curve.add)


def add_all(command: MakeCommand) -> None:
    """Add every command by what makes one from its name, its call and its help."""
    for add in ALL:
        add(command)
