"""`torch.library.custom_op` as plain Python: the function and its backward run where scores are followed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch


class CustomOp:
    """An operator.

    Args:
        name: "namespace::name".
        function: what it does.
    """

    def __init__(self, name: str, function: Callable[..., Any]):
        self.name, self.function = name, function
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self.__name__, self.__doc__ = name.partition("::")[2], function.__doc__
        space, _, own = name.partition("::")
        setattr(getattr(torch.ops, space), own, self)

    @property
    def default(self) -> CustomOp:
        """Its only overload."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        values = list(bound.arguments.values())
        tensors = [value for value in values if isinstance(value, torch.Tensor)]
        if self._backward is None or not torch.is_grad_enabled() or not any(one.requires_grad for one in tensors):
            return self.function(*args, **kwargs)
        return Differentiable.apply(self, *values)  # type: ignore[no-untyped-call]

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Any = None, **more: Any) -> None:
        """How its gradients are worked out."""
        self._backward, self._setup = backward, setup_context

    def setup(self, ctx: Any, args: Any, output: Any) -> None:
        """Keep for the backward what it needs."""
        if self._setup is not None:
            self._setup(ctx, args, output)

    def backward(self, ctx: Any, *grads: Any) -> Any:
        """Gradients of the arguments, and none of the operator itself."""
        assert self._backward is not None
        found = self._backward(ctx, *grads)
        return (None, *(found if isinstance(found, tuple) else (found,)))

    def register_kernel(self, devices: Any, function: Any = None, /) -> Any:
        """The CPU's own version is taken, others mean nothing."""

        def take(other: Callable[..., Any]) -> Callable[..., Any]:
            if "cpu" in ([devices] if isinstance(devices, str) else devices or ["cpu"]):
                self.function = other
            return other

        return take if function is None else take(function)

    def register_fake(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Shapes are not worked out without values."""
        return function

    register_vmap = register_torch_dispatch = impl_abstract = register_fake


class Differentiable(torch.autograd.Function):
    """Calls an operator and its backward."""

    @staticmethod
    def forward(ctx: Any, op: CustomOp, *args: Any) -> Any:
        """The operator's own."""
        ctx.op = op
        output = op.function(*args)
        op.setup(ctx, args, output)
        return output

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The registered one."""
        return ctx.op.backward(ctx, *grads)


OPS: dict[str, CustomOp] = {}


def custom_op(name: str, function: Any = None, /, **more: Any) -> Any:
    """Makes an operator, also as a decorator; on which device it is for makes no difference."""

    def make(wrapped: Callable[..., Any]) -> CustomOp:
        OPS[name] = CustomOp(name, wrapped)
        return OPS[name]

    return make if function is None else make(function)


def registered(method: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.library.register_x(op, function, ...)`, for our operators."""

    def call(op: Any, *args: Any, **kwargs: Any) -> Any:
        ours = op if isinstance(op, CustomOp) else OPS.get(op) if isinstance(op, str) else None
        if ours is None:
            return original(op, *args, **kwargs)
        if method in ("register_fake", "impl_abstract") and not args:
            return lambda function: function
        kwargs.pop("lib", None)
        return getattr(ours, method)(*args, **kwargs)

    return call


def stand_in_for_custom_ops() -> None:
    """Put it in place of torch's."""
    library = torch.library
    library.custom_op = custom_op  # type: ignore[assignment]
    library.triton_op = custom_op  # type: ignore[assignment]
    library.wrap_triton = lambda kernel: kernel  # type: ignore[assignment]
    for name in ("register_fake", "register_autograd", "register_kernel", "impl_abstract"):
        original = getattr(library, name, None)
        if original is not None:
            setattr(library, name, registered(name, original))
