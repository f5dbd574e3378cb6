"""Data-parallel training: several processes, each with samples of its own, take every step together."""

import os

import torch
from torch import nn


def join_process_group() -> int:
    """Joins the processes that torchrun started and gives this one's rank, 0 where it runs alone.

    On a CPU two processes of one thread each train faster than one of two threads.
    """
    if "RANK" in os.environ:
        torch.distributed.init_process_group("gloo")
        return int(torch.distributed.get_rank())
    return 0


def all_reduce_gradients(network: nn.Module) -> None:
    """Replaces the gradients by their means over all processes; every parameter must take part in every step."""
    if not torch.distributed.is_initialized():
        return
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in network.parameters()]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for parameter, mean in zip(network.parameters(), torch.split(flat, [g.numel() for g in gradients]), strict=True):
        parameter.grad = mean.view_as(parameter)


def broadcast_from_first(value: float) -> float:
    """The first process's value in every process, so that all take the same decision."""
    if not torch.distributed.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    torch.distributed.broadcast(shared, 0)
    return float(shared)
