#include "kernels/matmul/matmul_bench.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/roofline/roofline.h"
#include "quant/int4.h"
#include "quant/int8.h"
#include "tensor/dtype.h"

namespace hone::kernels {
namespace {

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct RandomWeights {
  RandomWeights(quant::Format format, int n, int k) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.05f);
    values.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
    for (float& v : values) v = normal(random);
    rows.format = format;
    rows.n = n;
    rows.k = k;
    const std::byte* first = nullptr;
    std::size_t row_bytes = 0;
    const auto width = static_cast<std::size_t>(k);
    if (format == quant::Format::kInt8) {
      int8 = quant::QuantizeInt8(values, n, k);
      rows.scale = int8.scale;
      first = reinterpret_cast<const std::byte*>(int8.values.data());
      row_bytes = width;
    } else if (format == quant::Format::kInt4) {
      int4 = quant::QuantizeInt4(values, n, k);
      rows.scale = int4.scale;
      first = reinterpret_cast<const std::byte*>(int4.nibbles.data());
      row_bytes = static_cast<std::size_t>(quant::Int4RowBytes(k));
      const auto groups = static_cast<std::size_t>(quant::Int4Groups(k));
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        rows.group_scale.push_back(&int4.group_scale[i * groups]);
        rows.group_zero.push_back(&int4.group_zero[i * groups]);
      }
    } else if (format == quant::Format::kBF16) {
      // Not any bits: among them would be subnormals, which the FMA units handle slowly.
      for (const float v : values) bf16.push_back(tensor::BF16FromF32(v));
      first = reinterpret_cast<const std::byte*>(bf16.data());
      row_bytes = width * sizeof(std::uint16_t);
    } else {
      first = reinterpret_cast<const std::byte*>(values.data());
      row_bytes = width * sizeof(float);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      rows.row.push_back(first + i * row_bytes);
  }

  std::vector<float> values;
  std::vector<std::uint16_t> bf16;
  quant::Int8Matrix int8;
  quant::Int4Matrix int4;
  WeightRows rows;
};

MatMulTiming Time(const MatMulKernel& kernel, const MatMulShape& shape, base::ThreadPool& pool,
                  Activation activation, double seconds) {
  // No structured binding: Clang 14 cannot capture one in a lambda.
  const int m = shape.m, n = shape.n, k = shape.k;
  const auto rows = static_cast<std::size_t>(m);
  const int panels = Panels(n, kernel.tile_n);
  base::AlignedBuffer packed(kernel.packed_bytes(n, k));
  kernel.pack(RandomWeights(kernel.format, n, k).rows, 0, panels, packed.data());
  base::AlignedBuffer prepared(kernel.prepared_bytes(k) * rows);
  std::vector<base::AlignedBuffer> scratch(static_cast<std::size_t>(pool.threads()));
  for (auto& buffer : scratch) buffer.Reserve(std::max<std::size_t>(kernel.scratch_bytes(k), 64));
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> x(rows * static_cast<std::size_t>(k)), c(rows * static_cast<std::size_t>(n));
  for (float& v : x) v = normal(random);
  const std::vector<float> bias(static_cast<std::size_t>(n), 0.1f);
  const Epilogue epilogue{bias.data(), activation};

  MatMulTiming timing{kernel.name, shape, pool.threads(), 1e9, 1e9};
  const double end = Now() + seconds;
  do {
    const double start = Now();
    kernel.prepare(x.data(), k, m, k, prepared.data());
    const double middle = Now();
    pool.Run([&](int worker) {
      const auto w = static_cast<std::size_t>(worker);
      kernel.multiply(packed.data(), n, k, prepared.data(), m, panels * worker / pool.threads(),
                      panels * (worker + 1) / pool.threads(), epilogue, c.data(), n,
                      scratch[w].data(), {});
    });
    timing.prepare_s = std::min(timing.prepare_s, middle - start);
    timing.multiply_s = std::min(timing.multiply_s, Now() - middle);
  } while (Now() < end);
  timing.gops = 2.0 * m * n * k / timing.multiply_s / 1e9;
  return timing;
}

}  // namespace

std::vector<MatMulShape> EncoderShapes(int m) {
  return {{m, 1152, 384}, {m, 384, 384}, {m, 1536, 384}, {m, 384, 1536},
          {m, 2304, 768}, {m, 768, 768}, {m, 3072, 768}, {m, 768, 3072}};
}

std::vector<MatMulTiming> BenchMatMul(std::string_view filter, std::span<const MatMulShape> shapes,
                                      int threads, Activation activation, double seconds,
                                      base::Isa limit) {
  base::ThreadPool pool(threads);
  std::vector<MatMulTiming> timings;
  for (const MatMulKernel& kernel : MatMulKernels()) {
    if (kernel.name.find(filter) == std::string_view::npos) continue;
    if (!base::IsaUsable(limit, kernel.isa)) continue;
    const double peak = MeasurePeak(kernel.instruction) * threads;
    for (const MatMulShape& shape : shapes) {
      timings.push_back(Time(kernel, shape, pool, activation, seconds));
      if (peak > 0) timings.back().share = timings.back().gops * 1e9 / peak;
    }
  }
  return timings;
}

}  // namespace hone::kernels
