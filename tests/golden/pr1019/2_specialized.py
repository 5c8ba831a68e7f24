import faulthandler, hashlib, io, lzma, numpy as np, os, signal, subprocess, sys, time, torch, torch.distributed as dist, torch.nn.functional as F, traceback
from functools import partial
from pathlib import Path
from sentencepiece import SentencePieceProcessor
from torch import nn
from typing import Any, NamedTuple

def canonical_names(record, name):
    """Canonical names of what the stored tensor `name` holds: a bank's members along its first axis, else itself."""
    if not record.members:
        return (name,)
    layers = range(record.shape[0] // len(record.members))
    return tuple((member.format(layer) for member in record.members for layer in layers))

def canonical_tensors(parameters):
    """(name, init, record) of every canonical tensor in declaration order: banks as their members, all else as itself."""
    found = []
    for record in parameters:
        if record.members:
            layers = range(record.shape[0] // len(record.members))
            for member, init in zip(record.members, record.init, strict=True):
                found += [(member.format(layer), init, record) for layer in layers]
        else:
            found += [(name, record.init, record) for name in record.stored_names()]
    return found

def register_parameters(root, parameters, device, activation_dtype):
    """Register every declared tensor under its state-dict name, uninitialised; a point of the tree computes nothing."""
    for record in parameters:
        dtype = activation_dtype if record.dtype == 'activation' else torch.float32
        for name in record.stored_names():
            *path, leaf = name.split('.')
            node = root
            for step in path:
                if step not in node._modules:
                    node.add_module(step, nn.ModuleList())
                node = node._modules[step]
            node.register_parameter(leaf, nn.Parameter(torch.empty(record.shape, dtype=dtype, device=device)))

def keyed_generator(seed, name):
    """A CPU generator that depends on the seed and the tensor's name alone, so ablations are paired."""
    digest = hashlib.sha256(f'{seed}:{name}'.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], 'little'))

def initialize(model, parameters, seed, ledger):
    """Fill every tensor from its own keyed generator; a bank's slices are keyed by their members' names."""
    state = canonical_state(model.state_dict(), parameters)
    for name, init, _ in canonical_tensors(parameters):
        start = torch.empty(state[name].shape)
        init(start, keyed_generator(seed, name), ledger)
        state[name].copy_(start)

def canonical_state(state, parameters):
    """A state dict with banks taken apart into their members, in declaration order; its tensors are views."""
    tensors = []
    for record in parameters:
        for name in record.stored_names():
            tensors += state[name].unbind() if record.members else [state[name]]
    return {name: tensor for (name, _, _), tensor in zip(canonical_tensors(parameters), tensors, strict=True)}

def zeros(tensor, generator, ledger):
    """All zero."""
    tensor.zero_()

def ones(tensor, generator, ledger):
    """All one."""
    tensor.fill_(1.0)

def constant(tensor, generator, ledger, value):
    """One value everywhere."""
    tensor.fill_(value)

def normal(tensor, generator, ledger, std):
    """Normal with mean zero."""
    tensor.normal_(0.0, std, generator=generator)
MICRO_BATCHES = 8

class World(NamedTuple):
    """This process among its peers.

    Attributes:
        rank: 0 writes the log and the artifact.
        world_size: number of processes, 1, 2, 4 or 8.
        local_rank: rank on this machine.
        device: the `torch.device` that it computes on.
    """
    rank: int
    world_size: int
    local_rank: int
    device: torch.device

def read_ranks():
    """What torchrun's RANK, WORLD_SIZE and LOCAL_RANK say; one process alone without them.

    Raises:
        ValueError: when one is no number, or the world size does not divide the micro-batches of a step.
    """
    get = os.environ.get
    rank, world_size, local_rank = (int(get('RANK', 0)), int(get('WORLD_SIZE', 1)), int(get('LOCAL_RANK', 0)))
    if world_size < 1 or MICRO_BATCHES % world_size:
        raise ValueError(f'WORLD_SIZE is {world_size}, wanted a divisor of {MICRO_BATCHES}, the micro-batches of a step')
    return (rank, world_size, local_rank)

def start_world():
    """Join the group that the environment describes; ValueError as in `read_ranks`."""
    rank, world_size, local_rank = read_ranks()
    backend, device = ('gloo', torch.device('cpu'))
    if torch.cuda.is_available():
        backend, device = ('nccl', torch.device('cuda', local_rank))
        torch.cuda.set_device(device)
    if world_size > 1:
        dist.init_process_group(backend)
    return World(rank, world_size, local_rank, device)

def stop_world(world):
    """Leave the group."""
    if world.world_size > 1:
        dist.destroy_process_group()

def sum_over_ranks(tensor, world):
    """Sum a tensor over ranks, in place; returns it."""
    if world.world_size > 1:
        dist.all_reduce(tensor)
    return tensor

def gather_over_ranks(value, world):
    """The small picklable values of all ranks, in order of rank; waits for every rank."""
    values = [value] * world.world_size
    if world.world_size > 1:
        dist.all_gather_object(values, value)
    return values

def take_turns(key, count, world):
    """Give out the numbers below `count`, each once over all ranks, whoever asks first; `key` names the queue.

    The counter lives in the store through which the ranks found each other.
    """
    if world.world_size == 1:
        yield from range(count)
        return
    store = dist.distributed_c10d._get_default_store()
    taken = store.add(key, 1)
    while taken <= count:
        yield (taken - 1)
        taken = store.add(key, 1)

def max_over_ranks(value, world):
    """The largest of the ranks' numbers, so that clocks agree and ranks cannot drift apart; waits for every rank."""
    if world.world_size == 1:
        return value
    seen = torch.tensor(value, dtype=float, device=world.device)
    dist.all_reduce(seen, dist.ReduceOp.MAX)
    return seen.item()

def gradient_of(tensor):
    """A parameter's gradient; zeros where backward left none, so that every rank reduces the same list."""
    if tensor.grad is None:
        tensor.grad = torch.zeros_like(tensor)
    return tensor.grad

def mean_gradients(tensors, world):
    """Average the gradients of `tensors` over ranks, in place.

    They travel together, in the widest of their dtypes (openai/parameter-golf#1530). A missing gradient counts as
    zeros.
    """
    gradients = [gradient_of(tensor) for tensor in tensors]
    if world.world_size > 1:
        packed = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(packed)
        parts = (packed / world.world_size).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

def start_reduce_scatter(shard, full, world):
    """Sum `full` over ranks and leave this rank's slice of the first axis in `shard`; returns a handle to finish."""
    if world.world_size > 1:
        return dist.reduce_scatter(shard, list(full.chunk(world.world_size)), async_op=True)
    shard.copy_(full)
    return None

def start_all_gather(full, shard, world):
    """Fill `full` with every rank's `shard` along the first axis; returns a handle to finish."""
    if world.world_size > 1:
        return dist.all_gather(list(full.chunk(world.world_size)), shard, async_op=True)
    full.copy_(shard)
    return None

def finish(handle):
    """Wait for a started collective."""
    if handle is not None:
        handle.wait()

def prepare_run(session, prepare_components):
    """Run the entry's `prepare_components` on this rank, and learn how the others fared.

    Raises:
        ValueError: on every rank, for what failed first on the lowest rank.
    """
    failure = ''
    try:
        prepare_components(session)
    except (OSError, ValueError) as error:
        failure = f'{session.preparing}: {error}'
    for rank, text in enumerate(gather_over_ranks(failure, session.world)):
        if text:
            raise ValueError(f'{text} (on rank {rank})' if rank else text)

def log_prepared(session, text):
    """Log what a component chose, if it says so."""
    if text is not None:
        session.log(f'prepared {session.preparing}: {text}')

class Param(NamedTuple):
    """One trained tensor, declared once by whoever creates it.

    Attributes:
        name: canonical state-dict name; `{}` stands for each of 0 .. layers-1.
        shape: sizes; () is a scalar.
        group: optimizer group; must be declared by some plugin.
        quant: quantization class; must have a tensor recipe.
        init: how it starts; None leaves it to the `initializer` slot. A bank gives a tuple with one entry per member.
        plugin: the plugin that declared the record.
        dtype: "float32", or "activation" for the dtype that activations have on the device.
        layers: how many tensors `{}` stands for, or 0 for a single tensor.
        members: for a bank, the canonical names stacked along its first axis, each with `{}` for the layer: first all
            layers of the first member, then all layers of the second. Quantizer and exporter see the members.
        reduction: "replicated" (gradients averaged over ranks) or "sharded" (the matrix optimizer reduces them).
        tap: the role whose input statistics calibrate this tensor ("attn.c_q", ...), or "".
        average: whether weight averaging covers it.
        adapt: whether test-time training may change it; every other tensor is frozen while scores are made.
        export: "yes", or "drop" for tensors that scoring does not need.
    """
    name: str
    shape: tuple[int, ...]
    group: str
    quant: str
    init: object = None
    plugin: str = ''
    dtype: str = 'float32'
    layers: int = 0
    members: tuple[str, ...] = ()
    reduction: str = 'replicated'
    tap: str = ''
    average: bool = True
    adapt: bool = True
    export: str = 'yes'

    def stored_names(self):
        """State-dict names of the record's tensors."""
        return [self.name.format(layer) for layer in range(self.layers)] or [self.name]

class Group(NamedTuple):
    """One optimizer group before any schedule.

    Attributes:
        name: what `Param.group` holds; "matrix" belongs to the matrix optimizer and is never declared.
        lr: learning rate.
        weight_decay: decoupled weight decay; a step takes away lr * weight_decay of the tensor.
    """
    name: str
    lr: float
    weight_decay: float = 0.0

class Ledger:
    """Collects what each plugin did; `receipt` renders it.

    Attributes:
        done: (plugin, unit) -> number, and (plugin, "") -> remark.
    """

    def __init__(self):
        self.done = {}

    def count(self, plugin, unit, number=1):
        """Add to a plugin's counter, e.g. `count("xsa", "layers")`."""
        self.done[plugin, unit] = self.done.get((plugin, unit), 0) + number

    def note(self, plugin, text):
        """Set a plugin's remark, e.g. `note("bank_qat", "on at step 812")`; the last one wins."""
        self.done[plugin, ''] = text

    def receipt(self, plugin):
        """`66 matrices, on at step 812`, or an empty string for a plugin that did nothing."""
        return ', '.join((f'{number} {unit}'.strip() for (name, unit), number in self.done.items() if name == plugin and number))
KEPT_ELEMENTS = 65536

def integer_codes(weight, step, top):
    """round(weight / step), half to even, clamped to [-top, top], as int8. `step` has one entry per row, or one."""
    return (weight / per_row(step)).round().clamp(-top, top).to(torch.int8)

