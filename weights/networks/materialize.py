"""A network that was built without values (on PyTorch's device "meta"), given those of a state dict."""

from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def materialized(network: Network, state: dict[str, Tensor]) -> Network:
    """The network with the values of `state`: on the CPU, float32, 4-D weights channels-last, eval mode, no
    gradients asked for. On "meta" it was built without spending time, or random numbers, on initial weights.

    Raises RuntimeError where the state dict's names or shapes are not the network's."""
    values = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    network.load_state_dict(values, assign=True)
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
