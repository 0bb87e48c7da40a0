// Nothing allocates once an engine is warm. The allocators of this whole test program count.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

#include "base/aligned_buffer.h"
#include "base/huge_pages.h"
#include "env/file.h"
#include "runtime/local_engine.h"
#include "tests/isa_limit.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// The sanitizers bring allocators of their own; what is counted does not differ between builds.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HONE_COUNTS_ALLOCATIONS 1

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

// Stands in front of the C library's, which AlignedBuffer calls.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return memalign(alignment, size);
}
#endif

namespace hone::runtime {
namespace {

#if defined(HONE_COUNTS_ALLOCATIONS)
// Of the heap, and of what large buffers take past it.
long Allocations() {
  return allocations.load() + static_cast<long>(base::HugeTakes());
}
#endif

TEST(LocalEngine, AllocatesNothingOnceWarm) {
#if !defined(HONE_COUNTS_ALLOCATIONS)
  GTEST_SKIP() << "the sanitizer replaces the allocator that would be counted";
#else
  for (const std::size_t bytes :
       {std::size_t{1} << 10, std::size_t{64} << 10, std::size_t{4} << 20}) {
    const long uncounted = Allocations();
    const base::AlignedBuffer buffer(bytes);
    ASSERT_GT(Allocations(), uncounted) << "a buffer of " << bytes << " bytes is not counted";
  }
  const std::string directory = testing::TempDir() + "/allocation_bert";
  ASSERT_TRUE(env::RealFileSystem().MakeDirectory(directory).ok());
  std::ofstream(directory + "/config.json") << R"({"architectures": ["BertModel"],
    "model_type": "bert", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 256,
    "type_vocab_size": 2, "hidden_act": "gelu"})";
  const auto model = model::Model::Random(env::RealFileSystem(), directory, 1);
  ASSERT_TRUE(model.ok());
  using quant::Format;
  // Splits as for a large model, and such that the short batch is the caller's alone.
  std::vector<EngineOptions> cases;
  for (const auto& [format, work] : {std::pair{Format::kF32, 0.0},
                                     {Format::kBF16, 0.0},
                                     {Format::kInt8, 0.0},
                                     {Format::kInt4, 0.0},
                                     {Format::kInt8, 4e5}}) {
    cases.push_back({.format = format,
                     .threads = 2,
                     .isa = tests::IsaLimit(),
                     .split = {.work_per_worker = work, .own_cache_bytes = 0}});
  }
  EngineOptions& mixed = cases.emplace_back(cases[2]);
  mixed.formats = {{"bert.encoder.layer.0.output.dense", Format::kF32},
                   {"bert.encoder.layer.1.attention.self.query", Format::kF32},
                   {"bert.encoder.layer.1.intermediate.dense", Format::kInt4}};
  for (const EngineOptions& options : cases) {
    const auto engine = LocalEngine::Load(*model, options);
    ASSERT_TRUE(engine.ok());
    // Batches on both sides of the limit where products are split by columns.
    const std::vector<std::int32_t> ids(230, 3), short_begins = {0, 9, 20},
                                                 long_begins = {0, 200, 230};
    std::vector<float> hidden(ids.size() * 64), rows;
    const auto pass = [&](const std::vector<std::int32_t>& begins) {
      const auto tokens = static_cast<std::size_t>(begins.back());
      const Batch batch{.ids = std::span(ids).first(tokens), .types = {}, .begins = begins};
      (*engine)->Forward((*engine)->all_layers(), batch, std::span(hidden).first(tokens * 64));
      (*engine)->ApplyHead(0, batch, std::span(hidden).first(tokens * 64), -1, &rows);
    };
    pass(short_begins);
    pass(long_begins);
    const long before = Allocations();
    for (int i = 0; i < 3; ++i) {
      pass(long_begins);
      pass(short_begins);
    }
    EXPECT_EQ(Allocations(), before) << (*engine)->load_report().format;
  }
#endif
}

}  // namespace
}  // namespace hone::runtime
