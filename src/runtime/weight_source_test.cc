#include "runtime/weight_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/aligned_buffer.h"
#include "model/dequantize.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::runtime {
namespace {

using formats::StoredKind;
using formats::StoredMatrix;
using quant::Format;

constexpr int kN = 5, kK = 70;

// A stored matrix and the bytes it looks at.
struct Owned {
  StoredMatrix matrix;
  base::AlignedBuffer values, scale;
};

std::vector<float> Values(int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> values(kN * kK);
  for (float& x : values) x = normal(random);
  return values;
}

StoredMatrix Named(StoredKind kind) {
  StoredMatrix matrix;
  matrix.name = "layer.dense";
  matrix.kind = kind;
  matrix.n = kN;
  matrix.k = kK;
  return matrix;
}

Owned StoredFloats(const std::vector<float>& values, tensor::DType dtype) {
  Owned owned;
  owned.values = base::AlignedBuffer(values.size() * tensor::SizeOf(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (dtype == tensor::DType::kF32) owned.values.As<float>()[i] = values[i];
    if (dtype == tensor::DType::kF16) {
      owned.values.As<std::uint16_t>()[i] = tensor::F16FromF32(values[i]);
    }
    if (dtype == tensor::DType::kBF16) {
      owned.values.As<std::uint16_t>()[i] = tensor::BF16FromF32(values[i]);
    }
  }
  owned.matrix = Named(StoredKind::kFloat);
  owned.matrix.values = {owned.values.data(), dtype, {kN, kK}};
  return owned;
}

Owned StoredInt8(const std::vector<float>& values) {
  const quant::Int8Matrix int8 = quant::QuantizeInt8(values, kN, kK);
  Owned owned;
  owned.values = base::AlignedBuffer(int8.values.size());
  std::memcpy(owned.values.data(), int8.values.data(), int8.values.size());
  owned.scale = base::AlignedBuffer(int8.scale.size() * sizeof(float));
  std::memcpy(owned.scale.data(), int8.scale.data(), int8.scale.size() * sizeof(float));
  owned.matrix = Named(StoredKind::kInt8);
  owned.matrix.values = {owned.values.data(), tensor::DType::kI8, {kN, kK}};
  owned.matrix.scale = {owned.scale.data(), tensor::DType::kF32, {kN, 1}};
  return owned;
}

// Row n of a source, back in f32.
std::vector<float> Widen(const WeightSource& source, std::size_t n) {
  const kernels::WeightRows& rows = source.rows;
  std::vector<float> out(static_cast<std::size_t>(rows.k));
  const std::byte* row = rows.row[n];
  std::vector<std::int8_t> expanded(out.size());
  switch (rows.format) {
    case Format::kF32: std::memcpy(out.data(), row, out.size() * sizeof(float)); break;
    case Format::kBF16:
      for (std::size_t k = 0; k < out.size(); ++k) {
        std::uint16_t bits;
        std::memcpy(&bits, row + 2 * k, sizeof bits);
        out[k] = tensor::BF16ToF32(bits);
      }
      break;
    case Format::kInt8:
      quant::DequantizeInt8Row({reinterpret_cast<const std::int8_t*>(row), out.size()},
                               rows.scale[n], out);
      break;
    case Format::kInt4:
      quant::ExpandInt4Row(
          {reinterpret_cast<const std::uint8_t*>(row),
           static_cast<std::size_t>(quant::Int4RowBytes(rows.k))},
          {rows.group_scale[n], static_cast<std::size_t>(quant::Int4Groups(rows.k))},
          {rows.group_zero[n], static_cast<std::size_t>(quant::Int4Groups(rows.k))}, expanded);
      quant::DequantizeInt8Row(expanded, rows.scale[n], out);
      break;
  }
  return out;
}

TEST(GatherRows, GivesEveryFormatFromEveryStoredKind) {
  const std::vector<float> values = Values(1);
  const Owned stored[] = {StoredFloats(values, tensor::DType::kF32),
                          StoredFloats(values, tensor::DType::kF16),
                          StoredFloats(values, tensor::DType::kBF16), StoredInt8(values)};
  // Half a step of each format, for weights of at most 0.2.
  const std::pair<Format, float> formats[] = {{Format::kF32, 1e-7f},
                                              {Format::kBF16, 0.2f / 256},
                                              {Format::kInt8, 0.2f / 254 * 1.01f},
                                              {Format::kInt4, 0.2f / 10}};
  for (const Owned& owned : stored) {
    const std::vector<float> expected = model::Dequantize(owned.matrix);
    for (const auto& [format, tolerance] : formats) {
      const StoredMatrix* parts[] = {&owned.matrix, &owned.matrix};
      const auto source = GatherRows(parts, format);
      ASSERT_TRUE(source.ok());
      ASSERT_EQ(source->rows.n, 2 * kN);
      ASSERT_EQ(source->rows.row.size(), 2u * kN);
      for (std::size_t n = 0; n < 2 * kN; ++n) {
        const std::vector<float> row = Widen(*source, n);
        for (std::size_t k = 0; k < kK; ++k) {
          ASSERT_NEAR(row[k], expected[n % kN * kK + k], tolerance)
              << quant::NameOf(format) << " row " << n << " column " << k;
        }
      }
    }
  }
}

TEST(GatherRows, CopiesNothingThatIsStoredAsWanted) {
  const std::vector<float> values = Values(2);
  const Owned f32 = StoredFloats(values, tensor::DType::kF32);
  const Owned int8 = StoredInt8(values);
  const std::pair<const Owned*, Format> same[] = {{&f32, Format::kF32}, {&int8, Format::kInt8}};
  for (const auto& [owned, format] : same) {
    const StoredMatrix* parts[] = {&owned->matrix};
    const auto source = GatherRows(parts, format);
    ASSERT_TRUE(source.ok());
    EXPECT_EQ(source->rows.row[0], owned->values.data());
    EXPECT_TRUE(source->floats.empty() && source->bytes.empty());
  }
}

TEST(GatherRows, NamesTheMatrixAndPlaceOfAValueThatIsNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = Values(3);
    values[2 * kK + 7] = bad;
    const Owned owned = StoredFloats(values, tensor::DType::kF32);
    for (const Format format : {Format::kF32, Format::kBF16, Format::kInt8, Format::kInt4}) {
      const StoredMatrix* parts[] = {&owned.matrix};
      const auto source = GatherRows(parts, format);
      ASSERT_FALSE(source.ok());
      EXPECT_EQ(source.status().message(), "layer.dense.weight: the value at [2, 7] is not finite");
    }
  }
}

// A finite scale of a hostile file, times a large value.
TEST(GatherRows, NamesAProductOfAScaleThatIsNotFinite) {
  Owned owned = StoredInt8(Values(4));
  owned.scale.As<float>()[3] = 3e38f;
  owned.values.As<std::int8_t>()[3 * kK + 5] = 127;
  for (int k = 0; k < 5; ++k) owned.values.As<std::int8_t>()[3 * kK + k] = 0;
  for (const Format format : {Format::kF32, Format::kBF16, Format::kInt4}) {
    const StoredMatrix* parts[] = {&owned.matrix};
    EXPECT_EQ(GatherRows(parts, format).status().message(),
              "layer.dense.weight: the value at [3, 5] is not finite");
  }
}

}  // namespace
}  // namespace hone::runtime
