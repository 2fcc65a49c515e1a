"""How this process treats memory that it has freed."""

from __future__ import annotations

import ctypes
import platform


def keep_freed_memory() -> None:
    """Stop glibc from giving large blocks back at once, which doubles the cost of convolutions (measured)."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        m_trim_threshold, m_mmap_threshold = -1, -3  # malloc.h
        libc.mallopt(m_mmap_threshold, 1 << 29)
        libc.mallopt(m_trim_threshold, 1 << 30)
