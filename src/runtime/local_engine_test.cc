#include "runtime/local_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "base/strings.h"
#include "env/file.h"
#include "model/reference.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::runtime {
namespace {

using model::Model;
using quant::Format;

// Any work is worth all workers, so that tiny models are split like large ones.
constexpr SplitLimits kByColumns{.work_per_worker = 0, .own_cache_bytes = 0};
constexpr SplitLimits kByRows{.work_per_worker = 0, .own_cache_bytes = std::size_t{1} << 40};

std::unique_ptr<LocalEngine> LoadEngine(const Model& model, Format format, int threads,
                                        const SplitLimits& split = kByColumns) {
  auto engine = LocalEngine::Load(
      model, {.format = format, .threads = threads, .isa = tests::IsaLimit(), .split = split});
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status().message();
    return nullptr;
  }
  return *std::move(engine);
}

// Texts of random tokens, as one ragged batch.
struct Texts {
  std::vector<std::int32_t> ids, begins = {0};

  void Add(int length, int vocabulary, std::mt19937& random) {
    std::uniform_int_distribution<std::int32_t> id(0, vocabulary - 1);
    for (int i = 0; i < length; ++i) ids.push_back(id(random));
    begins.push_back(static_cast<std::int32_t>(ids.size()));
  }
  Batch batch() const { return {.ids = ids, .types = {}, .begins = begins}; }
  // Text b alone.
  Texts Only(std::size_t b) const {
    Texts one;
    one.ids.assign(ids.begin() + begins[b], ids.begin() + begins[b + 1]);
    one.begins.push_back(static_cast<std::int32_t>(one.ids.size()));
    return one;
  }
};

std::vector<float> ForwardAll(LocalEngine& engine, const Batch& batch) {
  std::vector<float> hidden(batch.ids.size() * static_cast<std::size_t>(engine.width()));
  engine.Forward(engine.all_layers(), batch, hidden);
  return hidden;
}

// A model of the given shape with random weights, from a config.json written for the purpose.
Model RandomModel(const std::string& config_json, const std::string& name) {
  const std::string directory = testing::TempDir() + "/" + name;
  EXPECT_TRUE(env::RealFileSystem().MakeDirectory(directory).ok());
  std::ofstream(directory + "/config.json") << config_json;
  auto model = Model::Random(env::RealFileSystem(), directory, 7);
  if (!model.ok()) {
    ADD_FAILURE() << model.status().message();
    return Model();
  }
  return *std::move(model);
}

// Odd enough to leave tails in every tile: D 80, F 200, 5 heads of 16.
constexpr const char* kOddBert = R"({"architectures": ["BertModel"], "model_type": "bert",
  "hidden_size": 80, "num_hidden_layers": 3, "num_attention_heads": 5, "intermediate_size": 200,
  "vocab_size": 500, "max_position_embeddings": 300, "type_vocab_size": 2, "hidden_act": "gelu"})";

constexpr Format kFormats[] = {Format::kF32, Format::kBF16, Format::kInt8, Format::kInt4};

// Of the whole output, by the Euclidean norm.
double RelativeError(const std::vector<float>& actual, const std::vector<float>& expected) {
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    error += std::pow(double{actual[i]} - expected[i], 2);
    norm += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(error / norm);
}

TEST(LocalEngine, GivesTheOriginalsOutputsForEveryArchitectureAndHead) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    const std::string directory = tests::WriteTinyModel(tiny, testing::TempDir());
    const auto model = Model::Open(env::RealFileSystem(), directory);
    ASSERT_TRUE(model.ok()) << tiny.name << ": " << model.status().message();
    const auto engine = LoadEngine(*model, Format::kF32, 2);
    ASSERT_NE(engine, nullptr) << tiny.name;
    for (const tests::TinyCase& c : tiny.cases) {
      const std::vector<std::int32_t> begins = {0, static_cast<std::int32_t>(c.ids.size())};
      const Batch batch{.ids = c.ids, .types = c.types, .begins = begins};
      ASSERT_TRUE(engine->Check(batch).ok()) << tiny.name;
      const std::vector<float> hidden = ForwardAll(*engine, batch);
      tests::ExpectClose(tests::KeepGolden(hidden), c.hidden, 1e-5, tiny.name + " hidden");
      for (const tests::TinyOutput& expected : c.outputs) {
        const auto output =
            std::ranges::find(model->head.outputs, expected.name, &model::HeadOutput::name);
        ASSERT_NE(output, model->head.outputs.end()) << tiny.name << " " << expected.name;
        std::vector<float> rows;
        engine->ApplyHead(static_cast<int>(output - model->head.outputs.begin()), batch, hidden,
                          tiny.mask_id, &rows);
        tests::ExpectClose(tests::KeepGolden(rows), expected.values, 1e-5,
                           tiny.name + " " + expected.name);
      }
    }
  }
}

