#include "compress/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "base/json.h"
#include "env/faulty_files.h"
#include "formats/artefact.h"
#include "formats/checkpoint.h"
#include "formats/packed_int4.h"
#include "formats/quantization_config.h"
#include "formats/safetensors_writer.h"
#include "formats/test_directory.h"
#include "model/model.h"
#include "model/reference.h"
#include "runtime/local_engine.h"

namespace hone::compress {
namespace {

using formats::StoredKind;
using quant::Format;
using tensor::DType;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kWidth = 64, kFfn = 96, kWords = 40;

// A BERT of one layer in a directory as sentence-transformers writes it.
class QuantizeTest : public formats::TestDirectory {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.MakeDirectory(Path("in")).ok());
    ASSERT_TRUE(files_.MakeDirectory(Path("in/1_Pooling")).ok());
    Put("in/config.json",
        base::StrCat(
            R"({"architectures":["BertModel"],"model_type":"bert","hidden_size":)", kWidth,
            R"(,"num_attention_heads":2,"num_hidden_layers":1,"intermediate_size":)", ffn_,
            R"(,"vocab_size":)", kWords, R"(,"max_position_embeddings":16,"type_vocab_size":2,)",
            R"("hidden_act":"gelu","layer_norm_eps":1e-12,"pad_token_id":0,"torch_dtype":"float16"})"));
    Put("in/modules.json",
        R"([{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
    Put("in/1_Pooling/config.json",
        R"({"word_embedding_dimension":64,"pooling_mode_mean_tokens":true})");
    Put("in/vocab.txt", "[PAD]\n");
    Put("in/pytorch_model.bin", "not to be copied");
    WriteModel();
  }

  // The draft quantised so, written to "out" and read again.
  base::StatusOr<model::Model> WrittenAs(const FormatRequest& request, Draft* draft) {
    HONE_RETURN_IF_ERROR(QuantizeDraft(draft, request, {}, {}));
    HONE_RETURN_IF_ERROR(draft->Write(Path("out"), {.format = "mixed"}));
    return model::Model::Open(files_, Path("out"));
  }

  void WriteModel() {
    std::vector<formats::TensorToWrite> tensors;
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0, 0.1f);
    const auto add = [&](const std::string& name, tensor::Shape shape) {
      std::vector<float> values(static_cast<std::size_t>(shape.elements()));
      for (float& x : values) x = normal(random);
      if (name == poisoned_) values.at(3) = NAN;
      tensors.push_back({name, DType::kF32, shape, [values](const formats::ByteSink& sink) {
                           return sink(std::as_bytes(std::span(values)));
                         }});
    };
    const auto linear = [&](const std::string& name, int n, int k) {
      add(name + ".weight", {n, k});
      add(name + ".bias", {n});
    };
    const auto norm = [&](const std::string& name) {
      add(name + ".weight", {kWidth});
      add(name + ".bias", {kWidth});
    };
    add("embeddings.word_embeddings.weight", {kWords, kWidth});
    add("embeddings.position_embeddings.weight", {16, kWidth});
    add("embeddings.token_type_embeddings.weight", {2, kWidth});
    norm("embeddings.LayerNorm");
    const std::string layer = "encoder.layer.0.";
    for (const char* part : {"query", "key", "value"}) {
      linear(base::StrCat(layer, "attention.self.", part), kWidth, kWidth);
    }
    linear(layer + "attention.output.dense", kWidth, kWidth);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", ffn_, kWidth);
    linear(layer + "output.dense", kWidth, ffn_);
    norm(layer + "output.LayerNorm");
    linear("pooler.dense", kWidth, kWidth);
    ASSERT_TRUE(formats::WriteSafetensors(files_, Path("in/model.safetensors"), tensors, {}).ok());
  }

  base::Status Quantize(Format format, bool replace = false) {
    return QuantizeDirectory(files_, Path("in"), format, Path("out"),
                             {.replace = replace, .threads = 2}, {});
  }
  std::shared_ptr<const formats::Checkpoint> Result() {
    auto opened = formats::Checkpoint::Open(files_, Path("out"));
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *opened : nullptr;
  }

  int ffn_ = kFfn;
  std::string poisoned_;
};

