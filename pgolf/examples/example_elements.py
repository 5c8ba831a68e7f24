"""w <- w - lr sign(g) for everything that is not a matrix."""

from pgolf import Component, Group, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_elements",
    summary="Sign descent.",
    source="pgolf's documentation",
    family="optimizer",
)


class SignDescent:
    """No state."""

    def bind(self, groups, world):
        """Groups with their tensors and names."""
        self.groups = groups

    def step(self, scalars, ledger):
        """A tensor that the model did not use has no gradient."""
        for group, tensors, _ in self.groups:
            for tensor in tensors:
                if tensor.grad is not None:
                    tensor.sub_(tensor.grad.sign(), alpha=group.lr * scalars.lr_mul)
        ledger.count("example_elements", "steps")


@hookimpl
def element_optimizer(settings) -> Component:
    """Takes the place of Adam."""
    return Component(SignDescent)


@hookimpl
def groups(settings) -> list[Group]:
    """Adam declares the groups of the baseline; who replaces it declares them again."""
    return [Group("embed", lr=0.02), Group("scalar", lr=0.01), Group("head", lr=0.005)]
