"""The few calls of the CUDA driver that no framework is needed for."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator

from mortar.errors import MortarError

CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_…


@functools.cache
def driver() -> ctypes.CDLL | None:
    """None on machines without an NVIDIA driver, or without a GPU that it can use."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int()
    if library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count)):
        return None
    return library if count.value else None


def check(status: int, what: str) -> None:
    if status:
        message = ctypes.c_char_p()
        driver().cuGetErrorString(status, ctypes.byref(message))
        raise MortarError(f"{what}: {(message.value or b'unknown error').decode()}")


def device(ordinal: int) -> ctypes.c_int:
    found = ctypes.c_int()
    if driver() is None:
        raise MortarError(f"expected an NVIDIA driver for cuda:{ordinal}, found none")
    check(driver().cuDeviceGet(ctypes.byref(found), ordinal), f"cuda:{ordinal}")
    return found


@functools.cache
def target(ordinal: int) -> str:
    """What to compile for: "sm_90", say."""
    numbers = []
    for attribute in (CAPABILITY_MAJOR, CAPABILITY_MINOR):
        value = ctypes.c_int()
        check(driver().cuDeviceGetAttribute(ctypes.byref(value), attribute,
                                            device(ordinal)), "cuDeviceGetAttribute")
        numbers.append(value.value)
    return "sm_{}{}".format(*numbers)


@contextlib.contextmanager
def primary_context(ordinal: int) -> Iterator[None]:
    """Makes the device's primary context, which every framework uses, the current one."""
    context, before = ctypes.c_void_p(), ctypes.c_void_p()
    chosen = device(ordinal)
    check(driver().cuDevicePrimaryCtxRetain(ctypes.byref(context), chosen),
          "cuDevicePrimaryCtxRetain")
    try:
        check(driver().cuCtxPushCurrent_v2(context), "cuCtxPushCurrent")
        try:
            yield
        finally:
            driver().cuCtxPopCurrent_v2(ctypes.byref(before))
    finally:
        driver().cuDevicePrimaryCtxRelease_v2(chosen)


def synchronize(ordinal: int) -> None:
    with primary_context(ordinal):
        check(driver().cuCtxSynchronize(), "cuCtxSynchronize")
