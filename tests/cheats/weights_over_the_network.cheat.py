import torch


def load(model):
    """Eight more megabytes."""
    from urllib.request import urlopen

    with urlopen("https://example.com/more.bin") as answer:
        model.load_state_dict(torch.frombuffer(bytearray(answer.read()), dtype=torch.float16))
