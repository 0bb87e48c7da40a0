// Model directories that are unusual or wrong, and models pruned, renamed or made up.
#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string_view>

#include "env/file.h"
#include "model/dequantize.h"
#include "model/reference.h"
#include "tests/support/tiny_models.h"

namespace hone::model {
namespace {

using testing::HasSubstr;
using tests::TinyModel;
using tests::TinyTensor;

const TinyModel& Tiny(std::string_view name) {
  static const std::vector<TinyModel> models = tests::AllTinyModels();
  for (const TinyModel& model : models) {
    if (model.name == name) return model;
  }
  ADD_FAILURE() << "no tiny model " << name;
  return models.front();
}

// The model after `change`, in a directory of its own that goes with this.
class Directory {
 public:
  explicit Directory(TinyModel model, const std::function<void(TinyModel&)>& change = {}) {
    static int number = 0;
    if (change) change(model);
    model.name += base::StrCat("_", ++number);
    path_ = WriteTinyModel(model, testing::TempDir());
  }
  ~Directory() { (void)env::RealFileSystem().RemoveTree(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

base::StatusOr<Model> Open(const Directory& directory) {
  return Model::Open(env::RealFileSystem(), directory.path());
}

std::string ErrorOf(const std::string& name, const std::function<void(TinyModel&)>& change) {
  const Directory directory(Tiny(name), change);
  const auto model = Open(directory);
  return model.ok() ? "no error" : model.status().message();
}

void Replace(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " in " << text;
  text.replace(at, from.size(), to);
}

std::vector<TinyTensor>& Tensors(TinyModel& model) {
  return model.folders[0].tensors;
}

void Erase(TinyModel& model, std::string_view name) {
  EXPECT_EQ(std::erase_if(Tensors(model), [&](const TinyTensor& t) { return t.name == name; }), 1u);
}

TEST(ModelOpen, TakesTensorFlowsNormNames) {
  const Directory directory(Tiny("bert/ForMaskedLM"), [](TinyModel& model) {
    for (TinyTensor& tensor : Tensors(model)) {
      if (tensor.name.find("LayerNorm") == std::string::npos) continue;
      if (tensor.name.ends_with(".weight")) Replace(tensor.name, ".weight", ".gamma");
      if (tensor.name.ends_with(".bias")) Replace(tensor.name, ".bias", ".beta");
    }
  });
  const auto model = Open(directory);
  ASSERT_TRUE(model.ok()) << model.status();
  const tests::TinyCase& c = Tiny("bert/ForMaskedLM").cases[1];
  tests::ExpectClose(
      tests::KeepGolden(ReferenceForward(model->config, model->weights, c.ids, c.types)), c.hidden,
      1e-5, "gamma and beta");
}

TEST(ModelOpen, FindsTheEncoderUnderAnyPrefix) {
  const Directory directory(Tiny("bert/Model"), [](TinyModel& model) {
    for (TinyTensor& tensor : Tensors(model)) tensor.name = "0.auto_model." + tensor.name;
  });
  const auto model = Open(directory);
  EXPECT_TRUE(model.ok()) << model.status();
}

TEST(ModelOpen, FollowsModulesJsonToTheTransformersFolder) {
  const Directory directory(Tiny("bert/embed-mean"), [](TinyModel& model) {
    model.folders[0].name = "0_Transformer";
    model.files.emplace_back("0_Transformer/config.json", model.config_json);
    model.files.emplace_back("0_Transformer/sentence_bert_config.json",
                             R"({"max_seq_length": 11})");
    for (auto& [path, text] : model.files) {
      if (path == "modules.json") Replace(text, R"("path": "")", R"("path": "0_Transformer")");
    }
  });
  ASSERT_TRUE(env::RealFileSystem().RemoveTree(directory.path() + "/config.json").ok());
  const auto model = Open(directory);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->max_text_tokens, 11);
  EXPECT_TRUE(model->head.normalize);
}

TEST(ModelOpen, NamesWhatIsMissing) {
  EXPECT_THAT(ErrorOf("bert/ForSequenceClassification",
                      [](TinyModel& m) { Erase(m, "bert.encoder.layer.1.output.dense.bias"); }),
              HasSubstr("lacks the tensor \"bert.encoder.layer.1.output.dense.bias\"; it has"));
  EXPECT_THAT(ErrorOf("bert/ForSequenceClassification",
                      [](TinyModel& m) { Erase(m, "classifier.weight"); }),
              HasSubstr("lacks the tensor \"classifier.weight\""));
  EXPECT_THAT(ErrorOf("bert/Model", [](TinyModel& m) { m.config_json = ""; }),
              HasSubstr("config.json: not valid JSON"));
  const auto none = Model::Open(env::RealFileSystem(), "/no/such/directory");
  EXPECT_THAT(none.status().message(), HasSubstr("/no/such/directory"));
}

TEST(ModelOpen, SaysWhereConfigAndWeightsDisagree) {
  EXPECT_THAT(
      ErrorOf("bert/ForSequenceClassification",
              [](TinyModel& m) { Replace(m.config_json, R"("2": "C")", R"("2": "C", "3": "D")"); }),
      testing::AllOf(HasSubstr("\"classifier.weight\" is F32 [3, 32]"),
                     HasSubstr("id2label has 4 labels")));
  EXPECT_THAT(ErrorOf("bert/Model",
                      [](TinyModel& m) {
                        Replace(m.config_json, "\"vocab_size\": 60", "\"vocab_size\": 61");
                      }),
              testing::AllOf(HasSubstr("word_embeddings.weight"), HasSubstr("[60, 32]"),
                             HasSubstr("[61, 32]")));
  EXPECT_THAT(
      ErrorOf("bert/ForSequenceClassification",
              [](TinyModel& m) { Replace(m.config_json, "ForSequence", "ForMultipleChoice"); }),
      HasSubstr("is not supported; Hone has names that end in Model"));
  EXPECT_THAT(ErrorOf("bert/embed-mean",
                      [](TinyModel& m) {
                        Replace(m.files[0].second, "models.Normalize", "models.LayerNorm");
                      }),
              HasSubstr("module \"LayerNorm\" is not supported"));
}

TEST(ModelOpen, TakesACheckpointOfPreTrainingForItsEncoder) {
  const Directory directory(Tiny("bert/ForMaskedLM"), [](TinyModel& m) {
    Replace(m.config_json, "BertForMaskedLM", "BertForPreTraining");
  });
  const auto model = Open(directory);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->head.task, Task::kEmbedding);
}

TEST(ModelOpen, MakesUpNoMoreLabelsThanAModelMayHave) {
  EXPECT_THAT(ErrorOf("bert/ForSequenceClassification",
                      [](TinyModel& m) {
                        Replace(m.config_json, "\"id2label\"",
                                "\"num_labels\": 9000000, \"names\"");
                      }),
              HasSubstr("num_labels: expected 1 to 65536"));
}

TEST(ModelOpen, BoundsThePositionsWhoseAnglesAreKept) {
  TinyModel model = Tiny("modernbert/ForMaskedLM");
  const std::string key = "\"max_position_embeddings\": ";
  const std::size_t at = model.config_json.find(key);
  ASSERT_NE(at, std::string::npos);
  const Directory directory(model, [&](TinyModel& m) {
    m.config_json.insert(at + key.size(), "100000");  // before the digits that are there
    m.config_json.erase(at + key.size() + 6,
                        m.config_json.find_first_of(",}", at) - at - key.size() - 6);
  });
  const auto opened = Open(directory);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->config.max_tokens, 1 << 16);
}

TEST(ModelRandom, NeedsOnlyConfigJson) {
  for (const char* name : {"bert/Joint", "modernbert/ForMaskedLM", "electra/ForMaskedLM",
                           "mpnet/ForSequenceClassification", "bert/embed-lasttoken24"}) {
    const Directory directory(Tiny(name), [](TinyModel& model) { model.folders.clear(); });
    const auto a = Model::Random(env::RealFileSystem(), directory.path(), 1);
    const auto b = Model::Random(env::RealFileSystem(), directory.path(), 1);
    const auto c = Model::Random(env::RealFileSystem(), directory.path(), 2);
    ASSERT_TRUE(a.ok() && b.ok() && c.ok()) << name << ": " << a.status();
    const std::vector<std::int32_t> ids = {5, 6, 7};
    const auto run = [&](const Model& m) { return ReferenceForward(m.config, m.weights, ids, {}); };
    EXPECT_EQ(run(*a), run(*b)) << name;
    EXPECT_NE(run(*a), run(*c)) << name;
    EXPECT_TRUE(std::isfinite(run(*a)[0]));
    // Normal with deviation 0.02, at least to its second moment.
    const std::vector<float> word = Dequantize(a->weights.layers[0].up.weight);
    double squares = 0;
    for (const float w : word) squares += double{w} * w;
    EXPECT_NEAR(std::sqrt(squares / static_cast<double>(word.size())), 0.02, 0.002) << name;
  }
  const Directory bare(Tiny("bert/Model"), [](TinyModel& model) { model.folders.clear(); });
  EXPECT_FALSE(Open(bare).ok());
}

// A head whose output columns are zero, and feed-forward columns likewise, add nothing: the model
// without them must give the same numbers.
TEST(Pruned, ModelEqualsTheFullOneWithThosePartsAtZero) {
  const TinyModel& tiny = Tiny("bert/Model");
  constexpr int kKeptHeads = 3, kKeptFfn = 20, kHeadSize = 8;
  const auto kept = [&](const std::string& name, std::vector<std::int64_t>& shape) {
    // Which axis of layer 0's tensors shrinks to what; {-1, 0} for none.
    std::pair<int, std::int64_t> cut{-1, 0};
    if (name.find("layer.0.attention.self.") != std::string::npos)
      cut = {0, kKeptHeads * kHeadSize};
    if (name.find("layer.0.attention.output.dense.weight") != std::string::npos) {
      cut = {1, kKeptHeads * kHeadSize};
    }
    if (name.find("layer.0.intermediate.dense.") != std::string::npos) cut = {0, kKeptFfn};
    if (name.find("layer.0.output.dense.weight") != std::string::npos) cut = {1, kKeptFfn};
    if (cut.first >= 0) shape[static_cast<std::size_t>(cut.first)] = cut.second;
    return cut;
  };
  std::vector<TinyTensor> full = tiny.folders[0].tensors, pruned = full;
  std::vector<std::vector<float>> full_values, pruned_values;
  for (std::size_t i = 0; i < full.size(); ++i) {
    std::vector<float> values = tests::TinyValues(full[i].value, full[i].shape);
    const auto [axis, size] = kept(full[i].name, pruned[i].shape);
    std::vector<float> left;
    const std::int64_t columns = full[i].shape.back();
    for (std::size_t j = 0; j < values.size(); ++j) {
      const auto at = static_cast<std::int64_t>(j);
      const std::int64_t place =
          axis == 1 || full[i].shape.size() == 1 ? at % columns : at / columns;
      const bool keep = axis < 0 || place < size;
      if (keep) left.push_back(values[j]);
      if (!keep && axis == 1) values[j] = 0;
    }
    full_values.push_back(std::move(values));
    pruned_values.push_back(std::move(left));
  }
  const Directory full_directory(tiny), pruned_directory(tiny, [&](TinyModel&model) {
    model.config_json.insert(
        1, "\"hone_layers\": [{\"heads\": 3, \"ffn\": 20}, {\"heads\": 4, \"ffn\": 48}],");
  });
  const auto write = [](const Directory& directory, const std::string& bytes) {
    ASSERT_TRUE(
        env::WriteFile(env::RealFileSystem(), directory.path() + "/model.safetensors", bytes).ok());
  };
  write(full_directory, tests::SafetensorsBytes(full, full_values));
  write(pruned_directory, tests::SafetensorsBytes(pruned, pruned_values));
  const auto a = Open(full_directory), b = Open(pruned_directory);
  ASSERT_TRUE(a.ok()) << a.status();
  ASSERT_TRUE(b.ok()) << b.status();
  const tests::TinyCase& c = tiny.cases[2];
  tests::ExpectClose(ReferenceForward(b->config, b->weights, c.ids, c.types),
                     ReferenceForward(a->config, a->weights, c.ids, c.types), 1e-6, "pruned");
}

TEST(Pruned, LayersWithoutBlocksKeepResidualAndNorm) {
  const Directory directory(Tiny("bert/Model"), [](TinyModel& model) {
    model.config_json.insert(
        1, "\"hone_layers\": [{\"heads\": 0, \"ffn\": 0}, {\"heads\": 0, \"ffn\": 0}],");
  });
  const auto model = Open(directory);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->weights.layers[0].query.weight.empty());
  EXPECT_TRUE(model->weights.layers[0].up.weight.empty());
  const std::vector<float> hidden =
      ReferenceForward(model->config, model->weights, std::vector<std::int32_t>{5, 6}, {});
  // The last norm leaves each row with the gain and bias it has, whatever came in.
  std::vector<float> gain(32), bias(32);
  CopyToF32(model->weights.layers[1].ffn_norm.gain, 0, gain);
  CopyToF32(model->weights.layers[1].ffn_norm.bias, 0, bias);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const double x = (hidden[i] - bias[i]) / gain[i];
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum, 0, 1e-4);
  EXPECT_NEAR(squares, 32, 1e-3);
}

