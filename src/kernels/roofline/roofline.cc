#include "kernels/roofline/roofline.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/roofline/peak.h"

namespace hone::kernels {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Sums eight streams of a cache line each, so that loads are what limits; the compiler vectorises
// it.
std::uint64_t ReadAll(const std::uint64_t* data, std::size_t words) {
  std::uint64_t sum[8] = {};
  for (std::size_t i = 0; i + 8 <= words; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sum[j] += data[i + j];
  }
  return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

}  // namespace

std::span<const PeakLoop> PeakLoops() {
#define HONE_PEAK_LOOP(function, instruction, format, isa, operations) \
  PeakLoop{instruction, quant::Format::format, base::Isa::isa, operations, function},
  static const std::vector<PeakLoop> loops = {
#include "kernels/roofline/loops.inc"
  };
#undef HONE_PEAK_LOOP
  return loops;
}

double MeasurePeak(const PeakLoop& loop) {
  constexpr int kRounds = 20000, kRepetitions = 40;
  loop.run(kRounds);  // wakes the wide units and the clock up
  double best_s = 1e9;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    loop.run(kRounds);
    best_s = std::min(best_s, SecondsSince(start));
  }
  return loop.operations * kRounds / best_s;
}

double MeasurePeak(std::string_view instruction) {
  for (const PeakLoop& loop : PeakLoops()) {
    if (loop.instruction == instruction && base::IsaUsable(base::DetectIsa(), loop.isa)) {
      return MeasurePeak(loop);
    }
  }
  return 0;
}

double MeasureReadBandwidth(int threads) {
  // Larger than any last-level cache; timed in short pieces, so that some go undisturbed by others.
  constexpr std::size_t kBytes = std::size_t{512} << 20, kPieces = 64, kPasses = 3;
  base::AlignedBuffer buffer(kBytes);
  base::ThreadPool pool(threads);
  const auto parts = static_cast<std::size_t>(pool.threads());
  const std::size_t words = kBytes / sizeof(std::uint64_t) / kPieces / parts;
  std::memset(buffer.data(), 1, kBytes);
  std::vector<std::uint64_t> sums(parts);
  double best_s = 1e9;
  for (std::size_t piece = 0; piece < kPieces * kPasses; ++piece) {
    const std::uint64_t* data = buffer.As<std::uint64_t>() + piece % kPieces * parts * words;
    const auto start = std::chrono::steady_clock::now();
    pool.Run([&](int worker) {
      const auto w = static_cast<std::size_t>(worker);
      sums[w] += ReadAll(data + w * words, words);
    });
    best_s = std::min(best_s, SecondsSince(start));
  }
  volatile std::uint64_t sink = sums[0];  // the reads have a reader
  static_cast<void>(sink);
  return static_cast<double>(words * sizeof(std::uint64_t) * parts) / best_s;
}

}  // namespace hone::kernels