TEST(WrittenFormat, Int4NeedsWholeGroups) {
  EXPECT_EQ(WrittenFormat(Format::kInt4, 64), Format::kInt4);
  EXPECT_EQ(WrittenFormat(Format::kInt4, 47), Format::kInt8);
  EXPECT_EQ(WrittenFormat(Format::kBF16, 47), Format::kBF16);
}

TEST_F(QuantizeTest, Int8KeepsEveryWeightWithinHalfAStep) {
  const base::Status status = Quantize(Format::kInt8);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(Names(), ElementsAre("in", "out"));
  EXPECT_THAT(*files_.List(Path("out")),
              ElementsAre("1_Pooling", "config.json", "hone.json", "model.safetensors",
                          "modules.json", "vocab.txt"));
  const auto before = *formats::Checkpoint::Open(files_, Path("in"));
  const auto after = Result();
  const auto matrix = after->Matrix("encoder.layer.0.output.dense", kWidth, kFfn);
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ(matrix->kind, StoredKind::kInt8);
  const auto original = before->Matrix("encoder.layer.0.output.dense", kWidth, kFfn);
  for (std::int64_t n = 0; n < kWidth; ++n) {
    float scale = 0, q[kFfn], w[kFfn];
    tensor::CopyToF32(matrix->scale, n, {&scale, 1});
    tensor::CopyToF32(matrix->values, n * kFfn, q);
    tensor::CopyToF32(original->values, n * kFfn, w);
    for (int k = 0; k < kFfn; ++k) ASSERT_LE(std::abs(scale * q[k] - w[k]), 0.501f * scale);
  }
  EXPECT_EQ(after->Find("embeddings.word_embeddings.weight")->dtype, DType::kF16);
  EXPECT_EQ(after->Find("embeddings.LayerNorm.weight")->dtype, DType::kF32);
  EXPECT_EQ(after->Find("pooler.dense.weight")->dtype, DType::kF32) << "heads stay";
  const auto manifest = formats::ReadManifest(files_, Path("out"));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_TRUE(formats::VerifyManifest(files_, Path("out"), *manifest).ok());
  EXPECT_EQ(manifest->source, "in");
}

TEST_F(QuantizeTest, Int4HasTwoLevelScalesThatLoadExactly) {
  ASSERT_TRUE(Quantize(Format::kInt4).ok());
  const auto after = Result();
  const auto matrix = after->Matrix("encoder.layer.0.attention.self.key", kWidth, kWidth);
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ(matrix->kind, StoredKind::kInt4);
  EXPECT_EQ(matrix->group, 32);
  const auto loaded = formats::LoadInt4(*matrix);
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->requantized);
}

TEST_F(QuantizeTest, Int4TakesInt8WhereGroupsWouldBeShort) {
  ffn_ = 80;
  SetUp();
  ASSERT_TRUE(Quantize(Format::kInt4).ok());
  const auto after = Result();
  EXPECT_EQ(after->Matrix("encoder.layer.0.output.dense", kWidth, 80)->kind, StoredKind::kInt8);
  EXPECT_EQ(after->Matrix("encoder.layer.0.intermediate.dense", 80, kWidth)->kind,
            StoredKind::kInt4);
  const auto json =
      base::Json::Parse(*files_.Read(Path("out/config.json"), 1 << 20), "config.json");
  const auto config = formats::ParseQuantizationConfig(json->root());
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->groups.size(), 2u);
  EXPECT_EQ(config->groups[0].kind, StoredKind::kInt8);
  EXPECT_THAT(config->groups[0].targets,
              ElementsAre("re:(.*[.])?layer[.][0-9]+[.]output[.]dense$"));
  EXPECT_EQ(config->groups[1].kind, StoredKind::kInt4);
  EXPECT_THAT(config->groups[1].targets,
              testing::Contains("re:(.*[.])?layer[.][0-9]+[.]attention[.]self[.]query$"));
  EXPECT_EQ(*json->root().StringOr("torch_dtype", ""), "float32");
}

