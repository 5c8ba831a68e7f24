"""One small plugin for each hook: `pgolf plugins hooks NAME` and docs/hooks.md show them, a test builds and runs them."""
