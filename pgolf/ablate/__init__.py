"""What each plugin of a recipe is worth: pairs of runs with and without it."""
