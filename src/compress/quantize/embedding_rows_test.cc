#include "compress/quantize/embedding_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compress/quantize/set_matrix.h"
#include "model/dequantize.h"

namespace hone::compress {
namespace {

constexpr int kRows = 83, kWidth = 96;

std::vector<float> Table() {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.01f, 0.05f);
  std::vector<float> values(kRows * kWidth);
  for (float& x : values) x = normal(random);
  std::fill_n(values.begin() + 7 * kWidth, kWidth, 0.0f);    // a padding row
  std::fill_n(values.begin() + 9 * kWidth, kWidth, 1e-9f);   // too small for f16
  std::fill_n(values.begin() + 11 * kWidth, kWidth, 0.25f);  // one value only
  return values;
}

TEST(EmbeddingRows, ReadBackWithinAStep) {
  const std::vector<float> values = Table();
  base::ThreadPool one(1), two(2);
  const Int4Rows rows = QuantizeInt4Rows(values, kRows, kWidth, one);
  const Int4Rows again = QuantizeInt4Rows(values, kRows, kWidth, two);
  EXPECT_EQ(rows.values, again.values);
  EXPECT_EQ(rows.zero, again.zero);
  formats::EditedCheckpoint checkpoint(nullptr);
  SetInt4Rows("words", kRows, kWidth, rows, &checkpoint);
  const auto stored = checkpoint.Matrix("words", kRows, kWidth);
  ASSERT_TRUE(stored.ok()) << stored.status();
  double error = 0, norm = 0;
  std::vector<float> row(kWidth);
  for (int r = 0; r < kRows; ++r) {
    model::DequantizeRow(*stored, r, row);
    for (std::size_t i = 0; i < kWidth; ++i) {
      const float value = values[static_cast<std::size_t>(r * kWidth) + i];
      error += std::pow(row[i] - value, 2);
      norm += value * value;
      const float tolerance = r == 7 ? 0 : r == 9 ? 1e-7f : r == 11 ? 0.25f / 1024 : 0.03f;
      EXPECT_NEAR(row[i], value, tolerance) << r << " " << i;
    }
  }
  // A step of a range of about ±2 deviations over 15 levels: 1 / √12 of 0.27 deviations.
  EXPECT_LT(std::sqrt(error / norm), 0.1);
  EXPECT_GT(std::sqrt(error / norm), 0.01);
}

TEST(EmbeddingRows, MatricesSetOverOthersReplaceThem) {
  const std::vector<float> values = Table();
  base::ThreadPool pool(1);
  formats::EditedCheckpoint checkpoint(nullptr);
  checkpoint.SetF32("words.weight", {kRows, kWidth}, values);
  SetInt8("words", quant::QuantizeInt8(values, kRows, kWidth), &checkpoint);
  EXPECT_EQ(checkpoint.Matrix("words", kRows, kWidth)->kind, formats::StoredKind::kInt8);
  EXPECT_EQ(checkpoint.Names(), (std::vector<std::string>{"words.weight", "words.weight_scale"}));
  SetInt4Rows("words", kRows, kWidth, QuantizeInt4Rows(values, kRows, kWidth, pool), &checkpoint);
  EXPECT_EQ(checkpoint.Matrix("words", kRows, kWidth)->kind, formats::StoredKind::kInt4);
  EXPECT_EQ(checkpoint.Names(),
            (std::vector<std::string>{"words.weight_packed", "words.weight_scale",
                                      "words.weight_shape", "words.weight_zero_point"}));
  SetInt8("words", quant::QuantizeInt8(values, kRows, kWidth), &checkpoint);
  EXPECT_EQ(checkpoint.Matrix("words", kRows, kWidth)->kind, formats::StoredKind::kInt8);
}

}  // namespace
}  // namespace hone::compress
