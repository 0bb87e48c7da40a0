// HONE_ISA: the instruction set that this run of the program may use at most.
#pragma once

#include "base/isa.h"
#include "base/status.h"

namespace hone::cli {

// Reads HONE_ISA and limits every kernel by it. An error: not a known name, or more than this
// processor runs. Called once, by main.
base::Status ReadIsaLimit();

// The level read, or the processor's best.
base::Isa IsaLimit();

}  // namespace hone::cli
