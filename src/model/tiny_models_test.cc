// Every architecture and head against the original implementations, through Model::Open.
#include "tests/support/tiny_models.h"

#include <gtest/gtest.h>

#include "env/file.h"
#include "model/reference.h"

namespace hone::model {
namespace {

using tests::TinyCase;
using tests::TinyModel;
using tests::TinyOutput;

constexpr double kTolerance = 1e-5;

class TinyModels : public testing::TestWithParam<TinyModel> {};

TEST_P(TinyModels, ReferenceEqualsTheOriginal) {
  const TinyModel& tiny = GetParam();
  const std::string directory = WriteTinyModel(tiny, testing::TempDir());
  const auto model = Model::Open(env::RealFileSystem(), directory);
  ASSERT_TRUE(model.ok()) << model.status();
  for (const TinyCase& c : tiny.cases) {
    const std::vector<float> hidden =
        ReferenceForward(model->config, model->weights, c.ids, c.types);
    const std::string what = base::StrCat(tiny.name, " with ", c.ids.size(), " tokens");
    tests::ExpectClose(tests::KeepGolden(hidden), c.hidden, kTolerance, what);
    for (const TinyOutput& expected : c.outputs) {
      bool found = false;
      for (const HeadOutput& output : model->head.outputs) {
        if (output.name != expected.name) continue;
        found = true;
        const std::vector<float> actual =
            ReferenceHead(model->config, model->head, output, hidden, c.ids, tiny.mask_id);
        EXPECT_EQ(actual.size() % static_cast<std::size_t>(output.width), 0u);
        tests::ExpectClose(tests::KeepGolden(actual), expected.values, kTolerance,
                           base::StrCat(what, ", ", expected.name));
      }
      EXPECT_TRUE(found) << expected.name;
    }
  }
  EXPECT_TRUE(env::RealFileSystem().RemoveTree(directory).ok());
}

std::string TestName(const testing::TestParamInfo<TinyModel>& info) {
  std::string name;
  for (const char c : info.param.name)
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, TinyModels, testing::ValuesIn(tests::AllTinyModels()), TestName);

TEST(RelativeBucket, EqualsTheOriginal) {
  const std::vector<int> golden = tests::GoldenRelativeBuckets();
  ASSERT_EQ(golden.size(), 401u);
  for (int delta = -200; delta <= 200; ++delta) {
    EXPECT_EQ(RelativeBucket(delta, 32, 128), golden[static_cast<std::size_t>(delta + 200)])
        << delta;
  }
}

}  // namespace
}  // namespace hone::model
