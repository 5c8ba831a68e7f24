import faulthandler, hashlib, io, lzma, numpy as np, os, signal, subprocess, sys, time, torch, torch.distributed as dist, torch.nn.functional as F, traceback
from functools import partial
from pathlib import Path
from sentencepiece import SentencePieceProcessor
from torch import nn
from typing import NamedTuple

def read_ranks():
    """What torchrun's RANK, WORLD_SIZE and LOCAL_RANK say; one process alone without them.

    Raises:
        ValueError: when one is no number, or the world size does not divide the micro-batches of a step.
    """
    get = os.environ.get
    rank = int(get('RANK', 0))
    world_size = int(get('WORLD_SIZE', 1))
    local_rank = int(get('LOCAL_RANK', 0))
    if world_size < 1 or 8 % world_size:
        raise ValueError(f'WORLD_SIZE is {world_size}, wanted a divisor of 8 micro-batches')
    return (rank, world_size, local_rank)

def start_world():
    """Join the group that the environment describes; ValueError as in `read_ranks`."""
    global device_2, rank_3, world_size_3
    rank, world_size, local_rank = read_ranks()
    backend = 'gloo'
    device = torch.device('cpu')
    if torch.cuda.is_available():
        backend = 'nccl'
        device = torch.device('cuda', local_rank)
        torch.cuda.set_device(device)
    if world_size > 1:
        dist.init_process_group(backend)
    rank_3 = rank
    world_size_3 = world_size
    pass
    device_2 = device
    return None

def stop_world():
    """Leave the group."""
    if world_size_3 > 1:
        dist.destroy_process_group()

def sum_over_ranks(tensor):
    """Sum a tensor over ranks, in place; returns it."""
    if world_size_3 > 1:
        dist.all_reduce(tensor)
    return tensor

def gather_over_ranks(value):
    """The small picklable values of all ranks, in order of rank; waits for every rank."""
    values = [value] * world_size_3
    if world_size_3 > 1:
        dist.all_gather_object(values, value)
    return values

def max_over_ranks(value):
    """The largest of the ranks' numbers, so that clocks agree and ranks cannot drift apart; waits for every rank."""
    if world_size_3 == 1:
        return value
    seen = torch.tensor(value, dtype=torch.float64, device=device_2)
    dist.all_reduce(seen, dist.ReduceOp.MAX)
    return seen.item()

def gradient_of(tensor):
    """A parameter's gradient; zeros where backward left none, so that every rank reduces the same list."""
    if tensor.grad is None:
        tensor.grad = torch.zeros_like(tensor)
    return tensor.grad

def mean_gradients(tensors):
    """Average the gradients of `tensors` over ranks, in place.

    They travel together, in the widest of their dtypes (openai/parameter-golf#1530). A missing gradient counts as
    zeros.
    """
    gradients = [gradient_of(tensor) for tensor in tensors]
    if world_size_3 > 1:
        packed = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(packed)
        parts = (packed / world_size_3).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

def start_reduce_scatter(shard, full):
    """Sum `full` over ranks and leave this rank's slice of the first axis in `shard`; returns a handle to finish."""
    if world_size_3 > 1:
        return dist.reduce_scatter(shard, list(full.chunk(world_size_3)), async_op=True)
    shard.copy_(full)
    return None

def start_all_gather(full, shard):
    """Fill `full` with every rank's `shard` along the first axis; returns a handle to finish."""
    if world_size_3 > 1:
        return dist.all_gather(list(full.chunk(world_size_3)), shard, async_op=True)
    full.copy_(shard)
    return None

def finish(handle):
    """Wait for a started collective."""
    if handle is not None:
        handle.wait()

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

def matrix_role(name, outside):
    """("attn.c_q", 3) for "blocks.3.attn.c_q.weight"; (outside, 0) for a tensor that is no weight of a block."""
    if name.startswith('blocks.') and name.endswith('.weight'):
        layer, role = name[len('blocks.'):-len('.weight')].split('.', 1)
        return (role, int(layer))
    return (outside, 0)

def register_parameters(root, parameters, activation_dtype):
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
            node.register_parameter(leaf, nn.Parameter(torch.empty(record.shape, dtype=dtype, device=device_2)))

def keyed_generator(name):
    """A CPU generator that depends on the seed and the tensor's name alone, so ablations are paired."""
    digest = hashlib.sha256(f'{seed_3}:{name}'.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], 'little'))

def initialize(parameters, ledger):
    """Fill every tensor from its own keyed generator; a bank's slices are keyed by their members' names."""
    state = canonical_state(model_2.state_dict(), parameters)
    for name, init, _ in canonical_tensors(parameters):
        start = torch.empty(state[name].shape)
        init(start, keyed_generator(name), ledger)
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

class Optimizers:
    """Every optimizer of a run. Making a second one starts all state afresh: the compile warm-up relies on it.

    Records with reduction "sharded" are reduced by the matrix optimizer itself; all others are averaged here. `averaged`
    and `averaged_names` list the tensors that take part in weight averaging and the canonical names of what they hold.
    """

    def __init__(self):
        pass
        pass
        owned = [(model_2.get_parameter(name), canonical_names(record, name), record) for record in parameters_2 for name in record.stored_names()]
        self.tensors, self.names = apart(owned)
        self.replicated = [tensor for tensor, names, record in owned if record.reduction == 'replicated']
        self.averaged, self.averaged_names = apart([one for one in owned if one[2].average])
        matrices, matrix_names = apart([one for one in owned if one[2].group == 'matrix'])
        bind_3(matrices, matrix_names)
        groups = [(spec, *apart([one for one in owned if one[2].group == spec.name])) for spec in (group_2, group_3)]
        bind_2(groups)

    @torch.no_grad()
    def step(self, scalars, ledger):
        """Reduce this step's gradients, update every parameter, and drop the gradients.

        Gradient taps see each rank's own gradients, as the banked scripts clip them; the clipped ones are then averaged.
        """
        clip_gradients(self.tensors, self.names, ledger)
        launch_2()
        mean_gradients(self.replicated)
        step_2(scalars, ledger)
        step_3(scalars, ledger)
        for tensor in self.tensors:
            tensor.grad = None

def apart(owned):
    """The tensors of some (tensor, names of what it holds, record), and the names."""
    return ([tensor for tensor, names, record in owned], [names for tensor, names, record in owned])

def compile_on_gpu(function):
    """A function or the model, compiled where there is a GPU, because ranks then compute on it; all compiling is here."""
    if torch.cuda.is_available():
        return torch.compile(function, dynamic=False, fullgraph=True)
    return function

def compiledorthogonalizer(update):
    global compiled_2
    if compiled_2 is None:
        compiled_2 = compile_on_gpu(iterate_2)
    return compiled_2(update.bfloat16() if update.is_cuda else update.float(), 5).bfloat16()

def orthogonalize(update, names):
    """The program's orthogonalizer and the taps after it, on (rows, columns) or (batch, rows, columns).

    `blocks` are those of `count_blocks`.
    """
    update = compiledorthogonalizer(update).contiguous()
    return update

def apply_update(tensor, update, names, scale, scalars, ledger):
    """W <- W - lr scale U in place, with the program's taps before it, for a matrix or a whole bank.

    `lr` is without the schedule. Where there is a `matrix_rate`, neighbours in a bank that have one rate go together.
    """
    apply_alike(tensor, update, 0.025 * scalars.lr_mul, scale, scalars, ledger)
    return

def apply_alike(tensor, update, lr, scale, scalars, ledger):
    """`apply_update` at one learning rate, the schedule's multiplier included."""
    decay_matrix(tensor, lr, scalars, ledger)
    tensor.add_(update, alpha=-lr * scale)

def nesterov_update(gradient, buffer, momentum):
    """M <- mu M + G, then U = G + mu M, in the dtype of `gradient` and `buffer`."""
    buffer.mul_(momentum).add_(gradient)
    return gradient.add(buffer, alpha=momentum)

def aspect_scale(matrix):
    """sqrt(max(1, rows / columns)): gives tall matrices the update size of square ones."""
    return max(1, matrix.shape[-2] / matrix.shape[-1]) ** 0.5

def prepare_run():
    """Run the entry's `prepare_components` on this rank, and learn how the others fared.

    Raises:
        ValueError: on every rank, for what failed first on the lowest rank.
    """
    failure = ''
    try:
        prepare_components()
    except (OSError, ValueError) as error:
        failure = f'{preparing_2}: {error}'
    for rank, text in enumerate(gather_over_ranks(failure)):
        if text:
            raise ValueError(f'{text} (on rank {rank})' if rank else text)

def log_prepared(text):
    """Log what a component chose, if it says so."""
    if text is not None:
        runlog(f'prepared {preparing_2}: {text}')

class Param(NamedTuple):
    """One trained tensor, declared once by whoever creates it.

    Attributes:
        name: canonical state-dict name; `{}` stands for each of first .. layers-1.
        shape: sizes; () is a scalar.
        group: optimizer group; must be declared by some plugin.
        quant: quantization class; must have a tensor recipe.
        init: how it starts; None leaves it to the `initializer` slot. A bank gives a tuple with one entry per member.
        plugin: the plugin that declared the record.
        dtype: "float32", or "activation" for the dtype that activations have on the device.
        layers: where `{}` ends, the number of layers, or 0 for a single tensor.
        members: for a bank, the canonical names stacked along its first axis, each with `{}` for the layer: first all
            layers of the first member, then all layers of the second. Quantizer and exporter see the members.
        reduction: "replicated" (gradients averaged over ranks) or "sharded" (the matrix optimizer reduces them).
        tap: the role whose input statistics calibrate this tensor ("attn.c_q", ...), or "".
        average: whether weight averaging covers it.
        adapt: whether test-time training may change it; every other tensor is frozen while scores are made.
        export: "yes", or "drop" for tensors that scoring does not need.
        first: where `{}` begins.
    """
    name: object
    shape: object
    group: object
    quant: object
    init: object = None
    plugin: object = ''
    dtype: object = 'float32'
    layers: object = 0
    members: object = ()
    reduction: object = 'replicated'
    tap: object = ''
    average: object = True
    adapt: object = True
    export: object = 'yes'
    first: object = 0

    def stored_names(self):
        """State-dict names of the record's tensors."""
        return [self.name.format(layer) for layer in range(self.first, self.layers)] or [self.name]

class Group(NamedTuple):
    """One optimizer group before any schedule.

    Attributes:
        name: what `Param.group` holds; "matrix" belongs to the matrix optimizer and is never declared.
        lr: learning rate.
        weight_decay: decoupled weight decay; a step takes away lr * weight_decay of the tensor.
    """
    name: object
    lr: object
    weight_decay: object = 0.0

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

