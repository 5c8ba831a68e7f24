"""Code that is written into a folder."""

import textwrap


def write(folder, text, name="train_gpt.py"):
    (folder / name).write_text(textwrap.dedent(text))


HITS = {
    "rule.normal": (
        """
        def key(ctx, tgt, primes, mask):
            return (ctx ^ (tgt * primes[3])) & mask
        """,
        """
        def key(t, out, mod):
            out[1:] = bitwise_xor(36313 * t[1:], 27191 * t[:-1]) % mod
            return (t[1:] * 36313) ^ (t[:-1] * 27191)
        """,
    ),
    "rule.hindsight": (
        "best = torch.minimum(nll_model, nll_cache)\n",
        "best_bpb = min(best_bpb, bpb)\nx = torch.minimum(low, high)\nseed_nll = min(3, n)\n",
    ),
    "rule.scorefirst": (
        """
        def eval_ttt(model, val_tokens, opt):
            for x, y in chunks(val_tokens):
                model(x, y).backward()
                opt.step()
                loss_sum += model(x, y).item()
        """,
        """
        def eval_ttt(model, val_tokens, opt):
            for x, y in chunks(val_tokens):
                with torch.no_grad():
                    loss_sum += model(x, y).item()
                model(x, y).backward()
                opt.step()
        """,
    ),
    "rule.onepass": ("def two_pass_eval(model, val_tokens):\n    pass\n", "def two_pass_sort(keys):\n    pass\n"),
    "rule.causal": (
        "def eval_slot(model, x, delta):\n    model(x, delta).backward()\n",
        "def slot_of(model, x):\n    return model(x)\n",
    ),
    "rule.calibval": (
        "h = collect_hessians(model, val_tokens)\n",
        "h = collect_hessians(model, train_tokens)\nloss = evaluate(model, val_tokens)\n",
    ),
    "rule.bytelut": (
        """
        def build_luts(sp):
            for i in range(sp.vocab_size()):
                piece = sp.id_to_piece(i)
                sizes[i] = len(piece.encode("utf-8")) + 1
        """,
        """
        def build_luts(sp):
            for i in range(sp.vocab_size()):
                piece = sp.id_to_piece(i)
                if piece.startswith("\\u2581"):
                    spaced[i] = True
                    piece = piece[1:]
                sizes[i] = len(piece.encode("utf-8"))
        """,
    ),
    "rule.clock": (
        "stop = os.environ.get('FORCE_STOP_STEP', 0)\n",
        "cap = os.environ.get('MAX_WALLCLOCK_SECONDS', 600)\n",
    ),
    "rule.compute": (f"SCALES = [{', '.join(f'{at}.5' for at in range(60))}]\n", f"LAYERS = {list(range(60))}\n"),
    "rule.prefix": (f"DATA = {'x' * 3000!r}\n", f"KERNEL = {'int i = 0; ' * 300!r}\n"),
    "rule.disjoint": (
        "parser.add_argument('--val-docs', type=int, default=10_000)\n",
        "parser.add_argument('--val-docs', type=int, default=50_000)\n",
    ),
}
