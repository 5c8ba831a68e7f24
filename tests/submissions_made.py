"""Submissions that are built for tests."""

import functools

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.submission import (
    make,
)

RECIPE = Recipe("quick", layers=(("swa", "brotli"),), settings={"num_layers": "6"}, notes="a try")


@functools.cache
def registry():
    return load_registry()


@functools.cache
def made():
    return make(RECIPE, registry(), "plain")