TEST_F(QuantizeTest, ADraftMixesFormatsAndLoadsAsWritten) {
  auto draft = Draft::Open(files_, Path("in"));
  ASSERT_TRUE(draft.ok()) << draft.status();
  FormatRequest request{.all = Format::kInt4, .embeddings = Format::kInt4};
  request.modules = {{"encoder.layer.0.output.dense", Format::kInt8},
                     {"encoder.layer.0.attention.output.dense", Format::kF32},
                     {"encoder.layer.0.intermediate.dense", Format::kBF16}};
  const auto model = WrittenAs(request, &*draft);
  ASSERT_TRUE(model.ok()) << model.status();
  const model::LayerWeights& layer = model->weights.layers[0];
  EXPECT_EQ(layer.query.weight.kind, StoredKind::kInt4);
  EXPECT_EQ(layer.down.weight.kind, StoredKind::kInt8);
  EXPECT_EQ(layer.output.weight.values.dtype, DType::kF32);
  EXPECT_EQ(layer.up.weight.values.dtype, DType::kBF16);
  EXPECT_EQ(model->weights.word.kind, StoredKind::kInt4);
  EXPECT_EQ(model->weights.word.scale.dtype, DType::kF16);
  EXPECT_EQ(model->weights.position.kind, StoredKind::kInt4);
  EXPECT_EQ(model->weights.type.values.dtype, DType::kF16);

  // In memory and from disk they are one model, and the engine takes each matrix as it is stored.
  const auto load = [](const model::Model& from) {
    auto engine = runtime::LocalEngine::Load(from, {.threads = 1});
    EXPECT_TRUE(engine.ok()) << engine.status();
    return *std::move(engine);
  };
  const auto memory = load(draft->model()), disk = load(*model);
  EXPECT_EQ(disk->load_report().format, "mixed");
  const std::vector<std::int32_t> ids = {1, 7, 30, 2}, begins = {0, 4};
  const runtime::Batch batch{.ids = ids, .types = {}, .begins = begins};
  std::vector<float> a(4 * kWidth), b(4 * kWidth);
  memory->Forward(memory->all_layers(), batch, a);
  disk->Forward(disk->all_layers(), batch, b);
  EXPECT_EQ(a, b);
  const std::vector<float> reference =
      model::ReferenceForward(model->config, model->weights, ids, {});
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], reference[i], 0.1f) << i;
}

TEST_F(QuantizeTest, Bf16StandsBesideOtherFormatsAndIntegerEmbeddings) {
  auto draft = Draft::Open(files_, Path("in"));
  ASSERT_TRUE(draft.ok()) << draft.status();
  FormatRequest request{.all = Format::kBF16, .embeddings = Format::kInt8};
  request.modules = {{"encoder.layer.0.output.dense", Format::kInt8},
                     {"encoder.layer.0.attention.output.dense", Format::kF32}};
  const auto model = WrittenAs(request, &*draft);
  ASSERT_TRUE(model.ok()) << model.status();
  const model::LayerWeights& layer = model->weights.layers[0];
  EXPECT_EQ(layer.up.weight.values.dtype, DType::kBF16);
  EXPECT_EQ(layer.down.weight.kind, StoredKind::kInt8);
  EXPECT_EQ(layer.output.weight.values.dtype, DType::kF32) << "left as it was";
  EXPECT_EQ(model->weights.word.kind, StoredKind::kInt8);
}

TEST_F(QuantizeTest, ModulesThatAreNotThereAreErrors) {
  auto draft = Draft::Open(files_, Path("in"));
  ASSERT_TRUE(draft.ok()) << draft.status();
  FormatRequest request;
  request.modules = {{"encoder.layer.9.output.dense", Format::kInt8}};
  EXPECT_THAT(QuantizeDraft(&*draft, request, {}, {}).message(),
              HasSubstr("\"encoder.layer.9.output.dense\" is no matrix of a layer"));
  EXPECT_THAT(QuantizeDraft(&*draft, {}, {.method = Rounding::kGptq}, {}).message(),
              HasSubstr("need calibration texts"));
}

