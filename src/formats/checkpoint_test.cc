#include "formats/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "formats/packed_int4.h"
#include "formats/safetensors_writer.h"
#include "formats/summary.h"
#include "formats/test_directory.h"

namespace hone::formats {
namespace {

using tensor::DType;
using tensor::Shape;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
TensorToWrite Values(std::string name, DType dtype, Shape shape, std::vector<T> values) {
  return {std::move(name), dtype, shape,
          [values](const ByteSink& sink) { return sink(std::as_bytes(std::span(values))); }};
}

class CheckpointTest : public TestDirectory {
 protected:
  void Write(std::string_view name, std::vector<TensorToWrite> tensors) {
    const base::Status status = WriteSafetensors(files_, Path(name), std::move(tensors), {});
    ASSERT_TRUE(status.ok()) << status;
  }
  std::shared_ptr<const Checkpoint> Open() {
    auto checkpoint = Checkpoint::Open(files_, directory_);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    return checkpoint.ok() ? *checkpoint : nullptr;
  }
  std::string OpenError() {
    const auto checkpoint = Checkpoint::Open(files_, directory_);
    return checkpoint.ok() ? "opened" : checkpoint.status().message();
  }
};

TEST_F(CheckpointTest, GivesTensorsAndMatricesByName) {
  Write("model.safetensors", {Values<float>("a.weight", DType::kF32, {2, 2}, {1, 2, 3, 4}),
                              Values<std::uint16_t>("a.bias", DType::kBF16, {2}, {0x3F80, 0}),
                              Values<std::int64_t>("ids", DType::kI64, {1}, {7})});
  const auto checkpoint = Open();
  ASSERT_NE(checkpoint, nullptr);
  EXPECT_THAT(checkpoint->Names(), ElementsAre("a.bias", "a.weight", "ids"));
  EXPECT_TRUE(checkpoint->Has("ids"));
  EXPECT_TRUE(checkpoint->HasMatrix("a"));
  EXPECT_FALSE(checkpoint->HasMatrix("b"));
  EXPECT_EQ(checkpoint->Find("ids")->dtype, DType::kI64);
  EXPECT_EQ(checkpoint->Find("id"), nullptr);
  EXPECT_TRUE(checkpoint->Tensor("a.bias", {2}).ok());
  EXPECT_TRUE(checkpoint->Tensor("a.weight", {-1, 2}).ok());
  const auto matrix = checkpoint->Matrix("a", 2, -1);
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  const StoredMatrix second = matrix->Rows(1, 2);
  EXPECT_EQ(second.n, 1);
  EXPECT_EQ(second.first_row, 1);
  float row[2];
  tensor::CopyToF32(second.values, 0, row);
  EXPECT_EQ(row[1], 4);
  checkpoint->DropPages(matrix->values);
  tensor::CopyToF32(second.values, 0, row);
  EXPECT_EQ(row[0], 3) << "dropped pages come back";
}

TEST_F(CheckpointTest, ErrorsNameFileTensorAndExpectation) {
  Write("model.safetensors", {Values<float>("a.weight", DType::kF32, {2, 2}, {1, 2, 3, 4}),
                              Values<std::int64_t>("ids", DType::kI64, {1}, {7})});
  const auto checkpoint = Open();
  const std::string file = Path("model.safetensors");
  EXPECT_EQ(checkpoint->Tensor("a.weight", {4}).status().message(),
            file + ": tensor \"a.weight\" is F32 [2, 2]; expected F32, F16 or BF16 [4]");
  EXPECT_THAT(checkpoint->Tensor("ids", {1}).status().message(),
              HasSubstr("is I64 [1]; expected F32"));
  EXPECT_THAT(checkpoint->Matrix("a", 2, 3).status().message(),
              HasSubstr("expected F32, F16 or BF16 [2, 3]"));
  EXPECT_EQ(checkpoint->Matrix("b", 2, 3).status().message(),
            file + ": lacks the tensor \"b.weight\"; it has, for instance, \"ids\"");
}

TEST_F(CheckpointTest, ShardsAreReadThroughTheirIndex) {
  Write("s1.safetensors", {Values<float>("a", DType::kF32, {1}, {1})});
  Write("s2.safetensors", {Values<float>("b", DType::kF32, {1}, {2})});
  Put("model.safetensors.index.json",
      R"({"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}})");
  const auto checkpoint = Open();
  ASSERT_NE(checkpoint, nullptr);
  EXPECT_THAT(checkpoint->Names(), ElementsAre("a", "b"));
  EXPECT_GT(checkpoint->bytes(), 128u);
  EXPECT_THAT(checkpoint->Tensor("c", {1}).status().message(), HasSubstr("(and 1 more shards)"));
}

