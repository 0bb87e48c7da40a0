// A real model end to end: all-MiniLM-L6-v2 through Model::Open and the reference, against
// sentence-transformers (tools/golden/minilm.py). HONE_MINILM names its directory.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/json.h"
#include "env/file.h"
#include "model/reference.h"

namespace hone::model {
namespace {

TEST(MiniLm, EmbedsLikeSentenceTransformers) {
  const char* directory = std::getenv("HONE_MINILM");
  if (directory == nullptr) {
    GTEST_SKIP() << "HONE_MINILM names no directory with all-MiniLM-L6-v2";
  }
  const auto model = Model::Open(env::RealFileSystem(), directory);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->head.task, Task::kEmbedding);
  EXPECT_TRUE(model->head.normalize);
  EXPECT_EQ(model->max_text_tokens, 256);

  const std::string path = HONE_SOURCE_DIR "/tests/golden/model/minilm.json";
  const auto text = env::RealFileSystem().Read(path, 1 << 20);
  ASSERT_TRUE(text.ok()) << text.status();
  const auto golden = base::Json::Parse(*text, path);
  ASSERT_TRUE(golden.ok()) << golden.status();
  const auto stride = static_cast<std::size_t>(*golden->root().Get("stride")->Int());
  for (const base::JsonValue test_case : base::JsonValue(*golden->root().Get("cases"))) {
    std::vector<std::int32_t> ids;
    for (const base::JsonValue id : base::JsonValue(*test_case.Get("ids"))) {
      ids.push_back(static_cast<std::int32_t>(*id.Int()));
    }
    const std::vector<float> hidden = ReferenceForward(model->config, model->weights, ids, {});
    const std::vector<float> embedding =
        ReferenceHead(model->config, model->head, model->head.outputs[0], hidden, ids, -1);
    ASSERT_EQ(embedding.size(), 384u);
    std::size_t i = 0;
    for (const base::JsonValue expected : base::JsonValue(*test_case.Get("embedding"))) {
      // The original sums in f32: 6 layers of dot products of up to 1,536 terms, on a unit vector.
      EXPECT_NEAR(embedding[i], *expected.Double(), 1e-6) << *test_case.Get("text")->String();
      i += stride;
    }
    EXPECT_EQ(i, embedding.size());
  }
}

}  // namespace
}  // namespace hone::model