def per_row(step):
    """A step per row as a column; a single step as itself."""
    return step[:, None] if step.ndim else step

def dequantize(codes, step, kind):
    """codes * step in float32, cast to the dtype `kind`."""
    return (codes.float() * per_row(step).float()).to(kind)

def int6_grid(weight, half):
    """Codes in [-31, 31] and their step, from the largest magnitude of each row.

        step = max(max_j |W_ij| / 31, 1/31)        q_ij = round(W_ij / step_i)

    The floor is the one of the public int6 exporters before #1394: rows whose largest weight is below one all share
    the step 1/31. Anything but a matrix gets one step without a floor (1 if it is all zero).

    Args:
        weight: float32, any shape.
        half: round the step to float16 before it is used, as the exporters do, so that the stored float16 step is
            exactly the one the codes were made with. Otherwise the step stays float32.

    Returns:
        int8 codes shaped like `weight`, and the step, shaped (rows,) or ().
    """
    if weight.ndim == 2:
        step = (weight.abs().amax(1) / 31).clamp_min(1 / 31)
    else:
        step = weight.abs().amax() / 31
        step = step if step > 0 else step + 1
    if half:
        step = step.half()
    return (integer_codes(weight, step.float(), 31), step)

def restore_tensor(parts, kind):
    """What was kept, or codes times steps; the tensor's own dtype comes back."""
    if 'kept' in parts:
        return parts['kept'].to(kind)
    return dequantize(parts['codes'], parts['step'], kind)

class Environment(NamedTuple):
    """Values of one run.

    Attributes:
        data_path: folder of shards.
        export: whether the artifact is made from the weights that a run has saved in the working directory.
        iterations: the most steps.
        max_wallclock_seconds: training budget; 0 means none.
        run_id: name of the log.
        score: whether the artifact in the working directory is scored instead of training.
        seed: seed of initialisation.
        tokenizer_path: SentencePiece model.
        train_log_every, val_loss_every: steps between training lines and between validations.
    """
    data_path: str
    export: bool
    iterations: int
    max_wallclock_seconds: float
    run_id: str
    score: bool
    seed: int
    tokenizer_path: str
    train_log_every: int
    val_loss_every: int

def read_whole(name, default):
    """The variable `name`, or `default`; ValueError for what is no whole number."""
    text = os.environ.get(name, default)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{name} is {text!r}, wanted a whole number like {default!r}') from None

def read_seconds(name, default):
    """The variable `name`, or `default`; ValueError for what is no number."""
    text = os.environ.get(name, default)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'{name} is {text!r}, wanted seconds like {default!r}') from None

def read_environment():
    """The environment over the settings' literals; ValueError where a variable is no number."""
    get = os.environ.get
    return Environment(data_path=get('DATA_PATH', './data/datasets/fineweb10B_sp1024'), export='export' in sys.argv, iterations=read_whole('ITERATIONS', 20000), max_wallclock_seconds=read_seconds('MAX_WALLCLOCK_SECONDS', 600.0), run_id=get('RUN_ID', str(time.time_ns())), score='score' in sys.argv, seed=read_whole('SEED', 1337), tokenizer_path=get('TOKENIZER_PATH', './data/tokenizers/fineweb_1024_bpe.model'), train_log_every=read_whole('TRAIN_LOG_EVERY', 200), val_loss_every=read_whole('VAL_LOSS_EVERY', 1000))
LOG_TWO = 0.6931471805599453

class Score(NamedTuple):
    """`val_loss` in nats per token, `val_bpb` in bits per byte, the number of targets, the time in milliseconds."""
    val_loss: float
    val_bpb: float
    tokens: int
    eval_ms: float

def refuse(places, fault):
    """ValueError naming the first of some places, if there is one."""
    if places.numel():
        raise ValueError(f'target {places[0]} of the validation stream {fault}')

def look_up(session, places):
    """(ids, targets, fields) of rows of places (B,T+1), on the device."""
    ids = session.tokens[places].to(session.world.device, int)
    x = ids[:, :-1].contiguous()
    return (x, ids[:, 1:].contiguous(), make_fields(x))

def make_fields(ids):
    """The batch fields of ids (B,T)."""
    return {}

def score_rows(session, marks, event, places, scored, adapter=None):
    """Score the chosen targets of rows, and mark them with the number of this event; see `Tally.score`.

    Returns:
        nll (B,T), and the sums (3,) float64 of nats, targets and UTF-8 bytes.
    """
    targets, device = (places[:, 1:], session.world.device)
    marks[targets[scored]] = event
    x, y, fields = look_up(session, places)
    with torch.set_grad_enabled(adapter is not None and torch.is_grad_enabled()):
        nll = session.forward(x, y, phases=session.scoring_phases(), fields=fields, reduction='none', adapter=adapter)
    counts, mask = (count_2(x, y, targets.to(device)), scored.to(device))
    parts = (nll.detach().double() * mask, mask, counts * mask)
    return (nll, torch.stack([part.sum().double() for part in parts]))

def merge(marks, operation, world):
    """Marks of all ranks brought together, on the CPU."""
    if world.world_size > 1:
        marks = marks.to(world.device)
        dist.all_reduce(marks, operation)
    return marks.cpu()

def close_marks(session, marks, sums, begin):
    """The score from merged marks and each rank's sums; ValueError unless every target was scored once."""
    refuse(1 + (marks[1:] == 0).nonzero().flatten(), 'is not scored')
    nats, tokens, size = sum_over_ranks(sums, session.world).tolist()
    if tokens > len(marks) - 1:
        raise ValueError('a target of the validation stream is scored twice')
    return Score(nats / tokens, nats / LOG_TWO / size, int(tokens), 1000.0 * (time.perf_counter() - begin))

def write_marks(session, scored_at, learned_at=None):
    """The score ledger `logs/<run id>.scores.npz`, on rank 0; its format is in `pgolf.score_ledger`."""
    if session.world.rank == 0:
        path = f'logs/{session.env.run_id}.scores.npz'
        if learned_at is None:
            np.savez_compressed(path, scored_at=scored_at.numpy())
        else:
            np.savez_compressed(path, scored_at=scored_at.numpy(), learned_at=learned_at.numpy())

class Span(NamedTuple):
    """One scored window.

    Attributes:
        start, end: inputs are tokens[start:end], targets one further.
        first: offsets from `first` on are scored, the ones before are context.
    """
    start: int
    end: int
    first: int

