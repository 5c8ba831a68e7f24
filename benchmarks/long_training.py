"""One training at a constant rate whose early and middle states are cooled down as well, in as many calls as it takes.

    lengths T/9, T/3, T:    0 ---- .85 T/9 ---- .85 T/3 ------------ .85 T      the trunk, learning rate constant
                                     |             |                    |
                                   early         middle               late      branches of .15 of their length, down to 0

So each of the three is a finished training of its length, and they share what is expensive. The folder holds plan.json,
trunk.pt (where the last branch left the trunk), now.pt (where a call ran out of time) and NAME.pt, the float weights of each
finished training. A resumed training is the same training, bit for bit where kernels are (tried on a CPU).
"""

import json
import time
from pathlib import Path

COOLED = 0.15
PARTS = {"early": 9, "middle": 3, "late": 1}
LOOK = 20
"""Steps between two looks at the clock, at each of which the GPU is waited for."""
BEGIN = time.time()


def say(**line):
    """One line of JSON, with the seconds since the start."""
    rounded = {key: round(value, 6) if isinstance(value, float) else value for key, value in line.items()}
    print(json.dumps({"t": round(time.time() - BEGIN, 1)} | rounded), flush=True)


def segments(total, names):
    """(name, or "" for the trunk, first step, last step) in the order they are trained."""
    found, at = [], 0
    for name in names:
        length = max(total // PARTS[name], at + 2)
        leave = min(max(round((1 - COOLED) * length), at + 1), length - 1)
        found += [("", at, leave), (name, leave, length)]
        at = leave
    return found


def write(path, value):
    """Whole or not at all."""
    import torch

    torch.save(value, f"{path}.part")
    Path(f"{path}.part").replace(path)


class LongTraining:
    """Trains a session's model along `segments` until that is done or there is no time left.

    Args:
        session: with its loader open, the shuffled one, Muon and Adam.
        folder: of the checkpoints.
        names: of the trainings that are wanted, some of `PARTS` with "late".
        micro: tokens of one forward at most.
    """

    def __init__(self, session, folder, names, micro):
        from pgolf.runtime.optimize import Optimizers

        self.session, self.folder, self.names = session, folder, names
        self.tokens = session.settings.train_batch_tokens
        self.micro = max(self.tokens // micro, 1)
        self.optimizers = Optimizers(session.program, session.model, session.parameters, session.world)
        self.text = sum(shard.size for shard in session.program.token_loader.shards)
        folder.mkdir(parents=True, exist_ok=True)

    def scalars(self, number, rate):
        """What the schedules say at a step; `rate` is the multiplier of the learning rate besides."""
        from pgolf.runtime.progress import Scalars, measure_progress

        scalars = Scalars(1.0, 1.0, 0.0)
        for schedule in self.session.program.schedules:
            scalars = schedule(measure_progress(number, 10**9, 0.0, 0.0), scalars, self.session.ledger)
        return scalars._replace(lr_mul=scalars.lr_mul * rate)

    def gradients(self):
        """Those of a whole batch, added up; the mean loss, on the device."""
        session, total = self.session, 0.0
        for _ in range(self.micro):
            batch = session.program.token_loader.next(self.tokens // self.micro, session.settings.train_seq_len)
            x, y = (part.to(session.world.device, non_blocking=True) for part in batch)
            fields = {name: field(x, session.ledger) for name, field in session.program.batch_fields}
            loss = session.forward(x, y, phases=(), fields=fields) / self.micro
            loss.backward()
            total += loss.detach()
        return total

    def step(self, number, rate):
        """One step; the mean loss, on the device."""
        loss = self.gradients()
        self.optimizers.step(self.scalars(number, rate), self.session.ledger)
        return loss

    def parts(self):
        """(model's tensors, momenta of Muon, Adam, its parameters, loader): all that the next step depends on."""
        program = self.session.program
        adam = program.element_optimizer.optimizer
        owned = [tensor for group in adam.param_groups for tensor in group["params"]]
        return self.session.model.state_dict(), program.matrix_optimizer.buffers, adam, owned, program.token_loader

    def capture(self):
        """A copy of it."""
        model, momenta, adam, owned, loader = self.parts()
        return {
            "model": {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.items()},
            "muon": [tensor.to("cpu", copy=True) for tensor in momenta],
            "adam": [
                {key: value.to("cpu", copy=True) for key, value in adam.state[tensor].items()} for tensor in owned
            ],
            "loader": (loader.random.bit_generator.state, loader.seq_len, [[*map(int, own)] for own in loader.starts]),
        }

    def put_back(self, found):
        """The reverse of `capture`, in place."""
        import torch

        model, momenta, adam, owned, loader = self.parts()
        with torch.no_grad():
            for name, tensor in model.items():
                tensor.copy_(found["model"][name])
            for tensor, saved in zip(momenta, found["muon"], strict=True):
                tensor.copy_(saved)
        adam.state.clear()
        for tensor, saved in zip(owned, found["adam"], strict=True):
            if saved:
                adam.state[tensor] = {key: value.to(tensor.device, copy=True) for key, value in saved.items()}
        loader.random.bit_generator.state, loader.seq_len = found["loader"][:2]
        loader.starts = [[*own] for own in found["loader"][2]]

    def read(self, name):
        """A checkpoint that this class has written."""
        import torch

        found = torch.load(self.folder / name, "cpu", weights_only=False)
        self.put_back(found)
        return found["segment"], found["step"]

    def save(self, name, number, step):
        """Where training stands, in a file."""
        begin = time.time()
        write(self.folder / name, {"segment": number, "step": step, **self.capture()})
        say(checkpoint=name, segment=number, step=step, save_s=time.time() - begin)

    def plan(self, seconds, steps, epochs):
        """Steps of the longest training: those told, or what the seconds hold at the pace of some steps, which are undone.

        At most so many that the text is seen `epochs` times. A plan that was made before stays.
        """
        path = self.folder / "plan.json"
        if path.is_file():
            return json.loads(path.read_text())["steps"]
        start, begin = self.capture(), time.time()
        self.step(0, 1.0).item()
        compiled, pace = time.time() - begin, 0.0
        for _ in range(2):
            begin = time.time()
            for number in range(LOOK if not steps else 1):
                loss = self.step(number, 1.0)
            loss.item()
            pace = (time.time() - begin) / (LOOK if not steps else 1)
        self.put_back(start)
        cap = int(epochs * self.text / self.tokens)
        share = 1 - COOLED + sum(COOLED / PARTS[name] for name in self.names)
        found = min(steps or int(seconds / pace / share), cap)
        path.write_text(json.dumps({"steps": found}))
        told = {"step_s": pace, "tokens_per_s": round(self.tokens / pace), "text": self.text, "cap": cap}
        say(
            planned=found,
            epochs=found * self.tokens / self.text,
            seconds=found * pace * share,
            compiled=compiled,
            **told,
        )
        return found

    def run(self, total, deadline):
        """Train; True once all is done."""
        todo, number, step = segments(total, self.names), 0, 0
        for name in ("now.pt", "trunk.pt"):
            if (self.folder / name).is_file():
                number, step = self.read(name)
                break
        while number < len(todo):
            name, first, last = todo[number]
            if name and (self.folder / f"{name}.pt").is_file():
                number += 1
                continue
            step = self.walk(name, step, first, last, deadline)
            if step < last:
                self.save("now.pt", number, step)
                return False
            if name:
                self.finish(name, last)
            # What a call was stopped in is behind; a branch ends where the trunk was left.
            if name and number + 1 < len(todo):
                _, step = self.read("trunk.pt")
            elif not name:
                self.save("trunk.pt", number + 1, step)
            (self.folder / "now.pt").unlink(missing_ok=True)
            number += 1
        return True

    def finish(self, name, last):
        """The weights at the end of a branch."""
        state = {key: value.detach().to("cpu", copy=True) for key, value in self.session.model.state_dict().items()}
        write(
            self.folder / f"{name}.pt", {"steps": last, "tokens": last * self.tokens, "text": self.text, "state": state}
        )
        say(finished=name, steps=last, tokens=last * self.tokens, epochs=last * self.tokens / self.text)

    def walk(self, name, step, first, last, deadline):
        """Steps of one segment; the step that it came to, which is before the last one where the time is over."""
        begin, start = time.time(), step
        while step < last and time.time() < deadline:
            for _ in range(min(LOOK, last - step)):
                loss = self.step(step, (last - step) / (last - first) if name else 1.0)
                step += 1
            value = loss.item()
            if value != value:
                raise ValueError(f"the loss of step {step} is not a number")
            if step == last or (step - start) % (10 * LOOK) == 0:
                say(at=name or "trunk", step=step, of=last, loss=value, step_s=(time.time() - begin) / (step - start))
        return step
