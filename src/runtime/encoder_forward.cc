#include "runtime/encoder_forward.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>

#include "kernels/activation/activation.h"
#include "kernels/embedding/embedding.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/rotary/rotary.h"

namespace hone::runtime {
namespace {

using model::NormPlacement;

std::int64_t NowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

int RoundUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The rows and columns that a worker has in hand. In a block of rows of its own it does every step
// alone; where products are split by columns all workers share the rows, and meet after each step.
struct Share {
  int begin, end;          // rows of matrix products
  int own_begin, own_end;  // rows of row-wise steps: the same, or this worker's part of them
  bool split_columns;
  BlockBuffers* buffers;  // row r of a product lies at r - begin

  int rows() const { return end - begin; }
  int own_rows() const { return own_end - own_begin; }
};

// One worker's part of the pass.
class Worker {
 public:
  Worker(const EncoderPlan& plan, const Batch& batch, base::ThreadPool& pool, Workspace& workspace,
         WorkerProfile* profile, float* hidden, int index)
      : plan_(plan),
        batch_(batch),
        pool_(pool),
        workspace_(workspace),
        own_(workspace.workers[static_cast<std::size_t>(index)]),
        profile_(profile),
        hidden_(hidden),
        index_(index),
        width_(plan.config.width) {}

  void EmbedAndFirstQkv(const Share& share, LayerRange range);
  void AfterAttention(const Share& share, int layer, LayerRange range);
  void Attend(int layer, std::atomic<int>& next_task);
  void Barrier(int layer);

 private:
  void Embed(const Share& share);
  void Qkv(const Share& share, int layer);
  void FeedForward(const Share& share, int layer);
  void AttendHead(int layer, int text, int head);

  // Encodes the share's own rows of x (row r at x + r·stride), then multiplies all of its rows by this
  // worker's columns. x rows are absolute where `absolute`, else relative to the share.
  void Product(const Share& share, int layer, Op op, const PackedLinear& linear, const float* x,
               std::ptrdiff_t x_stride, kernels::Activation activation, const float* residual,
               float* c, std::ptrdiff_t c_stride);
  void Norm(const Share& share, int layer, const NormPlan& norm, const float* x, float* y);
  void Sync(const Share& share, int layer) {
    if (share.split_columns) Barrier(layer);
  }

  float* Hidden(int row) const { return hidden_ + static_cast<std::ptrdiff_t>(row) * width_; }

  // Adds the time since `start` to an operation, and returns now. Does nothing without a profile.
  std::int64_t Count(int layer, Op op, std::int64_t start) {
    if (profile_ == nullptr) return 0;
    const std::int64_t now = NowNs();
    profile_->ns[static_cast<std::size_t>(layer)][static_cast<std::size_t>(op)] += now - start;
    return now;
  }
  std::int64_t Start() const { return profile_ == nullptr ? 0 : NowNs(); }

