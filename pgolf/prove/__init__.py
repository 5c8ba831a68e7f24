"""Proof that the live entry and every stage of a build are one program: the ladder of docs/proving.md."""
