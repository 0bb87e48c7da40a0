#include "runtime/workspace.h"

#include <algorithm>
#include <span>

namespace hone::runtime {
namespace {

std::size_t Floats(int rows, int width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width) * sizeof(float);
}

void ReserveBlock(const EncoderPlan& plan, int rows, BlockBuffers* block) {
  if (plan.config.norm == model::NormPlacement::kPre) {
    block->normed.Reserve(Floats(rows, plan.config.width));
  }
  block->encoded.Reserve(static_cast<std::size_t>(rows) * plan.encoded_bytes);
  block->up.Reserve(Floats(rows, plan.widest_up));
  if (plan.config.gated_ffn) block->gated.Reserve(Floats(rows, plan.widest_ffn));
}

}  // namespace

int Workspace::LayOut(const Batch& batch, int position_offset) {
  order.clear();
  positions.clear();
  no_types.resize(batch.ids.size(), 0);
  int longest = 0;
  for (int b = 0; b < batch.texts(); ++b) {
    order.push_back(b);
    longest = std::max(longest, batch.length(b));
    for (int i = 0; i < batch.length(b); ++i) positions.push_back(position_offset + i);
  }
  std::ranges::sort(order, [&](int a, int b) { return batch.length(a) > batch.length(b); });
  return longest;
}

void Workspace::Reserve(const EncoderPlan& plan, int tokens, int longest, const WorkSplit& split) {
  qkv.Reserve(Floats(tokens, 3 * plan.widest_attention));
  context.Reserve(Floats(tokens, plan.widest_attention));
  if (split.columns) ReserveBlock(plan, tokens, &shared);
  const auto threads = static_cast<std::size_t>(split.threads);
  // Never fewer: a small batch between large ones must not cost them their buffers.
  if (workers.size() < threads) workers.resize(threads);
  for (WorkerBuffers& worker : std::span(workers).first(threads)) {
    if (!split.columns) ReserveBlock(plan, split.block_rows, &worker.block);
    worker.product_scratch.Reserve(plan.scratch_bytes);
    for (const kernels::AttentionKernel* attention : plan.attention) {
      worker.attention_prepared.Reserve(attention->prepared_bytes(longest, plan.config.head_size));
      worker.attention_scratch.Reserve(attention->scratch_bytes(longest, plan.config.head_size));
    }
  }
}

}  // namespace hone::runtime
