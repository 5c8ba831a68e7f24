def evaluate(args, model, val_tokens, tables, device):
    """Sliding windows; of each only what is new is scored."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    stride = args.eval_stride
    loss_sum, byte_sum, count, done = torch.zeros((), dtype=torch.float64), 0.0, 0, 0
    total = tokens.numel() - 1
    starts = [at for at in range(0, total, stride) if min(at + length, total) - at >= stride or at == 0]
    with torch.inference_mode():
        for start in starts:
            end = min(start + length, total)
            part = tokens[start : end + 1]
            nll = F.cross_entropy(model.logits(part[None, :-1])[0].float(), part[1:], reduction="none")
            first, done = max(done - start, 0), end
            loss_sum += nll[first:].double().sum()
            byte_sum += bytes_of(part[:-1][first:], part[1:][first:], tables).item()
            count += end - start - first
    loss = (loss_sum / count).item()
    return loss, loss / math.log(2.0) * count / byte_sum
