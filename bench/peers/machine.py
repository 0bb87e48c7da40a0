"""What the results must say about the machine, read from /proc/cpuinfo."""

import os
import platform
from pathlib import Path

# The instruction sets that decide which kernels run, in the order in which a reader wants them.
RELEVANT = [
    "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16", "sve",
]


def _field(*names: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in names:
            return value.strip()
    return ""


def cpu_model() -> str:
    """The name, and the family and model numbers, since a virtual machine's name often says little."""
    numbers = [_field(n) for n in ("cpu family", "model", "stepping")]
    numbers = f" (family {numbers[0]}, model {numbers[1]}, stepping {numbers[2]})" if numbers[0] else ""
    return (_field("model name") or platform.processor() or platform.machine()) + numbers


def flags() -> list[str]:
    """What the engines may use: HONE_ISA=avx2 (compare.py --hold avx2) hides what the CPU has beyond it."""
    present = set(_field("flags", "Features").split())
    if os.environ.get("HONE_ISA") == "avx2":
        present &= {"avx2", "fma"}
    return [f for f in RELEVANT if f in present]


def has_vnni() -> bool:
    return any(f in ("avx_vnni", "avx512_vnni", "asimddp") for f in flags())


def kind() -> str:
    """The name of the table: one for each kind of CPU."""
    present = flags()
    if "avx512_vnni" in present:
        return "avx512-vnni"
    if "avx_vnni" in present:
        return "avx2-vnni"
    if "avx2" in present:
        return "avx2"
    if "i8mm" in present:
        return "neon-i8mm"
    return platform.machine()