TEST_F(CheckpointTest, IndexesThatLieAreErrors) {
  Write("s1.safetensors", {Values<float>("a", DType::kF32, {1}, {1})});
  Write("s2.safetensors", {Values<float>("a", DType::kF32, {1}, {2})});
  const auto error = [&](std::string_view map) {
    Put("model.safetensors.index.json", base::StrCat("{\"weight_map\":", map, "}"));
    return OpenError();
  };
  EXPECT_THAT(error(R"({"b":"s1.safetensors"})"),
              HasSubstr("places tensor \"b\" in s1.safetensors, which has no such tensor"));
  EXPECT_THAT(error(R"({"a":"s1.safetensors","b":"s2.safetensors"})"),
              HasSubstr("tensor \"a\" is also in"));
  EXPECT_THAT(error(R"({"a":"gone.safetensors"})"), HasSubstr("gone.safetensors: cannot open"));
  for (const char* name : {"../s1.safetensors", "/etc/passwd", "..", "", "d\\\\s"}) {
    EXPECT_THAT(error(base::StrCat("{\"a\":\"", name, "\"}")),
                HasSubstr("$.weight_map.a: expected the name of a file in the same directory"));
  }
  EXPECT_THAT(error("{}"), HasSubstr("expected an object that names each tensor's shard"));
  EXPECT_THAT(error(R"({"a":1})"), HasSubstr("$.weight_map.a: expected a string"));
}

TEST_F(CheckpointTest, DirectoriesWithoutSafetensorsSayWhatToDo) {
  EXPECT_THAT(OpenError(), HasSubstr("has neither model.safetensors nor"));
  Put("pytorch_model.bin", "PK");
  const std::string error = OpenError();
  EXPECT_THAT(error, HasSubstr("has pytorch_model.bin but no model.safetensors"));
  EXPECT_THAT(error, HasSubstr("python3 -c 'import sys, glob, torch"));
  EXPECT_THAT(error, testing::EndsWith("' '" + directory_ + "'"));
  EXPECT_THAT(Checkpoint::Open(files_, Path("pytorch_model.bin")).status().message(),
              HasSubstr("is not a directory"));
  ASSERT_EQ(mkdir(Path("model.safetensors").c_str(), 0755), 0);
  EXPECT_THAT(OpenError(), HasSubstr("model.safetensors: is a directory, expected a file"));
}

// The line that the error gives, run by the real interpreter.
TEST_F(CheckpointTest, TheConversionLineConverts) {
  const char* python = std::getenv("HONE_PYTHON");
  if (python == nullptr) {
    GTEST_SKIP() << "HONE_PYTHON does not name a Python with torch and safetensors";
  }
  const std::string program = python;
  const std::string make = program +
                           " -c 'import sys, torch; w = torch.ones(2, 3); "
                           "torch.save({\"a\": w, \"tied\": w, \"t\": w.t()}, sys.argv[1])' ";
  ASSERT_EQ(std::system((make + Path("pytorch_model.bin")).c_str()), 0);
  std::string line = OpenError();
  line = line.substr(line.find("python3 -c"));
  line.replace(0, 7, program);
  ASSERT_EQ(std::system(line.c_str()), 0) << line;
  const auto checkpoint = Open();
  ASSERT_NE(checkpoint, nullptr);
  EXPECT_THAT(checkpoint->Names(), ElementsAre("a", "t", "tied"));
  EXPECT_TRUE(checkpoint->Tensor("t", {3, 2}).ok());
}

