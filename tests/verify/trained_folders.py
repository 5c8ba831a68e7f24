"""Folders whose log and artifact come from their own program."""

from folders import PROGRAM, make_folder

from pgolf.run.data import find_data
from pgolf.run.launch import RunOptions, Target, run_seed
from pgolf.verify.folder import View


def trained(folder, data, code=PROGRAM):
    """A folder whose log and artifact come from its own program."""
    make_folder(folder, code.encode(), trained=False)
    lock = View(folder, lambda: None).lock[0]
    target = Target(folder, folder / "train_gpt.py", lock.settings, (), True)
    run = run_seed(target, 1337, RunOptions(find_data(data, None, lock.settings, True)), lambda line: None)
    assert not run.problem
    return folder
