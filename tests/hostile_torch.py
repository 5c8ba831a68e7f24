"""Scenes in which torch calls what the program hands to it: hooks, autograd functions, checkpoints, modules, data sets."""

from hostile_callbacks import Callbacks


class Torch(Callbacks):
    """Each scene gives (definitions, statements)."""

    def scene_hooked(self, env):
        """torch calls hooks of tensors with what it computed."""
        name, one, grad = self.new("Hook"), *self.words(2, "self", "seen")
        lines = [
            f"class {name}:",
            "    def __init__(self):",
            f"        self.{one} = {self.digit()}",
            f"    def seen(self, {grad}):",
        ]
        lines += [f"        self.{one} += 1", f"        return {grad} * self.{one}"]
        body = [
            f"hook, x = {name}(), torch.ones(2, requires_grad=True)",
            f"y = x * {self.digit()}",
            "y.register_hook(hook.seen)",
        ]
        return lines, [*body, "x.register_hook(hook.seen)", "y.sum().backward()", f"print(x.grad.tolist(), hook.{one})"]

    def scene_autograd(self, env):
        """torch gives setup_context its arguments by name."""
        name, ctx, grad, x = self.new("Scale"), *self.words(3)
        by = self.word(ctx, grad, x)
        lines = [f"class {name}(torch.autograd.Function):"]
        if self.chance(50):
            lines += [
                "    @staticmethod",
                f"    def forward({ctx}, {x}, {by}):",
                f"        {ctx}.{by} = {by}",
                f"        return {x} * {by}",
            ]
        else:
            lines += ["    @staticmethod", f"    def forward({x}, {by}):", f"        return {x} * {by}"]
            lines += [
                "    @staticmethod",
                "    def setup_context(ctx, inputs, output):",
                f"        ctx.{by} = inputs[1] + {self.digit()}",
            ]
        lines += ["    @staticmethod", f"    def backward({ctx}, {grad}):", f"        return {grad} * {ctx}.{by}, None"]
        body = ["x = torch.ones(2, requires_grad=True)", f"{name}.apply(x, {self.number(env, 1)}).sum().backward()"]
        return lines, [*body, "print(x.grad.tolist())"]

    def scene_checkpointed(self, env):
        lines, _, _ = self.callback(env)
        task, x = self.top("task"), self.word()
        lines += [f"def {task}({x}, {self.word(x)}=2.0):", f"    return {x} * {x} * 3"]
        body = ["x = torch.ones(2, requires_grad=True)", f"checkpoint({task}, x, use_reentrant=False).sum().backward()"]
        return lines, [
            *body,
            f"print(x.grad.tolist(), torch.func.grad({task})(torch.tensor(2.0)).item())",
            f"print(torch.func.vmap({task})(x.detach()).tolist())",
        ]

    def scene_module_hooks(self, env):
        name, one, part, x = self.new("Net"), *self.words(3, "training", "name", "state", "data", "forward", "self")
        lines = [
            f"class {name}(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            f"        self.{part} = nn.Linear(1, 1)",
        ]
        lines += [
            f"        self.{one} = 0",
            f"    def forward(self, {x}, scale=1.0):",
            f"        self.{one} += 1",
            f"        return self.{part}({x}) * 0 + scale",
        ]
        task = self.top("task")
        lines += [
            f"def {task}(module, args, kwargs, output):",
            f"    print(len(args), sorted(kwargs), module.{one})",
            "    return output + 1",
        ]
        body = [
            f"net = {name}()",
            f"net.register_forward_hook({task}, with_kwargs=True)",
            f"print(net(torch.ones(1), scale=2.0).item(), net.{one})",
        ]
        return lines, [*body, f"print(sorted(net.state_dict()), net(scale=3.0, {x}=torch.ones(1)).item())"]

    def scene_dataset(self, env):
        name, one, two = self.new("Rows"), *self.words(2, "collate")
        lines = [
            f"class {name}:",
            "    def __init__(self):",
            f"        self.{one}, self.{two} = {self.digit()}, 0",
            "    def __len__(self):",
        ]
        lines += [
            f"        return self.{one} % 4 + 1",
            "    def __getitem__(self, index):",
            f"        self.{two} += 1",
            f"        return index * 2 + self.{one}",
        ]
        lines += ["    def collate(self, samples):", f"        return [self.{two}, *samples]"]
        body = [f"rows = {name}()", "loader = torch.utils.data.DataLoader(rows, batch_size=2, collate_fn=rows.collate)"]
        return lines, [*body, f"print(list(loader), rows.{two}, len(loader))"]
