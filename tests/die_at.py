"""Runs a program as `python die_at.py PROGRAM.py WORDS`: it kills itself at the first line of its log with WORDS."""

import os
import runpy
import sys

from pgolf.runtime.log import RunLog


def main(program, words):
    say = RunLog.__call__

    def until(self, line):
        say(self, line)
        if words in line:
            os.kill(os.getpid(), 9)

    RunLog.__call__ = until
    sys.argv = [program]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:3])
