"""The filter of system calls, run by the rules of the kernel."""

import struct

import pytest

from pgolf.verify.sandbox_filter import CALLS, call_filter


def interpret(program, call, architecture, argument):
    """What a filter says of a system call, by the rules of linux/filter.h."""
    data, at, value = struct.pack("<iIQQ", call, architecture, 0, argument), 0, 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x20:
            value = struct.unpack_from("<I", data, k)[0]
        elif code == 0x06:
            return k
        else:
            at += yes if {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code] else no


@pytest.mark.parametrize("machine", CALLS)
def test_the_filter_refuses_what_it_names_and_nothing_else(machine):
    program = list(struct.iter_unpack("<HBBI", call_filter(machine)))
    architecture, clone, refused = CALLS[machine]
    allowed, eperm, enosys = 0x7FFF0000, 0x00050001, 0x00050000 | 38
    for number in range(500):
        wanted = eperm if number in (*refused.values(), 425, 428, 429, 430, 431, 432, 442) else allowed
        wanted = enosys if number == 435 else wanted
        assert interpret(program, number, architecture, 0) == wanted, number
    assert interpret(program, clone, architecture, 0x3D0F00) == allowed  # a thread
    assert interpret(program, clone, architecture, 0x10000011) == eperm
    assert interpret(program, 1, architecture ^ 1, 0) == eperm
    assert interpret(program, 0x40000001, architecture, 0) == eperm
