import torch


def load(model):
    model.load_state_dict(torch.load("final_model.pt"))
