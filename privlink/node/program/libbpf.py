"""libbpf's C interface as ctypes sees it: structures and signatures, nothing that acts."""

from __future__ import annotations

import ctypes
import errno
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p

from privlink.node.errors import KernelError

PrintFunction = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)


class MapInfo(ctypes.Structure):
    """The head of struct bpf_map_info."""

    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("key_size", c_uint32),
        ("value_size", c_uint32),
        ("max_entries", c_uint32),
        ("flags", c_uint32),
    )


class TestRun(ctypes.Structure):
    """struct bpf_test_run_opts."""

    _fields_ = (
        ("sz", c_size_t),
        ("data_in", c_char_p),
        ("data_out", c_void_p),
        ("data_size_in", c_uint32),
        ("data_size_out", c_uint32),
        ("ctx_in", c_char_p),
        ("ctx_out", c_void_p),
        ("ctx_size_in", c_uint32),
        ("ctx_size_out", c_uint32),
        ("retval", c_uint32),
        ("repeat", c_int),
        ("duration", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint32),
        ("batch_size", c_uint32),
    )


def load() -> ctypes.CDLL:
    """libbpf with the signatures ctypes cannot guess: everything that takes or gives a pointer."""
    try:
        library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError as error:
        missing = OSError(errno.ENOENT, str(error))
        raise KernelError("load eBPF", missing, "install libbpf 1.x (libbpf1)") from error
    pointer, text, count = c_void_p, c_char_p, POINTER(c_uint32)
    for name, result, arguments in (
        ("libbpf_set_print", pointer, (pointer,)),
        ("bpf_object__open_file", pointer, (text, pointer)),
        ("bpf_object__load", c_int, (pointer,)),
        ("bpf_object__close", None, (pointer,)),
        ("bpf_object__next_map", pointer, (pointer, pointer)),
        ("bpf_object__find_program_by_name", pointer, (pointer, text)),
        ("bpf_map__name", text, (pointer,)),
        ("bpf_map__fd", c_int, (pointer,)),
        ("bpf_map__set_pin_path", c_int, (pointer, text)),
        ("bpf_program__fd", c_int, (pointer,)),
        ("bpf_program__pin", c_int, (pointer, text)),
        ("bpf_prog_test_run_opts", c_int, (c_int, POINTER(TestRun))),
        ("bpf_prog_load", c_int, (c_int, text, text, text, c_size_t, pointer)),
        ("bpf_obj_get_info_by_fd", c_int, (c_int, pointer, count)),
        ("bpf_obj_get", c_int, (text,)),
        ("bpf_map_lookup_elem", c_int, (c_int, text, pointer)),
        ("bpf_map_delete_elem", c_int, (c_int, text)),
        ("bpf_map_update_elem", c_int, (c_int, text, pointer, c_uint64)),
        ("bpf_map_update_batch", c_int, (c_int, text, text, count, pointer)),
        ("bpf_map_delete_batch", c_int, (c_int, text, count, pointer)),
        ("bpf_map_lookup_batch", c_int, (c_int, *[pointer] * 4, count, pointer)),
        ("libbpf_num_possible_cpus", c_int, ()),
        ("ring_buffer__new", pointer, (c_int, pointer, pointer, pointer)),
        ("ring_buffer__consume", c_int, (pointer,)),
        ("ring_buffer__free", None, (pointer,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
