"""Runs scripts of any origin, made small, in a sandbox, and probes what their scores depend on."""
