#include "runtime/encoder_plan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <new>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "runtime/weight_source.h"

namespace hone::runtime {
namespace {

using model::Linear;
using quant::Format;

// A head's matrices are small and its outputs are what the user sees: they stay in f32, but for a
// vocabulary's worth of columns (fill-mask), which would dwarf the encoder.
constexpr int kWideHead = 4096;

// What an error calls a tensor: its name in the checkpoint, where it lies in one. Views do not carry
// it, and only an error needs it.
std::string NameOf(const tensor::TensorView& view, const formats::Checkpoint& checkpoint,
                   std::string_view otherwise) {
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView* found = checkpoint.Find(name);
    if (found != nullptr && found->data == view.data) return name;
  }
  return std::string(otherwise);
}

// A tensor in f32, `name` where the checkpoint knows no better; an error where it holds a NaN or an
// infinity.
base::StatusOr<std::vector<float>> ReadFinite(const tensor::TensorView& view,
                                              const formats::Checkpoint& checkpoint,
                                              std::string_view name) {
  std::vector<float> values;
  if (view.empty()) return values;
  values.resize(static_cast<std::size_t>(view.shape.elements()));
  tensor::CopyToF32(view, 0, values);
  const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  if (bad != values.end()) {
    return base::BadInput(NameOf(view, checkpoint, name), ": the value at ", bad - values.begin(),
                          " is not finite");
  }
  return values;
}

base::StatusOr<NormPlan> ReadNorm(const model::Norm& norm, const formats::Checkpoint& checkpoint,
                                  std::string_view name) {
  NormPlan plan;
  HONE_ASSIGN_OR_RETURN(plan.gain, ReadFinite(norm.gain, checkpoint, name));
  HONE_ASSIGN_OR_RETURN(plan.bias, ReadFinite(norm.bias, checkpoint, name));
  return plan;
}

// A table of embeddings as the kernel reads it, where it lies.
kernels::EmbeddingTable TableOf(const formats::StoredMatrix& matrix) {
  return {
      .data = matrix.values.data,
      .dtype = matrix.values.dtype,
      .scale = matrix.scale.data,
      .scale_dtype = matrix.scale.dtype,
      .zero = matrix.zero.data,
      .group = matrix.kind == formats::StoredKind::kInt4 ? matrix.group : 0,
  };
}

class PlanBuilder {
 public:
  PlanBuilder(const model::Model& model, const FormatChoice& formats, base::Isa isa,
              EncoderPlan* plan, const std::function<void(int, int)>& progress)
      : model_(model), formats_(formats), isa_(isa), plan_(*plan), progress_(progress) {}

  base::Status Build(base::ThreadPool& pool);

 private:
  Format FormatOf(std::span<const Linear* const> parts) const;
  void ChooseMainFormat();
  base::Status AddLayers();
  base::Status AddHead();
  void Add(std::vector<const Linear*> parts, Format format, PackedLinear* target);
  base::Status PackAll(base::ThreadPool& pool);
  base::Status AddRelativeBias();
  void SelectAttention(LayerPlan* layer);
  const kernels::RotaryTable* RotaryTable(float base);
  void FindWidest();

