#include "server/models/load_rung.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "bench/forward_bench.h"
#include "env/clock.h"
#include "model/model.h"

namespace hone::server {
namespace {

base::Status FitsEndpoint(const Endpoint& endpoint, const model::Model& model) {
  const auto differs = [&](std::string_view what, const auto& has, const auto& wanted) {
    return base::BadInput(model.directory, ": ", what, " is ", has, ", of the first rung ", wanted);
  };
  if (model.head.task != endpoint.task) {
    return base::BadInput(model.directory, ": has another task than the first rung");
  }
  if (model.config.vocabulary != endpoint.vocabulary) {
    return differs("the vocabulary", model.config.vocabulary, endpoint.vocabulary);
  }
  if (model.config.token_types < endpoint.token_types) {
    return differs("the number of token types", model.config.token_types, endpoint.token_types);
  }
  if (model.max_text_tokens < endpoint.max_tokens) {
    return differs("the longest text", model.max_text_tokens, endpoint.max_tokens);
  }
  const std::vector<model::HeadOutput>& outputs = model.head.outputs;
  if (outputs.size() != endpoint.head.outputs.size()) {
    return differs("the number of outputs", outputs.size(), endpoint.head.outputs.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const model::HeadOutput& wanted = endpoint.head.outputs[i];
    if (outputs[i].width != wanted.width) {
      return differs(base::StrCat("the width of output \"", wanted.name, "\""), outputs[i].width,
                     wanted.width);
    }
    if (outputs[i].rows != wanted.rows) {
      return base::BadInput(model.directory, ": output \"", wanted.name,
                            "\" has other rows than the first rung's");
    }
  }
  return base::OkStatus();
}

// Two passes of a short text: the first finds every page of the packed weights and the workspace
// missing from the processor's tables and caches, the second hardly any.
void Warm(const runtime::LocalEngine& packed, std::shared_ptr<base::ThreadPool> pool,
          const Endpoint& endpoint) {
  const std::unique_ptr<runtime::LocalEngine> engine = packed.Share(std::move(pool));
  const std::vector<std::vector<int>> batches = {{std::min(16, endpoint.max_tokens)}};
  bench::ForwardPasses passes(*engine, static_cast<int>(endpoint.head.outputs.size()),
                              endpoint.vocabulary, batches);
  for (int i = 0; i < 2; ++i) passes.Run(0);
}

base::StatusOr<LoadedRung> Load(env::FileSystem& files, const Endpoint& endpoint,
                                const RungFiles& rung, base::Isa isa,
                                std::shared_ptr<base::ThreadPool> pool) {
  LoadedRung loaded;
  loaded.phases.threads = pool->threads();
  std::int64_t start = env::NowNs();
  HONE_ASSIGN_OR_RETURN(const model::Model model, model::Model::Open(files, rung.directory));
  HONE_RETURN_IF_ERROR(FitsEndpoint(endpoint, model));
  loaded.phases.map_ms = env::MsSince(start);

  start = env::NowNs();
  runtime::EngineOptions options;
  options.threads = pool->threads();
  options.isa = isa;
  options.pool = pool;
  HONE_ASSIGN_OR_RETURN(std::unique_ptr<runtime::LocalEngine> engine,
                        runtime::LocalEngine::Load(model, options));
  loaded.phases.pack_ms = env::MsSince(start);
  loaded.bytes = engine->load_report().packed_bytes;
  loaded.format = engine->load_report().format;
  loaded.engine = std::move(engine);

  start = env::NowNs();
  Warm(*loaded.engine, std::move(pool), endpoint);
  loaded.phases.warm_ms = env::MsSince(start);
  return loaded;
}

}  // namespace

base::StatusOr<LoadedRung> LoadRung(env::FileSystem& files, const Endpoint& endpoint,
                                    const RungFiles& rung, base::Isa isa,
                                    std::shared_ptr<base::ThreadPool> pool) {
  try {
    return Load(files, endpoint, rung, isa, std::move(pool));
  } catch (const std::bad_alloc&) {  // others are served
    return base::OutOfResource(rung.directory, ": there is not memory enough to load it");
  }
}

base::StatusOr<std::uint64_t> PredictPackedBytes(env::FileSystem& files, const RungFiles& rung) {
  HONE_ASSIGN_OR_RETURN(const model::Model model, model::Model::Open(files, rung.directory));
  std::uint64_t bytes = 0;
  const auto add = [&bytes](const model::Linear& linear) {
    const formats::StoredMatrix& weight = linear.weight;
    if (weight.empty()) return;
    const auto values = static_cast<std::uint64_t>(weight.n) * static_cast<std::uint64_t>(weight.k);
    switch (weight.kind) {
      case formats::StoredKind::kInt8: bytes += values; break;
      case formats::StoredKind::kInt4: bytes += values * 5 / 8; break;  // with its groups' scales
      case formats::StoredKind::kFloat:
        bytes += values * (weight.values.dtype == tensor::DType::kBF16 ? 2 : 4);
        break;
    }
  };
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      add(*linear);
    }
  }
  for (const model::HeadOutput& output : model.head.outputs) {
    for (const model::HeadStage& stage : output.stages) add(stage.dense);
  }
  return bytes;
}

}  // namespace hone::server
