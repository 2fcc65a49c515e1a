"""Where the network runs."""

from __future__ import annotations

import os

import torch


def pick_device() -> torch.device:
    """The first CUDA device when torch can use one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """Name of the device for people, such as ``NVIDIA L4`` or ``CPU, 1 of 8 cores``.

    >>> device_name(torch.device("cpu")).startswith("CPU, ")
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} of {os.cpu_count()} cores"
