#include "compress/draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using testing::HasSubstr;

// The tiny BERT with a sequence classifier, in a directory of its own.
std::string TinyBert() {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name == "bert/ForSequenceClassification") {
      return tests::WriteTinyModel(tiny, testing::TempDir() + "/draft");
    }
  }
  return "";
}

std::string OutPath(const std::string& name) {
  std::string out = testing::TempDir() + "/" + name;
  std::filesystem::remove_all(out);
  return out;
}

class DraftTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(testing::TempDir() + "/draft");
    auto draft = Draft::Open(env::RealFileSystem(), TinyBert());
    ASSERT_TRUE(draft.ok()) << draft.status();
    draft_ = std::make_unique<Draft>(*std::move(draft));
  }

  std::string DownName() const { return draft_->model().weights.layers[0].down.weight.name; }

  std::unique_ptr<Draft> draft_;
};

TEST_F(DraftTest, WrittenUnchangedIsTheSameModel) {
  const std::string out = OutPath("draft-same");
  const base::Status status = draft_->Write(out, {});
  ASSERT_TRUE(status.ok()) << status;
  const auto model = model::Model::Open(env::RealFileSystem(), out);
  ASSERT_TRUE(model.ok()) << model.status();
  for (const std::string& name : draft_->model().checkpoint->Names()) {
    const tensor::TensorView& before = *draft_->model().checkpoint->Find(name);
    const tensor::TensorView* after = model->checkpoint->Find(name);
    ASSERT_NE(after, nullptr) << name;
    ASSERT_EQ(after->bytes(), before.bytes()) << name;
    EXPECT_EQ(std::memcmp(after->data, before.data, before.bytes()), 0) << name;
  }
}

// The older layout of sentence-transformers becomes the newer one, which every tool reads.
TEST(Draft, AnEncoderInAFolderOfItsOwnComesToTheTop) {
  const std::string in = OutPath("draft-older");
  std::filesystem::create_directories(in);
  std::string flat;
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name == "bert/embed-mean") flat = tests::WriteTinyModel(tiny, in);
  }
  ASSERT_FALSE(flat.empty());
  const std::string older = OutPath("draft-older-model"), own = older + "/0_Transformer";
  std::filesystem::copy(flat, older, std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(own);
  for (const char* name : {"config.json", "model.safetensors"}) {
    std::filesystem::rename(older + "/" + name, own + "/" + name);
  }
  env::FileSystem& files = env::RealFileSystem();
  std::string modules = *files.Read(older + "/modules.json", 1 << 20);
  const std::string_view from = R"("path": "")";
  const std::size_t at = modules.find(from);
  ASSERT_NE(at, std::string::npos);
  modules.replace(at, from.size(), R"("path": "0_Transformer")");
  ASSERT_TRUE(env::WriteFile(files, older + "/modules.json", modules).ok());
  ASSERT_TRUE(
      env::WriteFile(files, own + "/sentence_bert_config.json", R"({"max_seq_length": 11})").ok());

  const auto draft = Draft::Open(files, older);
  ASSERT_TRUE(draft.ok()) << draft.status();
  const std::string out = OutPath("draft-newer");
  const base::Status status = draft->Write(out, {});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(files.IsDirectory(out + "/0_Transformer"));
  const auto model = model::Model::Open(files, out);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->max_text_tokens, 11);
  EXPECT_TRUE(model->head.normalize);
  // What has been brought to the top can be taken on from there.
  EXPECT_TRUE(Draft::Open(files, out).ok());
  EXPECT_THAT(*files.Read(out + "/modules.json", 1 << 20),
              testing::Not(HasSubstr("0_Transformer")));
}

TEST_F(DraftTest, AnEditShowsAfterBindAndOnDisk) {
  const int width = draft_->model().config.width, ffn = draft_->model().config.layers[0].ffn;
  const std::vector<float> zeros(static_cast<std::size_t>(width * ffn));
  draft_->weights().SetF32(DownName() + ".weight", {width, ffn}, zeros);
  ASSERT_TRUE(draft_->Bind().ok());
  EXPECT_EQ(*draft_->model().weights.layers[0].down.weight.values.As<float>(), 0.0f);
  const std::string out = OutPath("draft-edit");
  ASSERT_TRUE(draft_->Write(out, {.files = {{"training.json", "{}"}}}).ok());
  const auto model = model::Model::Open(env::RealFileSystem(), out);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(*model->weights.layers[0].down.weight.values.As<float>(), 0.0f);
  EXPECT_TRUE(env::RealFileSystem().IsFile(out + "/training.json"));
}

TEST_F(DraftTest, ABlockThatIsGoneLeavesItsTensors) {
  const model::LayerWeights layer = draft_->model().weights.layers[1];
  draft_->SetShape(1, {.heads = draft_->model().config.layers[1].heads, .ffn = 0});
  draft_->weights().EraseModule(layer.up.weight.name);
  draft_->weights().EraseModule(layer.down.weight.name);
  const base::Status status = draft_->Bind();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(draft_->model().config.layers[1].ffn, 0);
  const std::string out = OutPath("draft-gone");
  ASSERT_TRUE(draft_->Write(out, {}).ok());
  const auto model = model::Model::Open(env::RealFileSystem(), out);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_FALSE(model->checkpoint->Has(layer.up.weight.name + ".weight"));
  EXPECT_EQ(model->config.layers[1].ffn, 0);
}

TEST_F(DraftTest, ACopyKeepsItsOwnEdits) {
  auto copy = draft_->Copy();
  ASSERT_TRUE(copy.ok()) << copy.status();
  const std::string name = DownName() + ".weight";
  const float before = *draft_->weights().Find(name)->As<float>();
  const tensor::Shape shape = draft_->weights().Find(name)->shape;
  copy->weights().SetF32(name, shape,
                         std::vector<float>(static_cast<std::size_t>(shape.elements()), 7.0f));
  EXPECT_EQ(*draft_->weights().Find(name)->As<float>(), before);
  EXPECT_EQ(*copy->weights().Find(name)->As<float>(), 7.0f);
}

TEST_F(DraftTest, AShapeThatTheWeightsDoNotHaveIsAnError) {
  draft_->SetShape(0, {.heads = 1, .ffn = 3});
  const base::Status status = draft_->Bind();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("expected"));
}

TEST_F(DraftTest, ConfigMembersAreReplacedAddedAndLeftOut) {
  draft_->SetConfig("problem_type", "\"regression\"");
  draft_->SetConfig("hidden_act", "\"relu\"");
  EXPECT_THAT(draft_->Config(), HasSubstr("\"problem_type\": \"regression\""));
  EXPECT_THAT(draft_->Config(), HasSubstr("\"hidden_act\": \"relu\""));
  draft_->SetConfig("problem_type", "");
  EXPECT_THAT(draft_->Config(), testing::Not(HasSubstr("problem_type")));
}

}  // namespace
}  // namespace hone::compress