TEST_F(QuantizeTest, EmbeddingsInInt8AndInt4HalveAndQuarterTheTable) {
  for (const auto& [format, kind] :
       {std::pair(Format::kInt8, StoredKind::kInt8), std::pair(Format::kInt4, StoredKind::kInt4)}) {
    ASSERT_TRUE(QuantizeDirectory(files_, Path("in"), Format::kInt8, Path("out"),
                                  {.replace = true, .embeddings = format}, {})
                    .ok());
    const auto model = model::Model::Open(files_, Path("out"));
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ(model->weights.word.kind, kind);
    EXPECT_EQ(model->weights.position.kind, kind);
    const std::string config = *files_.Read(Path("out/config.json"), 1 << 20);
    EXPECT_THAT(config, HasSubstr("re:(.*[.])?word_embeddings$"));
  }
}

TEST_F(QuantizeTest, Bf16StoresEveryFloatTensorInHalf) {
  ASSERT_TRUE(Quantize(Format::kBF16).ok());
  const auto after = Result();
  for (const std::string& name : after->Names()) {
    EXPECT_EQ(after->Find(name)->dtype, DType::kBF16) << name;
  }
  const std::string config = *files_.Read(Path("out/config.json"), 1 << 20);
  EXPECT_THAT(config, HasSubstr("\"torch_dtype\": \"bfloat16\""));
  EXPECT_THAT(config, testing::Not(HasSubstr("quantization_config")));
}

TEST_F(QuantizeTest, TheSameInputGivesTheSameBytes) {
  ASSERT_TRUE(Quantize(Format::kInt4).ok());
  const std::string first = *files_.Read(Path("out/model.safetensors"), 1 << 24);
  const std::string manifest = *files_.Read(Path("out/hone.json"), 1 << 20);
  ASSERT_TRUE(Quantize(Format::kInt4, true).ok());
  EXPECT_TRUE(*files_.Read(Path("out/model.safetensors"), 1 << 24) == first);
  EXPECT_EQ(*files_.Read(Path("out/hone.json"), 1 << 20), manifest);
}

TEST_F(QuantizeTest, BadSourcesAreErrorsAndLeaveNothing) {
  EXPECT_FALSE(Quantize(Format::kF32).ok());
  for (const char* name : {"encoder.layer.0.output.dense.weight", "pooler.dense.weight",
                           "embeddings.word_embeddings.weight"}) {
    poisoned_ = name;
    WriteModel();
    const base::Status status = Quantize(Format::kInt8);
    EXPECT_THAT(status.message(),
                HasSubstr(base::StrCat("tensor \"", name, "\" has a NaN at element 3")));
    EXPECT_THAT(Names(), ElementsAre("in"));
  }
  poisoned_.clear();
  WriteModel();
  ASSERT_TRUE(Quantize(Format::kInt8).ok());
  EXPECT_EQ(Quantize(Format::kInt8).code(), base::StatusCode::kAlreadyExists);
  const base::Status twice =
      QuantizeDirectory(files_, Path("out"), Format::kInt4, Path("again"), {}, {});
  EXPECT_THAT(twice.message(), HasSubstr("the model is quantised already"));
}

TEST_F(QuantizeTest, NoFaultLeavesHalfAnArtefact) {
  int fail_at = 0;
  for (;; ++fail_at) {
    env::FaultyFiles faulty(files_, fail_at);
    const base::Status status =
        QuantizeDirectory(faulty, Path("in"), Format::kInt8, Path("out"), {}, {});
    if (faulty.operations() <= fail_at) {
      EXPECT_TRUE(status.ok()) << status;
      break;
    }
    ASSERT_EQ(status.code(), base::StatusCode::kOutOfResource) << fail_at << " " << status;
    ASSERT_THAT(Names(), ElementsAre("in")) << fail_at;
  }
  EXPECT_GT(fail_at, 30);
}

TEST_F(QuantizeTest, ProgressEndsAtTheTotal) {
  std::uint64_t last = 0, whole = 0;
  bool rising = true;
  ASSERT_TRUE(QuantizeDirectory(files_, Path("in"), Format::kInt8, Path("out"), {},
                                [&](std::uint64_t done, std::uint64_t total) {
                                  rising = rising && done >= last;
                                  last = done;
                                  whole = total;
                                })
                  .ok());
  EXPECT_TRUE(rising);
  EXPECT_GT(whole, 0u);
  EXPECT_EQ(last, whole);
}

}  // namespace
}  // namespace hone::compress
