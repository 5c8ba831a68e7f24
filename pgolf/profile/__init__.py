"""Where the time of a training step goes, by plugin and stage."""
