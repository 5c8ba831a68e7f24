# A part: the MLP by a Triton kernel with tensor descriptors, the training loss by another one behind a custom operator.
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def up_kernel(a_desc, b_desc, c_desc, aux_desc, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, SMS: tl.constexpr, FORWARD: tl.constexpr):
    dtype = tl.bfloat16
    first = tl.program_id(axis=0)
    rows, columns, steps = tl.cdiv(M, BM), tl.cdiv(N, BN), tl.cdiv(K, BK)
    for tile in tl.range(first, rows * columns, SMS, flatten=True):
        row, column = tile // columns, tile % columns
        acc = tl.zeros((BM, BN), dtype=tl.float32)
        for ki in range(steps):
            a = a_desc.load([row * BM, ki * BK])
            b = b_desc.load([column * BN, ki * BK])
            acc = tl.dot(a, b.T, acc)
        halves = tl.permute(tl.reshape(acc, (BM, 2, BN // 2)), (0, 2, 1))
        left, right = tl.split(halves)
        for half, offset in ((left, 0), (right, BN // 2)):
            value = half.to(dtype)
            if not FORWARD:
                pre = aux_desc.load([row * BM, column * BN + offset])
                value = 2.0 * value * tl.where(pre > 0, pre, 0.25 * pre)
                c_desc.store([row * BM, column * BN + offset], value.to(dtype))
            if FORWARD:
                c_desc.store([row * BM, column * BN + offset], value)
                leaky = tl.where(value > 0, value, 0.5 * value)
                aux_desc.store([row * BM, column * BN + offset], leaky * leaky)


def up(a, b, aux=None):
    (M, K), N = a.shape, b.shape[0]
    c = torch.empty((M, N), device=a.device, dtype=torch.bfloat16)
    forward = aux is None
    if forward:
        aux = torch.empty_like(c)
    sms = torch.cuda.get_device_properties("cuda").multi_processor_count
    bm, bn, bk = 128, 128, 64
    descriptors = [
        TensorDescriptor.from_tensor(a, [bm, bk]),
        TensorDescriptor.from_tensor(b, [bn, bk]),
        TensorDescriptor.from_tensor(c, [bm, bn // 2]),
        TensorDescriptor.from_tensor(aux, [bm, bn // 2]),
    ]

    def grid(META):
        return (min(sms, triton.cdiv(M, bm) * triton.cdiv(N, bn)),)

    up_kernel[grid](*descriptors, M, N, K, BM=bm, BN=bn, BK=bk, SMS=sms, FORWARD=forward, num_stages=4, num_warps=8)
    return (c, aux) if forward else c


class FusedMLP(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, w2):
        x2 = x.reshape(-1, x.shape[-1])
        pre, post = up(x2, w1)
        ctx.save_for_backward(x2, w1, w2, pre, post)
        ctx.shape = x.shape
        return (post @ w2.T).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, grad):
        x, w1, w2, pre, post = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1]).bfloat16()
        dw2 = grad.T @ post
        dpre = up(grad.contiguous(), w2.T.contiguous(), aux=pre)
        return (dpre @ w1).view(ctx.shape), dpre.T @ x, dw2


@triton.autotune(configs=[triton.Config({"BLOCK": 256}, num_warps=4), triton.Config({"BLOCK": 1024}, num_warps=8)], key=["V"])
@triton.jit
def capped_kernel(logits_ptr, targets_ptr, losses_ptr, stride, V, softcap, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    start = logits_ptr + row * stride
    best, total = -float("inf"), 0.0
    for off in range(0, V, BLOCK):
        cols = off + tl.arange(0, BLOCK)
        mask = cols < V
        z = tl.load(start + cols, mask=mask, other=-float("inf")).to(tl.float32)
        z = softcap * (2.0 * tl.sigmoid(2.0 * z / softcap) - 1.0)
        z = tl.where(mask, z, -float("inf"))
        new = tl.maximum(best, tl.max(z, 0))
        total = total * tl.exp(best - new) + tl.sum(tl.exp(z - new), axis=0)
        best = new
    at = tl.load(targets_ptr + row)
    true = tl.load(start + at).to(tl.float32)
    true = softcap * (2.0 * tl.sigmoid(2.0 * true / softcap) - 1.0)
    tl.store(losses_ptr + row, best + tl.log(total) - true)


@torch.library.custom_op("fused::capped_loss", mutates_args=(), device_types="cuda")
def capped_loss(logits: Tensor, targets: Tensor, softcap: float) -> Tensor:
    losses = torch.empty(logits.size(0), dtype=torch.float32, device=logits.device)
    capped_kernel[(logits.size(0),)](logits, targets, losses, logits.stride(0), logits.size(1), softcap)
    return losses


@capped_loss.register_fake
def _(logits, targets, softcap):
    return torch.empty(logits.size(0), dtype=torch.float32, device=logits.device)


def capped_backward(ctx, grad):
    logits, targets = ctx.saved_tensors
    z = ctx.softcap * torch.tanh(logits.float() / ctx.softcap)
    chance = torch.softmax(z, -1)
    chance[torch.arange(len(targets)), targets] -= 1.0
    return (chance * grad[:, None] * (1.0 - (z / ctx.softcap) ** 2)).to(logits.dtype), None, None


def keep_for_backward(ctx, inputs, output):
    ctx.save_for_backward(inputs[0], inputs[1])
    ctx.softcap = inputs[2]


torch.library.register_autograd("fused::capped_loss", capped_backward, setup_context=keep_for_backward)


class Block(Block):
    def forward(self, x):
        x = x + self.attn(F.rms_norm(x, (x.size(-1),)))
        y = F.rms_norm(x, (x.size(-1),))
        if self.training:
            return x + FusedMLP.apply(y, self.fc.weight.to(y.dtype), self.proj.weight.to(y.dtype))
        return x + self.proj(F.leaky_relu(self.fc(y), 0.5).square())


class GPT(GPT):
    def raw(self, ids):
        x = self.stem(ids)
        for block in self.blocks:
            x = block(x)
        return F.linear(F.rms_norm(x, (x.size(-1),)), self.stem.tok_emb.weight.to(x.dtype))

    def logits(self, ids):
        return self.softcap * torch.tanh(self.raw(ids) / self.softcap)

    def forward(self, ids, targets):
        logits = self.raw(ids).reshape(-1, self.stem.tok_emb.weight.size(0))
        return torch.ops.fused.capped_loss(logits, targets.reshape(-1), self.softcap).mean()
