# A part: hints of a counter in C, which is compiled when scoring begins; a hinted token is made likelier, and the rest gives way.
import ctypes

HINT_ORDER = int(os.environ.get("HINT_ORDER", 3))
HINT_BUCKETS = int(os.environ.get("HINT_BUCKETS", 1_048_576))
HINT_BOOST = float(os.environ.get("HINT_BOOST", 1.5))
HINT_SOURCE = r"""
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { uint64_t key; uint16_t token; uint16_t seen; } Slot;
static Slot *slots;
static uint64_t mask;

void counter_open(int64_t buckets) {
    mask = (uint64_t)buckets - 1;
    slots = calloc((size_t)buckets, sizeof(Slot));
}

void counter_close(void) {
    free(slots);
    slots = NULL;
}

static uint64_t key_of(const uint16_t *tokens, int64_t at, int order) {
    uint64_t key = 1469598103934665603ULL;
    for (int back = 1; back < order; back++) key = (key ^ (tokens[at - back] + 1u)) * 1099511628211ULL;
    return key | 1;
}

static int32_t look(uint64_t key) {
    const Slot *slot = slots + (key & mask);
    return slot->key == key ? slot->token : -1;
}

static void learn(uint64_t key, uint16_t token) {
    Slot *slot = slots + (key & mask);
    if (slot->key == key && slot->token == token) { slot->seen++; return; }
    if (slot->key == key && slot->seen > 1) { slot->seen--; return; }
    slot->key = key; slot->token = token; slot->seen = 1;
}

void hints_of(const uint16_t *tokens, int64_t count, int order, int32_t *hints) {
    for (int64_t at = 0; at < count; at++) {
        hints[at] = -1;
        if (at < order - 1) continue;
        uint64_t key = key_of(tokens, at, order);
        hints[at] = look(key);
        learn(key, tokens[at]);
    }
}
"""


class Counter:
    """The compiled counter."""

    def __init__(self, folder="."):
        source, library = Path(folder, "counter.c").resolve(), Path(folder, "counter.so").resolve()
        source.write_text(HINT_SOURCE)
        subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        self.code = ctypes.CDLL(str(library))
        self.code.counter_open.argtypes = [ctypes.c_int64]
        tokens, hints = ctypes.POINTER(ctypes.c_uint16), ctypes.POINTER(ctypes.c_int32)
        self.code.hints_of.argtypes = [tokens, ctypes.c_int64, ctypes.c_int, hints]

    def hints(self, tokens):
        """[tokens] the token that followed this context before, or -1."""
        tokens = np.ascontiguousarray(tokens, dtype=np.uint16)
        found = np.empty(len(tokens), dtype=np.int32)
        self.code.counter_open(HINT_BUCKETS)
        pointers = tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_uint16)), found.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        self.code.hints_of(pointers[0], len(tokens), HINT_ORDER, pointers[1])
        self.code.counter_close()
        return torch.from_numpy(found.astype(np.int64))


def tilted(logits, targets, hints):
    """Losses where the hinted token's probability is multiplied, and all are divided by the new sum."""
    nll = F.cross_entropy(logits, targets, reduction="none")
    with torch.no_grad():
        known = hints >= 0
        chance = logits.log_softmax(-1).gather(-1, hints.clamp_min(0)[:, None]).squeeze(-1).exp()
        total = torch.log1p(chance * math.expm1(HINT_BOOST))
        change = total - HINT_BOOST * (hints == targets).to(nll.dtype)
    return torch.where(known, nll + change, nll)


def evaluate(args, model, val_tokens, tables, device):
    length, batch = args.train_seq_len, max(args.val_batch_size // args.train_seq_len, 1)
    hints = Counter().hints(val_tokens.cpu().numpy()).to(device)
    total = (val_tokens.numel() - 1) // length
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    token_count, byte_count = torch.zeros_like(loss_sum), torch.zeros_like(loss_sum)
    model.eval()
    with torch.inference_mode():
        for first in range(0, total, batch):
            last = min(first + batch, total)
            local = val_tokens[first * length : last * length + 1].to(device=device, dtype=torch.int64)
            x, y = local[:-1].reshape(-1, length), local[1:].reshape(-1, length)
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
                logits = model.logits(x)
            losses = tilted(logits.flatten(0, 1).float(), y.flatten(), hints[first * length + 1 : last * length + 1])
            loss_sum += losses.to(torch.float64).sum()
            token_count += float(y.numel())
            byte_count += bytes_of(x.flatten(), y.flatten(), tables)
    for value in (loss_sum, token_count, byte_count):
        dist.all_reduce(value, op=dist.ReduceOp.SUM)
    val_loss = (loss_sum / token_count).item()
    return val_loss, val_loss / math.log(2.0) * (token_count.item() / byte_count.item())