def integer_codes(weight, step, top):
    """round(weight / step), half to even, clamped to [-top, top], as int8. `step` has one entry per row, or one."""
    return (weight / per_row(step)).round().clamp(-top, top).to(torch.int8)

def per_row(step):
    """A step per row as a column; a single step as itself."""
    return step[:, None] if step.ndim else step

def dequantize(codes, step, kind):
    """codes * step in float32, cast to the dtype `kind`."""
    return (codes.float() * per_row(step).float()).to(kind)

def quantile_steps(weight):
    """Five float16 steps (rows,) of a float32 matrix: clips at `CLIP_QUANTILES` of |row| and at its largest, over `top`.

    A step of zero in float16 would divide by zero: the least is `floor`, or the smallest normal number.
    """
    magnitudes = weight.abs()
    least = max(0.03225806451612903, torch.finfo(torch.float16).tiny)
    clips = [torch.quantile(magnitudes, quantile, 1) for quantile in (0.999, 0.9995, 0.9999, 0.99999)]
    return [(clip / 31).clamp_min(least).half() for clip in (*clips, magnitudes.amax(1))]

def squared_error(weight, codes, step):
    """Of codes * step against a float32 matrix: the mean of its elements, a scalar."""
    return (weight - dequantize(codes, step, torch.float32)).square().mean()

def int8_grid(weight):
    """Codes in [-top, top] and the stored step of a float32 tensor, from the 0.9999984 quantile of each row."""
    if weight.ndim == 2:
        clip = torch.quantile(weight.abs(), 0.9999984, 1)
        step = (clip / 127).clamp_min(1 / 127)
        stored = step.half()
    else:
        clip = torch.quantile(weight.abs().flatten(), 0.9999984)
        stored = step = clip / 127 if clip > 0 else clip + 1
    clip = per_row(clip)
    return (integer_codes(weight.clamp(-clip, clip), step, 127), stored)

def restore_tensor(parts, kind):
    """What was kept, or codes times steps; the tensor's own dtype comes back."""
    if 'kept' in parts:
        return parts['kept'].to(kind)
    return dequantize(parts['codes'], parts['step'], kind)

def damped_hessian(hessian):
    """(X^T X made invertible, which columns had no input).

    A column without input gets diagonal 1; then `damp` times the mean of the diagonal is added to all of it.
    """
    hessian = hessian.clone()
    diagonal = hessian.diagonal()
    dead = diagonal == 0
    diagonal[dead] = 1.0
    diagonal += 0.0201 * diagonal.mean()
    return (hessian, dead)

class HessianObserver:
    """Sums X^T X of every (role, layer) it is shown; repeats of a layer add up.

    Products are float32 and sums float64, so that a sum hardly depends on how ranks share the batches.
    """

    def __init__(self):
        self.sums = {}

    def __call__(self, role, layer, x):
        x = x.flatten(0, -2).float()
        product = (x.T @ x).double()
        key = (role, layer)
        self.sums[key] = self.sums[key].add_(product) if key in self.sums else product

@torch.no_grad()
def collect_statistics():
    """canonical tensor name -> {"hessian": sum of X^T X over batches, divided by their number, float32}; their number.

    Runs the uncompiled forward in eval mode under the scoring phases, so windows, gates and loops are those of scoring.

    Raises:
        ValueError: when the source gives no batch.
    """
    observer = HessianObserver()
    gathered = {}
    count = 0
    model_2.eval()
    for ids in selfcalibration():
        observe_batch(ids, (), observer)
        count += 1
        say_2(f'calibration: batch {count}')
    model_2.train()
    if not count:
        raise ValueError('calibration found no batch of tokens')
    found = {}
    for name, _, record in canonical_tensors(parameters_2):
        key = matrix_role(name, record.tap)
        if key in observer.sums:
            found[name] = {'hessian': observer.sums[key] / count}
    found = average_statistics(found)
    return ({name: {key: value.float() for key, value in known.items()} for name, known in found.items()}, count)

def observe_batch(ids, phases, observer):
    """One forward of ids_BT, which makes the extra tensors that the model may read."""
    model_2(ids, ids, phases=phases, observe=observer)

def calibrated_names():
    """Tensors that cannot be encoded without input statistics: large matrices of the classes that need them."""
    return [name for name, _, record in canonical_tensors(parameters_2) if record.quant in ('attn', 'mlp') and record.export != 'drop' and (len(record.shape[bool(record.members):]) == 2) and (record.shape[-1] * record.shape[-2] > 65536)]

@torch.no_grad()
def check_statistics():
    """Before any training: does the forward show the input of every matrix that needs statistics, and of one alone?

    Raises:
        ValueError: for a matrix without an observed input, or two that stand for the same one.
    """
    observer = HessianObserver()
    owners = {}
    model_2.eval()
    phases = tuple((spec.name for spec in () if spec.scoring))
    observe_batch(next_batch_2()[0][:1, :64], phases, observer)
    model_2.train()
    wanted = calibrated_names()
    for name, _, record in canonical_tensors(parameters_2):
        key = matrix_role(name, record.tap)
        if name in wanted and key not in observer.sums:
            raise ValueError(f'{name} needs input statistics, and the forward uses no matrix under its role {key[0]!r}')
        if name in wanted and key in owners:
            raise ValueError(f'{name} and {owners[key]} have the same role {key[0]!r}: wanted one matrix for each')
        owners[key] = name

def read_number(name, default, kind):
    """The variable `name`, or `default`, as an int or a float; ValueError for what is no such number."""
    text = os.environ.get(name, default)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f'{name} is {text!r}, wanted a value like {default!r}') from None

def read_environment():
    """The environment over the settings' literals; ValueError where a variable is no number."""
    global data_path_3, export_2, iterations_3, max_wallclock_seconds_3, run_id_2, score_2, seed_3, tokenizer_path_3, train_log_every_3, val_loss_every_3
    get = os.environ.get
    data_path_3 = get('DATA_PATH', './data/datasets/fineweb10B_sp1024')
    export_2 = 'export' in sys.argv
    iterations_3 = read_number('ITERATIONS', 20000, int)
    max_wallclock_seconds_3 = read_number('MAX_WALLCLOCK_SECONDS', 600.0, float)
    run_id_2 = get('RUN_ID', str(time.time_ns()))
    score_2 = 'score' in sys.argv
    seed_3 = read_number('SEED', 1337, int)
    tokenizer_path_3 = get('TOKENIZER_PATH', './data/tokenizers/fineweb_1024_bpe.model')
    train_log_every_3 = read_number('TRAIN_LOG_EVERY', 200, int)
    val_loss_every_3 = read_number('VAL_LOSS_EVERY', 1000, int)
    return None

class Score(NamedTuple):
    """`val_loss` in nats per token, `val_bpb` in bits per byte, the number of targets, the time in milliseconds."""
    val_loss: object
    val_bpb: object
    tokens: object
    eval_ms: object

def refuse(places):
    """ValueError naming the first of some places, if there is one."""
    if places.numel():
        raise ValueError(f'target {places[0]} of the validation stream is not scored')

def look_up(places):
    """(ids, targets, fields) of rows of places (B,T+1), on the device."""
    ids = tokens_3[places].to(device_2, torch.int64)
    x = ids[:, :-1].contiguous()
    return (x, ids[:, 1:].contiguous(), make_fields_2())

def make_fields_2():
    """The batch fields of ids (B,T)."""
    return {}

def score_rows(marks, event, places, scored):
    """Score the chosen targets of rows, and mark them with the number of this event; see `Tally.score`.

    What is `eager` runs the model as it is, not compiled.

    Returns:
        nll (B,T), and the sums (3,) float64 of nats, targets and UTF-8 bytes.
    """
    targets = places[:, 1:]
    marks[targets[scored]] = event
    say_2(f'eval: batch {event}')
    x, y, fields = look_up(places)
    pass
    with torch.set_grad_enabled(False):
        nll = forward_2(x, y, phases=(), fields=fields, reduction='none', adapter=None)
    counts = count_2(x, y, targets.to(device_2))
    mask = scored.to(device_2)
    nats = (nll.detach().double() * 16777216).round() / 16777216
    parts = (nats * mask, mask, counts * mask)
    return (nll, torch.stack([part.sum().double() for part in parts]))

def merge(marks, operation):
    """Marks of all ranks brought together, on the CPU."""
    if world_size_3 > 1:
        marks = marks.to(device_2)
        dist.all_reduce(marks, operation)
    return marks.cpu()

def close_marks(marks, sums, begin):
    """The score from merged marks and each rank's sums; ValueError unless every target was scored once."""
    refuse(1 + (marks[1:] == 0).nonzero().flatten())
    nats, tokens, size = sum_over_ranks(sums).tolist()
    if tokens > len(marks) - 1:
        raise ValueError('a target of the validation stream is scored twice')
    return Score(nats / tokens, nats / 0.6931471805599453 / size, int(tokens), 1000.0 * (time.perf_counter() - begin))

def write_marks(scored_at):
    """The score ledger `logs/<run id>.scores.npz`, on rank 0; its format is in `pgolf.score_ledger`."""
    if rank_3 == 0:
        path = f'logs/{run_id_2}.scores.npz'
        np.savez_compressed(path, scored_at=scored_at.numpy())

class Span(NamedTuple):
    """One scored window.

    Attributes:
        start, end: inputs are tokens[start:end], targets one further.
        first: offsets from `first` on are scored, the ones before are context.
    """
    start: object
    end: object
    first: object

