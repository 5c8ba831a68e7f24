"""Makes scripts smaller that pgolf did not build: `pgolf pack`. Nothing of a script is executed."""