TEST(LocalEngine, GivesTheSameBitsInAnyBatchAndForAnyThreads) {
  const Model model = RandomModel(kOddBert, "odd_bert");
  std::mt19937 random(3);
  Texts texts;
  // Sums of tokens on both sides of the limit where products are split by columns.
  for (const int length : {7, 1, 130, 33, 64, 2, 97}) texts.Add(length, 500, random);
  for (const Format format : kFormats) {
    const auto one = LoadEngine(model, format, 1);
    ASSERT_NE(one, nullptr);
    const std::vector<float> expected = ForwardAll(*one, texts.batch());
    const auto expect_same = [&](int threads, const SplitLimits& limits) {
      const auto engine = LoadEngine(model, format, threads, limits);
      EXPECT_EQ(ForwardAll(*engine, texts.batch()), expected)
          << quant::NameOf(format) << ", " << threads << " threads";
      for (std::size_t b = 0; b + 1 < texts.begins.size(); ++b) {
        const auto width = static_cast<std::size_t>(engine->width());
        const auto begin = static_cast<std::size_t>(texts.begins[b]) * width;
        const auto end = static_cast<std::size_t>(texts.begins[b + 1]) * width;
        EXPECT_EQ(ForwardAll(*engine, texts.Only(b).batch()),
                  std::vector<float>(expected.begin() + static_cast<std::ptrdiff_t>(begin),
                                     expected.begin() + static_cast<std::ptrdiff_t>(end)))
            << quant::NameOf(format) << ", text " << b << " alone, " << threads << " threads";
      }
    };
    for (const int threads : {1, 2, 3, 5}) {
      expect_same(threads, kByColumns);
      expect_same(threads, kByRows);
    }
    expect_same(4, {.work_per_worker = 1e6, .own_cache_bytes = 0});  // as many as are worth it
    expect_same(4, {});
  }
}

// What the others have that BERT has not: a bias by distance; rotary positions, windows and gated products; an
// embedding narrower than the layers.
TEST(LocalEngine, EveryKindOfLayerGivesTheSameBitsInAnyBatchAndForAnyThreads) {
  constexpr const char* kOddMpnet = R"({"architectures": ["MPNetModel"], "model_type": "mpnet",
    "hidden_size": 80, "num_hidden_layers": 2, "num_attention_heads": 5, "intermediate_size": 200,
    "vocab_size": 500, "max_position_embeddings": 300, "hidden_act": "gelu",
    "relative_attention_num_buckets": 32})";
  constexpr const char* kOddModernBert = R"({"architectures": ["ModernBertModel"],
    "model_type": "modernbert", "hidden_size": 80, "num_hidden_layers": 3, "num_attention_heads": 5,
    "intermediate_size": 104, "vocab_size": 500, "max_position_embeddings": 300,
    "local_attention": 18, "global_attn_every_n_layers": 2})";
  constexpr const char* kOddElectra =
      R"({"architectures": ["ElectraModel"], "model_type": "electra",
    "hidden_size": 80, "embedding_size": 36, "num_hidden_layers": 2, "num_attention_heads": 5,
    "intermediate_size": 200, "vocab_size": 500, "max_position_embeddings": 300,
    "type_vocab_size": 2, "hidden_act": "gelu"})";
  std::mt19937 random(3);
  Texts texts;
  for (const int length : {7, 1, 130, 33, 64, 2}) texts.Add(length, 500, random);
  const auto of_text = [&](const std::vector<float>& all, std::size_t b, int width) {
    return std::vector<float>(all.begin() + std::ptrdiff_t{texts.begins[b]} * width,
                              all.begin() + std::ptrdiff_t{texts.begins[b + 1]} * width);
  };
  for (const char* config : {kOddMpnet, kOddModernBert, kOddElectra}) {
    const Model model = RandomModel(config, "odd_kinds");
    for (const Format format : kFormats) {
      const auto one = LoadEngine(model, format, 1);
      ASSERT_NE(one, nullptr);
      const std::vector<float> expected = ForwardAll(*one, texts.batch());
      for (const SplitLimits& limits : {kByColumns, kByRows}) {
        const auto engine = LoadEngine(model, format, 3, limits);
        EXPECT_EQ(ForwardAll(*engine, texts.batch()), expected) << config << quant::NameOf(format);
        for (std::size_t b = 0; b + 1 < texts.begins.size(); ++b) {
          EXPECT_EQ(ForwardAll(*engine, texts.Only(b).batch()),
                    of_text(expected, b, engine->width()))
              << config << quant::NameOf(format) << ", text " << b;
        }
      }
    }
  }
}