  const model::Model& model_;
  const FormatChoice& formats_;
  base::Isa isa_;
  EncoderPlan& plan_;
  const std::function<void(int, int)>& progress_;
  std::vector<PackJob> jobs_;
  std::size_t arena_bytes_ = 0;
};

// The format of parts that are multiplied as one matrix.
Format PlanBuilder::FormatOf(std::span<const Linear* const> parts) const {
  // Formats are listed from the most exact on.
  Format format = Format::kInt4;
  for (const Linear* part : parts) {
    const auto chosen = formats_.modules.find(part->weight.name);
    format = std::min(format, chosen != formats_.modules.end()
                                  ? chosen->second
                                  : formats_.all.value_or(StoredFormat(part->weight)));
  }
  return format;
}

// The format that most weights of the layers have; ties go to the more exact.
void PlanBuilder::ChooseMainFormat() {
  std::array<std::int64_t, 4> weights{};
  const auto count = [&](std::span<const Linear* const> parts) {
    if (parts.front()->weight.empty()) return;
    std::int64_t& sum = weights[static_cast<std::size_t>(FormatOf(parts))];
    for (const Linear* part : parts) sum += std::int64_t{part->weight.n} * part->weight.k;
  };
  for (const model::LayerWeights& layer : model_.weights.layers) {
    count(std::array{&layer.query, &layer.key, &layer.value});
    for (const Linear* linear : {&layer.output, &layer.up, &layer.down}) count({{linear}});
  }
  const auto most = std::ranges::max_element(weights);
  // Without any matrix in the layers: what was asked for.
  plan_.format =
      *most > 0 ? static_cast<Format>(most - weights.begin()) : formats_.all.value_or(Format::kF32);
  plan_.mixed = std::ranges::count_if(weights, [](std::int64_t n) { return n > 0; }) > 1;
}

void PlanBuilder::Add(std::vector<const Linear*> parts, Format format, PackedLinear* target) {
  target->kernel = &kernels::SelectMatMul(format, isa_);
  target->k = parts.front()->weight.k;
  for (const Linear* part : parts) target->n += part->weight.n;
  HONE_CHECK(target->k <= kernels::kMaxK);
  jobs_.push_back({std::move(parts), target, arena_bytes_});
  const std::size_t bytes = target->kernel->packed_bytes(target->n, target->k);
  arena_bytes_ +=
      (bytes + base::kCacheLineBytes - 1) / base::kCacheLineBytes * base::kCacheLineBytes;
}

base::Status PlanBuilder::AddLayers() {
  const model::EncoderWeights& weights = model_.weights;
  plan_.layers.resize(weights.layers.size());
  const auto add = [this](std::vector<const Linear*> parts, PackedLinear* target) {
    const Format format = FormatOf(parts);
    Add(std::move(parts), format, target);
  };
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    const model::LayerWeights& from = weights.layers[l];
    LayerPlan& to = plan_.layers[l];
    to.shape = plan_.config.layers[l];
    if (to.shape.heads > 0) {
      add({&from.query, &from.key, &from.value}, &to.qkv);
      add({&from.output}, &to.output);
      SelectAttention(&to);
      to.rotary_table = RotaryTable(to.shape.rotary_base);
    }
    if (to.shape.ffn > 0) {
      add({&from.up}, &to.up);
      add({&from.down}, &to.down);
    }
    HONE_ASSIGN_OR_RETURN(to.attention_norm,
                          ReadNorm(from.attention_norm, *model_.checkpoint,
                                   base::StrCat("layer ", l, ": the attention norm")));
    HONE_ASSIGN_OR_RETURN(to.ffn_norm,
                          ReadNorm(from.ffn_norm, *model_.checkpoint,
                                   base::StrCat("layer ", l, ": the feed-forward norm")));
  }
  return base::OkStatus();
}

base::Status PlanBuilder::AddHead() {
  plan_.normalize = model_.head.normalize;
  plan_.head.reserve(model_.head.outputs.size());
  for (const model::HeadOutput& output : model_.head.outputs) {
    HeadOutputPlan& to = plan_.head.emplace_back();
    to.rows = output.rows;
    to.width = output.width;
    to.stages.resize(output.stages.size());
    for (std::size_t s = 0; s < output.stages.size(); ++s) {
      const model::HeadStage& stage = output.stages[s];
      if (!stage.dense.weight.empty()) {
        const Format format = stage.dense.weight.n >= kWideHead ? plan_.format : Format::kF32;
        Add({&stage.dense}, format, &to.stages[s].dense);
      }
      to.stages[s].activation = stage.activation;
      HONE_ASSIGN_OR_RETURN(to.stages[s].norm,
                            ReadNorm(stage.norm, *model_.checkpoint, "the head's norm"));
    }
  }
  return base::OkStatus();
}

// Attention may round its factors as finely as those that Q, K and V come of are rounded.
kernels::AttentionPrecision AttentionPrecisionFor(Format format) {
  switch (format) {
    case Format::kF32: return kernels::AttentionPrecision::kF32;
    case Format::kBF16: return kernels::AttentionPrecision::k16Bit;
    case Format::kInt8:
    case Format::kInt4: break;
  }
  return kernels::AttentionPrecision::k8Bit;
}

void PlanBuilder::SelectAttention(LayerPlan* layer) {
  layer->attention = &kernels::SelectAttention(AttentionPrecisionFor(layer->qkv.kernel->format),
                                               isa_, plan_.config.head_size);
  if (std::ranges::find(plan_.attention, layer->attention) == plan_.attention.end()) {
    plan_.attention.push_back(layer->attention);
  }
}

const kernels::RotaryTable* PlanBuilder::RotaryTable(float base) {
  if (base == 0) return nullptr;
  for (const auto& [known, table] : plan_.rotary_tables) {
    if (known == base) return &table;
  }
  const model::ModelConfig& config = plan_.config;
  plan_.rotary_tables.emplace_back(
      base, kernels::BuildRotaryTable(base, config.head_size, config.max_tokens));
  return &plan_.rotary_tables.back().second;
}

