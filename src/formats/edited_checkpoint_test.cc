#include "formats/edited_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "formats/test_directory.h"

namespace hone::formats {
namespace {

using tensor::DType;
using testing::ElementsAre;

// a.weight F32 [2,1] at 0, a.bias F32 [2] at 8, q.weight I8 [2,2] with its scale.
constexpr std::string_view kHeader =
    R"({"a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("a.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
    R"("q.weight":{"dtype":"I8","shape":[2,2],"data_offsets":[16,20]},)"
    R"("q.weight_scale":{"dtype":"F32","shape":[2,1],"data_offsets":[20,28]}})";

class EditedCheckpointTest : public TestDirectory {
 protected:
  void SetUp() override {
    Put("model.safetensors", Safetensors(kHeader, 28));
    auto opened = Checkpoint::Open(files_, directory_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    edited_ = std::make_shared<EditedCheckpoint>(*opened);
  }
  // Makes `module` an int8 matrix [2,1].
  void Quantise(const std::string& module) {
    edited_->Set(module + ".weight", DType::kI8, {2, 1}, std::vector<std::byte>(2));
    edited_->SetF32(module + ".weight_scale", {2, 1}, {0.5f, 0.25f});
    StoredMatrix quantised;
    quantised.name = module;
    quantised.kind = StoredKind::kInt8;
    quantised.n = 2;
    quantised.k = 1;
    quantised.values = *edited_->Find(module + ".weight");
    quantised.scale = *edited_->Find(module + ".weight_scale");
    edited_->SetMatrix(quantised);
  }
  std::shared_ptr<EditedCheckpoint> edited_;
};

TEST_F(EditedCheckpointTest, ShowsTheBaseUntilEdited) {
  EXPECT_THAT(edited_->Names(), ElementsAre("a.bias", "a.weight", "q.weight", "q.weight_scale"));
  EXPECT_EQ(edited_->Matrix("q", 2, 2)->kind, StoredKind::kInt8);
  EXPECT_EQ(edited_->bytes(), 28u);
}

TEST_F(EditedCheckpointTest, ReplacesAddsAndErases) {
  edited_->SetF32("a.weight", {1, 3}, {1, 2, 3});
  edited_->SetF32("new", {1}, {4});
  edited_->Erase("a.bias");
  EXPECT_THAT(edited_->Names(), ElementsAre("a.weight", "new", "q.weight", "q.weight_scale"));
  EXPECT_EQ(edited_->Matrix("a", 1, 3)->values.As<float>()[2], 3.0f);
  EXPECT_FALSE(edited_->Tensor("a.bias", {2}).ok());
  EXPECT_FALSE(edited_->Matrix("a", 2, 1).ok());
  edited_->SetF32("a.bias", {1}, {5});
  EXPECT_TRUE(edited_->Has("a.bias"));
}

TEST_F(EditedCheckpointTest, AFloatWeightHidesAQuantisedOne) {
  edited_->SetF32("q.weight", {1, 2}, {1, 2});
  EXPECT_FALSE(edited_->Has("q.weight_scale"));
  EXPECT_EQ(edited_->Matrix("q", 1, 2)->kind, StoredKind::kFloat);
}

TEST_F(EditedCheckpointTest, AQuantisedMatrixHidesAFloatOneAndIsCopiedWhole) {
  Quantise("a");
  EXPECT_EQ(edited_->Matrix("a", 2, 1)->kind, StoredKind::kInt8);
  const auto copy = edited_->Copy();
  edited_->SetF32("a.weight", {1, 1}, {9});
  const StoredMatrix matrix = *copy->Matrix("a", 2, 1);
  EXPECT_EQ(matrix.kind, StoredKind::kInt8);
  EXPECT_EQ(matrix.scale.As<float>()[1], 0.25f);
  EXPECT_NE(matrix.values.data, nullptr);
}

TEST_F(EditedCheckpointTest, ErasingAPartTakesTheMatrixThatViewsIt) {
  for (const char* part : {"m.weight", "m.weight_scale"}) {
    Quantise("m");
    ASSERT_TRUE(edited_->Matrix("m", 2, 1).ok());
    edited_->Erase(part);
    EXPECT_FALSE(edited_->Matrix("m", 2, 1).ok()) << part;
  }
}

TEST_F(EditedCheckpointTest, ErasingAPartTakesTheMatrixOfTheBase) {
  edited_->Erase("q.weight_scale");
  EXPECT_FALSE(edited_->Matrix("q", 2, 2).ok());
}

TEST_F(EditedCheckpointTest, EraseModuleTakesAllParts) {
  edited_->EraseModule("q");
  edited_->EraseModule("a");
  EXPECT_TRUE(edited_->Names().empty());
  EXPECT_FALSE(edited_->HasMatrix("q"));
}

TEST(EditedCheckpoint, StandsAloneWithoutABase) {
  EditedCheckpoint edited(nullptr);
  EXPECT_FALSE(edited.Tensor("x", {1}).ok());
  edited.SetF32("x", {1}, {1});
  EXPECT_TRUE(edited.Tensor("x", {1}).ok());
}

}  // namespace
}  // namespace hone::formats
