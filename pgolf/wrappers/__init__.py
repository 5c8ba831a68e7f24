"""Scripts that unpack themselves, read layer by layer from their syntax trees. Nothing is executed."""