base::Status PlanBuilder::AddRelativeBias() {
  const tensor::TensorView& table = model_.weights.relative_bias;
  if (table.empty()) return base::OkStatus();
  const model::ModelConfig& config = plan_.config;
  const int heads = static_cast<int>(table.shape[1]);
  HONE_ASSIGN_OR_RETURN(const std::vector<float> values,
                        ReadFinite(table, *model_.checkpoint, "the relative attention bias"));
  const int span = 2 * config.max_tokens - 1;
  const auto stride = static_cast<std::size_t>(span);
  plan_.relative_bias.resize(static_cast<std::size_t>(heads) * stride);
  for (int i = 0; i < span; ++i) {
    const int bucket = model::RelativeBucket(i - (config.max_tokens - 1), config.relative_buckets,
                                             config.relative_max_distance);
    for (int h = 0; h < heads; ++h) {
      plan_.relative_bias[static_cast<std::size_t>(h) * stride + static_cast<std::size_t>(i)] =
          values[static_cast<std::size_t>(bucket) * static_cast<std::size_t>(heads) +
                 static_cast<std::size_t>(h)];
    }
  }
  return base::OkStatus();
}

base::Status PlanBuilder::PackAll(base::ThreadPool& pool) {
  plan_.arena = base::AlignedBuffer(arena_bytes_);
  // Large matrices first, so that no worker starts one when the others are done.
  std::ranges::sort(jobs_, [](const PackJob& a, const PackJob& b) {
    return std::int64_t{a.target->n} * a.target->k > std::int64_t{b.target->n} * b.target->k;
  });
  std::mutex mutex;
  base::Status first_error;
  std::atomic<int> done{0};
  const int total = static_cast<int>(jobs_.size());
  pool.ParallelFor(total, [&](int task, int worker) {
    const PackJob& job = jobs_[static_cast<std::size_t>(task)];
    base::Status status;
    // Here it is known which matrix there was no memory for.
    try {
      status = Pack(job, *model_.checkpoint, plan_.arena.data());
    } catch (const std::bad_alloc&) {
      status = base::OutOfResource("no memory to pack ", job.parts.front()->weight.name, " [",
                                   job.target->n, ", ", job.target->k, "]");
    }
    const int now_done = done.fetch_add(1, std::memory_order_relaxed) + 1;
    if (worker == 0 && progress_) progress_(now_done, total);
    if (status.ok()) return;
    const std::lock_guard lock(mutex);
    if (first_error.ok()) first_error = status;
  });
  return first_error;
}

void PlanBuilder::FindWidest() {
  const auto take = [&](const PackedLinear& linear) {
    if (linear.empty()) return;
    plan_.encoded_bytes = std::max(plan_.encoded_bytes, linear.prepared_bytes());
    plan_.scratch_bytes = std::max(plan_.scratch_bytes, linear.kernel->scratch_bytes(linear.k));
  };
  take(plan_.embedding_projection);
  // Embeddings that wait for their projection lie where `up` will.
  if (!plan_.embedding_projection.empty()) plan_.widest_up = plan_.config.embedding_width;
  for (const LayerPlan& layer : plan_.layers) {
    for (const PackedLinear* linear : {&layer.qkv, &layer.output, &layer.up, &layer.down}) {
      take(*linear);
    }
    plan_.widest_attention =
        std::max(plan_.widest_attention, layer.shape.heads * plan_.config.head_size);
    plan_.widest_up = std::max(plan_.widest_up, layer.up.n);
    plan_.widest_ffn = std::max(plan_.widest_ffn, layer.shape.ffn);
  }
  for (const HeadOutputPlan& output : plan_.head) {
    for (const HeadStagePlan& stage : output.stages) take(stage.dense);
  }
}

base::Status PlanBuilder::Build(base::ThreadPool& pool) {
  plan_.config = model_.config;
  ChooseMainFormat();
  plan_.checkpoint = model_.checkpoint;
  plan_.word = TableOf(model_.weights.word);
  plan_.position = TableOf(model_.weights.position);
  plan_.type = TableOf(model_.weights.type);
  HONE_ASSIGN_OR_RETURN(
      plan_.embeddings_norm,
      ReadNorm(model_.weights.embeddings_norm, *model_.checkpoint, "the embeddings' norm"));
  HONE_ASSIGN_OR_RETURN(plan_.final_norm,
                        ReadNorm(model_.weights.final_norm, *model_.checkpoint, "the final norm"));
  if (!model_.weights.embedding_projection.weight.empty()) {
    Add({&model_.weights.embedding_projection}, plan_.format, &plan_.embedding_projection);
  }
  HONE_RETURN_IF_ERROR(AddLayers());
  HONE_RETURN_IF_ERROR(AddHead());
  HONE_RETURN_IF_ERROR(AddRelativeBias());
  HONE_RETURN_IF_ERROR(PackAll(pool));
  FindWidest();
  return base::OkStatus();
}

}  // namespace

base::StatusOr<std::unique_ptr<EncoderPlan>> BuildPlan(
    const model::Model& model, const FormatChoice& formats, base::Isa isa, base::ThreadPool& pool,
    const std::function<void(int done, int total)>& progress) {
  auto plan = std::make_unique<EncoderPlan>();
  const base::Status built = PlanBuilder(model, formats, isa, plan.get(), progress).Build(pool);
  if (!built.ok()) return base::Annotate(built, model.directory);
  return plan;
}

}  // namespace hone::runtime
