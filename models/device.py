"""Where the network runs."""

from __future__ import annotations

import os

import torch

from data.errors import SettingsError


def pick_device(asked: str = "auto") -> torch.device:
    """Device that is ``asked`` for; ``auto`` is the first CUDA device where torch finds one, else the CPU.

    Raises ``SettingsError`` for ``cuda`` where torch finds no CUDA device: a run that was meant for a GPU
    would otherwise take days on the CPU without a word.
    """
    has_cuda = torch.cuda.is_available()
    if asked == "cuda" and not has_cuda:
        raise SettingsError(
            "device = 'cuda', but torch finds no CUDA device here; set it to 'auto' or 'cpu', "
            "or look after the driver (nvidia-smi)"
        )
    return torch.device("cuda" if has_cuda and asked != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """Name of the device for people, such as ``NVIDIA L4`` or ``CPU, 1 of 8 cores``.

    >>> device_name(torch.device("cpu")).startswith("CPU, ")
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} of {os.cpu_count()} cores"