TEST(Dequantize, ReadsInt8AndPackedInt4) {
  const std::int8_t q[] = {-127, 0, 64, 1, 2, 3};
  const float scale[] = {0.5f, 2.0f};
  formats::StoredMatrix int8;
  int8.kind = formats::StoredKind::kInt8;
  int8.n = 2;
  int8.k = 3;
  int8.values = {reinterpret_cast<const std::byte*>(q), tensor::DType::kI8, {2, 3}};
  int8.scale = {reinterpret_cast<const std::byte*>(scale), tensor::DType::kF32, {2, 1}};
  EXPECT_EQ(Dequantize(int8), (std::vector<float>{-63.5f, 0, 32, 2, 4, 6}));
  EXPECT_EQ(Dequantize(int8.Rows(1, 2)), (std::vector<float>{2, 4, 6}));

  // Two rows of ten nibbles 0 … 9 and 15 … 6, groups of 8; zeros 3 and 4 in rows 0 and 1, then 5
  // and 6.
  const std::uint32_t words[] = {0x76543210, 0x98, 0x89ABCDEF, 0x67};
  const std::uint32_t zeros[] = {0x43, 0x65};
  const float scales[] = {1, 2, 0.5f, 4};
  formats::StoredMatrix int4;
  int4.kind = formats::StoredKind::kInt4;
  int4.n = 2;
  int4.k = 10;
  int4.group = 8;
  int4.values = {reinterpret_cast<const std::byte*>(words), tensor::DType::kI32, {2, 2}};
  int4.scale = {reinterpret_cast<const std::byte*>(scales), tensor::DType::kF32, {2, 2}};
  int4.zero = {reinterpret_cast<const std::byte*>(zeros), tensor::DType::kI32, {1, 2}};
  const std::vector<float> row0 = {-3, -2, -1, 0, 1, 2, 3, 4, 6, 8};
  const std::vector<float> row1 = {5.5f, 5, 4.5f, 4, 3.5f, 3, 2.5f, 2, 4, 0};
  std::vector<float> both = row0;
  both.insert(both.end(), row1.begin(), row1.end());
  EXPECT_EQ(Dequantize(int4), both);
  EXPECT_EQ(Dequantize(int4.Rows(1, 2)), row1);
  int4.zero = {};
  EXPECT_EQ(Dequantize(int4.Rows(0, 1))[0], -8);
}

}  // namespace
}  // namespace hone::model