  const EncoderPlan& plan_;
  const Batch& batch_;
  base::ThreadPool& pool_;
  Workspace& workspace_;
  WorkerBuffers& own_;
  WorkerProfile* profile_;
  float* hidden_;
  int index_;
  int width_;
};

void Worker::Barrier(int layer) {
  const std::int64_t start = Start();
  pool_.Barrier();
  Count(layer, Op::kWait, start);
}

void Worker::Product(const Share& share, int layer, Op op, const PackedLinear& linear,
                     const float* x, std::ptrdiff_t x_stride, kernels::Activation activation,
                     const float* residual, float* c, std::ptrdiff_t c_stride) {
  const kernels::MatMulKernel& kernel = *linear.kernel;
  std::byte* encoded = share.buffers->encoded.data();
  std::int64_t start = Start();
  const int first = share.own_begin - share.begin;
  kernel.prepare(x + first * x_stride, x_stride, share.own_rows(), linear.k,
                 encoded + static_cast<std::size_t>(first) * linear.prepared_bytes());
  start = Count(layer, Op::kEncode, start);
  if (share.split_columns) {
    Barrier(layer);
    start = Start();
  }
  int panel_begin = 0, panel_end = linear.panels();
  if (share.split_columns) {
    panel_begin = linear.panels() * index_ / pool_.threads();
    panel_end = linear.panels() * (index_ + 1) / pool_.threads();
  }
  const kernels::Epilogue epilogue{
      .bias = linear.bias.empty() ? nullptr : linear.bias.data(),
      .activation = activation,
      .residual = residual,
      .residual_stride = c_stride,
  };
  kernel.multiply(linear.packed, linear.n, linear.k, encoded, share.rows(), panel_begin, panel_end,
                  epilogue, c, c_stride, own_.product_scratch.data());
  Count(layer, op, start);
  Sync(share, layer);
}

void Worker::Norm(const Share& share, int layer, const NormPlan& norm, const float* x, float* y) {
  const std::int64_t start = Start();
  const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(share.own_begin - share.begin) * width_;
  kernels::LayerNorm(x + first, width_, share.own_rows(), width_, norm.gain.data(),
                     norm.bias.empty() ? nullptr : norm.bias.data(), plan_.config.norm_epsilon,
                     y + first, width_);
  Count(layer, Op::kNorm, start);
}

void Worker::Embed(const Share& share) {
  const std::int64_t start = Start();
  const model::ModelConfig& config = plan_.config;
  const int none = config.layer_count();
  const bool projected = !plan_.embedding_projection.empty();
  // ELECTRA's embeddings are narrower than the model: they lie in `up` until they are projected.
  float* out = projected ? share.buffers->up.As<float>() +
                               static_cast<std::ptrdiff_t>(share.own_begin - share.begin) *
                                   config.embedding_width
                         : Hidden(share.own_begin);
  const auto table = [](const tensor::TensorView& view) {
    return kernels::EmbeddingTable{view.data, view.dtype};
  };
  const std::int32_t* types =
      batch_.types.empty() ? workspace_.no_types.data() : batch_.types.data();
  kernels::Embed({
      .word = table(plan_.word),
      .position = table(plan_.position),
      .type = table(plan_.type),
      .ids = batch_.ids.data() + share.own_begin,
      .positions = workspace_.positions.data() + share.own_begin,
      .types = types + share.own_begin,
      .tokens = share.own_rows(),
      .width = config.embedding_width,
      .out = out,
      .out_stride = config.embedding_width,
  });
  if (!plan_.embeddings_norm.empty()) {
    kernels::LayerNorm(
        out, config.embedding_width, share.own_rows(), config.embedding_width,
        plan_.embeddings_norm.gain.data(),
        plan_.embeddings_norm.bias.empty() ? nullptr : plan_.embeddings_norm.bias.data(),
        config.norm_epsilon, out, config.embedding_width);
  }
  Count(none, Op::kEmbed, start);
  if (projected) {
    Product(share, none, Op::kEmbed, plan_.embedding_projection, share.buffers->up.As<float>(),
            config.embedding_width, kernels::Activation::kNone, nullptr, Hidden(share.begin),
            width_);
  }
}

void Worker::Qkv(const Share& share, int layer) {
  const LayerPlan& plan = plan_.layers[static_cast<std::size_t>(layer)];
  if (plan.qkv.empty()) return;
  const float* x = Hidden(share.begin);
  if (plan_.config.norm == NormPlacement::kPre && !plan.attention_norm.empty()) {
    float* normed = share.buffers->normed.As<float>();
    Norm(share, layer, plan.attention_norm, x, normed);
    x = normed;
  }
  float* qkv = workspace_.qkv.As<float>() + static_cast<std::ptrdiff_t>(share.begin) * plan.qkv.n;
  Product(share, layer, Op::kQkv, plan.qkv, x, width_, kernels::Activation::kNone, nullptr, qkv,
          plan.qkv.n);
  if (plan.rotary_table == nullptr) return;
  const std::int64_t start = Start();
  kernels::ApplyRotary(
      *plan.rotary_table, workspace_.positions.data() + share.own_begin, share.own_rows(),
      2 * plan.shape.heads,
      qkv + static_cast<std::ptrdiff_t>(share.own_begin - share.begin) * plan.qkv.n, plan.qkv.n);
  Count(layer, Op::kOther, start);
}

void Worker::EmbedAndFirstQkv(const Share& share, LayerRange range) {
  if (range.begin == 0) Embed(share);
  if (range.begin < range.end) Qkv(share, range.begin);
}

void Worker::FeedForward(const Share& share, int layer) {
  const LayerPlan& plan = plan_.layers[static_cast<std::size_t>(layer)];
  if (plan.up.empty()) return;
  const bool gated = plan_.config.gated_ffn;
  const bool pre = plan_.config.norm == NormPlacement::kPre;
  float* hidden = Hidden(share.begin);
  const float* x = hidden;
  if (pre) {
    float* normed = share.buffers->normed.As<float>();
    Norm(share, layer, plan.ffn_norm, x, normed);
    x = normed;
  }
  float* up = share.buffers->up.As<float>();
  Product(share, layer, Op::kUp, plan.up, x, width_,
          gated ? kernels::Activation::kNone : plan_.config.activation, nullptr, up, plan.up.n);
  const float* inner = up;
  if (gated) {
    const std::int64_t start = Start();
    const std::ptrdiff_t first = share.own_begin - share.begin;
    float* out = share.buffers->gated.As<float>();
    kernels::Gate(plan_.config.activation, up + first * plan.up.n, plan.up.n, share.own_rows(),
                  plan.shape.ffn, out + first * plan.shape.ffn, plan.shape.ffn);
    Count(layer, Op::kOther, start);
    inner = out;
  }
  Product(share, layer, Op::kDown, plan.down, inner, plan.shape.ffn, kernels::Activation::kNone,
          hidden, hidden, width_);
}

void Worker::AfterAttention(const Share& share, int layer, LayerRange range) {
  const LayerPlan& plan = plan_.layers[static_cast<std::size_t>(layer)];
  const bool post = plan_.config.norm == NormPlacement::kPost;
  float* hidden = Hidden(share.begin);
  if (!plan.output.empty()) {
    const float* context =
        workspace_.context.As<float>() + static_cast<std::ptrdiff_t>(share.begin) * plan.output.k;
    Product(share, layer, Op::kOutput, plan.output, context, plan.output.k,
            kernels::Activation::kNone, hidden, hidden, width_);
  }
  if (post) Norm(share, layer, plan.attention_norm, hidden, hidden);
  FeedForward(share, layer);
  if (post) Norm(share, layer, plan.ffn_norm, hidden, hidden);
  if (layer + 1 < range.end) {
    Qkv(share, layer + 1);
  } else if (range.end == plan_.config.layer_count() && !plan_.final_norm.empty()) {
    Norm(share, layer, plan_.final_norm, hidden, hidden);
  }
}

void Worker::AttendHead(int layer, int text, int head) {
  const LayerPlan& plan = plan_.layers[static_cast<std::size_t>(layer)];
  const int head_size = plan_.config.head_size;
  const int width = plan.shape.heads * head_size;
  const std::ptrdiff_t row = batch_.begin(text);
  const float* q = workspace_.qkv.As<float>() + row * plan.qkv.n + head * head_size;
  const int bias_span = 2 * plan_.config.max_tokens - 1;
  const kernels::AttentionArgs args{
      .q = q,
      .k = q + width,
      .v = q + 2 * width,
      .stride = plan.qkv.n,
      .out = workspace_.context.As<float>() + row * width + head * head_size,
      .out_stride = width,
      .tokens = batch_.length(text),
      .head_size = head_size,
      .scale = 1.0f / std::sqrt(static_cast<float>(head_size)),
      .window = plan.shape.window,
      .relative_bias = plan_.relative_bias.empty()
                           ? nullptr
                           : plan_.relative_bias.data() +
                                 static_cast<std::ptrdiff_t>(head) * bias_span +
                                 plan_.config.max_tokens - 1,
  };
  std::byte* prepared = own_.attention_prepared.data();
  plan_.attention->prepare(args, prepared);
  plan_.attention->attend(args, prepared, 0, args.tokens, own_.attention_scratch.data());
}

void Worker::Attend(int layer, std::atomic<int>& next_task) {
  const int heads = plan_.layers[static_cast<std::size_t>(layer)].shape.heads;
  const int tasks = heads * batch_.texts();
  const std::int64_t start = Start();
  for (int task = next_task.fetch_add(1, std::memory_order_relaxed); task < tasks;
       task = next_task.fetch_add(1, std::memory_order_relaxed)) {
    // The longest texts come first, so that what is left at the end is short.
    AttendHead(layer, workspace_.order[static_cast<std::size_t>(task / heads)], task % heads);
  }
  Count(layer, Op::kAttention, start);
}

}  // namespace

void ForwardLayers(const EncoderPlan& plan, LayerRange range, const Batch& batch,
                   base::ThreadPool& pool, Workspace& workspace, std::span<WorkerProfile> profile,
                   float* hidden) {
  const int tokens = batch.tokens(), texts = batch.texts(), threads = pool.threads();
  const bool split_columns = threads > 1 && tokens < kRowsPerWorker * threads;
  // Blocks of equal size, a multiple of the tallest register tile, the same number for each worker.
  const int blocks_each = (tokens + kBlockRows * threads - 1) / (kBlockRows * threads);
  const int block = RoundUp((tokens + blocks_each * threads - 1) / (blocks_each * threads), 8);

  int longest = 0;
  for (int b = 0; b < texts; ++b) longest = std::max(longest, batch.length(b));
  workspace.Reserve(plan, tokens, texts, longest, block, split_columns, threads);
  workspace.order.clear();
  workspace.no_types.resize(static_cast<std::size_t>(tokens), 0);
  workspace.positions.clear();
  for (int b = 0; b < texts; ++b) {
    workspace.order.push_back(b);
    for (int i = 0; i < batch.length(b); ++i) {
      workspace.positions.push_back(plan.config.position_offset + i);
    }
  }
  std::ranges::sort(workspace.order,
                    [&](int a, int b) { return batch.length(a) > batch.length(b); });

  // One counter a phase: 0 for the embeddings, then two a layer.
  std::array<std::atomic<int>, 2 * kMaxLayers + 1> next{};
  pool.Run([&](int index) {
    Worker worker(plan, batch, pool, workspace,
                  profile.empty() ? nullptr : &profile[static_cast<std::size_t>(index)], hidden,
                  index);
    // Runs a row-wise phase over all rows: block by block, or all at once by columns.
    const auto phase = [&](std::atomic<int>& counter, auto&& body) {
      if (split_columns) {
        body(Share{0, tokens, tokens * index / threads, tokens * (index + 1) / threads, true,
                   &workspace.shared});
        return;
      }
      BlockBuffers* buffers = &workspace.workers[static_cast<std::size_t>(index)].block;
      for (int begin = counter.fetch_add(block, std::memory_order_relaxed); begin < tokens;
           begin = counter.fetch_add(block, std::memory_order_relaxed)) {
        const int end = std::min(tokens, begin + block);
        body(Share{begin, end, begin, end, false, buffers});
      }
    };
    phase(next[0], [&](const Share& share) { worker.EmbedAndFirstQkv(share, range); });
    for (int layer = range.begin; layer < range.end; ++layer) {
      worker.Barrier(layer);
      worker.Attend(layer, next[static_cast<std::size_t>(2 * (layer - range.begin) + 1)]);
      worker.Barrier(layer);
      phase(next[static_cast<std::size_t>(2 * (layer - range.begin) + 2)],
            [&](const Share& share) { worker.AfterAttention(share, layer, range); });
    }
  });
}

}  // namespace hone::runtime