TEST_F(CheckpointTest, Int8MatricesHaveAScaleARow) {
  Write("model.safetensors",
        {Values<std::int8_t>("m.weight", DType::kI8, {2, 3}, {1, 2, 3, 4, 5, 6}),
         Values<float>("m.weight_scale", DType::kF32, {2, 1}, {0.5f, 2}),
         Values<std::int8_t>("m.weight_zero_point", DType::kI8, {2, 1}, {0, 0}),
         Values<std::int8_t>("z.weight", DType::kI8, {1, 1}, {1}),
         Values<float>("z.weight_scale", DType::kF32, {1}, {1}),
         Values<std::int8_t>("z.weight_zero_point", DType::kI8, {1, 1}, {3}),
         Values<std::int8_t>("g.weight", DType::kI8, {1, 4}, {1, 1, 1, 1}),
         Values<float>("g.weight_scale", DType::kF32, {1, 2}, {1, 1}),
         Values<std::int8_t>("bare.weight", DType::kI8, {1, 1}, {1})});
  const auto checkpoint = Open();
  const auto matrix = checkpoint->Matrix("m", 2, 3);
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ(matrix->kind, StoredKind::kInt8);
  float scale = 0;
  tensor::CopyToF32(matrix->Rows(1, 2).scale, 0, {&scale, 1});
  EXPECT_EQ(scale, 2);
  EXPECT_THAT(checkpoint->Matrix("z", 1, 1).status().message(), HasSubstr("symmetric int8 only"));
  EXPECT_THAT(checkpoint->Matrix("g", 1, 4).status().message(),
              HasSubstr("g.weight_scale\" is F32 [1, 2]"));
  EXPECT_THAT(checkpoint->Matrix("bare", 1, 1).status().message(),
              HasSubstr("lacks the tensor \"bare.weight_scale\""));
}

TEST_F(CheckpointTest, SummariesCountTheWeightsThatTensorsStandFor) {
  Write("model.safetensors",
        {Values<std::int8_t>("a.weight", DType::kI8, {2, 3}, {1, 2, 3, 4, 5, 6}),
         Values<float>("a.weight_scale", DType::kF32, {2, 1}, {1, 1}),
         Values<std::uint32_t>("b.weight_packed", DType::kI32, {1, 5}, {0, 0, 0, 0, 0}),
         Values<float>("b.weight_scale", DType::kF32, {1, 2}, {1, 1}),
         Values<std::int64_t>("b.weight_shape", DType::kI64, {2}, {1, 33}),
         Values<float>("norm", DType::kF32, {4}, {1, 1, 1, 1}),
         Values<std::int64_t>("position_ids", DType::kI64, {2}, {0, 1})});
  const CheckpointSummary summary = Summarize(*Open());
  EXPECT_EQ(summary.tensors.size(), 7u);
  EXPECT_EQ(summary.parameters, 6u + 33 + 4);
  EXPECT_EQ(summary.bytes, 6u + 8 + 20 + 8 + 16 + 16 + 16);
  EXPECT_EQ(summary.tensors[2].name, "b.weight_packed");
  EXPECT_EQ(summary.tensors[2].parameters, 33u);
}

// quant::Int4Matrix → file → quant::Int4Matrix, for odd sizes.
TEST_F(CheckpointTest, Int4MatricesSurviveTheFileExactly) {
  constexpr std::array<std::array<int, 2>, 5> kSizes = {
      {{1, 32}, {3, 96}, {17, 64}, {8, 31}, {9, 320}}};
  for (const auto& [n, k] : kSizes) {
    quant::Int4Matrix matrix{n, k, {}, {}, {}, {}};
    const int groups = quant::Int4Groups(k), bytes = quant::Int4RowBytes(k);
    const auto stride = static_cast<std::size_t>(groups);
    for (int i = 0; i < n * bytes; ++i) matrix.nibbles.push_back(static_cast<std::uint8_t>(i * 37));
    if (k % 2 != 0) {
      for (int r = 0; r < n; ++r)
        matrix.nibbles[static_cast<std::size_t>((r + 1) * bytes - 1)] &= 15;
    }
    for (int i = 0; i < n * groups; ++i) {
      matrix.group_scale.push_back(static_cast<std::uint8_t>(1 + i * 5 % 8));
      matrix.group_zero.push_back(static_cast<std::uint8_t>(i * 7 % 16));
    }
    for (int i = 0; i < n; ++i) matrix.scale.push_back(0.001f * static_cast<float>(i + 1));
    const PackedInt4 packed = PackInt4(matrix);
    Write("model.safetensors",
          {Values<std::uint32_t>("m.weight_packed", DType::kI32, {n, (k + 7) / 8}, packed.values),
           Values<float>("m.weight_scale", DType::kF32, {n, groups}, packed.scale),
           Values<std::uint32_t>("m.weight_zero_point", DType::kI32, {(n + 7) / 8, groups},
                                 packed.zero),
           Values<std::int64_t>("m.weight_shape", DType::kI64, {2}, {n, k})});
    const auto checkpoint = Open();
    const auto stored = checkpoint->Matrix("m", n, k);
    ASSERT_TRUE(stored.ok()) << stored.status();
    const int first = n / 2;  // a slice that begins inside a word of zero points
    for (const StoredMatrix& part : {*stored, stored->Rows(first, n)}) {
      const auto loaded = LoadInt4(part);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      EXPECT_FALSE(loaded->requantized);
      std::vector<float> row(static_cast<std::size_t>(k));
      for (int r = 0; r < part.n; ++r) {
        const auto source = static_cast<std::size_t>(part.first_row) + static_cast<std::size_t>(r);
        DequantizeInt4Row(part, r, row);
        for (int j = 0; j < k; ++j) {
          const std::uint8_t byte = matrix.nibbles[source * static_cast<std::size_t>(bytes) +
                                                   static_cast<std::size_t>(j / 2)];
          const int q = j % 2 == 0 ? byte & 15 : byte >> 4;
          const std::size_t g = source * stride + static_cast<std::size_t>(j / 32);
          const float group_scale =
              matrix.scale[source] * static_cast<float>(matrix.group_scale[g]);
          ASSERT_EQ(row[static_cast<std::size_t>(j)],
                    group_scale * static_cast<float>(q - matrix.group_zero[g]));
        }
        ASSERT_EQ(loaded->matrix.group_zero[static_cast<std::size_t>(r) * stride],
                  matrix.group_zero[source * stride]);
      }
    }
    const auto whole = LoadInt4(*stored);
    EXPECT_EQ(whole->matrix.nibbles, matrix.nibbles);
    EXPECT_EQ(whole->matrix.group_zero, matrix.group_zero);
  }
}