// Formats that differ within a layer and between layers, so that a product's output is encoded for a
// consumer of another format in every way there is.
EngineOptions MixedOptions(int threads) {
  EngineOptions options{.format = Format::kInt8, .threads = threads, .isa = tests::IsaLimit()};
  const auto set = [&](int layer, std::string_view module, Format format) {
    options.formats[base::StrCat("bert.encoder.layer.", layer, ".", module)] = format;
  };
  set(0, "intermediate.dense", Format::kInt4);
  set(0, "output.dense", Format::kF32);
  for (const char* part : {"query", "key", "value"}) {
    set(1, base::StrCat("attention.self.", part), Format::kF32);
  }
  set(1, "intermediate.dense", Format::kBF16);
  set(1, "output.dense", Format::kInt4);
  set(2, "attention.self.query", Format::kInt4);  // key and value stay int8, and so does query
  set(2, "attention.output.dense", Format::kInt4);
  return options;
}

TEST(LocalEngine, EnginesThatShareWeightsRunAtOnceAndAgree) {
  const auto model =
      Model::Open(env::RealFileSystem(),
                  tests::WriteTinyModel(tests::AllTinyModels().front(), testing::TempDir()));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto pool = std::make_shared<base::ThreadPool>(2);
  auto first = *LocalEngine::Load(
      *model,
      {.format = Format::kInt8, .isa = tests::IsaLimit(), .split = kByColumns, .pool = pool});
  EXPECT_EQ(first->threads(), 2);
  auto second = first->Share(std::make_shared<base::ThreadPool>(1));
  EXPECT_EQ(second->threads(), 1);
  EXPECT_EQ(second->load_report().packed_bytes, first->load_report().packed_bytes);
  std::mt19937 random(3);
  Texts texts;
  for (const int length : {5, 12, 3}) texts.Add(length, model->config.vocabulary, random);
  const std::vector<float> expected = ForwardAll(*first, texts.batch());
  first.reset();  // the weights live as long as anybody uses them
  auto third = second->Share(pool);
  std::vector<std::vector<float>> results(2);
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) results[0] = ForwardAll(*second, texts.batch());
  });
  for (int i = 0; i < 20; ++i) results[1] = ForwardAll(*third, texts.batch());
  other.join();
  EXPECT_EQ(results[0], expected);
  EXPECT_EQ(results[1], expected);
}

TEST(LocalEngine, MixedFormatsGiveTheSameBitsInAnyBatchAndForAnyThreads) {
  const Model model = RandomModel(kOddBert, "odd_bert_mixed");
  std::mt19937 random(3);
  Texts texts;
  for (const int length : {7, 1, 130, 33, 64, 2, 97}) texts.Add(length, 500, random);
  std::vector<float> expected;
  for (const int threads : {1, 2, 3}) {
    const auto engine = LocalEngine::Load(model, MixedOptions(threads));
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_EQ((*engine)->load_report().format, "mixed");
    EXPECT_EQ((*engine)->format(), Format::kInt8) << "of most weights";
    const std::vector<float> all = ForwardAll(**engine, texts.batch());
    if (expected.empty()) expected = all;
    EXPECT_EQ(all, expected) << threads << " threads";
    for (std::size_t b = 0; b + 1 < texts.begins.size(); ++b) {
      const auto begin = static_cast<std::ptrdiff_t>(texts.begins[b]) * (*engine)->width();
      const auto end = static_cast<std::ptrdiff_t>(texts.begins[b + 1]) * (*engine)->width();
      EXPECT_EQ(ForwardAll(**engine, texts.Only(b).batch()),
                std::vector<float>(expected.begin() + begin, expected.begin() + end))
          << "text " << b << " alone, " << threads << " threads";
    }
  }
}