def chunk_spans(num_tokens, seq_len):
    """Windows side by side, a rest shorter than `seq_len` left out, as in the public baseline."""
    return [Span(start, start + seq_len, 0) for start in range(0, (num_tokens - 1) // seq_len * seq_len, seq_len)]

def rank_share(items, rank, world_size):
    """The contiguous share of one rank."""
    return items[len(items) * rank // world_size:len(items) * (rank + 1) // world_size]

def span_rows(spans, rows, seq_len):
    """(places, scored) for the tally, padded on the right and below; causal, so padding changes nothing.

    Python's own types stand for the dtypes int64 and bool.
    """
    places = torch.zeros(rows, seq_len + 1, dtype=int)
    scored = torch.zeros(rows, seq_len, dtype=bool)
    for row, (start, end, first) in enumerate(spans):
        places[row, :end + 1 - start] = torch.arange(start, end + 1)
        scored[row, first:end - start] = True
    return (places, scored)

def score_spans(session, spans):
    """Score windows, this rank its share of them, in eval mode; the model is in training mode afterwards.

    Returns:
        The score over all ranks, and for each place of the stream the batch that scored it, counted from 1.
    """
    begin, world, rows = (time.perf_counter(), session.world, session.rows)
    session.model.eval()
    spans = rank_share(spans, world.rank, world.world_size)
    marks = torch.zeros(len(session.tokens), dtype=torch.int32)
    sums = torch.zeros(3, dtype=float, device=world.device)
    for batch, at in enumerate(range(0, len(spans), rows), 1):
        places, scored = span_rows(spans[at:at + rows], rows, session.seq_len)
        sums += score_rows(session, marks, batch, places, scored)[1]
        if batch % 100 == 0:
            session.log(f'eval: batch {batch}')
    session.model.train()
    marks = merge(marks, dist.ReduceOp.MAX, world)
    return (close_marks(session, marks, sums, begin), marks)

def quantization_classes(parameters):
    """canonical name -> quantization class of the tensors that an artifact holds, in declaration order."""
    return {name: record.quant for name, _, record in canonical_tensors(parameters) if record.export != 'drop'}

def encode_model(state, parameters, statistics, ledger):
    """Quantize a canonical state.

    Args:
        state: canonical name -> tensor.
        statistics: canonical name -> input statistics by name, for tensors that have any; {} without calibration.

    Returns:
        canonical name -> parts on the CPU, fitted to the budget where a `fit` component is chosen. A tensor whose class
        the plan has changed has the number of its class, in the order of `tensor_recipes`, as part "class".
    """
    classes, encoded = (quantization_classes(parameters), {})
    for name, quant in classes.items():
        parts = tensor_recipes_2[quant].encode(name, state[name], statistics.get(name, {}), ledger)
        encoded[name] = {key: value.cpu() for key, value in parts.items()}
    return add_corrections(encoded)

def add_corrections(encoded):
    """`encoded` with the parts of every correction, as "NAME.PART"; each sees what the ones before it have mended."""
    return encoded

def pack_artifact(encoded, ledger):
    """Encoded tensors as the bytes that are stored and counted."""
    return compress_2(pack_2(encoded, ledger), ledger)

def unpack_artifact(data, state):
    """The inverse of `pack_artifact`.

    Nothing may grow past eight bytes per element of `state` plus 4 KiB per tensor and 1 MiB in all.

    Raises:
        ValueError: when the bytes are damaged, cut short or too large once decompressed.
    """
    limit = 2 ** 20 + sum((8 * tensor.numel() + 4096 for tensor in state.values()))
    try:
        return unpack_2(decompress_2(data, limit))
    except Exception as error:
        raise ValueError(f'the artifact cannot be read: {error}') from error

def decode_tensor(name, parts, quant, kind):
    """A tensor from its recipe's parts, without corrections; `quant` is the class of its record."""
    return tensor_recipes_2[quant].decode(name, parts, kind)

def decode_model(encoded, state, parameters):
    """Copy what an artifact stands for into `state`, the canonical state of the model to be filled.

    Raises:
        ValueError: when names, parts or shapes are not those of the model.
    """
    classes = quantization_classes(parameters)
    if encoded.keys() != classes.keys():
        raise ValueError("the artifact's tensors are not the model's")
    for name, quant in classes.items():
        try:
            tensor = decode_corrected(name, encoded[name], quant, state[name].dtype)
        except Exception as error:
            raise ValueError(f"the artifact's {name} cannot be decoded: {error!r}") from error
        if tensor.shape != state[name].shape:
            raise ValueError(f'{name}: shape {[*tensor.shape]}, wanted {[*state[name].shape]}')
        state[name].copy_(tensor)

def decode_corrected(name, parts, quant, kind):
    """A tensor from all its parts; corrections are added in float32."""
    return decode_tensor(name, parts, quant, kind)

class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns.

    An earlier log of this name is lost, unless the run goes on where that one ended (`more`).

    A rank that fails leaves its traceback in the file, and one that is ended because another has died, where it stood.
    """

    def __init__(self, run_id, rank, more):
        self.rank, self.main = (rank, rank == 0)
        Path('logs').mkdir(exist_ok=True)
        self.path = Path('logs', run_id + '.txt')
        if self.main and (not more):
            self.path.write_text('')
        sys.excepthook = partial(keep_traceback, self.path)
        faulthandler.register(signal.SIGTERM, self.path.open('a'), chain=True)

    def __call__(self, line):
        """Write one line, or several with line feeds between."""
        if self.main:
            print(line, flush=True)
            with self.path.open('a') as file:
                print(line, file=file)

    def log_error(self, text):
        """Write the line that ends this rank; one that only others than the first know of comes with the rank."""
        if self.main:
            self(f'error: {text}')
        elif text not in self.path.read_text():
            with self.path.open('a') as file:
                print(f'rank {self.rank}: error: {text}', file=file)

def keep_traceback(path, kind, error, trace):
    """What Python calls before it ends by an exception: the log gets the traceback, too."""
    with path.open('a') as file:
        traceback.print_exception(error, file=file)
    sys.__excepthook__(kind, error, trace)

def log_machine(log, device):
    """Versions, the hash of the running file, and the GPU."""
    digest = hashlib.sha256(Path(sys.argv[0]).read_bytes()).hexdigest()
    machine = f'hardware:{os.uname().machine} CPU, {torch.get_num_threads()} threads'
    if device.type == 'cuda':
        machine = subprocess.getoutput('nvidia-smi')
    log(f'Running Python {sys.version}\nRunning PyTorch {torch.__version__}\ncode_sha256:{digest}\n{machine}')

def code_bytes():
    """Size of the running file on disk, which is what counts."""
    return len(Path(sys.argv[0]).read_bytes())
CHECKPOINT = 'final_model.pt'
EXPORT_STATE = 'final_export.pt'

def grid_name():
    """Name of the matrices' grid, e.g. "int8"; it is part of file names and log lines."""
    return tensor_recipes_2['mlp'].name

def artifact_path(program):
    """The artifact in the working directory."""
    return Path(f'final_model.{grid_name()}.ptz')

def export_and_score(session, step):
    """Checkpoint, calibrate, and make and score the artifact.

    The weights are on disk before anything that can fail, and what export needs besides before quantization.

    Args:
        step: steps that were trained.
    """
    state = canonical_state(session.model.state_dict(), session.parameters)
    if session.world.rank == 0:
        Path(EXPORT_STATE).unlink(missing_ok=True)
        write_file(partial(torch.save, state), CHECKPOINT)
    statistics = calibrate(session)
    if session.world.rank == 0:
        found = (statistics, session.ledger.done, session.phases, session.failed, session.stages.begin_ms)
        write_file(partial(torch.save, found), EXPORT_STATE)
    export_weights(session, state, statistics)

def export_weights(session, state, statistics):
    """Score the trained weights, write the artifact on rank 0, and score what decodes from it on every rank."""
    score = session.validate()
    session.stages.end('diagnostic', 'val')
    session.log(f'diagnostic pre-quantization post-ema val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f} eval_time:{score.eval_ms:.0f}ms')
    if session.world.rank == 0:
        export_model(session, state, statistics)
    max_over_ranks(0.0, session.world)
    score_artifact(session)

def write_file(write, path):
    """`write(unfinished)` makes a file, which is on the disk when it gets its name; if it fails, nothing stays."""
    unfinished = Path('final_model.tmp')
    try:
        write(unfinished)
        with unfinished.open('rb') as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

def export_checkpoint(session):
    """Go on where a run ended after training: the saved weights become the artifact. Reads no training data.

    Raises:
        OSError: for a file that is not there.
        ValueError: for one that is damaged, or of another model.
    """
    state = canonical_state(session.model.state_dict(), session.parameters)
    weights, found = (read_file(CHECKPOINT, session), read_file(EXPORT_STATE, session))
    wrong = [name for name in state if name not in weights or weights[name].shape != state[name].shape]
    if wrong:
        raise ValueError(f'{CHECKPOINT} is of another model: {wrong[0]} is missing or has another shape')
    for name, tensor in state.items():
        tensor.copy_(weights[name])
    statistics, receipts, session.phases, session.failed, session.stages.begin_ms = found
    session.ledger.done.update(receipts)
    session.stages.set_clock(session.stages.begin_ms)
    export_weights(session, state, statistics)

def read_file(path, session):
    """What a run has saved, on the device; ValueError where it is damaged."""
    try:
        return torch.load(path, session.world.device, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f'{path} is damaged: {str(error)[:99]!r}') from error

def calibrate(session):
    """Input statistics of the trained weights by canonical name, {} without a source.

    A source that reads training data runs while the clock does. For any other the clock has stopped, and training data are
    closed then; they are for all that follows.
    """
    pass
    statistics = {}
    session.training_data = False
    return statistics

def export_model(session, state, statistics):
    """Quantize the canonical `state`, write the artifact, complete when it gets its name, and log the sizes."""
    pass
    encoded = encode_model(state, session.parameters, statistics, session.ledger)
    session.stages.end('quantize', 'none')
    data = pack_artifact(encoded, session.ledger)
    session.stages.end('compress', 'none')
    write_file(partial(Path.write_bytes, data=data), artifact_path(None))
    label = f'{grid_name()}+lzma'
    session.log(f'Serialized model: {Path(CHECKPOINT).stat().st_size} bytes\nCode size: {code_bytes()} bytes\nSerialized model {label}: {len(data)} bytes\nTotal submission size {label}: {len(data) + code_bytes()} bytes')

def load_artifact(session):
    """Overwrite every tensor of the model: first with zeros, so that nothing trained can remain, then decoded.

    The log gets the hash of what was read. To be scored alone, an artifact must be one of those that the logs here are of,
    if any of them says: not every coder has a checksum.

    Raises:
        ValueError: for another artifact, or one that cannot be decoded.
    """
    parameters, program = (session.parameters, None)
    state = canonical_state(session.model.state_dict(), parameters)
    for tensor in state.values():
        tensor.zero_()
    data = artifact_path(program).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if session.env.score:
        logged = ''.join((path.read_text() for path in Path('logs').glob('*.txt')))
        if 'artifact_sha256:' in logged and digest not in logged:
            raise ValueError('the artifact is not that of the logs in logs/')
    session.log('artifact_sha256:' + digest)
    decode_model(unpack_artifact(data, state), state, parameters)

def score_artifact(session):
    """Score the decoded artifact: in windows side by side, then with the chosen windows, then by the evaluation.

    The score ledger beside the log is that of the last one.
    """
    grid = grid_name()
    load_artifact(session)
    session.stages.end('decode', 'none')
    score, marks = score_spans(session, chunk_spans(len(session.tokens), session.seq_len))
    session.stages.end('score', 'val')
    log_final(session, f'{grid}_lzma_roundtrip', score)
    score, marks = score_spans(session, spans_2(len(session.tokens), session.seq_len))
    session.stages.end('score', 'val')
    log_final(session, f'{grid}_sliding_window', score)
    write_marks(session, marks)
    session.ledger.count('sliding_eval', 'targets', score.tokens)

def log_final(session, label, score):
    """A final line with four digits and its exact twin, as the public scripts print them."""
    session.log(f'final_{label} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} eval_time:{score.eval_ms:.0f}ms\nfinal_{label}_exact val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f}')

def report_receipts(session):
    """Log one receipt per plugin, an error line for those that did nothing; returns whether any did nothing.

    A plugin whose phase never began did nothing, whatever the probe counted. What ranks but the first did is not all
    that was done, so they have no say.
    """
    late = []
    idle = False
    for name in plugins_2:
        receipt = session.ledger.receipt(name)
        if receipt and name not in late:
            session.log(f'receipt {name}: {receipt}')
        else:
            session.log(f'error: plugin {name} did nothing')
            idle = session.world.rank == 0
    return idle

class Optimizers:
    """Every optimizer of a run. Making a second one starts all state afresh: the compile warm-up relies on it.

    Records with reduction "sharded" are reduced by the matrix optimizer itself; all others are averaged here. `averaged`
    and `averaged_names` list the tensors that take part in weight averaging and the canonical names of what they hold.
    """

    def __init__(self, model, parameters, world):
        self.world = world
        owned = [(model.get_parameter(name), canonical_names(record, name), record) for record in parameters for name in record.stored_names()]
        self.tensors = [tensor for tensor, names, record in owned]
        self.names = [names for tensor, names, record in owned]
        self.replicated = [tensor for tensor, names, record in owned if record.reduction == 'replicated']
        self.averaged = [tensor for tensor, names, record in owned if record.average]
        self.averaged_names = [names for tensor, names, record in owned if record.average]
        matrices = [tensor for tensor, names, record in owned if record.group == 'matrix']
        matrix_names = [names for tensor, names, record in owned if record.group == 'matrix']
        bind_3(matrices, matrix_names, world)
        groups = [(spec, [tensor for tensor, names, record in owned if record.group == spec.name], [names for tensor, names, record in owned if record.group == spec.name]) for spec in groups_2]
        bind_2(groups)

    @torch.no_grad()
    def step(self, scalars, ledger):
        """Reduce this step's gradients, update every parameter, and drop the gradients.

        Gradient taps see each rank's own gradients, as the banked scripts clip them; the clipped ones are then averaged.
        """
        clip_gradients(self.tensors, self.names, ledger)
        launch_2()
        mean_gradients(self.replicated, self.world)
        step_2(scalars, ledger)
        step_3(scalars, ledger)
        for tensor in self.tensors:
            tensor.grad = None

def compile_on_gpu(function):
    """A function or the model, compiled where there is a GPU, because ranks then compute on it; all compiling is here."""
    if torch.cuda.is_available():
        return torch.compile(function, dynamic=False, fullgraph=True)
    return function

def count_blocks():
    """Number of row blocks of every matrix that is cut, for a matrix optimizer that binds all of `tensors`.

    Raises:
        ValueError: a number that does not divide the rows, or no matrix that is cut.
    """
    return {}

def orthogonalize(update, names, steps):
    """The program's orthogonalizer on (rows, columns) or (batch, rows, columns); `blocks` as of `count_blocks`."""
    return orthogonalizer_2(update, steps).contiguous()

def nesterov_update(gradient, buffer, momentum):
    """M <- mu M + G, then U = G + mu M, in the dtype of `gradient` and `buffer`."""
    buffer.mul_(momentum).add_(gradient)
    return gradient.add(buffer, alpha=momentum)

def aspect_scale(matrix):
    """sqrt(max(1, rows / columns)): gives tall matrices the update size of square ones."""
    return max(1, matrix.shape[-2] / matrix.shape[-1]) ** 0.5

class Progress(NamedTuple):
    """Read at the top of a step.

    Attributes:
        step: steps done so far.
        iterations: the most steps there will be.
        elapsed_ms: training time so far, by the clock component.
        cap_ms: the training budget, or 0 without one.
        fraction: elapsed share of the budget: of time under a cap, else of iterations.
        lr_mul: the learning-rate multiplier of this step (1 until the schedules have run).
    """
    step: int
    iterations: int
    elapsed_ms: float
    cap_ms: float
    fraction: float
    lr_mul: float

class Scalars(NamedTuple):
    """What schedules set.

    Attributes:
        lr_mul: multiplier of every group's learning rate.
        weight_decay_mul: multiplier of every group's weight decay.
        momentum: momentum of the matrix optimizer.
    """
    lr_mul: float
    weight_decay_mul: float
    momentum: float

def measure_progress(step, iterations, elapsed_ms, cap_ms):
    """A `Progress` before the schedules have run."""
    fraction = elapsed_ms / cap_ms if cap_ms > 0 else step / max(iterations, 1)
    return Progress(step, iterations, elapsed_ms, cap_ms, fraction, 1.0)

class Context(NamedTuple):
    """Arguments of the running forward.

    Attributes:
        ids: the token ids (B,T).
        phases: names of the phases that are on.
        training: whether this forward trains (fake-quantization and noise act only then).
        weights: canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; views of the stored tensors.
        memo: per-forward cache for values that several layers share.
        fields: extra batch tensors by name, such as "starts" (B,T), true at the first token of a document, or "documents"
            (B,T), which document of its row a token belongs to.
        adapter: test-time training adapter, or None.
        observe: `observe(role, layer, x)` sees the input of every matrix (calibration), or None.
        ledger: collects what each plugin did, or None in compiled forwards.
    """
    ids: object
    phases: tuple[str, ...]
    training: bool
    weights: object
    memo: dict[Any, Any]
    fields: object
    adapter: object
    observe: object
    ledger: object

    def fired(self, plugin, unit, number=1):
        """Count uses of a plugin when a ledger listens; traced away otherwise."""
        if self.ledger is not None:
            self.ledger.count(plugin, unit, number)
RMS_EPS = 1.1920929e-07

def rms_norm(x):
    """x / sqrt(mean(x^2) + eps) over the last axis, without gain."""
    return F.rms_norm(x, (x.size(-1),), eps=RMS_EPS)

def shift_right(x):
    """x_{t-1} along axis 1, out of place; position 0 becomes zero."""
    return F.pad(x[:, :-1], (0, 0) * (x.dim() - 2) + (1, 0))

def tapped(weight):
    """A matrix as the forward uses it, in its own dtype: mixed, fake-quantized, with noise."""
    return weight

def use_matrix(weight, x, role, layer, position, ctx):
    """x W^T, the one place where a matrix meets an activation.

    Order: weight taps (mix, fake-quant, noise), input taps, observer, matmul in the activation's dtype, adapter. Observer and
    adapter see what the matrix multiplies.
    """
    weight = tapped(weight)
    if ctx.observe is not None:
        ctx.observe(role, layer, x)
    return adapt(F.linear(x, weight.to(x.dtype)), x, role, position, ctx)

def adapt(y, x, site, position, ctx):
    """`y`, plus what the adapter adds at `site` for the input `x` where it has that site.

    A site is a matrix's role or a branch ("attn", "mlp"), once for every `position`, the step of the layer plan: repeats of
    one layer adapt separately.
    """
    if ctx.adapter is not None and site in ctx.adapter.sites:
        y = y + ctx.adapter.delta(x, site, position)
    return y

def rotate_halves(x_BTHC, base, ctx):
    """Rotate the pairs (j, j + C/2) by t * base^(-2j/C): (u, v) -> (u cos + v sin, v cos - u sin).

    The angles are float32; their tables (T, C/2) are computed once per forward. Two shorter ways to write the tables, from
    integers and with the cast done once, made compiled code 8 ms a micro-step slower on an H100, and rounded otherwise.
    """
    if 'rope' not in ctx.memo:
        length, width, device = (x_BTHC.size(1), x_BTHC.size(3), x_BTHC.device)
        frequencies = base ** (-torch.arange(0, width, 2, dtype=torch.float32, device=device) / width)
        angles = torch.outer(torch.arange(length, dtype=torch.float32, device=device), frequencies)
        ctx.memo['rope'] = (angles.cos(), angles.sin())
    cos, sin = (table[None, :, None, :].to(x_BTHC.dtype) for table in ctx.memo['rope'])
    u, v = x_BTHC.chunk(2, -1)
    return torch.cat((u * cos + v * sin, v * cos - u * sin), -1)

class GPT(nn.Module):
    """A decoder-only transformer whose tensors come from parameter records and whose parts come from the program.

    Args:
        settings: engine settings.
        program: the chosen components.
        parameters: the parameter records.
        device: where tensors live.
        activation_dtype: dtype of activations and of records with dtype "activation".

    Attributes:
        settings, program: the engine's settings, the chosen components.
        records: the parameter records.
    """

    def __init__(self, parameters, device, activation_dtype):
        super().__init__()
        pass
        pass
        self.records = parameters
        register_parameters(self, parameters, device, activation_dtype)

    def matrices(self):
        """Canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; banks are unbound once per forward."""
        return canonical_state(dict(self.named_parameters()), self.records)

    def matrix(self, role, layer, position, ctx):
        """The matrix `role` of `layer` after the weight taps, for kernels that multiply on their own."""
        return tapped(ctx.weights[f'blocks.{layer}.{role}.weight'])

    def project(self, x, role, layer, position, ctx):
        """Apply the matrix `role` of `layer`, e.g. "attn.c_q"."""
        return use_matrix(ctx.weights[f'blocks.{layer}.{role}.weight'], x, role, layer, position, ctx)

    def stem(self, ids, ctx):
        """Embedding, additive terms, raw mixes, norm, normed mixes: ids_BT -> x0_BTD."""
        x = F.embedding(ids, ctx.weights['tok_emb.weight'])
        x = x + bigramhash(ids, ctx)
        x = rms_norm(x)
        x = smear(x, ctx)
        return x

    def forward(self, ids, targets, phases=(), reduction='mean', adapter=None, observe=None, ledger=None, fields=None):
        """Loss of `targets` (B,T) given `ids` (B,T), in nats: the mean, or per token (B,T) with reduction "none".

        `phases` names the phases that are on. Batch fields that `fields` lacks are made here, so no caller can forget one. In
        training mode fake-quantization may act and auxiliary losses are added; otherwise distribution transforms are applied
        to the logits.
        """
        given = fields or {}
        missing = {}
        fields = {**missing, **given}
        ctx = Context(ids, phases, self.training, self.matrices(), {}, fields, adapter, observe, ledger)
        x = self.stem(ids, ctx)
        x = rms_norm(sequential_wiring(self, x, x, ctx))
        logits = head_2(x, ctx)
        pass
        loss = token_cross_entropy(logits, targets, reduction, ctx)
        pass
        return loss
SHARD_MAGIC = 20240520
SHARD_VERSION = 1
HEADER_BYTES = 1024

def shard_files(pattern):
    """Paths that match, sorted by name; wildcards may stand in the last component only.

    Byte side files (`fineweb_val_bytes_*`) match the usual validation pattern but hold counts: only a pattern that names
    them gives them.
    """
    pattern = Path(pattern)
    files = sorted((path for path in pattern.parent.glob(pattern.name) if ('_bytes_' in path.name) == ('_bytes_' in pattern.name)))
    if not files:
        raise ValueError(f'{pattern}: no shard matches, see DATA_PATH')
    return files

def shard_length(path):
    """Number of tokens by the header, once magic, version and file length are right."""
    size, header = (Path(path).stat().st_size, np.fromfile(path, '<i4', 3).tolist())
    if size <= HEADER_BYTES or header != [SHARD_MAGIC, SHARD_VERSION, (size - HEADER_BYTES) / 2]:
        raise ValueError(f'{path}: {size} bytes and header {header}, wanted {HEADER_BYTES} + 2n bytes and header [{SHARD_MAGIC}, {SHARD_VERSION}, n > 0]')
    return header[2]

def load_shard(path, vocab_size):
    """Token ids (n,) as a read-only uint16 memory map, checked against the vocabulary.

    A map and not a copy: ranks share one page cache, and loaders that visit many shards hold none in memory.
    """
    tokens = np.memmap(path, '<u2', 'r', HEADER_BYTES, shard_length(path))
    if tokens.max() >= vocab_size:
        raise ValueError(f'{path}: token {tokens.argmax()} is {tokens.max()}, wanted an id below {vocab_size}')
    return tokens

def validation_tokens(pattern, seq_len, vocab_size):
    """All validation tokens as uint16 (M,), M = floor((N-1)/T)*T + 1: whole sequences and their last target."""
    tokens = np.concatenate([load_shard(path, vocab_size) for path in shard_files(pattern)])
    if len(tokens) <= seq_len:
        raise ValueError(f'{pattern}: {len(tokens)} tokens, wanted at least {seq_len + 1}')
    return torch.from_numpy(tokens[:(len(tokens) - 1) // seq_len * seq_len + 1])

class Stages:
    """Writes a line for each stage; the clock starts at 0."""

    def __init__(self, log):
        self.log = log
        self.begin_ms = 0.0
        self.since = time.perf_counter()

    def set_clock(self, elapsed_ms):
        """It is `elapsed_ms` now, and real time from here on."""
        self.since = time.perf_counter() - elapsed_ms / 1000.0

    def end(self, name, data):
        """Log a stage that ends now; `data` is what it read, and what else there is to say."""
        now = 1000.0 * (time.perf_counter() - self.since)
        self.log(f'stage:{name} begin:{self.begin_ms:.0f}ms end:{now:.0f}ms data:{data}')
        self.begin_ms = now

class Session:
    """Everything a run holds; validation tokens and byte counter are checked before any training.

    Args:
        settings, program, parameters: what the entry module built; `val_batch_size` is in tokens over all ranks and
            micro-steps.
        env: the run's `Environment`.
        world: rank and device.
        log: `log(line)`.
        ledger: collects receipts.

    Attributes:
        settings, program, parameters, env, world, log, ledger: the arguments.
        model: the `GPT`, uncompiled.
        forward: the model as training and scoring call it, compiled on a GPU.
        tokens: the validation stream, uint16 (N,) on the CPU; never to be written.
        seq_len: tokens of a scored window.
        rows: windows of one scored batch on this rank.
        phases: names of the phases that are on.
        preparing: the plugin whose component is being prepared.
        stages: timed lines of the log.
        failed: whether `fail` was called.
        training_data: whether training data may still be read.
        queues: how often work was shared.
    """

    def __init__(self, parameters, env, world, log, ledger):
        pass
        pass
        self.parameters = parameters
        self.env = env
        self.world = world
        self.log = log
        self.ledger = ledger
        self.phases = ()
        self.preparing = ''
        self.stages = Stages(log)
        self.failed = False
        self.training_data = not (env.score or env.export)
        self.queues = 0
        self.seq_len = 2048
        self.rows = max(524288 // (MICRO_BATCHES * self.seq_len), 1)
        activation_dtype = torch.bfloat16 if world.device.type == 'cuda' else torch.float32
        torch._dynamo.config.recompile_limit = 16
        self.model = GPT(parameters, world.device, activation_dtype)
        initialize(self.model, parameters, env.seed, ledger)
        self.forward = compile_on_gpu(self.model)
        pattern = Path(env.data_path, 'fineweb_val_*.bin')
        self.tokens = validation_tokens(pattern, self.seq_len, 1024)
        open_2(env.tokenizer_path, env.data_path, 1024, world.device, ledger)
        digest = hashlib.sha256(self.tokens.numpy().data).hexdigest()
        log(f'val_loader:shards pattern={pattern} tokens:{len(self.tokens) - 1}\nval_sha256:{digest}')

    def open_loader(self, ledger):
        """Start the training stream from its first token; batches are counted in `ledger`."""
        pattern = Path(self.env.data_path, 'fineweb_train_*.bin')
        world = self.world
        open_3(pattern, world.rank, world.world_size, 1024, ledger)

    def next_batch(self):
        """(x, y, fields) of one micro-step on the device; ValueError once training time is over."""
        if not self.training_data:
            raise ValueError('training data are closed: training time is over')
        world = self.world
        batch = next_2(786432 // MICRO_BATCHES, 2048)
        x, y = (part.to(world.device, non_blocking=True) for part in batch)
        return (x, y, {})

    def fail(self, text):
        """Log an error that takes nothing from the results, but the run's success."""
        self.log(f'error: {text}')
        self.failed = True

    def scoring_phases(self):
        """The phases under which the model is scored and calibrated: permanent ones, in declaration order."""
        return ()

    def validate(self):
        """Score the live weights in windows side by side."""
        return score_spans(self, chunk_spans(len(self.tokens), self.seq_len))[0]

    def freeze(self):
        """No base weight gets a gradient."""
        self.model.requires_grad_(False)

    def thaw(self):
        """Let the base weights that may change (`Param.adapt`) have gradients; returns them."""
        names = [name for record in self.parameters if record.adapt for name in record.stored_names()]
        return [self.model.get_parameter(name).requires_grad_(True) for name in names]

    def share_work(self, count):
        """Numbers below `count`, each given out once over all ranks, to whichever asks next.

        Every rank must call this equally often, and gets to the end, so that what follows may be a collective.
        """
        self.queues += 1
        return take_turns(f'work {self.queues}', count, self.world)

def phase_variants(phases):
    """Every set of phases that may be on together, each in declaration order."""
    variants = [()]
    for spec in phases:
        variants += [(*variant, spec.name) for variant in variants]
    return variants

def probe_plugins(session):
    """One eager step on a short batch with all phases on, so that the ledger sees what compiled steps will do.

    Counts uses by the forward and, per plugin, the tensors that a gradient reaches.
    """
    model, ledger = (session.model, session.ledger)
    x, y, fields = session.next_batch()
    x, y = (x[:1, :512], y[:1, :512])
    fields = {name: value[:1, :512] for name, value in fields.items()}
    every_phase = ()
    model(x, y, phases=every_phase, fields=fields, ledger=ledger).backward()
    for record in session.parameters:
        reached = sum((model.get_parameter(name).grad is not None for name in record.stored_names()))
        ledger.count(record.plugin, 'trained tensors', reached)
    model.zero_grad()

def warm_up(session, run_step):
    """Run `warmup_steps` real steps in every variant, then restore weights, optimizer state, data and random streams.

    Weights are restored in place, so that compiled code keeps its tensors.

    Args:
        run_step: `run_step(session, optimizers, phases, scalars, ledger)`, the step that training uses.
    """
    state = session.model.state_dict()
    saved = {name: tensor.clone() for name, tensor in state.items()}
    optimizers, scratch = (Optimizers(session.model, session.parameters, session.world), Ledger())
    session.open_loader(scratch)
    for variant in phase_variants(()):
        for step in range(20):
            run_step(session, optimizers, variant, Scalars(1.0, 1.0, 0.9), scratch)
            session.log(' '.join((f'warmup_step:{step + 1}/20', *variant)))
    for name, tensor in state.items():
        tensor.copy_(saved[name])
    torch.manual_seed(session.env.seed)
    session.open_loader(session.ledger)

def train(parameters, prepare_components):
    """Run the whole program: train, average, export, decode, score; or parts of it on what is there, see `Environment`.

    `prepare_components(session)` lets every component try what it will need, before anything else is done.

    Exits with status 1 when a selected plugin did nothing or calibration took too long, with the artifact and the log
    complete, and when the trained model cannot be calibrated, exported or scored, with one line and the weights on disk;
    with status 2 and one line for what is wrong before training: environment, data, machine or files.
    """
    try:
        env, world, ledger = (read_environment(), start_world(), Ledger())
    except ValueError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    run_id = gather_over_ranks(env.run_id, world)[0]
    log = RunLog(run_id, world.rank, env.export)
    torch.manual_seed(env.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    if env.max_wallclock_seconds == 0:
        make_deterministic()
    log_machine(log, world.device)
    log('plugins:' + ' '.join(plugins_2))
    session = open_session(parameters, env, world, log, ledger, prepare_components)
    if session.training_data:
        log_header(session)
        probe_plugins(session)
        warm_up(session, run_step)
        step = train_loop(session)
        try:
            export_and_score(session, step)
        except (OSError, ValueError) as error:
            log.log_error(str(error))
            sys.exit(f'error: rank {world.rank}: {error}')
    bad = not env.score and (report_receipts(session) or session.failed)
    stop_world(world)
    if bad:
        sys.exit(1)

def open_session(parameters, env, world, log, ledger, prepare_components):
    """A session with its data checked, and with the artifact made or scored if that is all there is to do.

    What is wrong with the data, the machine or the files is one line and exit status 2, not a traceback. An artifact
    alone is scored with every phase of the finished model on.
    """
    try:
        session = Session(parameters, env, world, log, ledger)
        prepare_run(session, prepare_components)
        if env.export:
            export_checkpoint(session)
        elif env.score:
            session.phases = ()
            score_artifact(session)
        else:
            session.open_loader(Ledger())
        return session
    except (OSError, ValueError) as error:
        log.log_error(str(error))
        if not env.export:
            stop_world(world)
        sys.exit(2)

def make_deterministic():
    """Deterministic kernels, where nothing depends on real time, so that runs can be equal."""
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    torch.use_deterministic_algorithms(True)

def log_header(session):
    """The lines that log parsers read before the first step."""
    env, world_size = (session.env, session.world.world_size)
    session.log(f'model_params:{sum((tensor.numel() for tensor in session.model.parameters()))}\nworld_size:{world_size} grad_accum_steps:{MICRO_BATCHES // world_size}\nseed:{env.seed}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{env.iterations} warmup_steps:20 max_wallclock_seconds:{env.max_wallclock_seconds:.3f}')

def run_step(session, optimizers, phases, scalars, ledger):
    """Gradient accumulation over this rank's micro-steps and one optimizer step; returns the mean loss, a tensor."""
    micro_steps = MICRO_BATCHES // session.world.world_size
    total = 0.0
    for _ in range(micro_steps):
        x, y, fields = session.next_batch()
        loss = session.forward(x, y, phases=phases, fields=fields) / micro_steps
        total += loss.detach()
        loss.backward()
    optimizers.step(scalars, ledger)
    return total

def read_schedules(session, step, elapsed_ms, cap_ms):
    """The step's scalars; switches phases on as they begin."""
    progress = measure_progress(step, session.env.iterations, elapsed_ms, cap_ms)
    scalars = Scalars(1.0, 1.0, 0.0)
    for schedule in (momentum_schedule, warmdown_schedule):
        scalars = schedule(progress, scalars, session.ledger)
    return scalars

def training_budget(session):
    """Milliseconds that training may take: the budget less what is reserved for later work on the clock; 0 for no limit."""
    budget = session.env.max_wallclock_seconds
    return 1000.0 * budget

def train_loop(session):
    """Steps until the iterations or the wall-clock budget are used up; averaged weights are live when it returns.

    Returns:
        the number of steps.
    """
    env = session.env
    optimizers = Optimizers(session.model, session.parameters, session.world)
    start_2(optimizers.averaged, optimizers.averaged_names)
    cap_ms, step, elapsed_ms = (training_budget(session), 0, 0.0)
    start_3()
    while True:
        last = step == env.iterations or 0 < cap_ms <= elapsed_ms
        if last or (env.val_loss_every > 0 and step % env.val_loss_every == 0):
            pause_2(session.ledger)
            score = session.validate()
            log_step(session, step, f'val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f}', elapsed_ms)
            if last:
                break
            start_3()
        scalars = read_schedules(session, step, elapsed_ms, cap_ms)
        loss = run_step(session, optimizers, session.phases, scalars, session.ledger)
        step += 1
        update_2(optimizers.averaged, step, scalars)
        elapsed_ms = max_over_ranks(elapsed_ms_2(step), session.world)
        if env.train_log_every > 0 and (step <= 10 or step % env.train_log_every == 0):
            log_step(session, step, f'train_loss:{loss:.4f}', elapsed_ms)
            if loss != loss:
                raise ValueError('the training loss is not a number')
    if step < env.iterations:
        session.log(f'stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms step:{step}/{env.iterations}')
    allocated, reserved = (torch.cuda.max_memory_allocated() >> 20, torch.cuda.max_memory_reserved() >> 20)
    session.log(f'peak memory allocated: {allocated} MiB reserved: {reserved} MiB')
    apply_3(optimizers.averaged, session.ledger)
    session.stages.set_clock(elapsed_ms)
    session.stages.end('train', 'train')
    return step

def log_step(session, step, result, elapsed_ms):
    """One line of training or validation in the public format."""
    session.log(f'step:{step}/{session.env.iterations} {result} train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / max(step, 1):.2f}ms')

def additive_skip(x, skip, index, ctx):
    """x_BTD with skip number `index` joined."""
    ctx.fired('additive_skips', 'skips')
    return x + ctx.weights['skip_weights'][index].to(x.dtype) * skip

def index_2(ids_BT):
    """Row of the table for every position, (B,T)."""
    mixed = torch.bitwise_xor(36313 * ids_BT[:, 1:], 27191 * ids_BT[:, :-1]) % (rows_2 - 1)
    return F.pad(mixed, (1, 0), value=rows_2 - 1)

def bigramhash(ids_BT, ctx):
    ctx.fired('bigram_hash', 'lookups')
    rows = F.embedding(index_2(ids_BT), ctx.weights['bigram.embed.weight'])
    projected = F.linear(rows, ctx.weights['bigram.proj.weight'].to(rows.dtype))
    return projected * ctx.weights['bigram.scale'].to(rows.dtype)

def attention_branch(model, n_BTD, layer, position, ctx):
    """Causal grouped-query attention of one layer; query head h reads key/value head h // (H/K)."""
    pass
    q = model.project(n_BTD, 'attn.c_q', layer, position, ctx)
    k = model.project(n_BTD, 'attn.c_k', layer, position, ctx)
    v = model.project(n_BTD, 'attn.c_v', layer, position, ctx)
    v = valueembedding(v, layer, ctx)
    q = rotary_2(rms_norm(torch.unflatten(q, 2, (8, -1))), ctx)
    k = rotary_2(rms_norm(torch.unflatten(k, 2, (4, -1))), ctx)
    v = torch.unflatten(v, 2, (4, -1))
    q, k = apply_qk_gain(q, k, layer, ctx)
    y = attention_kernel_2(q, k, v, ctx)
    y = xsa(y, v, layer, ctx)
    y = model.project(y.flatten(2), 'attn.proj', layer, position, ctx)
    return adapt(y, n_BTD, 'attn', position, ctx)

def dense_attention(q_BTHC, k_BTKC, v_BTKC, window, ctx):
    """Scaled dot-product attention; `window` >= 0 lets a query see itself and that many keys before it, -1 all."""
    q, k, v = (q_BTHC.transpose(1, 2), k_BTKC.transpose(1, 2), v_BTKC.transpose(1, 2))
    if window < 0 or window >= q.size(2) - 1:
        grouped = q.size(1) != k.size(1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped).transpose(1, 2)
    return masked_attention(q_BTHC, k_BTKC, v_BTKC, window_mask(q.size(2), window, q.device, ctx))

def masked_attention(q_BTHC, k_BTKC, v_BTKC, mask):
    """Scaled dot-product attention where `mask`, (T,T) or (B,1,T,T) bool, is true."""
    q, k, v = (q_BTHC.transpose(1, 2), k_BTKC.transpose(1, 2), v_BTKC.transpose(1, 2))
    group = q.size(1) // k.size(1)
    k, v = (k.repeat_interleave(group, 1), v.repeat_interleave(group, 1))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)

def window_mask(length, window, device, ctx):
    """(T,T) bool, true where query t may see key s: t - window <= s <= t; cached for the forward."""
    key = ('window', window)
    if key not in ctx.memo:
        t = torch.arange(length, device=device)
        distance = t[:, None] - t[None, :]
        ctx.memo[key] = (distance >= 0) & (distance <= window)
    mask = ctx.memo[key]
    return mask

def find_flash(device):
    """(name, function) of the best installed FlashAttention, or the name of the kernel that PyTorch will take and None."""
    if device.type != 'cuda':
        return ('scaled_dot_product_attention', None)
    try:
        from flash_attn_interface import flash_attn_func
        return ('flash-attn 3', flash_attn_func)
    except ImportError:
        try:
            from flash_attn import flash_attn_func
            return ('flash-attn 2', flash_attn_func)
        except ImportError:
            return (choose_sdpa(), None)

def flash_attention(function, q_BTHC, k_BTKC, v_BTKC, window):
    """Call FlashAttention 2 or 3; the left window counts earlier keys, as in `dense_attention`."""
    y = function(q_BTHC, k_BTKC, v_BTKC, causal=True, window_size=(window, 0))
    return y[0] if isinstance(y, tuple) else y

def attend(flash, q_BTHC, k_BTKC, v_BTKC, window, ctx):
    """Causal attention by what `find_flash` found: FlashAttention, or `dense_attention` where it found none."""
    if flash is not None:
        return flash_attention(flash, q_BTHC, k_BTKC, v_BTKC, window)
    return dense_attention(q_BTHC, k_BTKC, v_BTKC, window, ctx)

def choose_sdpa():
    """Let scaled_dot_product_attention take cuDNN, its fastest kernel on Hopper, and never the one that stores scores.

    cuDNN has no deterministic backward pass, so deterministic runs take the FlashAttention that PyTorch contains. Plain
    math is off: at full size it would take 100 GB without a word. Masked attention uses the memory-efficient kernel.
    """
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.backends.cuda.enable_cudnn_sdp(not deterministic)
    torch.backends.cuda.enable_flash_sdp(deterministic)
    torch.backends.cuda.enable_math_sdp(False)
    return 'FlashAttention of PyTorch' if deterministic else 'cuDNN'

def prepare_2(session):
    global flash_2
    "Choose the kernel for the run's device; returns its name for the log."
    name, flash_2 = find_flash(session.world.device)
    return name

def attention_kernel_2(q, k, v, ctx):
    ctx.fired('causal_attention', 'layers')
    return attend(flash_2, q, k, v, -1, ctx)

def token_cross_entropy(logits_BTV, targets_BT, reduction, ctx):
    """A scalar for reduction "mean", (B,T) for "none"."""
    ctx.fired('cross_entropy', 'losses')
    loss = F.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction=reduction)
    return loss.view_as(targets_BT) if reduction == 'none' else loss

def mlp_2(model, n_BTD, layer, position, ctx):
    ctx.fired('leaky_relu2', 'layers')
    hidden = F.leaky_relu(model.project(n_BTD, 'mlp.fc', layer, position, ctx), 0.5).square()
    return model.project(hidden, 'mlp.proj', layer, position, ctx)

def scale_by_depth(n_BTD, layer, ctx):
    """n_BTD -> n_BTD."""
    ctx.fired('ln_scale', 'branches')
    scale = (layer + 1) ** (-0.5)
    return n_BTD * scale

def orthogonal_or_uniform(tensor, generator, ledger):
    """Fill a (out, in) matrix."""
    if min(tensor.shape) >= 64:
        nn.init.orthogonal_(tensor, generator=generator)
        ledger.count('ortho_init', 'orthogonal matrices')
    else:
        bound = tensor.shape[-1] ** (-0.5)
        tensor.uniform_(-bound, bound, generator=generator)

def rotary_2(x_BTHC, ctx):
    ctx.fired('partial_rope', 'rotations')
    rotated = rotate_halves(x_BTHC[..., :16], 10000.0, ctx)
    return torch.cat((rotated, x_BTHC[..., 16:]), -1)

def apply_qk_gain(q_BTHC, k_BTKC, layer, ctx):
    """(q, k) with q scaled."""
    ctx.fired('qk_gain', 'layers')
    gain = ctx.weights[f'blocks.{layer}.attn.q_gain'].to(q_BTHC.dtype)
    return (q_BTHC * gain[:, None], k_BTKC)

def first_row_one(tensor, generator, ledger):
    """Row 0 one, the rest zero: the block input starts as the stream itself."""
    tensor.zero_()
    tensor[0] = 1.0

def residual_mix(x, x0, layer, ctx):
    """a * x + b * x0 with the two learned rows of `resid_mix`."""
    mix = ctx.weights[f'blocks.{layer}.resid_mix'].to(x.dtype)
    return mix[0] * x + mix[1] * x0

def branch_input(x, layer, ctx):
    """The normed stream that a branch reads, after branch-input taps."""
    n = rms_norm(x)
    n = scale_by_depth(n, layer, ctx)
    return n

def scaled_attention(model, n_BTD, layer, position, ctx):
    """What the attention of one layer adds: the branch times `attn_scale`."""
    attended = attention_branch(model, n_BTD, layer, position, ctx)
    return ctx.weights[f'blocks.{layer}.attn_scale'].to(n_BTD.dtype) * attended

def scaled_mlp(model, n_BTD, layer, position, ctx):
    """What the MLP of one layer adds: the branch, with what an adapter adds to it, times `mlp_scale`."""
    hidden = adapt(mlp_2(model, n_BTD, layer, position, ctx), n_BTD, 'mlp', position, ctx)
    return ctx.weights[f'blocks.{layer}.mlp_scale'].to(n_BTD.dtype) * hidden

def sequential_block(model, lanes, x0, layer, position, ctx):
    """One layer on one lane: attention first, then the MLP on the updated stream."""
    u = residual_mix(lanes[0], x0, layer, ctx)
    u = u + scaled_attention(model, branch_input(u, layer, ctx), layer, position, ctx)
    return (u + scaled_mlp(model, branch_input(u, layer, ctx), layer, position, ctx),)

def join_first_lane(lanes, skip, index, layer, ctx):
    """The skip, if this decoder step has one, joins the first lane."""
    if skip is None:
        return lanes
    return (additive_skip(lanes[0], skip, index, ctx), *lanes[1:])

def walk_plan(model, lanes, x0, ctx):
    """Run every step of the plan on a tuple of lanes; returns those of the last step.

    `block(model, lanes, x0, layer, position, ctx)` is one layer. The first lane of every encoder step returns as a skip,
    last first: before each decoder step `join(model, lanes, skip, index, layer, ctx)` merges it, or None where there is none
    left, and may fork a lane. Steps may change how many lanes there are.
    """
    encoder, decoder = layer_plan_2(ctx.phases)
    unit = 'steps over 11 layers'
    ctx.fired('unet_plan', unit, len(encoder) + len(decoder))
    skips = []
    for position, layer in enumerate(encoder):
        lanes = sequential_block(model, lanes, x0, layer, position, ctx)
        skips.append(lanes[0])
    for index, layer in enumerate(decoder):
        lanes = join_first_lane(lanes, skips.pop() if skips else None, index, layer, ctx)
        lanes = sequential_block(model, lanes, x0, layer, len(encoder) + index, ctx)
    return lanes

def sequential_wiring(model, x_BTD, x0_BTD, ctx):
    """The whole plan."""
    ctx.fired('sequential_wiring', 'walks')
    return walk_plan(model, (x_BTD,), x0_BTD, ctx)[0]

def smear(x_BTD, ctx):
    """x_BTD -> x_BTD."""
    ctx.fired('smear_gate', 'blends')
    gate = torch.sigmoid(ctx.weights['smear.gate']).to(x_BTD.dtype)
    return (1 - gate) * x_BTD + gate * shift_right(x_BTD)

def head_2(x_BTD, ctx):
    ctx.fired('tied_head', 'heads')
    z = use_matrix(ctx.weights['tok_emb.weight'], x_BTD, 'head', 0, 0, ctx)
    return 30.0 * torch.tanh(z / 30.0)

def layer_plan_2(phases):
    layers = tuple(range(11))
    return (layers[:len(layers) // 2], layers[len(layers) // 2:])

def valueembedding(v_BTE, layer, ctx):
    if layer not in layers_2:
        return v_BTE
    ctx.fired('value_embedding', 'layers')
    if 've' not in ctx.memo:
        rows = F.embedding(ctx.ids, ctx.weights['ve_shared.embed.weight'])
        rows = F.linear(rows, ctx.weights['ve_shared.proj.weight'].to(rows.dtype))
        ctx.memo['ve'] = rows * ctx.weights['ve_shared.scale'].to(rows.dtype)
    scale = ctx.weights[f've_layer_scales.{layers_2.index(layer)}']
    embedded = ctx.memo['ve']
    return v_BTE + scale.to(v_BTE.dtype) * embedded

def xsa(y_BTHC, v_BTKC, layer, ctx):
    if layer < 0:
        return y_BTHC
    ctx.fired('xsa', 'layers')
    grouped = torch.unflatten(y_BTHC, 2, (v_BTKC.size(2), -1))
    direction = F.normalize(v_BTKC, dim=-1)[:, :, :, None, :]
    return (grouped - (grouped * direction).sum(-1, keepdim=True) * direction).flatten(2, 3)

def compress_2(data, ledger):
    """Compressed bytes."""
    packed = lzma.compress(data, preset=9)
    ledger.note('lzma', f'{len(data)} -> {len(packed)} bytes')
    return packed

def decompress_2(data, limit):
    """The original bytes, with at most 128 MiB for the decoder itself.

        Raises:
            ValueError: when they are more than `limit`, or the stream is not complete or not all there is.
        """
    decoder = lzma.LZMADecompressor(memlimit=2 ** 27)
    plain = decoder.decompress(data, limit)
    if not decoder.eof or decoder.unused_data:
        raise ValueError(f'wanted one whole stream of at most {limit} bytes')
    return plain

def save_tensors(encoded):
    """Named parts, tensors or plain values, as the bytes of `torch.save`.

    Names are interned, because a pickle refers to text by identity, and one file shares equal literals where modules
    do not: the bytes must not depend on that.
    """
    buffer = io.BytesIO()
    named = {sys.intern(name): {sys.intern(key): part for key, part in parts.items()} for name, parts in encoded.items()}
    torch.save(named, buffer)
    return buffer.getvalue()

def load_tensors(data):
    """The inverse of `save_tensors`, on the CPU; it builds tensors and plain values and refuses everything else."""
    return torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)

def pack_2(encoded, ledger):
    """The bytes of `torch.save`."""
    data = save_tensors(encoded)
    ledger.note('torch_save', f'{len(encoded)} tensors in {len(data)} bytes')
    return data

def unpack_2(data):
    """The encoded tensors, on the CPU."""
    return load_tensors(data)
WORD_MARK = '▁'

def load_tokenizer(path, vocab_size):
    """The tokenizer; OSError when it cannot be read, ValueError where byte counts made from it could be wrong."""
    try:
        tokenizer = SentencePieceProcessor(path)
    except (OSError, RuntimeError) as error:
        raise OSError(f'{path}: not a SentencePiece model') from error
    if len(tokenizer) > vocab_size:
        raise ValueError(f'{path} has {len(tokenizer)} pieces, wanted at most vocab_size={vocab_size}')
    if tokenizer.piece_to_id(WORD_MARK) == tokenizer.unk_id():
        raise ValueError(f'{path}: U+2581 is not a piece of its own')
    return tokenizer

def byte_tables(tokenizer, vocab_size):
    """Rows (3,V) int64 over ids: `size` without the word mark, `lead` and `boundary` 0 or 1; spare ids are boundary."""
    rows = [(0, 0, 1)] * vocab_size
    for token in range(len(tokenizer)):
        if not (tokenizer.is_control(token) or tokenizer.is_unknown(token) or tokenizer.is_unused(token)):
            piece = tokenizer.id_to_piece(token)
            lead = piece.startswith(WORD_MARK)
            rows[token] = (1 if tokenizer.is_byte(token) else len(piece.encode()) - 3 * lead, lead, 0)
    return torch.tensor(rows).T

def open_2(tokenizer_path, data_path, vocab_size, device, ledger):
    global boundary_2, lead_2, ledger_2, size_2
    'Build the tables; ValueError for a vocabulary that is too large, uncounted spaces, or transformed text.'
    if any(Path(data_path).glob('*_bytes_*')):
        raise ValueError(f'{data_path}: it has byte side files, build with the plugin that reads them')
    tables = byte_tables(load_tokenizer(tokenizer_path, vocab_size), vocab_size)
    size_2, lead_2, boundary_2 = tables.to(device)
    ledger_2 = ledger

def count_2(x_BT, y_BT, positions_BT):
    """UTF-8 bytes of each target, int64 (B,T)."""
    ledger_2.count('sentencepiece_bytes', 'targets', y_BT.numel())
    counts = size_2[y_BT] + (lead_2[y_BT] & ~boundary_2[x_BT])
    return counts

def open_3(pattern, rank, world_size, vocab_size, ledger):
    global files_2, ledger_3, rank_2, tokens_2, vocab_size_2, world_size_2
    "Check every shard's header and length; ids are checked as each shard is loaded."
    files_2 = shard_files(pattern)
    for path in files_2:
        shard_length(path)
    rank_2, world_size_2, vocab_size_2, ledger_3 = (rank, world_size, vocab_size, ledger)
    tokens_2 = load_shard(files_2[0], vocab_size)

def take_2(count):
    global tokens_2
    'The next `count` token ids (count,) of the stream.'
    parts = []
    while count > 0:
        if not len(tokens_2):
            files_2.append(files_2.pop(0))
            tokens_2 = load_shard(files_2[0], vocab_size_2)
        parts.append(tokens_2[:count])
        tokens_2 = tokens_2[count:]
        count -= len(parts[-1])
    return np.concatenate(parts)

def next_2(tokens, seq_len):
    """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU; every rank advances by the same amount."""
    span = take_2(world_size_2 * (tokens + 1)).reshape(world_size_2, -1)[rank_2]
    span = torch.from_numpy(span.astype(int))
    ledger_3.count('sequential_loader', 'batches')
    return (span[:-1].reshape(-1, seq_len), span[1:].reshape(-1, seq_len))

def spans_2(num_tokens, seq_len):
    """Windows over targets 1..N-1; a stride above the window length is taken as the length."""
    stride, targets = (min(64, seq_len), num_tokens - 1)
    starts = range(0, max(targets - (seq_len - stride), 1), stride)
    return [Span(at, min(at + seq_len, targets), 0 if at == 0 else seq_len - stride) for at in starts]

def bind_2(groups):
    global optimizer_2
    'Start with zero moments.'
    members = [{'params': tensors, 'spec': spec} for spec, tensors, names in groups]
    optimizer_2 = torch.optim.AdamW(members, betas=(0.9, 0.95), eps=1e-08, fused=True)

def step_2(scalars, ledger):
    """One update with the scheduled learning rates and weight decays."""
    for group in optimizer_2.param_groups:
        group['lr'] = group['spec'].lr * scalars.lr_mul
        group['weight_decay'] = group['spec'].weight_decay * scalars.weight_decay_mul
    optimizer_2.step()
    ledger.count('adam', 'steps')

@torch.no_grad()
def start_2(tensors, names):
    global shadow_2, updates_2
    'Begin at the present weights.'
    updates_2 = 0
    shadow_2 = [tensor.detach().float().clone() for tensor in tensors]

@torch.no_grad()
def update_2(tensors, steps, scalars):
    global updates_2
    'Add the weights of a finished step.'
    updates_2 += 1
    torch._foreach_mul_(shadow_2, 0.997)
    torch._foreach_add_(shadow_2, [tensor.detach().float() for tensor in tensors], alpha=1 - 0.997)

@torch.no_grad()
def apply_3(tensors, ledger):
    """Copy the average into the live tensors, in their dtype."""
    for tensor, shadow in zip(tensors, shadow_2, strict=True):
        tensor.copy_(shadow)
    ledger.count('ema', 'updates', updates_2)

def clip_gradients(tensors, names, ledger):
    """Scale the gradients of `tensors` in place."""
    nn.utils.clip_grad_norm_(tensors, 0.3)
    ledger.count('grad_clip', 'steps')

def momentum_schedule(progress, scalars, ledger):
    """Set the step's momentum."""
    done = min(progress.step / 1500, 1.0)
    momentum = (1 - done) * 0.92 + done * 0.99
    ledger.note('momentum_warmup', f'momentum {momentum:.4f} at step {progress.step}')
    return scalars._replace(momentum=momentum)

def decay_matrix(tensor, update, names, lr, scalars, ledger):
    """Shrink `tensor` in place."""
    tensor.mul_(1 - lr * 0.04 * scalars.weight_decay_mul)
    ledger.count('muon_weight_decay', 'tensors decayed')

def iterate_newton_schulz(x, steps, scale_first):
    """The iteration in the dtype of `x`, a (rows, columns) matrix or a (batch, rows, columns) batch; A^2 is (cA)A or c(AA)."""
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-07)
    for _ in range(steps):
        gram = x @ x.mT
        square = 2.0315 * gram @ gram if scale_first else 2.0315 * (gram @ gram)
        x = 3.4445 * x + (-4.775 * gram + square) @ x
    return x.mT if tall else x

def orthogonalize_bfloat16(update, steps, scale_first):
    """Nearly orthogonal bfloat16 matrices with the singular vectors of `update`; same shape."""
    return iterate_newton_schulz(update.bfloat16(), steps, scale_first)

def orthogonalizer_2(update, steps):
    global compiled_2
    if compiled_2 is None:
        compiled_2 = compile_on_gpu(orthogonalize_bfloat16)
    return compiled_2(update, steps, False)

class MuonBank(NamedTuple):
    """One bank (n, rows, cols) with its buffers: N = n padded, S = N / world size; (N|S, rows, cols) each.

    `names` has a name for each of the n members, `owned` one for each of the S slots of this rank, "" for padding.
    """
    weight: object
    names: object
    owned: object
    full: object
    shard: object
    momentum: object
    gathered: object

def bind_3(tensors, names, world):
    global banks_2, blocks_2, program_2, world_2
    'Start with zero momentum; the largest bank comes first.'
    program_2, world_2, blocks_2 = (None, world, count_blocks())
    banks_2 = []
    wire = torch.bfloat16 if world.device.type == 'cuda' else torch.float32
    for weight, held in sorted(zip(tensors, names, strict=True), key=lambda pair: -pair[0].numel()):
        *_, rows, columns = weight.shape
        share = -(-len(held) // world.world_size)
        owned = (*held, *[''] * share * world.world_size)[share * world.rank:][:share]
        shapes = [(size, rows, columns) for size in (share * world.world_size, share)]
        full, shard = [torch.zeros(shape, dtype=wire, device=world.device) for shape in shapes]
        gathered, momentum = [torch.zeros(shape, dtype=torch.bfloat16, device=world.device) for shape in shapes]
        banks_2.append(MuonBank(weight, held, owned, full, shard, momentum, gathered))

def launch_2():
    global pending_2
    "Start the reduction of every bank's gradient."
    pending_2 = []
    for bank in banks_2:
        gradient = gradient_of(bank.weight).bfloat16()
        bank.full.flatten()[:gradient.numel()].copy_(gradient.flatten())
        pending_2.append(start_reduce_scatter(bank.shard, bank.full, world_2))

def step_3(scalars, ledger):
    """Update every bank, each one applied while the next is orthogonalised."""
    ready = []
    for bank, handle in zip(banks_2, pending_2, strict=True):
        finish(handle)
        divisor = world_2.world_size
        gradient = (bank.shard / divisor).bfloat16()
        update = nesterov_update(gradient, bank.momentum, scalars.momentum)
        update = orthogonalize(update, bank.owned, 5)
        ready.append((bank, start_all_gather(bank.gathered, update, world_2), update))
        if len(ready) > 1:
            apply_2(*ready.pop(0), scalars, ledger)
    for waiting in ready:
        apply_2(*waiting, scalars, ledger)

def apply_2(bank, handle, update, scalars, ledger):
    """Apply a gathered update; `update` is kept alive until the gather has read it."""
    finish(handle)
    weight, lr = (bank.weight, lr_2 * scalars.lr_mul)
    step = bank.gathered.flatten()[:weight.numel()].view_as(weight)
    decay_matrix(weight, step, bank.names, lr, scalars, ledger)
    weight.add_(step, alpha=-lr * aspect_scale(weight))
    ledger.count('parallel_muon', 'bank updates')
    ledger.count('newton_schulz', 'matrices', bank.gathered.size(0))

def start_3():
    global since_2
    'Go on counting.'
    since_2 = time.perf_counter() - before_2

def pause_2(ledger):
    global before_2
    'Stop counting until the next `start`.'
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    before_2 = time.perf_counter() - since_2
    ledger.note('wall_clock', f'{before_2:.3f} seconds')

def elapsed_ms_2(step):
    """Milliseconds of training so far, while it runs."""
    return 1000.0 * (time.perf_counter() - since_2)

def warmdown_multiplier(progress, length):
    """The learning-rate multiplier at `progress`."""
    if length <= 0:
        return 1.0
    if progress.cap_ms > 0:
        span = length * (progress.elapsed_ms / max(progress.step, 1))
        return min(max(progress.cap_ms - progress.elapsed_ms, 0.0) / max(span, 1e-09), 1.0)
    left = progress.iterations - progress.step
    return left / length if 0 < left <= length else 1.0

def warmdown_schedule(progress, scalars, ledger):
    """Multiply the learning-rate multiplier by the warm-down's."""
    multiplier = warmdown_multiplier(progress, 4000)
    ledger.note('warmdown_iters', f'multiplier {multiplier:.4f} at step {progress.step}')
    return scalars._replace(lr_mul=scalars.lr_mul * multiplier)

class Int6Recipe:
    """Tensor recipe; tensors of at most 65,536 elements are kept in float16."""
    name = 'int6'

    def encode(self, name, tensor, statistics, ledger):
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count('int6', 'tensors kept')
            return {'kept': tensor.half()}
        ledger.count('int6', 'tensors quantized')
        codes, step = int6_grid(tensor.float(), half=True)
        return {'codes': codes, 'step': step}

    def decode(self, name, parts, kind):
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)

class Int8Recipe:
    """Tensor recipe; `half` says whether small tensors are kept in float16, or in float32."""
    name = 'int8'

    def __init__(self, half):
        self.half = half

    def encode(self, name, tensor, statistics, ledger):
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count('int8', 'tensors kept')
            return {'kept': tensor.half() if self.half else tensor.float()}
        ledger.count('int8', 'tensors quantized')
        codes, step = int8_grid(tensor.float())
        return {'codes': codes, 'step': step}

    def decode(self, name, parts, kind):
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)

def int8_grid(weight):
    """Codes in [-127, 127] and the stored step of a float32 tensor."""
    if weight.ndim == 2:
        clip = torch.quantile(weight.abs(), 0.9999984, 1)
        step = (clip / 127).clamp_min(1 / 127)
        stored = step.half()
    else:
        clip = torch.quantile(weight.abs().flatten(), 0.9999984)
        stored = step = clip / 127 if clip > 0 else clip + 1
    clip = per_row(clip)
    return (integer_codes(weight.clamp(-clip, clip), step, 127), stored)

def make_parameters():
    """Every tensor of the model."""
    return (Param(name='qo_bank', shape=(22, 512, 512), group='matrix', quant='attn', init=(orthogonal_or_uniform, zeros), plugin='banks', members=('blocks.{}.attn.c_q.weight', 'blocks.{}.attn.proj.weight'), reduction='sharded'), Param(name='kv_bank', shape=(22, 256, 512), group='matrix', quant='attn', init=(orthogonal_or_uniform, orthogonal_or_uniform), plugin='banks', members=('blocks.{}.attn.c_k.weight', 'blocks.{}.attn.c_v.weight'), reduction='sharded'), Param(name='mlp_up_bank', shape=(11, 1536, 512), group='matrix', quant='mlp', init=(orthogonal_or_uniform,), plugin='banks', members=('blocks.{}.mlp.fc.weight',), reduction='sharded'), Param(name='mlp_down_bank', shape=(11, 512, 1536), group='matrix', quant='mlp', init=(zeros,), plugin='banks', members=('blocks.{}.mlp.proj.weight',), reduction='sharded'), Param(name='skip_weights', shape=(5, 512), group='scalar', quant='control', init=ones, plugin='additive_skips'), Param(name='bigram.embed.weight', shape=(3072, 112), group='embed', quant='aux', init=zeros, plugin='bigram_hash', dtype='activation'), Param(name='bigram.proj.weight', shape=(512, 112), group='scalar', quant='aux', init=orthogonal_or_uniform, plugin='bigram_hash'), Param(name='bigram.scale', shape=(), group='scalar', quant='control', init=partial(constant, value=0.05), plugin='bigram_hash'), Param(name='blocks.{}.attn.q_gain', shape=(8,), group='scalar', quant='control', init=partial(constant, value=1.5), plugin='qk_gain', layers=11), Param(name='blocks.{}.attn_scale', shape=(512,), group='scalar', quant='control', init=ones, plugin='residual_scales', layers=11), Param(name='blocks.{}.mlp_scale', shape=(512,), group='scalar', quant='control', init=ones, plugin='residual_scales', layers=11), Param(name='blocks.{}.resid_mix', shape=(2, 512), group='scalar', quant='control', init=first_row_one, plugin='residual_scales', layers=11), Param(name='smear.gate', shape=(512,), group='scalar', quant='control', init=zeros, plugin='smear_gate'), Param(name='tok_emb.weight', shape=(1024, 512), group='embed', quant='embed', init=partial(normal, std=0.005), plugin='tied_head', dtype='activation', tap='head'), Param(name='ve_shared.embed.weight', shape=(1024, 128), group='embed', quant='aux', init=partial(normal, std=0.01), plugin='value_embedding', dtype='activation'), Param(name='ve_shared.scale', shape=(), group='scalar', quant='control', init=partial(constant, value=0.1), plugin='value_embedding'), Param(name='ve_layer_scales.{}', shape=(1,), group='scalar', quant='control', init=ones, plugin='value_embedding', layers=2), Param(name='ve_shared.proj.weight', shape=(256, 128), group='scalar', quant='aux', init=orthogonal_or_uniform, plugin='value_embedding'))

def prepare_components(session):
    """Before any time is spent, each component with a `prepare` tries what it will need."""
    session.preparing = 'causal_attention'
    log_prepared(session, prepare_2(session))
flash_2 = None
before_2 = 0.0
groups_2 = (Group(name='embed', lr=0.035, weight_decay=0.04), Group(name='scalar', lr=0.025, weight_decay=0.04))
lr_2 = 0.025
compiled_2 = None
plugins_2 = ('adam', 'additive_skips', 'banks', 'bigram_hash', 'causal_attention', 'cross_entropy', 'ema', 'grad_clip', 'int6', 'int8', 'leaky_relu2', 'ln_scale', 'lzma', 'momentum_warmup', 'muon_weight_decay', 'newton_schulz', 'ortho_init', 'parallel_muon', 'partial_rope', 'qk_gain', 'residual_scales', 'sentencepiece_bytes', 'sequential_loader', 'sequential_wiring', 'sliding_eval', 'smear_gate', 'tied_head', 'torch_save', 'unet_plan', 'value_embedding', 'wall_clock', 'warmdown_iters', 'xsa')
rows_2 = 3072
tensor_recipes_2 = {'attn': Int6Recipe(), 'aux': Int8Recipe(half=True), 'control': Int8Recipe(half=False), 'embed': Int8Recipe(half=True), 'mlp': Int6Recipe()}
layers_2 = (9, 10)
if __name__ == '__main__':
    train(make_parameters(), prepare_components)
