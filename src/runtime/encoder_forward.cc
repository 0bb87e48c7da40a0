#include "runtime/encoder_forward.h"

#include <algorithm>
#include <cmath>

#include "env/clock.h"
#include "kernels/activation/activation.h"
#include "kernels/embedding/embedding.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/rotary/rotary.h"
#include "runtime/steps.h"

namespace hone::runtime {
namespace {

using kernels::Activation;
using model::NormPlacement;

// At most this many steps a layer where products are split by columns: four products and the
// row-wise work around each, the rotary embedding, attention. Before the layers: embeddings,
// projection, QKV.
constexpr int kStepsALayer = 11;
constexpr int kStepsBefore = 6;

// Rows that are worked on together, and where their intermediate results lie.
struct Block {
  int begin, end;
  bool shared;            // by all workers, who split products by columns; else by this one alone
  BlockBuffers* buffers;  // row r lies at r - begin

  int rows() const { return end - begin; }
};

// A range of rows within a block.
struct Rows {
  int begin, end;
  int count() const { return end - begin; }
};

// One worker's part of the pass.
class Worker {
 public:
  Worker(const EncoderPlan& plan, const Batch& batch, int threads, Workspace& workspace,
         WorkerProfile* profile, const TapFunction* tap, float* hidden, int index)
      : plan_(plan),
        batch_(batch),
        threads_(threads),
        workspace_(workspace),
        own_(workspace.workers[static_cast<std::size_t>(index)]),
        profile_(profile),
        tap_(tap),
        index_(index),
        hidden_(hidden),
        width_(plan.config.width),
        runner_(workspace.steps, index) {
    if (profile != nullptr) runner_.MeasureWaits();
  }

  // Runs a phase over all rows: all together, or block by block, each by one worker.
  template <typename Phase>
  void RunPhase(const WorkSplit& split, const Phase& phase) {
    const int tokens = batch_.tokens(), block_rows = split.block_rows;
    if (split.columns) {
      phase(Block{0, tokens, true, &workspace_.shared});
      return;
    }
    runner_.Run((tokens + block_rows - 1) / block_rows, [&](int task) {
      const int begin = task * block_rows;
      phase(Block{begin, std::min(tokens, begin + block_rows), false, &own_.block});
    });
  }

  void BeforeAttention(const Block& block, LayerRange range);
  void Attend(int layer);
  void AfterAttention(const Block& block, int layer, LayerRange range);
  void CountWaits() {
    if (profile_ != nullptr)
      profile_->ns.back()[static_cast<std::size_t>(Op::kWait)] += runner_.wait_ns();
  }

 private:
  // Calls body(rows) for ranges that together are the block's rows.
  template <typename Body>
  void ForRows(const Block& block, const Body& body);
  // Encodes rows of x (row r of the block at x + (r - block.begin)·stride) for `linear`.
  void Encode(const Block& block, Rows rows, int layer, const PackedLinear& linear, const float* x,
              std::ptrdiff_t stride);
  void HandOut(Rows rows, int layer, const PackedLinear& linear, const float* x,
               std::ptrdiff_t stride);
  // Of a product that is split by columns.
  int TasksOf(const PackedLinear& linear) const {
    return std::min(linear.panels(), kTasksAWorker * threads_);
  }
  int FirstPanel(const PackedLinear& linear, int task) const {
    return linear.panels() * task / TasksOf(linear);
  }
  static kernels::Upcoming PanelAt(const PackedLinear& linear, int panel) {
    const std::size_t bytes = linear.panel_bytes();
    return {linear.packed + bytes * static_cast<std::size_t>(panel), bytes};
  }
  // What this worker reads first in the product that follows the one of `op`.
  kernels::Upcoming After(const Block& block, int layer, Op op) const;
  // c = activate(encoded rows · weights + bias) + residual, for all rows of the block.
  void Product(const Block& block, int layer, Op op, const PackedLinear& linear,
               Activation activation, const float* residual, float* c, std::ptrdiff_t c_stride);
  void Norm(const Block& block, Rows rows, int layer, const NormPlan& norm, int width,
            const float* x, float* y);

  void Embed(const Block& block);
  void EmbedRows(const Block& block, Rows rows, float* out);
  void EncodeForQkv(const Block& block, Rows rows, int layer);
  void Qkv(const Block& block, int layer);
  void FeedForward(const Block& block, int layer);
  void AttendHead(int layer, int text, int head);