TEST_F(CheckpointTest, Int4MatricesThatDoNotFitAreErrors) {
  const auto with = [&](std::vector<std::int64_t> shape, Shape packed, Shape scale) {
    Write("model.safetensors",
          {Values<std::uint32_t>(
               "m.weight_packed", DType::kI32, packed,
               std::vector<std::uint32_t>(static_cast<std::size_t>(packed.elements()))),
           Values<float>("m.weight_scale", DType::kF32, scale,
                         std::vector<float>(static_cast<std::size_t>(scale.elements()), 1.0f)),
           Values<std::int64_t>("m.weight_shape", DType::kI64, {2}, std::move(shape))});
    const auto matrix = Open()->Matrix("m", 2, 64);
    return matrix.ok() ? "read" : matrix.status().message();
  };
  EXPECT_EQ(with({2, 64}, {2, 8}, {2, 2}), "read") << "without zero points: symmetric";
  EXPECT_THAT(with({2, 96}, {2, 12}, {2, 3}), HasSubstr("has shape [2, 96]; expected [2, 64]"));
  EXPECT_THAT(with({2, -64}, {2, 8}, {2, 2}), HasSubstr("expected a matrix of usual size"));
  EXPECT_THAT(with({2, 64}, {2, 7}, {2, 2}), HasSubstr("expected I32 [2, 8]"));
  EXPECT_THAT(with({2, 64}, {2, 8}, {2, 3}), HasSubstr("3 groups a row, which do not divide 64"));
  EXPECT_THAT(with({2, 64}, {2, 8}, {2, 0}), HasSubstr("0 groups a row"));
}

// Scales as other tools choose them: widened and quantised again, close to what they were.
TEST_F(CheckpointTest, GeneralGroupScalesAreQuantisedAgain) {
  std::vector<std::uint32_t> words(8);
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i] = 0x9E3779B9u * static_cast<std::uint32_t>(i + 1);
  Write("model.safetensors",
        {Values<std::uint32_t>("m.weight_packed", DType::kI32, {1, 8}, words),
         Values<float>("m.weight_scale", DType::kF32, {1, 2}, {0.0123f, 0.0317f}),
         Values<std::int64_t>("m.weight_shape", DType::kI64, {2}, {1, 64})});
  const auto checkpoint = Open();
  const auto stored = checkpoint->Matrix("m", 1, 64);
  ASSERT_TRUE(stored.ok()) << stored.status();
  const auto loaded = LoadInt4(*stored);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->requantized);
  std::vector<float> before(64);
  DequantizeInt4Row(*stored, 0, before);
  std::vector<std::int8_t> steps(64);
  quant::ExpandInt4Row(loaded->matrix.nibbles, loaded->matrix.group_scale,
                       loaded->matrix.group_zero, steps);
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const float after = loaded->matrix.scale[0] * static_cast<float>(steps[i]);
    error += (after - before[i]) * (after - before[i]);
    norm += before[i] * before[i];
  }
  EXPECT_LT(error, 0.01 * norm);
}

}  // namespace
}  // namespace hone::formats
