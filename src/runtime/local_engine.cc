#include "runtime/local_engine.h"

#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "base/thread_pool.h"
#include "env/clock.h"
#include "runtime/batch_runs.h"
#include "runtime/encoder_forward.h"
#include "runtime/encoder_plan.h"
#include "runtime/head_forward.h"
#include "runtime/workspace.h"

namespace hone::runtime {
namespace {

// Appends a name to "a+b" unless it is there.
void AddName(std::string_view name, std::string* names) {
  if (base::StrCat("+", *names, "+").find(base::StrCat("+", name, "+")) != std::string::npos)
    return;
  base::StrAppend(names, names->empty() ? "" : "+", name);
}

// The layers' matrix-product kernels.
std::string KernelNames(const EncoderPlan& plan) {
  std::string names;
  for (const LayerPlan& layer : plan.layers) {
    for (const PackedLinear* linear : {&layer.qkv, &layer.output, &layer.up, &layer.down}) {
      if (!linear->empty()) AddName(linear->kernel->name, &names);
    }
  }
  return names;
}

class LocalEngineImpl : public LocalEngine {
 public:
  LocalEngineImpl(std::shared_ptr<base::ThreadPool> pool, const SplitLimits& limits)
      : pool_(std::move(pool)), limits_(limits) {}

  base::Status Load(const model::Model& model, const EngineOptions& options) {
    const std::int64_t start = env::NowNs();
    HONE_ASSIGN_OR_RETURN(plan_, BuildPlan(model, {options.format, options.formats}, options.isa,
                                           *pool_, options.progress));
    report_.pack_ms = env::MsSince(start);
    report_.packed_bytes = plan_->arena.size();
    report_.format = plan_->mixed ? "mixed" : quant::NameOf(plan_->format);
    report_.kernel = KernelNames(*plan_);
    for (const kernels::AttentionKernel* attention : plan_->attention) {
      AddName(attention->name, &report_.attention);
    }
    return base::OkStatus();
  }

  std::unique_ptr<LocalEngine> Share(std::shared_ptr<base::ThreadPool> pool) const override {
    auto engine = std::make_unique<LocalEngineImpl>(std::move(pool), limits_);
    engine->plan_ = plan_;
    engine->report_ = report_;
    return engine;
  }

  LayerRange all_layers() const override { return {0, plan_->config.layer_count()}; }
  int width() const override { return plan_->config.width; }
  int threads() const override { return pool_->threads(); }
  const LoadReport& load_report() const override { return report_; }
  quant::Format format() const override { return plan_->format; }

  base::Status Check(const Batch& batch) const override;

  void Forward(LayerRange range, const Batch& batch, std::span<float> hidden) override {
    HONE_CHECK(0 <= range.begin && range.begin <= range.end &&
               range.end <= plan_->config.layer_count());
    HONE_CHECK(hidden.size() == batch.ids.size() * static_cast<std::size_t>(width()));
    BatchRuns runs(batch, kRunBlocks * kBlockRows * pool_->threads(), &workspace_.run_begins);
    for (BatchRun run; runs.Next(&run);) ForwardRun(range, run, hidden.data());
    profiled_tokens_ += batch.tokens();
    for (int b = 0; b < batch.texts(); ++b) {
      profiled_pairs_ += static_cast<double>(batch.length(b)) * batch.length(b);
    }
  }

  void ApplyHead(int index, const Batch& batch, std::span<const float> hidden, std::int32_t mask_id,
                 std::vector<float>* out) override {
    HONE_CHECK(static_cast<std::size_t>(index) < plan_->head.size());
    ForwardHead(*plan_, plan_->head[static_cast<std::size_t>(index)], batch, *pool_, limits_,
                head_buffers_, hidden, mask_id, out);
  }

  void StartProfile() override {
    profile_.assign(static_cast<std::size_t>(threads()), WorkerProfile{});
    for (WorkerProfile& worker : profile_) {
      worker.ns.assign(plan_->layers.size() + 1, {});
    }
    profiled_tokens_ = 0;
    profiled_pairs_ = 0;
  }

  std::vector<ProfileRow> TakeProfile() override;

  void SetTap(TapFunction tap) override { tap_ = std::move(tap); }
  std::array<int, kTapCount> tap_widths(int layer) const override {
    const LayerPlan& plan = plan_->layers[static_cast<std::size_t>(layer)];
    return {plan.qkv.k, plan.output.k, plan.up.k, plan.down.k};
  }

 private:
  void ForwardRun(LayerRange range, const BatchRun& run, float* hidden);
  double Flops(std::size_t layer, Op op) const;