def chunk_spans(num_tokens):
    """Windows side by side, a rest shorter than `seq_len` left out, as in the public baseline."""
    return [Span(start, start + 2048, 0) for start in range(0, (num_tokens - 1) // 2048 * 2048, 2048)]

def rank_share(items):
    """The contiguous share of one rank."""
    return items[len(items) * rank_3 // world_size_3:len(items) * (rank_3 + 1) // world_size_3]

def deal_batches(spans):
    """One rank's windows in batches of `rows`; where kernels are deterministic, batches are those of one rank alone."""
    whole = torch.are_deterministic_algorithms_enabled()
    mine = spans if whole else rank_share(spans)
    batches = [mine[at:at + 32] for at in range(0, len(mine), 32)]
    return rank_share(batches) if whole else batches

def span_rows(spans):
    """(places, scored) for the tally, padded on the right and below; causal, so padding changes nothing.

    Python's own types stand for the dtypes int64 and bool.
    """
    places = torch.zeros(32, 2049, dtype=torch.int64)
    scored = torch.zeros(32, 2048, dtype=torch.bool)
    for row, (start, end, first) in enumerate(spans):
        places[row, :end + 1 - start] = torch.arange(start, end + 1)
        scored[row, first:end - start] = True
    return (places, scored)

def score_spans(spans):
    """Score windows, this rank its share of them, in eval mode; the model is in training mode afterwards.

    Args:
        eager: do not compile the forward for it.

    Returns:
        The score over all ranks, and for each place of the stream the batch that scored it, counted from 1.
    """
    begin = time.perf_counter()
    pass
    model_2.eval()
    marks = torch.zeros(len(tokens_3), dtype=torch.int32)
    sums = torch.zeros(3, dtype=torch.float64, device=device_2)
    for number, batch in enumerate(deal_batches(spans), 1):
        places, scored = span_rows(batch)
        sums += score_rows(marks, number, places, scored)[1]
    model_2.train()
    marks = merge(marks, dist.ReduceOp.MAX)
    return (close_marks(marks, sums, begin), marks)

def quantization_classes():
    """canonical name -> quantization class of the tensors that an artifact holds, in declaration order."""
    return {name: record.quant for name, _, record in canonical_tensors(parameters_2) if record.export != 'drop'}

def encode_model(state, statistics, code_size=0):
    """Quantize a canonical state.

    Args:
        state: canonical name -> tensor.
        statistics: canonical name -> input statistics by name, for tensors that have any; {} without calibration.
        code_size: bytes of the program's own file, for `fit`.

    Returns:
        canonical name -> parts on the CPU, fitted to the budget where a `fit` component is chosen. A tensor whose class
        the plan has changed has the number of its class, in the order of `tensor_recipes`, as part "class". A tensor whose
        parts would not give finite numbers again, because its steps are beyond float16, is kept as it is.

    Raises:
        ValueError: when a tensor is not finite, or does not stay so.
    """
    classes = declared = quantization_classes()
    encoded = {}
    solved = encode_groups(state, classes, statistics)
    for name, quant in classes.items():
        if name in solved:
            parts = solved[name]
        else:
            tensor = state[name]
            known = statistics.get(name, {})
            parts = tensor_recipes_2[quant].encode(name, tensor, known, ledger_4)
        encoded[name] = finished(name, state[name], parts, quant, declared[name])
    return add_corrections(encoded)

def finished(name, tensor, parts, quant, declared):
    """Parts on the CPU, with the number of a class that is not the declared one.

    A tensor that they do not bring back as finite numbers is kept as its recipe saw it, in its own dtype. ValueError where
    it is not finite itself, or too large for what transforms do.
    """
    seen = tensor
    for found in (parts, {'kept': seen}):
        if tensor.isfinite().all() and decode_tensor(name, found, quant, tensor.dtype).isfinite().all():
            return {key: value.cpu() for key, value in found.items()}
    raise ValueError(f'{name} does not stay finite: nothing is exported')

def encode_groups(state, classes, statistics):
    """Parts of the large matrices whose class encodes those of one shape together."""
    groups = {}
    for name, quant in classes.items():
        if quant in ('attn', 'mlp') and state[name].ndim == 2 and (state[name].numel() > 65536):
            rows, columns = state[name].shape
            groups.setdefault((quant, rows, columns), []).append(name)
    found = {}
    for (quant, _, _), names in groups.items():
        tensors = [state[name] for name in names]
        known = [statistics.get(name, {}) for name in names]
        recipe = tensor_recipes_2[quant]
        found |= zip(names, recipe.encode_group(names, tensors, known), strict=True)
    return found

def add_corrections(encoded):
    """`encoded` with the parts of every correction, as "NAME.PART"; each sees what the ones before it have mended.

    Parts of that form which `fit` has left become statistics, and are not stored.
    """
    return encoded

def pack_artifact(encoded):
    """Encoded tensors as the bytes that are stored and counted."""
    return compress_2(pack_2(encoded))

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
        raise ValueError(f'the artifact cannot be read: {str(error)[:99]!r}') from error

def decode_tensor(name, parts, quant, kind):
    """A tensor from its recipe's parts, without corrections; `quant` is the class of its record."""
    tensor = tensor_recipes_2[quant].decode(name, parts, kind)
    return tensor

def decode_model(encoded, state):
    """Copy what an artifact stands for into `state`, the canonical state of the model to be filled.

    Raises:
        ValueError: when names, parts or shapes are not those of the model.
    """
    classes = quantization_classes()
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

def runlog_2(run_id):
    global main_2, path_2, rank_4
    rank_4 = rank_3
    main_2 = rank_3 == 0
    Path('logs').mkdir(exist_ok=True)
    path_2 = Path('logs', run_id + '.txt')
    if main_2 and (not export_2):
        path_2.write_text('')
    sys.excepthook = partial(keep_traceback, path_2)
    faulthandler.register(signal.SIGTERM, path_2.open('a'), chain=True)

def runlog(line):
    """Write one line, or several with line feeds between."""
    if main_2:
        print(line, flush=True)
        with path_2.open('a') as file:
            print(line, file=file)

def log_error_2(text):
    """Write the line that ends this rank; one that only others than the first know of comes with the rank."""
    if main_2:
        runlog(f'error: {text}')
    elif text not in path_2.read_text():
        with path_2.open('a') as file:
            print(f'rank {rank_4}: error: {text}', file=file)

def keep_traceback(path, kind, error, trace):
    """What Python calls before it ends by an exception: the log gets the traceback, too."""
    with path.open('a') as file:
        traceback.print_exception(error, file=file)
    sys.__excepthook__(kind, error, trace)

def log_machine():
    """Versions, the hash of the running file, and the GPU."""
    digest = hashlib.sha256(Path(sys.argv[0]).read_bytes()).hexdigest()
    machine = f'hardware:{os.uname().machine} CPU, {torch.get_num_threads()} threads'
    if device_2.type == 'cuda':
        machine = subprocess.getoutput('nvidia-smi')
    runlog(f'Running Python {sys.version}\nRunning PyTorch {torch.__version__}\ncode_sha256:{digest}\n{machine}')

def code_bytes():
    """Size of the running file on disk, which is what counts."""
    return len(Path(sys.argv[0]).read_bytes())
CHECKPOINT = 'final_model.pt'

def grid_name():
    """Name of the matrices' grid, e.g. "int8"; it is part of file names and log lines."""
    return tensor_recipes_2['mlp'].name

def artifact_path():
    """The artifact in the working directory."""
    return Path(f'final_model.{grid_name()}.ptz')

def export_and_score(step):
    """Checkpoint, calibrate, and make and score the artifact.

    The weights are on disk before anything that can fail, and what export needs besides before quantization.

    Args:
        step: steps that were trained.
    """
    state = canonical_state(model_2.state_dict(), parameters_2)
    if rank_3 == 0:
        Path('final_export.pt').unlink(missing_ok=True)
        write_file(partial(torch.save, state), 'final_model.pt')
    statistics = calibrate(step)
    if rank_3 == 0:
        found = (statistics, ledger_4.done, phases_3, failed_2, begin_ms_2)
        write_file(partial(torch.save, found), 'final_export.pt')
    export_weights(state, statistics)

def export_weights(state, statistics):
    """Score the trained weights, write the artifact on rank 0, and score what decodes from it on every rank."""
    score = validate_2()
    end_2('diagnostic', 'val')
    runlog(f'diagnostic pre-quantization post-ema val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f} eval_time:{score.eval_ms:.0f}ms')
    if rank_3 == 0:
        export_model(state, statistics)
    max_over_ranks(0.0)
    score_artifact()

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

def export_checkpoint():
    """Go on where a run ended after training: the saved weights become the artifact. Reads no training data.

    Raises:
        OSError: for a file that is not there.
        ValueError: for one that is damaged, or of another model.
    """
    global begin_ms_2, failed_2, phases_3
    state = canonical_state(model_2.state_dict(), parameters_2)
    weights = read_file('final_model.pt')
    found = read_file('final_export.pt')
    wrong = [name for name in state if name not in weights or weights[name].shape != state[name].shape]
    if wrong:
        raise ValueError(f'final_model.pt is of another model: {wrong[0]} is missing or has another shape')
    for name, tensor in state.items():
        tensor.copy_(weights[name])
    statistics, receipts, phases_3, failed_2, begin_ms_2 = found
    ledger_4.done.update(receipts)
    set_clock_2(begin_ms_2)
    export_weights(state, statistics)

def read_file(path):
    """What a run has saved, on the device; ValueError where it is damaged."""
    try:
        return torch.load(path, device_2, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f'{path} is damaged: {str(error)[:99]!r}') from error

def calibrate(step):
    """Input statistics of the trained weights by canonical name, {} without a source.

    A source that reads training data runs while the clock does. For any other the clock has stopped, and training data are
    closed then; they are for all that follows.
    """
    global training_data_2
    pass
    statistics = {}
    training_data_2 = False
    if training_data_2:
        start_3()
    statistics, batches = collect_statistics()
    if training_data_2:
        check_clock(step)
    end_2('calibration', 'none' + f' batches:{batches}')
    training_data_2 = False
    return statistics

def check_clock(step):
    """Stops the clock that ran while training data were read: a part of training time; the run fails where it is too late."""
    budget = 1000.0 * max_wallclock_seconds_3
    pause_2()
    start_3()
    elapsed_ms = max_over_ranks(elapsed_ms_2(step))
    set_clock_2(elapsed_ms)
    if 0 < budget < elapsed_ms:
        fail_2(f'what reads training data ended at {elapsed_ms:.0f}ms, after the {budget:.0f}ms of max_wallclock_seconds: build with more time in reserve')

def export_model(state, statistics):
    """Quantize the canonical `state`, write the artifact, complete when it gets its name, and log the sizes."""
    encoded = encode_model(state, statistics, code_bytes())
    end_2('quantize', 'none')
    data = pack_artifact(encoded)
    end_2('compress', 'none')
    write_file(partial(Path.write_bytes, data=data), artifact_path())
    label = f'{grid_name()}+lzma'
    runlog(f'Serialized model: {Path(CHECKPOINT).stat().st_size} bytes\nCode size: {code_bytes()} bytes\nSerialized model {label}: {len(data)} bytes\nTotal submission size {label}: {len(data) + code_bytes()} bytes')

def load_artifact():
    """Overwrite every tensor of the model: first with zeros, so that nothing trained can remain, then decoded.

    The log gets the hash of what was read. To be scored alone, an artifact must be one of those that the logs here are of,
    if any of them says: not every coder has a checksum.

    Raises:
        ValueError: for another artifact, or one that cannot be decoded.
    """
    pass
    state = canonical_state(model_2.state_dict(), parameters_2)
    for tensor in state.values():
        tensor.zero_()
    data = artifact_path().read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if score_2:
        logged = ''.join((path.read_text() for path in Path('logs').glob('*.txt')))
        if 'artifact_sha256:' in logged and digest not in logged:
            raise ValueError('the artifact is not that of the logs in logs/')
    runlog('artifact_sha256:' + digest)
    decode_model(unpack_artifact(data, state), state)

def score_artifact():
    """Score the decoded artifact: in windows side by side, then with the chosen windows, then by the evaluation.

    The score ledger beside the log is that of the last one.
    """
    grid = grid_name()
    if device_2.type == 'cuda':
        torch.cuda.reset_peak_memory_stats()
    load_artifact()
    end_2('decode', 'none')
    pass
    score, marks = score_spans(chunk_spans(len(tokens_3)))
    end_2('score', 'val')
    log_final(f'{grid}_lzma_roundtrip', score)
    score, marks = score_spans(spans_2(len(tokens_3)))
    end_2('score', 'val')
    log_final(f'{grid}_sliding_window', score)
    write_marks(marks)
    ledger_4.count('sliding_eval', 'targets', score.tokens)
    runlog(f'eval: peak memory allocated: {torch.cuda.max_memory_allocated() >> 20} MiB')

def log_final(label, score):
    """A final line with four digits and its exact twin, as the public scripts print them."""
    runlog(f'final_{label} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} eval_time:{score.eval_ms:.0f}ms\nfinal_{label}_exact val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f}')

def report_receipts():
    """Log one receipt per plugin, an error line for those that did nothing; returns whether any did nothing.

    A plugin whose phase never began did nothing, whatever the probe counted. What ranks but the first did is not all
    that was done, so they have no say. A fallback may find nothing left. An artifact that is scored alone says nothing of
    plugins that had nothing to count in that: what they do is done before.
    """
    late = []
    counted = [plugin for plugin, _ in ledger_4.done]
    idle = False
    for name in plugins_2:
        receipt = ledger_4.receipt(name)
        if name in ('int8',):
            receipt = receipt or 'nothing was left'
        if score_2 and name not in counted:
            continue
        if receipt and name not in late:
            runlog(f'receipt {name}: {receipt}')
        else:
            runlog(f'error: plugin {name} did nothing')
            idle = rank_3 == 0
    return idle

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

def measure_progress(step, elapsed_ms, cap_ms):
    """A `Progress` before the schedules have run."""
    fraction = elapsed_ms / cap_ms if cap_ms > 0 else step / max(iterations_3, 1)
    return Progress(step, iterations_3, elapsed_ms, cap_ms, fraction, 1.0)

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
    phases: object
    training: object
    weights: object
    memo: object
    fields: object
    adapter: object
    observe: object
    ledger: object

    def fired(self, plugin, unit, number=1):
        """Count uses of a plugin when a ledger listens; traced away otherwise."""
        if self.ledger is not None:
            self.ledger.count(plugin, unit, number)

def rms_norm(x):
    """x / sqrt(mean(x^2) + eps) over the last axis, without gain."""
    return F.rms_norm(x, (x.size(-1),), eps=1.1920929e-07)

def shift_right(x):
    """x_{t-1} along axis 1, out of place; position 0 becomes zero."""
    return F.pad(x[:, :-1], (0, 0) * (x.dim() - 2) + (1, 0))

def document_begins(ctx):
    """(B,T) bool, true at the first token of a document: the batch field "starts", or where "documents" changes."""
    if 'starts' in ctx.fields:
        return ctx.fields['starts']
    if 'documents' not in ctx.fields:
        return None
    documents = ctx.fields['documents']
    return F.pad(documents[:, 1:] != documents[:, :-1], (1, 0))

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
        length = x_BTHC.size(1)
        width = x_BTHC.size(3)
        device = x_BTHC.device
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

    def __init__(self, parameters, activation_dtype):
        super().__init__()
        pass
        pass
        self.records = parameters
        register_parameters(self, parameters, activation_dtype)

    def matrices(self):
        """Canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; banks are unbound once per forward."""
        return canonical_state(dict(self.named_parameters()), self.records)

    def project(self, x, role, layer, position, ctx):
        """Apply the matrix `role` of `layer`, e.g. "attn.c_q"."""
        return use_matrix(ctx.weights[f'blocks.{layer}.{role}.weight'], x, role, layer, position, ctx)

    def stem(self, ids, ctx):
        """Embedding, what an adapter adds to it, additive terms, raw mixes, norm, normed mixes: ids_BT -> x0_BTD."""
        x = F.embedding(ids, ctx.weights['tok_emb.weight'])
        x = adapt(x, x, 'embed', 0, ctx)
        x = x + bigramhash_2(ids, ctx)
        x = rms_norm(x)
        x = smear(x, ctx)
        return x

    def hidden(self, ids, ctx):
        """What the head reads: ids_BT -> the normed final hidden state x_BTD."""
        x = self.stem(ids, ctx)
        return rms_norm(sequential_wiring(self, x, x, ctx))

    def logits(self, x, ctx):
        """The head and the taps after it: x_BTD -> logits_BTV."""
        logits = tied_head(x, ctx)
        logits = tanh_softcap(logits, ctx)
        return logits

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
        x = self.hidden(ids, ctx)
        logits = self.logits(x, ctx)
        pass
        loss = token_cross_entropy(logits, targets, reduction, ctx)
        pass
        return loss

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
    size = Path(path).stat().st_size
    header = np.fromfile(path, '<i4', 3).tolist()
    if size <= 1024 or header != [20240520, 1, (size - 1024) / 2]:
        raise ValueError(f'{path}: {size} bytes and header {header}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]')
    return header[2]

def load_shard(path):
    """Token ids (n,) as a read-only uint16 memory map, checked against the vocabulary.

    A map and not a copy: ranks share one page cache, and loaders that visit many shards hold none in memory.
    """
    tokens = np.memmap(path, '<u2', 'r', 1024, shard_length(path))
    if tokens.max() >= 1024:
        raise ValueError(f'{path}: token {tokens.argmax()} is {tokens.max()}, wanted an id below 1024')
    return tokens

def validation_tokens(pattern):
    """All validation tokens as uint16 (M,), M = floor((N-1)/T)*T + 1: whole sequences and their last target."""
    tokens = np.concatenate([load_shard(path) for path in shard_files(pattern)])
    if len(tokens) <= 2048:
        raise ValueError(f'{pattern}: {len(tokens)} tokens, wanted at least 2049')
    return torch.from_numpy(tokens[:(len(tokens) - 1) // 2048 * 2048 + 1])

def stages_3():
    global begin_ms_2, since_3, spoke_2
    begin_ms_2 = 0.0
    since_3 = spoke_2 = time.perf_counter()

def set_clock_2(elapsed_ms):
    """It is `elapsed_ms` now, and real time from here on."""
    global since_3
    since_3 = time.perf_counter() - elapsed_ms / 1000.0

def end_2(name, data):
    """Log a stage that ends now; `data` is what it read, and what else there is to say."""
    global begin_ms_2, spoke_2
    now = 1000.0 * (time.perf_counter() - since_3)
    runlog(f'stage:{name} begin:{begin_ms_2:.0f}ms end:{now:.0f}ms data:{data}')
    begin_ms_2 = now
    spoke_2 = time.perf_counter()

def say_2(text):
    """Log where a stage is, if nothing has been said for ten seconds."""
    global spoke_2
    if time.perf_counter() > spoke_2 + 10:
        spoke_2 = time.perf_counter()
        runlog(text)

def session_2(parameters, ledger):
    pass
    global failed_2, forward_2, ledger_4, model_2, parameters_2, phases_3, preparing_2, tokens_3, training_data_2
    pass
    parameters_2 = parameters
    pass
    pass
    ledger_4 = ledger
    phases_3 = ()
    preparing_2 = ''
    stages_3()
    failed_2 = False
    training_data_2 = not (score_2 or export_2)
    pass
    pass
    pass
    activation_dtype = torch.bfloat16 if device_2.type == 'cuda' else torch.float32
    torch._dynamo.config.recompile_limit = 16
    model_2 = GPT(parameters, activation_dtype)
    initialize(parameters, ledger)
    forward_2 = compile_on_gpu(model_2)
    pattern = Path(data_path_3, 'fineweb_val_*.bin')
    tokens_3 = validation_tokens(pattern)
    open_2(ledger)
    digest = hashlib.sha256(tokens_3.numpy().data).hexdigest()
    runlog(f'val_loader:shards pattern={pattern} tokens:{len(tokens_3) - 1}\nval_sha256:{digest}')

def open_loader_2(ledger):
    """Start the training stream from its first token; batches are counted in `ledger`."""
    pattern = Path(data_path_3, 'fineweb_train_*.bin')
    open_3(pattern, ledger)

def next_batch_2():
    """(x, y, fields) of one micro-step on the device; ValueError once training time is over.

        Its size is that of `phases`, or of those that are on.
        """
    if not training_data_2:
        raise ValueError('training data are closed: training time is over')
    pass
    batch = next_2()
    x, y = (part.to(device_2, non_blocking=True) for part in batch)
    return (x, y, {})

def fail_2(text):
    """Log an error that takes nothing from the results, but the run's success."""
    global failed_2
    runlog(f'error: {text}')
    failed_2 = True

def validate_2():
    """Score the live weights in windows side by side."""
    return score_spans(chunk_spans(len(tokens_3)))[0]

def phase_variants():
    """Every set of phases that may be on together, each in declaration order."""
    variants = [()]
    return variants

def probe_plugins():
    """One eager step on a short batch with all phases on, so that the ledger sees what compiled steps will do.

    Counts uses by the forward and, per plugin, the tensors that a gradient reaches.
    """
    pass
    x, y, fields = next_batch_2()
    x, y = (x[:1, :512], y[:1, :512])
    fields = {name: value[:1, :512] for name, value in fields.items()}
    every_phase = tuple((spec.name for spec in ()))
    model_2(x, y, phases=every_phase, fields=fields, ledger=ledger_4).backward()
    for record in parameters_2:
        reached = sum((model_2.get_parameter(name).grad is not None for name in record.stored_names()))
        ledger_4.count(record.plugin, 'trained tensors', reached)
    model_2.zero_grad()

def warm_up():
    """Run `warmup_steps` real steps in every variant, then restore weights, optimizer state, data and random streams.

    Weights are restored in place, so that compiled code keeps its tensors.

    Args:
        run_step: `run_step(session, optimizers, phases, scalars, ledger)`, the step that training uses.
    """
    pass
    state = model_2.state_dict()
    saved = {name: tensor.clone() for name, tensor in state.items()}
    optimizers = Optimizers()
    scratch = Ledger()
    open_loader_2(scratch)
    pass
    for variant in phase_variants():
        for step in range(20):
            run_step(optimizers, variant, Scalars(1.0, 1.0, 0.9), scratch)
            runlog(' '.join((f'warmup_step:{step + 1}/20', *variant)))
    for name, tensor in state.items():
        tensor.copy_(saved[name])
    torch.manual_seed(seed_3)
    open_loader_2(ledger_4)

def train(parameters):
    """Run the whole program: train, average, export, decode, score; or parts of it on what is there, see `Environment`.

    `prepare_components(session)` lets every component try what it will need, before anything else is done.

    Exits with status 1 when a selected plugin did nothing or calibration took too long, with the artifact and the log
    complete, and when the trained model cannot be calibrated, exported or scored, with one line and the weights on disk;
    with status 2 and one line for what is wrong before training: environment, data, machine or files.
    """
    try:
        read_environment()
        start_world()
        ledger = Ledger()
        runlog_2(gather_over_ranks(run_id_2)[0])
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    torch.manual_seed(seed_3)
    torch.backends.cuda.matmul.allow_tf32 = True
    if max_wallclock_seconds_3 == 0:
        make_deterministic()
    log_machine()
    runlog('plugins:' + ' '.join(plugins_2))
    open_session(parameters, ledger)
    if training_data_2:
        log_header()
        probe_plugins()
        warm_up()
        step = train_loop()
        try:
            export_and_score(step)
        except (OSError, ValueError) as error:
            log_error_2(str(error))
            sys.exit(f'error: rank {rank_3}: {error}')
    bad = report_receipts() or failed_2
    stop_world()
    if bad:
        sys.exit(1)

def open_session(parameters, ledger):
    """A session with its data checked, and with the artifact made or scored if that is all there is to do.

    What is wrong with the data, the machine or the files is one line and exit status 2, not a traceback. An artifact
    alone is scored with every phase of the finished model on.
    """
    global phases_3
    try:
        session_2(parameters, ledger)
        prepare_run()
        if export_2:
            export_checkpoint()
        elif score_2:
            phases_3 = tuple((spec.name for spec in ()))
            score_artifact()
        else:
            open_loader_2(Ledger())
            check_statistics()
        return None
    except (OSError, ValueError) as error:
        log_error_2(str(error))
        if not export_2:
            stop_world()
        sys.exit(2)

def make_deterministic():
    """Deterministic kernels, where nothing depends on real time, so that runs can be equal."""
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    torch.use_deterministic_algorithms(True)

def log_header():
    """The lines that log parsers read before the first step."""
    pass
    runlog(f'model_params:{sum((tensor.numel() for tensor in model_2.parameters()))}\nworld_size:{world_size_3} grad_accum_steps:{8 // world_size_3}\nseed:{seed_3}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{iterations_3} warmup_steps:20 max_wallclock_seconds:{max_wallclock_seconds_3:.3f}')

def run_step(optimizers, phases, scalars, ledger):
    """Gradient accumulation over this rank's micro-steps and one optimizer step; returns the mean loss, a tensor."""
    micro_steps = 8 // world_size_3
    total = 0.0
    for _ in range(micro_steps):
        x, y, fields = next_batch_2()
        loss = forward_2(x, y, phases=phases, fields=fields) / micro_steps
        total += loss.detach()
        loss.backward()
    optimizers.step(scalars, ledger)
    return total

def read_schedules(step, elapsed_ms, cap_ms):
    """The step's scalars; switches phases on as they begin, and sets what the forward reads."""
    progress = measure_progress(step, elapsed_ms, cap_ms)
    scalars = Scalars(1.0, 1.0, 0.0)
    scalars = momentum_schedule(progress, scalars)
    scalars = warmdown_schedule(progress, scalars)
    return scalars

def training_budget():
    """Milliseconds that training may take: the budget less what is reserved for later work on the clock; 0 for no limit."""
    pass
    return 1000.0 * max_wallclock_seconds_3

def train_loop():
    """Steps until the iterations or the wall-clock budget are used up; averaged weights are live when it returns.

    Returns:
        the number of steps.
    """
    pass
    optimizers = Optimizers()
    start_2(optimizers.averaged)
    cap_ms = training_budget()
    step = 0
    elapsed_ms = 0.0
    start_3()
    while True:
        last = step == iterations_3 or 0 < cap_ms <= elapsed_ms
        if last or (val_loss_every_3 > 0 and step % val_loss_every_3 == 0):
            pause_2()
            score = validate_2()
            log_step(step, f'val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f}', elapsed_ms)
            if last:
                break
            start_3()
        scalars = read_schedules(step, elapsed_ms, cap_ms)
        loss = run_step(optimizers, phases_3, scalars, ledger_4)
        step += 1
        update_2(optimizers.averaged, step, scalars)
        elapsed_ms = max_over_ranks(elapsed_ms_2(step))
        if train_log_every_3 > 0 and (step <= 10 or step % train_log_every_3 == 0):
            log_step(step, f'train_loss:{loss:.4f}', elapsed_ms)
            if loss != loss:
                raise ValueError('the training loss is not a number')
    if step < iterations_3:
        runlog(f'stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms step:{step}/{iterations_3}')
    allocated = torch.cuda.max_memory_allocated() >> 20
    reserved = torch.cuda.max_memory_reserved() >> 20
    runlog(f'peak memory allocated: {allocated} MiB reserved: {reserved} MiB')
    apply_2(optimizers.averaged)
    set_clock_2(elapsed_ms)
    end_2('train', 'train')
    return step

def log_step(step, result, elapsed_ms):
    """One line of training or validation in the public format."""
    runlog(f'step:{step}/{iterations_3} {result} train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / max(step, 1):.2f}ms')

def additive_skip(x, skip, index, ctx):
    """x_BTD with skip number `index` joined."""
    ctx.fired('additive_skips', 'skips')
    return x + ctx.weights['skip_weights'][index].to(x.dtype) * skip

def index_2(ids_BT, ctx):
    """Row of the table for the token and `back` (1 or 2) before it, at every position, (B,T)."""
    mixed = torch.bitwise_xor(36313 * ids_BT[:, 1:], 27191 * ids_BT[:, 0:-1])
    index = F.pad(mixed % 3071, (1, 0), value=3071)
    begins = document_begins(ctx)
    if begins is not None:
        over = begins
        index = index.masked_fill(over, 3071)
    return index

def bigramhash_2(ids_BT, ctx):
    ctx.fired('bigram_hash', 'lookups')
    table = ctx.weights['bigram.embed.weight']
    rows = F.embedding(index_2(ids_BT, ctx), table)
    projected = F.linear(rows, ctx.weights['bigram.proj.weight'].to(rows.dtype))
    return projected * ctx.weights['bigram.scale'].to(rows.dtype)

def run_core(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx):
    """y_BTHC of the kernel, or of what stands around it."""
    return run_kernel(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)

def run_kernel(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx):
    """y_BTHC of the program's attention kernel, or of the batch field "attention" in its place; heads of any shape."""
    if 'attention' in ctx.fields:
        kept = ctx.fields['attention']
        y = kept(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx)
        return y
    return causalattention(q_BTHC, k_BTKC, v_BTKC, ctx)

def attention_branch(model, n_BTD, layer, position, ctx):
    """Causal grouped-query attention of one layer; query head h reads key/value head h // (H/K)."""
    pass
    q = model.project(n_BTD, 'attn.c_q', layer, position, ctx)
    k = model.project(n_BTD, 'attn.c_k', layer, position, ctx)
    v = model.project(n_BTD, 'attn.c_v', layer, position, ctx)
    v = valueembedding_2(v, layer, ctx)
    q = ntkrope(rms_norm(torch.unflatten(q, 2, (8, -1))), ctx)
    k = ntkrope(rms_norm(torch.unflatten(k, 2, (4, -1))), ctx)
    v = torch.unflatten(v, 2, (4, -1))
    q, k = apply_qk_gain(q, k, layer, ctx)
    y = run_core(model, q, k, v, layer, position, ctx)
    y = xsa_2(y, v, layer, ctx)
    y = model.project(y.flatten(2), 'attn.proj', layer, position, ctx)
    return adapt(y, n_BTD, 'attn', position, ctx)

def dense_attention(q_BTHC, k_BTKC, v_BTKC):
    """Scaled dot-product attention; `window` >= 0 lets a query see itself and that many keys before it, -1 all."""
    q = q_BTHC.transpose(1, 2)
    k = k_BTKC.transpose(1, 2)
    v = v_BTKC.transpose(1, 2)
    grouped = q.size(1) != k.size(1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped).transpose(1, 2)

def find_flash():
    """(name, function) of the best installed FlashAttention, or the name of the kernel that PyTorch will take and None."""
    if device_2.type != 'cuda':
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

def flash_attention(function, q_BTHC, k_BTKC, v_BTKC):
    """Call FlashAttention 2 or 3; the left window counts earlier keys, as in `dense_attention`."""
    y = function(q_BTHC, k_BTKC, v_BTKC, causal=True, window_size=(-1, 0))
    return y[0] if isinstance(y, tuple) else y

def attend(flash, q_BTHC, k_BTKC, v_BTKC):
    """Causal attention by what `find_flash` found: FlashAttention, or `dense_attention` where it found none."""
    if flash is not None:
        return flash_attention(flash, q_BTHC, k_BTKC, v_BTKC)
    return dense_attention(q_BTHC, k_BTKC, v_BTKC)

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

def prepare_2():
    """Choose the kernel for the run's device; returns its name for the log."""
    global flash_2
    name, flash_2 = find_flash()
    return name

def causalattention(q, k, v, ctx):
    ctx.fired('causal_attention', 'layers')
    return attend(flash_2, q, k, v)

def token_cross_entropy(logits_BTV, targets_BT, reduction, ctx):
    """A scalar for reduction "mean", (B,T) for "none"."""
    ctx.fired('cross_entropy', 'losses')
    loss = F.cross_entropy(logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), reduction=reduction)
    return loss.view_as(targets_BT) if reduction == 'none' else loss

def leakyrelu2mlp(model, n_BTD, layer, position, ctx):
    ctx.fired('leaky_relu2', 'layers')
    hidden = F.leaky_relu(model.project(n_BTD, 'mlp.fc', layer, position, ctx), 0.5).square()
    return model.project(hidden, 'mlp.proj', layer, position, ctx)

def scale_by_depth(n_BTD, layer, ctx):
    """n_BTD -> n_BTD."""
    ctx.fired('ln_scale', 'branches')
    scale = (layer + 1) ** (-0.5)
    return n_BTD * scale

def stretched_2(length):
    """The base for a forward of `length` tokens."""
    growth = max(length / 1024, 1.0) ** (16 / 14)
    return 10000.0 * growth

def ntkrope(x_BTHC, ctx):
    ctx.fired('ntk_rope', 'rotations')
    length = ctx.fields['segments'][0].size(1) if 'segments' in ctx.fields else x_BTHC.size(1)
    rotated = rotate_halves(x_BTHC[..., :16], stretched_2(length), ctx)
    return torch.cat((rotated, x_BTHC[..., 16:]), -1)

def orthogonal_or_uniform(tensor, generator, ledger):
    """Fill a (out, in) matrix."""
    if min(tensor.shape) >= 64:
        nn.init.orthogonal_(tensor, generator=generator)
        ledger.count('ortho_init', 'orthogonal matrices')
    else:
        bound = tensor.shape[-1] ** (-0.5)
        tensor.uniform_(-bound, bound, generator=generator)

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
    hidden = leakyrelu2mlp(model, n_BTD, layer, position, ctx)
    hidden = adapt(hidden, n_BTD, 'mlp', position, ctx)
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
    left, or no parameters for it, and may fork a lane. Steps may change how many lanes there are.
    """
    encoder, decoder = unetplan(ctx.phases)
    pass
    ctx.fired('unet_plan', 'steps over 11 layers', len(encoder) + len(decoder))
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
    before = shift_right(x_BTD)
    begins = document_begins(ctx)
    if begins is not None:
        before = before.masked_fill(begins[..., None], 0)
    gate = torch.sigmoid(ctx.weights['smear.gate']).to(x_BTD.dtype)
    return (1 - gate) * x_BTD + gate * before

def tanh_softcap(logits_BTV, ctx):
    """logits_BTV -> logits_BTV."""
    ctx.fired('tanh_softcap', 'caps')
    return 30.0 * torch.tanh(logits_BTV / 30.0)

def tied_head(x_BTD, ctx):
    """h_BTD -> logits_BTV."""
    ctx.fired('tied_head', 'heads')
    return use_matrix(ctx.weights['tok_emb.weight'], x_BTD, 'head', 0, 0, ctx)

def unetplan(phases):
    layers = tuple(range(11))
    return (layers[:len(layers) // 2], layers[len(layers) // 2:])

def valueembedding_2(v_BTE, layer, ctx):
    if layer not in (9, 10):
        return v_BTE
    ctx.fired('value_embedding', 'layers')
    if 've' not in ctx.memo:
        rows = F.embedding(ctx.ids, ctx.weights['ve_shared.embed.weight'])
        rows = F.linear(rows, ctx.weights['ve_shared.proj.weight'].to(rows.dtype))
        ctx.memo['ve'] = rows * ctx.weights['ve_shared.scale'].to(rows.dtype)
    scale = ctx.weights[f've_layer_scales.{layers_2.index(layer)}']
    embedded = ctx.memo['ve']
    return v_BTE + scale.to(v_BTE.dtype) * embedded

def xsa_2(y_BTHC, v_BTKC, layer, ctx):
    if layer < 0:
        return y_BTHC
    ctx.fired('xsa', 'layers')
    grouped = torch.unflatten(y_BTHC, 2, (v_BTKC.size(2), -1))
    direction = F.normalize(v_BTKC, dim=-1)[:, :, :, None, :]
    return (grouped - (grouped * direction).sum(-1, keepdim=True) * direction).flatten(2, 3)

def compress_2(data):
    """Compressed bytes."""
    packed = lzma.compress(data, preset=9)
    ledger_4.note('lzma', f'{len(data)} -> {len(packed)} bytes')
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

def pack_2(encoded):
    """The bytes of `torch.save`."""
    data = save_tensors(encoded)
    ledger_4.note('torch_save', f'{len(encoded)} tensors in {len(data)} bytes')
    return data

def unpack_2(data):
    """The encoded tensors, on the CPU."""
    return load_tensors(data)

def load_tokenizer():
    """The tokenizer; OSError when it cannot be read, ValueError where byte counts made from it could be wrong."""
    try:
        tokenizer = SentencePieceProcessor(tokenizer_path_3)
    except (OSError, RuntimeError) as error:
        raise OSError(f'{tokenizer_path_3}: not a SentencePiece model') from error
    if len(tokenizer) > 1024:
        raise ValueError(f'{tokenizer_path_3} has {len(tokenizer)} pieces, wanted at most vocab_size=1024')
    if tokenizer.piece_to_id('▁') == tokenizer.unk_id():
        raise ValueError(f'{tokenizer_path_3}: U+2581 is not a piece of its own')
    return tokenizer

def byte_tables(tokenizer):
    """Rows (3,V) int64 over ids: `size` without the word mark, `lead` and `boundary` 0 or 1; spare ids are boundary."""
    rows = [(0, 0, 1)] * 1024
    for token in range(len(tokenizer)):
        if not (tokenizer.is_control(token) or tokenizer.is_unknown(token) or tokenizer.is_unused(token)):
            piece = tokenizer.id_to_piece(token)
            lead = piece.startswith('▁')
            rows[token] = (1 if tokenizer.is_byte(token) else len(piece.encode()) - 3 * lead, lead, 0)
    return torch.tensor(rows).T

def open_2(ledger):
    """Build the tables; ValueError for a vocabulary that is too large, uncounted spaces, or transformed text."""
    global boundary_2, lead_2, ledger_2, size_2
    if any(Path(data_path_3).glob('*_bytes_*')):
        raise ValueError(f'{data_path_3}: it has byte side files, build with the plugin that reads them')
    tables = byte_tables(load_tokenizer())
    size_2, lead_2, boundary_2 = tables.to(device_2)
    ledger_2 = ledger

def count_2(x_BT, y_BT, positions_BT):
    """UTF-8 bytes of each target, int64 (B,T)."""
    ledger_2.count('sentencepiece_bytes', 'targets', y_BT.numel())
    counts = size_2[y_BT] + (lead_2[y_BT] & ~boundary_2[x_BT])
    return counts

def open_3(pattern, ledger):
    """Check every shard's header and length; ids are checked as each shard is loaded."""
    global files_2, ledger_3, rank_2, tokens_2, world_size_2
    files_2 = shard_files(pattern)
    for path in files_2:
        shard_length(path)
    rank_2 = rank_3
    world_size_2 = world_size_3
    pass
    ledger_3 = ledger
    tokens_2 = load_shard(files_2[0])

def take_2(count):
    """The next `count` token ids (count,) of the stream."""
    global tokens_2
    parts = []
    while count > 0:
        if not len(tokens_2):
            files_2.append(files_2.pop(0))
            tokens_2 = load_shard(files_2[0])
        parts.append(tokens_2[:count])
        tokens_2 = tokens_2[count:]
        count -= len(parts[-1])
    return np.concatenate(parts)

def next_2():
    """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU; every rank advances by the same amount."""
    span = take_2(world_size_2 * 98305).reshape(world_size_2, -1)[rank_2]
    span = torch.from_numpy(span.astype(int))
    ledger_3.count('sequential_loader', 'batches')
    return (span[:-1].reshape(-1, 2048), span[1:].reshape(-1, 2048))

def spans_2(num_tokens):
    """Windows over targets 1..N-1; a stride above the window length is taken as the length."""
    stride = min(64, 2048)
    targets = num_tokens - 1
    starts = range(0, max(targets - (2048 - stride), 1), stride)
    return [Span(at, min(at + 2048, targets), 0 if at == 0 else 2048 - stride) for at in starts]

def bind_2(groups):
    """Start with zero moments."""
    global optimizer_2
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
def start_2(tensors):
    """Begin at the present weights."""
    global shadow_2, updates_2
    updates_2 = 0
    shadow_2 = [tensor.detach().float().clone() for tensor in tensors]

@torch.no_grad()
def update_2(tensors, steps, scalars):
    """Add the weights of a finished step."""
    global updates_2
    updates_2 += 1
    torch._foreach_mul_(shadow_2, 0.997)
    torch._foreach_add_(shadow_2, [tensor.detach().float() for tensor in tensors], alpha=1 - 0.997)

@torch.no_grad()
def apply_2(tensors):
    """Copy the average into the live tensors, in their dtype."""
    for tensor, shadow in zip(tensors, shadow_2, strict=True):
        tensor.copy_(shadow)
    ledger_4.count('ema', 'updates', updates_2)

def clip_gradients(tensors, names, ledger):
    """Scale the gradients of `tensors` in place."""
    nn.utils.clip_grad_norm_(tensors, 0.3)
    ledger.count('grad_clip', 'steps')

def momentum_schedule(progress, scalars):
    """Set the step's momentum."""
    done = min(progress.step / 1500, 1.0)
    momentum = (1 - done) * 0.92 + done * 0.99
    ledger_4.note('momentum_warmup', f'momentum {momentum:.4f} at step {progress.step}')
    return scalars._replace(momentum=momentum)

def decay_matrix(tensor, lr, scalars, ledger):
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

def bind_3(tensors, names):
    """Start with zero momentum; the largest bank comes first."""
    global banks_2, blocks_2
    pass
    blocks_2 = {}
    banks_2 = []
    wire = torch.bfloat16 if device_2.type == 'cuda' else torch.float32
    for weight, held in sorted(zip(tensors, names, strict=True), key=lambda pair: -pair[0].numel()):
        *_, rows, columns = weight.shape
        share = -(-len(held) // world_size_3)
        owned = (*held, *[''] * share * world_size_3)[share * rank_3:][:share]
        shapes = [(size, rows, columns) for size in (share * world_size_3, share)]
        full, shard = [torch.zeros(shape, dtype=wire, device=device_2) for shape in shapes]
        gathered, momentum = [torch.zeros(shape, dtype=torch.bfloat16, device=device_2) for shape in shapes]
        banks_2.append(MuonBank(weight, held, owned, full, shard, momentum, gathered))

def launch_2():
    """Start the reduction of every bank's gradient."""
    global pending_2
    pending_2 = []
    for bank in banks_2:
        gradient = gradient_of(bank.weight).bfloat16()
        bank.full.flatten()[:gradient.numel()].copy_(gradient.flatten())
        pending_2.append(start_reduce_scatter(bank.shard, bank.full))

def step_3(scalars, ledger):
    """Update every bank, each one applied while the next is orthogonalised."""
    ready = []
    for bank, handle in zip(banks_2, pending_2, strict=True):
        finish(handle)
        divisor = world_size_3
        gradient = (bank.shard / divisor).bfloat16()
        update = nesterov_update(gradient, bank.momentum, scalars.momentum)
        update = orthogonalize(update, bank.owned)
        ready.append((bank, start_all_gather(bank.gathered, update), update))
        if len(ready) > 1:
            apply_3(*ready.pop(0), scalars, ledger)
    for waiting in ready:
        apply_3(*waiting, scalars, ledger)

def apply_3(bank, handle, update, scalars, ledger):
    """Apply a gathered update; `update` is kept alive until the gather has read it."""
    finish(handle)
    weight = bank.weight
    step = bank.gathered.flatten()[:weight.numel()].view_as(weight)
    apply_update(weight, step, bank.names, aspect_scale(weight), scalars, ledger)
    ledger.count('parallel_muon', 'bank updates')
    ledger.count('newton_schulz', 'matrices', bank.gathered.size(0))

def start_3():
    """Go on counting."""
    global since_2
    since_2 = time.perf_counter() - before_2

def pause_2():
    """Stop counting until the next `start`."""
    global before_2
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    before_2 = time.perf_counter() - since_2
    ledger_4.note('wall_clock', f'{before_2:.3f} seconds')

def elapsed_ms_2(step):
    """Milliseconds of training so far, while it runs."""
    return 1000.0 * (time.perf_counter() - since_2)

def warmdown_multiplier(progress):
    """The learning-rate multiplier at `progress`."""
    if progress.cap_ms > 0:
        span = 4000 * (progress.elapsed_ms / max(progress.step, 1))
        return min(max(progress.cap_ms - progress.elapsed_ms, 0.0) / max(span, 1e-09), 1.0)
    left = progress.iterations - progress.step
    return left / 4000 if 0 < left <= 4000 else 1.0

def warmdown_schedule(progress, scalars):
    """Multiply the learning-rate multiplier by the warm-down's."""
    multiplier = warmdown_multiplier(progress)
    ledger_4.note('warmdown_iters', f'multiplier {multiplier:.4f} at step {progress.step}')
    return scalars._replace(lr_mul=scalars.lr_mul * multiplier)

class Trial(NamedTuple):
    """Codes (rows, columns), float16 steps (rows,), and their error, a scalar."""
    codes: object
    step: object
    error: object

class ClipSearch:
    """Tensor recipe; tensors of at most 65,536 elements, and what is no matrix, are kept in float16."""
    name = 'int6'

    def __init__(self, rounding):
        pass
        self.rounding = rounding

    def encode(self, name, tensor, statistics, ledger):
        """Codes and steps of a large matrix, or another tensor as it is."""
        if tensor.numel() <= 65536 or tensor.ndim != 2:
            ledger.count('clip_search', 'tensors kept')
            return {'kept': tensor.half()}
        ledger.count('clip_search', 'tensors quantized')
        weight, best = (tensor.float(), None)
        for step in quantile_steps(weight):
            heard = Ledger() if best else ledger
            codes = self.rounding(name, weight, step, 31, statistics, heard)
            best = better(best, tried(weight, codes, step, statistics))
        return {'codes': best.codes, 'step': best.step}

    def encode_group(self, names, tensors, statistics):
        """`encode` of large matrices of one shape, whose codes the rounding chooses together."""
        ledger_4.count('clip_search', 'tensors quantized', len(names))
        weights = [tensor.float() for tensor in tensors]
        steps = [quantile_steps(weight) for weight in weights]
        best = [None] * len(names)
        solver = self.rounding
        for clip in range(len(steps[0])):
            new = [place for place, own in enumerate(steps) if not any((own[clip].equal(old) for old in own[:clip]))]
            lists = [[values[place] for place in new] for values in (names, weights)]
            known = [statistics[place] for place in new]
            own = [steps[place][clip] for place in new]
            found = solver.solve(*lists, own, 31, known, Ledger() if clip else ledger_4) if new else []
            for place, codes, step in zip(new, found, own, strict=True):
                best[place] = better(best[place], tried(weights[place], codes, step, statistics[place]))
        return [{'codes': trial.codes, 'step': trial.step} for trial in best if trial]

    def decode(self, name, parts, kind):
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)

def tried(weight, codes, step, statistics):
    """With the error in columns that have inputs; all of them, where nothing is known."""
    if 'hessian' in statistics:
        dead = statistics['hessian'].diagonal() == 0
        return Trial(codes, step, squared_error(weight.masked_fill(dead, 0.0), codes.masked_fill(dead, 0), step))
    return Trial(codes, step, squared_error(weight, codes, step))

def better(old, new):
    """The one with the lesser error, the old one of equals."""
    if old is None:
        return new
    lesser = new.error < old.error
    return Trial(*(torch.where(lesser, after, before) for before, after in zip(old, new, strict=True)))

class Gptq:
    """The `rounding` of a matrix with known steps."""
    statistics = ('hessian',)

    def __init__(self):
        pass
        pass

    def __call__(self, name, weight, step, top, statistics, ledger):
        """int8 codes shaped like `weight` (rows, columns); ValueError without a Hessian."""
        return self.solve([name], [weight], [step], top, [statistics], ledger)[0]

    def solve(self, names, weights, steps, top, statistics, ledger):
        """The codes of matrices of one shape; together they take as many operations as one."""
        for name, known in zip(names, statistics, strict=True):
            if 'hessian' not in known:
                raise ValueError(f'{name} has no input statistics, which gptq needs')
        orders, hessians, columns = ([], [], [])
        for weight, known in zip(weights, statistics, strict=True):
            hessian, dead = damped_hessian(known['hessian'])
            order = known['order'] if 'order' in known else hessian.diagonal().argsort(descending=True, stable=True)
            orders.append(order)
            hessians.append(hessian[order][:, order])
            columns.append(weight.masked_fill(dead, 0.0).T[order])
        factor, work = (inverse_factor(torch.stack(hessians)), torch.stack(columns))
        codes, step = (torch.empty_like(work), torch.stack(steps).float())
        for start in range(0, work.shape[1], 128):
            spread_block(work, codes, factor, step, top, start, min(start + 128, work.shape[1]))
        failed = (~factor.isfinite()).flatten(1).any(1).tolist()
        ledger.count('gptq', 'matrices rounded to nearest, whose Hessian has no Cholesky factor', sum(failed))
        ledger.count('gptq', 'matrices', len(names) - sum(failed))
        return [integer_codes(weights[place], step[place], top) if failed[place] else codes[place, order.argsort()].T.contiguous().to(torch.int8) for place, order in enumerate(orders)]

def inverse_factor(hessian):
    """Upper U with U^T U = H^-1 of (..., columns, columns); not a number where H is not positive definite."""
    lower, failed = torch.linalg.cholesky_ex(hessian)
    upper, again = torch.linalg.cholesky_ex(torch.cholesky_inverse(lower), upper=True)
    return torch.where((failed + again > 0)[..., None, None], torch.nan, upper)

def spread_block(work, codes, factor, step, top, start, end):
    """Round columns start..end-1 of `work` (batch, columns, rows) into `codes`, in place; errors go to all that follow."""
    errors = torch.empty_like(work[:, start:end])
    for column in range(start, end):
        codes[:, column] = (work[:, column] / step).round().clamp(-top, top)
        error = (work[:, column] - codes[:, column] * step) / factor[:, column, column, None]
        work[:, column:end] -= factor[:, column, column:end, None] * error[:, None]
        errors[:, column - start] = error
    work[:, end:] -= factor[:, start:end, end:].mT @ errors

def average_statistics(statistics):
    """The mean of every statistic over ranks.

    Raises:
        ValueError: on every rank, when they do not have the same ones.
    """
    names = [(name, key) for name in sorted(statistics) for key in sorted(statistics[name])]
    for rank, others in enumerate(gather_over_ranks(names)):
        if others != names:
            different = sorted({*names} ^ {*others})[0][0]
            raise ValueError(f'ranks {rank_3} and {rank} have statistics of different matrices, such as {different}')
    for name, key in names:
        sum_over_ranks(statistics[name][key]).div_(world_size_3)
        ledger_4.count('hessian_all_reduce', f'statistics over {world_size_3} ranks')
    return statistics

class Int8Recipe:
    """Tensor recipe; `half` says whether small tensors are kept in float16, or in float32."""
    name = 'int8'

    def __init__(self, half):
        self.half = half

    def encode(self, name, tensor, statistics, ledger):
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= 65536:
            ledger.count('int8', 'tensors kept')
            return {'kept': tensor.half() if self.half else tensor.float()}
        ledger.count('int8', 'tensors quantized')
        codes, step = int8_grid(tensor.float())
        return {'codes': codes, 'step': step}

    def decode(self, name, parts, kind):
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)

class Kept(NamedTuple):
    """What one call of the attention kernel has seen: keys and values (B,N,K,C), N a multiple of the text's length.

    `documents` (B,N) where the kernel keeps documents apart; a query sees `reach` keys, its own included.
    """
    keys: object
    values: object
    documents: object
    reach: object

class KeptAttention:
    """Stands in for the attention kernel. The first forward, of whole `rows` that say nothing, opens a store for each call.

    Then `begin` goes before each step's forward.
    """

    def __init__(self, rows):
        self.rows = rows
        self.stores = []
        self.calls = 0
        self.first = None
        self.place = None

    def begin(self, first, place):
        """A step: its piece begins at `first` (1,) int64, its new token is `place` (1,)."""
        self.first, self.place, self.calls = (first, place, 0)

    def __call__(self, model, q, k, v, layer, position, ctx):
        """y_BTHC of a piece."""
        if self.first is None or self.place is None:
            self.stores.append(self.open_store(q, k, v, ctx))
            return causalattention(q, k, v, ctx)
        kept = self.stores[self.calls]
        self.calls += 1
        each = q.size(1) // ctx.ids.size(1)
        some = torch.arange(each, device=q.device)
        new, inside = (self.place * each + some, (self.place - self.first) * each + some)
        kept.keys.index_copy_(1, new, k.index_select(1, inside))
        kept.values.index_copy_(1, new, v.index_select(1, inside))
        query = self.first * each + torch.arange(q.size(1), device=q.device)
        distance = query[:, None] - torch.arange(kept.keys.size(1), device=q.device)
        mask = (distance >= 0) & (distance < kept.reach)
        if kept.documents is not None:
            documents = ctx.fields['documents']
            kept.documents.index_copy_(1, new, documents.index_select(1, inside))
            mask = mask & (documents[:, None, :, None] == kept.documents[:, None, None, :])
        return attend_grouped(q, kept.keys, kept.values, mask)

    def open_store(self, q, k, v, ctx):
        """Room for all keys, and what the kernel sees: where scores are equal, a query returns the mean of its values."""
        length = k.size(1)
        fields = dict(ctx.fields)
        documents = fields.pop('documents', None)
        ask = ctx._replace(memo={}, fields=fields)
        blank_q, blank_k, marked = (torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v))
        marked[:, 0] = 1
        pass
        reach = int((causalattention(blank_q, blank_k, marked, ask)[0, :, 0, 0] > 0).sum())
        if documents is not None:
            half = length // 2
            fields['documents'] = (torch.arange(length, device=q.device) >= half).long()[None]
            marked = torch.zeros_like(v)
            marked[:, half - 1] = 1
            y = causalattention(blank_q, blank_k, marked, ask._replace(memo={}))
            apart = not bool(y[0, half, 0, 0] > 0)
            documents = documents.new_zeros(self.rows, length) if apart else None
        keys, values = (x.new_zeros(self.rows, *x.shape[1:]) for x in (k, v))
        return Kept(keys, values, documents, reach)

def attend_grouped(q_BTHC, k_BNKC, v_BNKC, mask):
    """Attention where `mask`, (T,N) or (B,1,T,N) bool, is true. A group of heads becomes queries of one: no key is copied."""
    groups = k_BNKC.size(2)
    each = q_BTHC.size(2) // groups
    q = torch.unflatten(q_BTHC, 2, (groups, each)).transpose(1, 2).flatten(2, 3)
    mask = mask.repeat_interleave(each, -2)
    y = F.scaled_dot_product_attention(q, k_BNKC.transpose(1, 2), v_BNKC.transpose(1, 2), attn_mask=mask)
    return torch.unflatten(y, 2, (-1, each)).transpose(1, 2).flatten(2, 3)

def open_context(ids, fields, memo):
    """A forward of ids_BT under the phases of scoring."""
    return Context(ids, (), False, model_2.matrices(), memo, fields, None, None, None)

def make_fields(ids):
    """The batch fields of ids_BT."""
    return {}

class Decoder:
    """Writes ids (B,T): the first token uniform, each next from softmax(logits / temperature), by uniform numbers (B,T).

    Attributes:
        ids: what is written, (B,T).
        surprise: log-probability of every token but the first as it was drawn, (B,T) in nats.
    """

    def __init__(self, noise):
        pass
        self.noise = noise
        self.temperature = 0.8
        self.ids = torch.zeros_like(noise, dtype=torch.long)
        self.ids[:, 0] = (noise[:, 0] * 1024).long()
        self.surprise = torch.zeros_like(noise)
        self.place = self.ids.new_zeros(1)
        self.attention = KeptAttention(len(noise))
        row = self.ids[:1]
        ctx = open_context(row, {**make_fields(row), 'attention': self.attention}, {})
        model_2.hidden(row, ctx)
        self.rotations = ctx.memo.get('rope', ())

    def write(self):
        """All tokens; returns `ids`."""
        steps = self.noise.size(1) - 1
        if self.noise.is_cuda and steps > 3:
            steps = self.write_by_graph(steps)
        for _ in range(steps):
            self.step()
        return self.ids

    def write_by_graph(self, steps):
        """As many steps; returns those that are left, because something in the forward cannot be captured."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self.step()
        except RuntimeError as error:
            runlog(f'decoding without a CUDA graph: {str(error).splitlines()[0]}')
            return steps - 3
        for _ in range(steps - 3):
            graph.replay()
        return 0

    def step(self):
        """Draws the token after `place`, and moves there; nothing here waits for the device."""
        pass
        piece = min(8, self.ids.size(1))
        first = (self.place - (piece - 1)).clamp_min(0)
        at = first + torch.arange(piece, device=first.device)
        self.attention.begin(first, self.place)
        ids = self.ids.index_select(1, at)
        fields = {name: field.index_select(1, at) for name, field in make_fields(self.ids).items()}
        memo = {'rope': tuple((table.index_select(0, at) for table in self.rotations))} if self.rotations else {}
        ctx = open_context(ids, {**fields, 'attention': self.attention}, memo)
        x = model_2.hidden(ids, ctx).index_select(1, self.place - first)
        logits = model_2.logits(x, ctx)[:, 0].float() / self.temperature
        self.place.add_(1)
        chosen = pick(logits, self.noise.index_select(1, self.place))
        self.ids.index_copy_(1, self.place, chosen)
        self.surprise.index_copy_(1, self.place, logits.log_softmax(1).gather(1, chosen))

    def deviation(self):
        """Mean absolute difference, in nats, of the log-probabilities from those of whole forwards of `rows` at once."""
        total = 0.0
        for first in range(0, len(self.ids), 8):
            ids = self.ids[first:first + 8]
            ctx = open_context(ids, make_fields(ids), {})
            logits = model_2.logits(model_2.hidden(ids, ctx)[:, :-1], ctx).float()
            found = (logits / self.temperature).log_softmax(2).gather(2, ids[:, 1:, None])[..., 0]
            total += (found - self.surprise[first:first + 8, 1:]).abs().sum().item()
        return total / self.ids[:, 1:].numel()

def pick(logits, uniform):
    """ids (B,1): the first whose cumulated probability exceeds the uniform number (B,1)."""
    below = logits.softmax(1).cumsum(1) <= uniform
    return below.sum(1, keepdim=True).clamp_max(logits.shape[1] - 1)

def selfcalibration():
    """This rank's sequences ids_BT, without their last token, which nothing has read."""
    share = 64 // world_size_3
    end = (rank_3 + 1) * share
    for first in range(end - share, end, 64):
        numbers = range(first, min(first + 64, end))
        noise = torch.stack([sequence_noise(number) for number in numbers])
        ledger_4.count('self_calibration', 'sequences', len(noise))
        ids = generate_2(noise.to(device_2))
        yield from ids[:, :-1].split(8)

def generate_2(noise):
    """ids (B,T) for uniform numbers (B,T)."""
    decoder = Decoder(noise)
    ids = decoder.write()
    deviation = decoder.deviation()
    if deviation < 0.1:
        return ids
    ledger_4.count('self_calibration', 'sequences without a cache', len(noise))
    runlog(f'self_calibration: with kept keys scores are {deviation:.3f} nats off: whole forwards')
    return torch.cat([generate_slowly_2(part) for part in noise.split(8)])

def generate_slowly_2(noise):
    """The same by forwards of the whole length: what is not written yet cannot be seen, and kernels see one shape."""
    ids = torch.zeros_like(noise, dtype=torch.long)
    ids[:, 0] = (noise[:, 0] * 1024).long()
    for place in range(1, noise.shape[1]):
        logits = next_logits(ids, place - 1)
        ids[:, place] = pick(logits / 0.8, noise[:, place:place + 1])[:, 0]
    return ids

def sequence_noise(number):
    """The uniform numbers (length,) of one sequence, on the CPU."""
    return torch.rand(2048, generator=keyed_generator(f'self_calibration {number}'))

def next_logits(ids, place):
    """Logits (B,V), float32, of the token after ids[:, place], under the phases of scoring."""
    ctx = open_context(ids, make_fields(ids), {})
    return model_2.logits(model_2.hidden(ids, ctx)[:, place:place + 1], ctx)[:, 0].float()

def make_parameters():
    """Every tensor of the model."""
    return (Param(name='qo_bank', shape=(22, 512, 512), group='matrix', quant='attn', init=(orthogonal_or_uniform, zeros), plugin='banks', members=('blocks.{}.attn.c_q.weight', 'blocks.{}.attn.proj.weight'), reduction='sharded'), Param(name='kv_bank', shape=(22, 256, 512), group='matrix', quant='attn', init=(orthogonal_or_uniform, orthogonal_or_uniform), plugin='banks', members=('blocks.{}.attn.c_k.weight', 'blocks.{}.attn.c_v.weight'), reduction='sharded'), Param(name='mlp_up_bank', shape=(11, 1536, 512), group='matrix', quant='mlp', init=(orthogonal_or_uniform,), plugin='banks', members=('blocks.{}.mlp.fc.weight',), reduction='sharded'), Param(name='mlp_down_bank', shape=(11, 512, 1536), group='matrix', quant='mlp', init=(zeros,), plugin='banks', members=('blocks.{}.mlp.proj.weight',), reduction='sharded'), Param(name='skip_weights', shape=(5, 512), group='scalar', quant='control', init=ones, plugin='additive_skips'), Param(name='bigram.embed.weight', shape=(3072, 112), group='embed', quant='aux', init=zeros, plugin='bigram_hash', dtype='activation'), Param(name='bigram.proj.weight', shape=(512, 112), group='scalar', quant='aux', init=orthogonal_or_uniform, plugin='bigram_hash'), Param(name='bigram.scale', shape=(), group='scalar', quant='control', init=partial(constant, value=0.05), plugin='bigram_hash'), Param(name='blocks.{}.attn.q_gain', shape=(8,), group='scalar', quant='control', init=partial(constant, value=1.5), plugin='qk_gain', layers=11), Param(name='blocks.{}.attn_scale', shape=(512,), group='scalar', quant='control', init=ones, plugin='residual_scales', layers=11), Param(name='blocks.{}.mlp_scale', shape=(512,), group='scalar', quant='control', init=ones, plugin='residual_scales', layers=11), Param(name='blocks.{}.resid_mix', shape=(2, 512), group='scalar', quant='control', init=first_row_one, plugin='residual_scales', layers=11), Param(name='smear.gate', shape=(512,), group='scalar', quant='control', init=zeros, plugin='smear_gate'), Param(name='tok_emb.weight', shape=(1024, 512), group='embed', quant='embed', init=partial(normal, std=0.005), plugin='tied_head', dtype='activation', tap='head'), Param(name='ve_shared.embed.weight', shape=(1024, 128), group='embed', quant='aux', init=partial(normal, std=0.01), plugin='value_embedding', dtype='activation'), Param(name='ve_shared.scale', shape=(), group='scalar', quant='control', init=partial(constant, value=0.1), plugin='value_embedding'), Param(name='ve_layer_scales.{}', shape=(1,), group='scalar', quant='control', init=ones, plugin='value_embedding', layers=2), Param(name='ve_shared.proj.weight', shape=(256, 128), group='scalar', quant='aux', init=orthogonal_or_uniform, plugin='value_embedding'))
group_2 = Group(name='embed', lr=0.035, weight_decay=0.04)
group_3 = Group(name='scalar', lr=0.025, weight_decay=0.04)
layers_2 = (9, 10)

def prepare_components():
    """Before any time is spent, each component with a `prepare` tries what it will need."""
    global preparing_2
    preparing_2 = 'causal_attention'
    log_prepared(prepare_2())
flash_2 = None
before_2 = 0.0
iterate_2 = partial(iterate_newton_schulz, scale_first=False)
compiled_2 = None
plugins_2 = ('adam', 'additive_skips', 'banks', 'bigram_hash', 'causal_attention', 'clip_search', 'cross_entropy', 'ema', 'gptq', 'grad_clip', 'hessian_all_reduce', 'int8', 'leaky_relu2', 'ln_scale', 'lzma', 'momentum_warmup', 'muon_weight_decay', 'newton_schulz', 'ntk_rope', 'ortho_init', 'parallel_muon', 'qk_gain', 'residual_scales', 'self_calibration', 'sentencepiece_bytes', 'sequential_loader', 'sequential_wiring', 'sliding_eval', 'smear_gate', 'tanh_softcap', 'tied_head', 'torch_save', 'unet_plan', 'value_embedding', 'wall_clock', 'warmdown_iters', 'xsa')
tensor_recipes_2 = {'attn': ClipSearch(rounding=Gptq()), 'aux': Int8Recipe(half=True), 'control': Int8Recipe(half=False), 'embed': Int8Recipe(half=True), 'mlp': ClipSearch(rounding=Gptq())}
if __name__ == '__main__':
    train(make_parameters())
