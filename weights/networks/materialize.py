"""A network built without values, filled with those of a state dict."""

import torch
from torch import Tensor, nn


def materialized(network: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """A network from the device "meta", which took no time for random weights and no random numbers, with the
    values of `state`: on the CPU, float32, 4-D weights channels-last, eval mode, no gradients asked for."""
    own = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    network.load_state_dict(own, assign=True)
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
