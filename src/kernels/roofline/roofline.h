// The machine's own limits, measured: what a kernel's speed is a share of.
//
//   peaks      a loop of one instruction (or of the shortest exact sequence) on registers alone,
//              with enough independent sums to hide its latency. An operation is a multiplication
//              or an addition: a dot product of 64 bytes counts 128.
//   bandwidth  bytes a second that threads read together from a buffer far larger than the caches
//
// Cost  some milliseconds a peak, a fraction of a second for the bandwidth.
#pragma once

#include <span>
#include <string_view>

#include "base/isa.h"
#include "quant/format.h"

namespace hone::kernels {

struct PeakLoop {
  std::string_view instruction;  // as in a kernel's list entry
  quant::Format format;
  base::Isa isa;
  double operations;  // one round's
  void (*run)(int rounds);
};

// Of this architecture, whether or not this processor runs them.
std::span<const PeakLoop> PeakLoops();

// Operations a second of one thread: the best of several short runs, since others may use the
// machine.
double MeasurePeak(const PeakLoop& loop);

// The peak of the loop of that instruction, or 0 where the processor does not run it or none is
// known.
double MeasurePeak(std::string_view instruction);

// Bytes a second that `threads` threads read from main memory, each from its part of one buffer.
double MeasureReadBandwidth(int threads);

}  // namespace hone::kernels