TEST(LocalEngine, AFormatForEveryModuleIsThatFormatForAll) {
  const Model model = RandomModel(kOddBert, "odd_bert_each");
  std::mt19937 random(4);
  Texts texts;
  texts.Add(50, 500, random);
  for (const Format format : kFormats) {
    EngineOptions each{.threads = 2, .isa = tests::IsaLimit()};
    for (const model::LayerWeights& layer : model.weights.layers) {
      for (const model::Linear* linear :
           {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
        each.formats[linear->weight.name] = format;
      }
    }
    const auto engine = LocalEngine::Load(model, each);
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_EQ((*engine)->load_report().format, quant::NameOf(format));
    const auto all = LoadEngine(model, format, 2);
    ASSERT_NE(all, nullptr);
    EXPECT_EQ(ForwardAll(**engine, texts.batch()), ForwardAll(*all, texts.batch()))
        << quant::NameOf(format);
  }
}

TEST(LocalEngine, MixedFormatsStayCloseToTheReference) {
  const Model model = RandomModel(kOddBert, "odd_bert_mixed_close");
  std::mt19937 random(9);
  Texts texts;
  texts.Add(60, 500, random);
  const std::vector<float> expected =
      model::ReferenceForward(model.config, model.weights, texts.ids, {});
  const auto engine = LocalEngine::Load(model, MixedOptions(2));
  ASSERT_TRUE(engine.ok()) << engine.status();
  const std::vector<float> actual = ForwardAll(**engine, texts.batch());
  EXPECT_LT(RelativeError(actual, expected), 0.2) << "int4 is the coarsest of them";
}

TEST(LocalEngine, AnyCutIntoLayerRangesGivesTheSameBits) {
  const Model model = RandomModel(kOddBert, "odd_bert_ranges");
  const auto engine = LoadEngine(model, Format::kInt8, 2);
  ASSERT_NE(engine, nullptr);
  std::mt19937 random(5);
  Texts texts;
  for (const int length : {21, 140}) texts.Add(length, 500, random);
  const std::vector<float> expected = ForwardAll(*engine, texts.batch());
  for (int cut = 0; cut <= 3; ++cut) {
    std::vector<float> hidden(expected.size());
    engine->Forward({0, cut}, texts.batch(), hidden);
    engine->Forward({cut, 3}, texts.batch(), hidden);
    EXPECT_EQ(hidden, expected) << "cut before layer " << cut;
  }
}

TEST(LocalEngine, ReducedFormatsStayCloseToTheReference) {
  const Model model = RandomModel(kOddBert, "odd_bert_close");
  std::mt19937 random(9);
  Texts texts;
  texts.Add(60, 500, random);
  const std::vector<float> expected =
      model::ReferenceForward(model.config, model.weights, texts.ids, {});
  // Relative error of the whole output. bf16 keeps 8 bits of each factor, int8 7, int4 about 4, and
  // errors of L = 3 layers add like random numbers.
  const std::pair<Format, double> limits[] = {
      {Format::kF32, 1e-5}, {Format::kBF16, 0.02}, {Format::kInt8, 0.04}, {Format::kInt4, 0.2}};
  for (const auto& [format, limit] : limits) {
    const auto engine = LoadEngine(model, format, 2);
    ASSERT_NE(engine, nullptr);
    const std::vector<float> actual = ForwardAll(*engine, texts.batch());
    EXPECT_LT(RelativeError(actual, expected), limit) << quant::NameOf(format);
  }
}

// Wider than the reduced attention kernels take: those of f32 stand in.
TEST(LocalEngine, TakesHeadsOfAnySizeInEveryFormat) {
  const Model model = RandomModel(R"({"architectures": ["BertModel"], "model_type": "bert",
      "hidden_size": 384, "num_hidden_layers": 1, "num_attention_heads": 1,
      "intermediate_size": 64, "vocab_size": 50, "max_position_embeddings": 40,
      "type_vocab_size": 2, "hidden_act": "gelu"})",
                                  "one_head_bert");
  std::mt19937 random(4);
  Texts texts;
  texts.Add(20, 50, random);
  const std::vector<float> expected =
      model::ReferenceForward(model.config, model.weights, texts.ids, {});
  for (const Format format : kFormats) {
    const auto engine = LoadEngine(model, format, 2);
    ASSERT_NE(engine, nullptr);
    const std::vector<float> actual = ForwardAll(*engine, texts.batch());
    EXPECT_LT(RelativeError(actual, expected), 0.2) << quant::NameOf(format);
  }
}

TEST(LocalEngine, RefusesBatchesOutsideTheModel) {
  const Model model = RandomModel(kOddBert, "odd_bert_check");
  const auto engine = LoadEngine(model, Format::kF32, 1);
  ASSERT_NE(engine, nullptr);
  const auto message = [&](std::vector<std::int32_t> ids, std::vector<std::int32_t> types,
                           std::vector<std::int32_t> begins) {
    return engine->Check({.ids = ids, .types = types, .begins = begins}).message();
  };
  EXPECT_EQ(message({1, 2}, {}, {0, 2}), "");
  EXPECT_EQ(message({1, 500}, {}, {0, 2}),
            "token id 500 at position 1 is outside the vocabulary of 500");
  EXPECT_EQ(message({-1}, {}, {0, 1}),
            "token id -1 at position 0 is outside the vocabulary of 500");
  EXPECT_EQ(message({1, 2}, {0, 2}, {0, 2}), "token type 2 is outside the model's 2");
  EXPECT_EQ(message({1, 2}, {}, {0, 0, 2}),
            "text 0 of the batch has 0 tokens; the model takes 1 to 300");
  EXPECT_EQ(message(std::vector<std::int32_t>(301, 1), {}, {0, 301}),
            "text 0 of the batch has 301 tokens; the model takes 1 to 300");
  EXPECT_EQ(message({1, 2}, {}, {0, 1}), "batch: begins must run from 0 to the number of tokens");
}

}  // namespace
}  // namespace hone::runtime
