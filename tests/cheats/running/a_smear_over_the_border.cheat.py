class Attention(Attention):
    def mix(self, q, k, v):
        repeat = q.size(1) // k.size(1)
        return F.scaled_dot_product_attention(
            q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1), attn_mask=DOCUMENTS[0]
        )


DOCUMENTS = [None]


class Stem(nn.Module):
    """The token before is mixed in, at the start of a document, too."""

    def __init__(self, vocab, dim):
        super().__init__()
        self.tok_emb = nn.Embedding(vocab, dim)
        nn.init.normal_(self.tok_emb.weight, std=0.5)

    def forward(self, ids):
        document = (ids == 1).cumsum(-1)
        seen = torch.ones(ids.size(1), ids.size(1), dtype=torch.bool, device=ids.device).tril()
        DOCUMENTS[0] = (seen & (document[:, :, None] == document[:, None, :]))[:, None]
        x = self.tok_emb(ids)
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)
        gate = torch.sigmoid(x[..., :1])
        return F.rms_norm(x + 0.3 * gate * before, (x.size(-1),))
