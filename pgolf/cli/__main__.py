"""`python -m pgolf.cli`, for an interpreter whose scripts are not on the PATH."""

from pgolf.cli.main import main

main(prog_name="pgolf")
