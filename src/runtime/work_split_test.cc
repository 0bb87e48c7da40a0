#include "runtime/work_split.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "env/caches.h"
#include "env/cpus.h"

namespace hone::runtime {
namespace {

constexpr int kThreads = 2;

// One layer of four products [width, width] in the format, without any weights: a plan to count.
EncoderPlan Plan(quant::Format format, int width) {
  EncoderPlan plan;
  plan.config.head_size = 64;
  LayerPlan& layer = plan.layers.emplace_back();
  layer.shape.heads = 1;
  for (PackedLinear* linear : {&layer.qkv, &layer.output, &layer.up, &layer.down}) {
    linear->kernel = &kernels::SelectMatMul(format, base::Isa::kPortable);
    linear->n = linear->k = width;
  }
  return plan;
}

// The first number of tokens, in texts of one, from which a pass is split by rows.
int FirstByRows(const EncoderPlan& plan, const SplitLimits& limits) {
  for (int tokens = kThreads; tokens < 1000; ++tokens) {
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    std::vector<std::int32_t> begins(ids.size() + 1);
    std::iota(begins.begin(), begins.end(), 0);
    const Batch batch{.ids = ids, .types = {}, .begins = begins};
    const WorkSplit split = ChooseSplit(plan, {0, 1}, batch, kThreads, limits);
    EXPECT_EQ(split.threads, kThreads);
    if (!split.columns) return tokens;
  }
  return 0;
}

TEST(ChooseSplit, TheFartherTheWeightsTheMoreRowsAWorkerToSplitByRows) {
  const EncoderPlan plan = Plan(quant::Format::kInt8, 512);  // 1 MiB and some of weights
  const auto first = [&](std::size_t own, std::size_t last) {
    return FirstByRows(plan,
                       {.work_per_worker = 0, .own_cache_bytes = own, .last_cache_bytes = last});
  };
  EXPECT_EQ(first(2 << 20, 0), kOwnCacheRows * kThreads);
  EXPECT_EQ(first(512 << 10, 4 << 20), kOwnCacheRows * kThreads) << "a last level's first few MiB";
  EXPECT_EQ(first(512 << 10, 512 << 10), kMemoryRows * kThreads);
}

TEST(ChooseSplit, TheLastLevelIsTheFartherTheMoreOfItTheWeightsTake) {
  const SplitLimits limits{.work_per_worker = 0, .own_cache_bytes = 0, .last_cache_bytes = 1 << 30};
  const auto first = [&](int width) {
    return FirstByRows(Plan(quant::Format::kF32, width), limits);
  };
  EXPECT_EQ(first(512), (kOwnCacheRows + 1) * kThreads) << "4 MiB";
  EXPECT_EQ(first(1024), (kOwnCacheRows + 4) * kThreads) << "16 MiB";
  EXPECT_EQ(first(2048), kLastCacheRows * kThreads) << "64 MiB";
}

TEST(ChooseSplit, ExpandedWeightsNeedMoreRowsWhereverTheyLie) {
  const SplitLimits near{.work_per_worker = 0, .own_cache_bytes = 64 << 20};
  EXPECT_EQ(FirstByRows(Plan(quant::Format::kInt4, 512), near), kExpandedRows * kThreads);
}

TEST(ChooseSplit, LittleWorkIsTheCallersAlone) {
  const std::vector<std::int32_t> ids(4), begins = {0, 4};
  const Batch batch{.ids = ids, .types = {}, .begins = begins};
  const WorkSplit split = ChooseSplit(Plan(quant::Format::kInt8, 128), {0, 1}, batch, 8, {});
  EXPECT_EQ(split.threads, 1);
  EXPECT_FALSE(split.columns);
}

TEST(ChooseSplit, ThisMachinesLimitsAreItsCachesAndNoMoreOfAHugeOne) {
  const env::Caches& caches = env::MachineCaches();
  const SplitLimits limits = LimitsOfThisMachine();
  if (caches.own_bytes > 0) {
    EXPECT_EQ(limits.own_cache_bytes, caches.own_bytes);
  } else {
    EXPECT_GT(limits.own_cache_bytes, 0u);
  }
  EXPECT_LE(limits.last_cache_bytes, caches.last_bytes);
  EXPECT_LE(limits.last_cache_bytes,
            std::size_t{32 << 20} * static_cast<std::size_t>(env::AffinityCpus()));
}

}  // namespace
}  // namespace hone::runtime