  std::shared_ptr<base::ThreadPool> pool_;
  SplitLimits limits_;
  std::shared_ptr<const EncoderPlan> plan_;
  Workspace workspace_;
  HeadBuffers head_buffers_;
  LoadReport report_;
  std::vector<WorkerProfile> profile_;  // empty: not measuring
  TapFunction tap_;
  std::int64_t profiled_tokens_ = 0;
  double profiled_pairs_ = 0;  // sum of squared lengths
};

base::Status LocalEngineImpl::Check(const Batch& batch) const {
  const model::ModelConfig& config = plan_->config;
  if (batch.begins.size() < 2 || batch.begins.front() != 0 ||
      batch.begins.back() != batch.tokens()) {
    return base::BadInput("batch: begins must run from 0 to the number of tokens");
  }
  for (int b = 0; b < batch.texts(); ++b) {
    if (batch.length(b) < 1 || batch.length(b) > config.max_tokens) {
      return base::BadInput("text ", b, " of the batch has ", batch.length(b),
                            " tokens; the model takes 1 to ", config.max_tokens);
    }
  }
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.ids[i] < 0 || batch.ids[i] >= config.vocabulary) {
      return base::BadInput("token id ", batch.ids[i], " at position ", i,
                            " is outside the vocabulary of ", config.vocabulary);
    }
  }
  if (!batch.types.empty() && batch.types.size() != batch.ids.size()) {
    return base::BadInput("batch: ", batch.types.size(), " types for ", batch.ids.size(),
                          " tokens");
  }
  for (const std::int32_t type : batch.types) {
    if (type != 0 && (type < 0 || (config.token_types > 0 && type >= config.token_types))) {
      return base::BadInput("token type ", type, " is outside the model's ", config.token_types);
    }
  }
  return base::OkStatus();
}

void LocalEngineImpl::ForwardRun(LayerRange range, const BatchRun& run, float* hidden) {
  const WorkSplit split = ChooseSplit(*plan_, range, run.batch, pool_->threads(), limits_);
  TapFunction tap;
  if (tap_) {
    tap = [&](TappedRows rows) {
      rows.first_row += run.first_token;
      tap_(rows);
    };
  }
  const std::ptrdiff_t first = std::ptrdiff_t{run.first_token} * width();
  ForwardLayers(*plan_, range, run.batch, split, *pool_, workspace_, profile_, tap, hidden + first);
}

double LocalEngineImpl::Flops(std::size_t layer, Op op) const {
  if (layer == plan_->layers.size()) return 0;
  const LayerPlan& plan = plan_->layers[layer];
  const auto product = [&](const PackedLinear& linear) {
    return linear.empty() ? 0.0 : 2.0 * static_cast<double>(profiled_tokens_) * linear.n * linear.k;
  };
  switch (op) {
    case Op::kQkv: return product(plan.qkv);
    case Op::kOutput: return product(plan.output);
    case Op::kUp: return product(plan.up);
    case Op::kDown: return product(plan.down);
    case Op::kAttention: return 4.0 * profiled_pairs_ * plan.shape.heads * plan_->config.head_size;
    default: return 0;
  }
}

std::vector<ProfileRow> LocalEngineImpl::TakeProfile() {
  std::vector<ProfileRow> rows;
  for (std::size_t layer = 0; layer <= plan_->layers.size(); ++layer) {
    for (int op = 0; op < kOpCount; ++op) {
      std::int64_t ns = 0;
      for (const WorkerProfile& worker : profile_)
        ns += worker.ns[layer][static_cast<std::size_t>(op)];
      if (ns == 0) continue;
      rows.push_back({layer == plan_->layers.size() ? -1 : static_cast<int>(layer),
                      static_cast<Op>(op), static_cast<double>(ns) * 1e-9,
                      Flops(layer, static_cast<Op>(op))});
    }
  }
  profile_.clear();
  return rows;
}

}  // namespace

base::StatusOr<std::unique_ptr<LocalEngine>> LocalEngine::Load(const model::Model& model,
                                                               const EngineOptions& options) {
  if (options.threads < 1 || options.threads > base::ThreadPool::kMaxThreads) {
    return base::BadInput(options.threads, " threads; expected 1 to ",
                          base::ThreadPool::kMaxThreads);
  }
  auto engine = std::make_unique<LocalEngineImpl>(
      options.pool ? options.pool : std::make_shared<base::ThreadPool>(options.threads),
      options.split);
  HONE_RETURN_IF_ERROR(engine->Load(model, options));
  return engine;
}

}  // namespace hone::runtime
