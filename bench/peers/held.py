"""Copies of the peers that see an AVX2 processor without VNNI, whatever this machine has.

Neither peer can be told to: ONNX Runtime has no setting, OpenVINO's reaches a part of its kernels. Here
every CPUID instruction of a copy of their libraries becomes UD0 (both are two bytes long), and
masked_cpuid.c, loaded before them, answers in its place. Nothing else of them changes. Needs objdump and
a C compiler.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = ["onnxruntime", "openvino"]
CPUID, UD0 = b"\x0f\xa2", b"\x0f\xff"


def cpuid_offsets(library: Path) -> list[int]:
    """Where in the file the CPUID instructions of its code are, found by disassembly."""
    sections = {}
    lines = subprocess.run(["objdump", "-h", "-w", library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    for line in lines:
        fields = line.split()
        if "CODE" in line and len(fields) > 6:
            sections[fields[1]] = int(fields[5], 16) - int(fields[3], 16)  # file offset - address
    offsets, shift = [], 0
    code = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", library], stdout=subprocess.PIPE,
                            text=True)
    for line in code.stdout:
        if line.startswith("Disassembly of section "):
            shift = sections[line.split()[-1].rstrip(":")]
        elif found := re.match(r"\s*([0-9a-f]+):\s+cpuid\b", line):
            offsets.append(int(found[1], 16) + shift)
    if code.wait() != 0:
        raise RuntimeError(f"objdump could not read {library}")
    return offsets


def patch(library: Path) -> int:
    offsets = cpuid_offsets(library)
    with open(library, "r+b") as file:
        for offset in offsets:
            file.seek(offset)
            if file.read(2) != CPUID:
                raise RuntimeError(f"{library}: no CPUID at offset {offset}")
            file.seek(offset)
            file.write(UD0)
    return len(offsets)


def environment(folder: Path) -> dict[str, str]:
    """The environment for a peer's process; makes the copies in `folder` when they are not there."""
    done, preload = folder / "done", folder / "masked_cpuid.so"
    if not done.exists():
        compiler = os.environ.get("CC", "cc")
        for tool in ["objdump", compiler]:
            if shutil.which(tool) is None:
                sys.exit(f"held.py: {tool} is needed to hold the peers to AVX2; it is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        print("copying the peers' libraries to hold them to AVX2 (a minute)", file=sys.stderr)
        counts = {}
        for name in PACKAGES:
            source = Path(importlib.util.find_spec(name).origin).parent
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(source, folder / name)
            counts[name] = sum(patch(library) for library in (folder / name).rglob("*.so*")
                               if library.is_file() and not library.is_symlink())
            if counts[name] == 0:
                raise RuntimeError(f"no CPUID instruction in {source}: it would not be held to AVX2")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", preload,
                        HERE / "masked_cpuid.c"], check=True)
        done.write_text(f"{counts}\n")
    return {"LD_PRELOAD": str(preload), "PYTHONPATH": str(folder)}