  float* Hidden(int row) const { return hidden_ + static_cast<std::ptrdiff_t>(row) * width_; }
  bool pre() const { return plan_.config.norm == NormPlacement::kPre; }
  const LayerPlan& Layer(int layer) const { return plan_.layers[static_cast<std::size_t>(layer)]; }

  // Adds the time since `start` to an operation. Does nothing without a profile.
  void Count(int layer, Op op, std::int64_t start) {
    if (profile_ == nullptr) return;
    profile_->ns[static_cast<std::size_t>(layer)][static_cast<std::size_t>(op)] +=
        env::NowNs() - start;
  }
  std::int64_t Start() const { return profile_ == nullptr ? 0 : env::NowNs(); }

  const EncoderPlan& plan_;
  const Batch& batch_;
  int threads_;
  Workspace& workspace_;
  WorkerBuffers& own_;
  WorkerProfile* profile_;
  const TapFunction* tap_;  // null: none
  int index_;
  float* hidden_;
  int width_;
  StepRunner runner_;
};

template <typename Body>
void Worker::ForRows(const Block& block, const Body& body) {
  if (!block.shared) {
    body(Rows{block.begin, block.end});
    return;
  }
  const int tasks = std::min(threads_, block.rows());
  runner_.RunRanges(tasks, [&](int task) {
    body(Rows{block.begin + block.rows() * task / tasks,
              block.begin + block.rows() * (task + 1) / tasks});
  });
}

void Worker::Encode(const Block& block, Rows rows, int layer, const PackedLinear& linear,
                    const float* x, std::ptrdiff_t stride) {
  const std::int64_t start = Start();
  const std::ptrdiff_t first = rows.begin - block.begin;
  linear.kernel->prepare(
      x + first * stride, stride, rows.count(), linear.k,
      block.buffers->encoded.data() + static_cast<std::size_t>(first) * linear.prepared_bytes());
  Count(layer, Op::kEncode, start);
  if (tap_ != nullptr) HandOut(rows, layer, linear, x + first * stride, stride);
}

void Worker::HandOut(Rows rows, int layer, const PackedLinear& linear, const float* x,
                     std::ptrdiff_t stride) {
  if (layer == plan_.config.layer_count()) return;  // the embeddings' projection
  const LayerPlan& plan = Layer(layer);
  const Tap tap = &linear == &plan.qkv      ? Tap::kQkvInput
                  : &linear == &plan.output ? Tap::kOutputInput
                  : &linear == &plan.up     ? Tap::kUpInput
                                            : Tap::kDownInput;
  (*tap_)({layer, tap, index_, rows.begin, rows.count(), linear.k, x, stride});
}

void Worker::Product(const Block& block, int layer, Op op, const PackedLinear& linear,
                     Activation activation, const float* residual, float* c,
                     std::ptrdiff_t c_stride) {
  const kernels::Epilogue epilogue{
      .bias = linear.bias.empty() ? nullptr : linear.bias.data(),
      .activation = activation,
      .residual = residual,
      .residual_stride = c_stride,
  };
  const auto multiply = [&](int panel_begin, int panel_end, const kernels::Upcoming& next) {
    const std::int64_t start = Start();
    linear.kernel->multiply(linear.packed, linear.n, linear.k, block.buffers->encoded.data(),
                            block.rows(), panel_begin, panel_end, epilogue, c, c_stride,
                            own_.product_scratch.data(), next);
    Count(layer, op, start);
  };
  const kernels::Upcoming after = After(block, layer, op);
  if (!block.shared) {
    multiply(0, linear.panels(), after);
    return;
  }
  const int tasks = TasksOf(linear);
  const int last = runner_.OwnRange(tasks).end - 1;
  runner_.RunRanges(tasks, [&](int task) {
    const int end = FirstPanel(linear, task + 1);
    multiply(FirstPanel(linear, task), end, task == last ? after : PanelAt(linear, end));
  });
}

kernels::Upcoming Worker::After(const Block& block, int layer, Op op) const {
  const int layers = plan_.config.layer_count();
  int next = 0;  // in the order of products
  switch (op) {
    case Op::kEmbed: layer = 0; break;
    case Op::kQkv: next = 1; break;
    case Op::kOutput: next = 2; break;
    case Op::kUp: next = 3; break;
    default: ++layer;
  }
  for (; layer < layers; ++layer, next = 0) {
    const LayerPlan& plan = Layer(layer);
    const PackedLinear* products[] = {&plan.qkv, &plan.output, &plan.up, &plan.down};
    for (; next < 4; ++next) {
      const PackedLinear& linear = *products[next];
      if (linear.empty()) continue;
      if (!block.shared) return PanelAt(linear, 0);
      return PanelAt(linear, FirstPanel(linear, runner_.OwnRange(TasksOf(linear)).begin));
    }
  }
  return {};
}

void Worker::Norm(const Block& block, Rows rows, int layer, const NormPlan& norm, int width,
                  const float* x, float* y) {
  const std::int64_t start = Start();
  const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(rows.begin - block.begin) * width;
  kernels::LayerNorm(x + first, width, rows.count(), width, norm.gain.data(),
                     norm.bias.empty() ? nullptr : norm.bias.data(), plan_.config.norm_epsilon,
                     y + first, width);
  Count(layer, Op::kNorm, start);
}

void Worker::EmbedRows(const Block& block, Rows rows, float* out) {
  const int width = plan_.config.embedding_width;
  const std::int32_t* types =
      batch_.types.empty() ? workspace_.no_types.data() : batch_.types.data();
  kernels::Embed({
      .word = plan_.word,
      .position = plan_.position,
      .type = plan_.type,
      .ids = batch_.ids.data() + rows.begin,
      .positions = workspace_.positions.data() + rows.begin,
      .types = types + rows.begin,
      .tokens = rows.count(),
      .width = width,
      .out = out + static_cast<std::ptrdiff_t>(rows.begin - block.begin) * width,
      .out_stride = width,
  });
}

void Worker::Embed(const Block& block) {
  const int none = plan_.config.layer_count();
  const int width = plan_.config.embedding_width;
  const PackedLinear& projection = plan_.embedding_projection;
  // ELECTRA's embeddings are narrower than the model: they lie in `up` until they are projected.
  float* out = projection.empty() ? Hidden(block.begin) : block.buffers->up.As<float>();
  ForRows(block, [&](Rows rows) {
    const std::int64_t start = Start();
    EmbedRows(block, rows, out);
    Count(none, Op::kEmbed, start);
    if (!plan_.embeddings_norm.empty()) {
      Norm(block, rows, none, plan_.embeddings_norm, width, out, out);
    }
    if (!projection.empty()) Encode(block, rows, none, projection, out, width);
  });
  if (projection.empty()) return;
  Product(block, none, Op::kEmbed, projection, Activation::kNone, nullptr, Hidden(block.begin),
          width_);
}

void Worker::EncodeForQkv(const Block& block, Rows rows, int layer) {
  const LayerPlan& plan = Layer(layer);
  if (plan.qkv.empty()) return;
  const float* x = Hidden(block.begin);
  if (pre() && !plan.attention_norm.empty()) {
    float* normed = block.buffers->normed.As<float>();
    Norm(block, rows, layer, plan.attention_norm, width_, x, normed);
    x = normed;
  }
  Encode(block, rows, layer, plan.qkv, x, width_);
}

void Worker::Qkv(const Block& block, int layer) {
  const LayerPlan& plan = Layer(layer);
  if (plan.qkv.empty()) return;
  const std::ptrdiff_t stride = plan.qkv.n;
  float* qkv = workspace_.qkv.As<float>() + block.begin * stride;
  Product(block, layer, Op::kQkv, plan.qkv, Activation::kNone, nullptr, qkv, stride);
  if (plan.rotary_table == nullptr) return;
  ForRows(block, [&](Rows rows) {
    const std::int64_t start = Start();
    kernels::ApplyRotary(*plan.rotary_table, workspace_.positions.data() + rows.begin, rows.count(),
                         2 * plan.shape.heads, qkv + (rows.begin - block.begin) * stride, stride);
    Count(layer, Op::kOther, start);
  });
}

void Worker::BeforeAttention(const Block& block, LayerRange range) {
  if (range.begin == 0) Embed(block);
  if (range.begin == range.end) return;
  ForRows(block, [&](Rows rows) { EncodeForQkv(block, rows, range.begin); });
  Qkv(block, range.begin);
}

void Worker::FeedForward(const Block& block, int layer) {
  const LayerPlan& plan = Layer(layer);
  const bool gated = plan_.config.gated_ffn;
  float* up = block.buffers->up.As<float>();
  float* hidden = Hidden(block.begin);
  Product(block, layer, Op::kUp, plan.up, gated ? Activation::kNone : plan_.config.activation,
          nullptr, up, plan.up.n);
  ForRows(block, [&](Rows rows) {
    const float* inner = up;
    if (gated) {
      const std::int64_t start = Start();
      const std::ptrdiff_t first = rows.begin - block.begin;
      float* out = block.buffers->gated.As<float>();
      kernels::Gate(plan_.config.activation, up + first * plan.up.n, plan.up.n, rows.count(),
                    plan.shape.ffn, out + first * plan.shape.ffn, plan.shape.ffn);
      Count(layer, Op::kOther, start);
      inner = out;
    }
    Encode(block, rows, layer, plan.down, inner, plan.shape.ffn);
  });
  Product(block, layer, Op::kDown, plan.down, Activation::kNone, hidden, hidden, width_);
}

void Worker::AfterAttention(const Block& block, int layer, LayerRange range) {
  const LayerPlan& plan = Layer(layer);
  float* hidden = Hidden(block.begin);
  if (!plan.output.empty()) {
    const std::ptrdiff_t stride = plan.output.k;
    const float* context = workspace_.context.As<float>() + block.begin * stride;
    ForRows(block, [&](Rows rows) { Encode(block, rows, layer, plan.output, context, stride); });
    Product(block, layer, Op::kOutput, plan.output, Activation::kNone, hidden, hidden, width_);
  }
  ForRows(block, [&](Rows rows) {
    if (!pre()) Norm(block, rows, layer, plan.attention_norm, width_, hidden, hidden);
    if (plan.up.empty()) return;
    const float* x = hidden;
    if (pre()) {
      float* normed = block.buffers->normed.As<float>();
      Norm(block, rows, layer, plan.ffn_norm, width_, x, normed);
      x = normed;
    }
    Encode(block, rows, layer, plan.up, x, width_);
  });
  if (!plan.up.empty()) FeedForward(block, layer);
  ForRows(block, [&](Rows rows) {
    if (!pre()) Norm(block, rows, layer, plan.ffn_norm, width_, hidden, hidden);
    if (layer + 1 < range.end) {
      EncodeForQkv(block, rows, layer + 1);
    } else if (range.end == plan_.config.layer_count() && !plan_.final_norm.empty()) {
      Norm(block, rows, layer, plan_.final_norm, width_, hidden, hidden);
    }
  });
  if (layer + 1 < range.end) Qkv(block, layer + 1);
}

void Worker::AttendHead(int layer, int text, int head) {
  const LayerPlan& plan = Layer(layer);
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
  plan.attention->prepare(args, prepared);
  plan.attention->attend(args, prepared, 0, args.tokens, own_.attention_scratch.data());
}

void Worker::Attend(int layer) {
  const int heads = Layer(layer).shape.heads;
  runner_.Run(heads * batch_.texts(), [&](int task) {
    const std::int64_t start = Start();
    // The longest texts come first, so that what is left at the end is short.
    AttendHead(layer, workspace_.order[static_cast<std::size_t>(task / heads)], task % heads);
    Count(layer, Op::kAttention, start);
  });
}

}  // namespace

void ForwardLayers(const EncoderPlan& plan, LayerRange range, const Batch& batch,
                   const WorkSplit& split, base::ThreadPool& pool, Workspace& workspace,
                   std::span<WorkerProfile> profile, const TapFunction& tap, float* hidden) {
  const int longest = workspace.LayOut(batch, plan.config.position_offset);
  workspace.Reserve(plan, batch.tokens(), longest, split);
  const int steps = kStepsBefore + kStepsALayer * (range.end - range.begin);
  workspace.steps.Reset(steps, split.threads, pool.threads());
  const auto work = [&](int index) {
    if (index >= split.threads) return;
    Worker worker(plan, batch, split.threads, workspace,
                  profile.empty() ? nullptr : &profile[static_cast<std::size_t>(index)],
                  tap ? &tap : nullptr, hidden, index);
    worker.RunPhase(split, [&](const Block& rows) { worker.BeforeAttention(rows, range); });
    for (int layer = range.begin; layer < range.end; ++layer) {
      worker.Attend(layer);
      worker.RunPhase(split, [&](const Block& rows) { worker.AfterAttention(rows, layer, range); });
    }
    worker.CountWaits();
  };
  if (split.threads == 1) {
    work(0);
  } else {
    // A worker that is late finds the steps that it missed finished.
    pool.RunWithHelp(work);
  }
}

}  // namespace hone::runtime
