"""A metaclass decides what the class statement makes."""

import abc


class Run(metaclass=abc.ABCMeta):
    """Nothing."""


def run():
    return Run()
