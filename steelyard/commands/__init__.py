"""The commands that look at data and at finished runs: a file a command, each parsed there and calling one function."""

from steelyard.commands import data, diagnose, doctor, human, labels, learning_curve, mistakes, shift, slices
from steelyard.commands.making import MakeCommand

ALL = (
    diagnose.add,
    doctor.add,
    human.add,
    labels.add,
    learning_curve.add,
    mistakes.add,
    shift.add,
    slices.add,
    data.add,
)


def add_all(command: MakeCommand) -> None:
    """Add every command by what makes one from its name, its call and its help."""
    for add in ALL:
        add(command)
