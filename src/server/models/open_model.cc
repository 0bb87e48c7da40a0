#include "server/models/open_model.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "env/clock.h"
#include "formats/tokenizer_files.h"
#include "server/models/measure_latency.h"

namespace hone::server {
namespace {

using planner::LatencyGrid;
using planner::LatencyTable;

// Each grid of a rung, by measuring what the pools allow. `guessed` becomes true where they do not allow all.
std::vector<LatencyGrid> MeasureRung(const OpenContext& context, const ModelOptions& options,
                                     const Endpoint& endpoint, const runtime::LocalEngine& packed,
                                     bool* guessed) {
  const MeasureLimits limits{.outputs = static_cast<int>(endpoint.head.outputs.size()),
                             .vocabulary = endpoint.vocabulary,
                             .max_tokens = endpoint.max_tokens,
                             .max_texts = options.max_texts,
                             .batch_tokens = options.max_batch_tokens,
                             .budget_ms = context.measure_ms};
  std::vector<LatencyGrid> grids(context.widths.size());
  std::optional<std::size_t> measured;
  for (const auto& pool : context.pools) {
    const auto width = std::ranges::find(context.widths, pool->threads());
    if (width == context.widths.end()) continue;
    const auto index = static_cast<std::size_t>(width - context.widths.begin());
    if (!grids[index].ms.empty()) continue;
    grids[index] = MeasureLatency(*packed.Share(pool), limits);
    measured = index;
  }
  if (!measured) {  // a pool that got fewer threads than it asked for
    measured = 0;
    grids[0] = MeasureLatency(*packed.Share(context.pools.front()), limits);
  }
  // A guess for the others: three quarters of each further thread count. What is seen corrects it.
  constexpr double kShare = 0.75;
  const auto speed = [&](std::size_t i) { return 1 + kShare * (context.widths[i] - 1); };
  for (std::size_t i = 0; i < grids.size(); ++i) {
    if (!grids[i].ms.empty()) continue;
    *guessed = true;
    grids[i] = grids[*measured];
    for (double& ms : grids[i].ms) ms *= speed(*measured) / speed(i);
  }
  return grids;
}

std::vector<LatencyTable> TablesOf(const std::vector<LatencyGrid>& grids) {
  std::vector<LatencyTable> tables;
  for (const LatencyGrid& grid : grids) tables.push_back(*LatencyTable::FromGrid(grid));
  return tables;
}

struct OpenedRung {
  RungInfo info;
  planner::RungTables tables;
  std::shared_ptr<const runtime::LocalEngine> packed;
  bool guessed = false;  // some of its tables
};

OpenedRung OpenRung(const OpenContext& context, const ModelOptions& options,
                    const Endpoint& endpoint, const RungFiles& files,
                    const planner::RungTables* kept, bool resident) {
  OpenedRung rung;
  rung.info.name = files.name;
  rung.info.format = files.format;
  rung.info.metric = files.metric;
  rung.info.accuracy = files.accuracy;
  if (kept != nullptr) {
    rung.tables = *kept;
    rung.info.bytes = kept->bytes;
    rung.info.load.pack_ms = kept->load_ms;
    rung.info.load.threads = context.widths.back();
    if (!resident) return rung;
  }
  base::StatusOr<LoadedRung> loaded =
      LoadRung(context.files, endpoint, files, context.isa, context.pools.front());
  if (!loaded.ok()) {
    rung.info.state = RungState::kFailed;
    rung.info.error = loaded.status().message();
    return rung;
  }
  rung.info.load = loaded->phases;
  rung.info.bytes = loaded->bytes;
  rung.info.format = loaded->format;
  if (kept == nullptr) {
    const std::int64_t start = env::NowNs();
    rung.tables.name = files.name;
    rung.tables.accuracy = files.accuracy;
    rung.tables.widths = context.widths;
    rung.tables.tables = MeasureRung(context, options, endpoint, *loaded->engine, &rung.guessed);
    rung.info.load.measure_ms = env::MsSince(start);
    rung.tables.bytes = loaded->bytes;
    rung.tables.load_ms = loaded->phases.load_ms();
  }
  if (resident) {
    rung.info.state = RungState::kReady;
    rung.packed = std::move(loaded->engine);
  }
  return rung;
}

}  // namespace

TokenizerLoad::TokenizerLoad(env::FileSystem& files, std::string directory)
    : result_(std::async(std::launch::async,
                         [&files, directory = std::move(directory)]()
                             -> base::StatusOr<std::shared_ptr<const text::Tokenizer>> {
                           HONE_ASSIGN_OR_RETURN(std::unique_ptr<text::Tokenizer> tokenizer,
                                                 formats::OpenTokenizer(files, directory));
                           return std::shared_ptr<const text::Tokenizer>(std::move(tokenizer));
                         })) {}

base::StatusOr<std::shared_ptr<const text::Tokenizer>> TokenizerLoad::Get() {
  return result_.get();
}

base::StatusOr<NewModel> OpenModel(const OpenContext& context, const ModelOptions& options,
                                   ModelFiles model, TokenizerLoad& tokenizer,
                                   const std::vector<bool>& resident) {
  const std::optional<planner::TableFile> kept = context.kept.Read(model, context.widths);
  NewModel result;
  result.options = options;
  planner::TableFile tables{.model = options.name, .device = {}, .rungs = {}};
  std::string errors;
  bool guessed = false;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    OpenedRung rung = OpenRung(context, options, model.endpoint, model.rungs[r],
                               kept ? &kept->rungs[r] : nullptr, resident[r]);
    if (rung.info.state == RungState::kFailed) {
      base::StrAppend(&errors, errors.empty() ? "" : "; ", rung.info.error);
    }
    guessed = guessed || rung.guessed;
    result.infos.push_back(std::move(rung.info));
    result.packed.push_back(std::move(rung.packed));
    tables.rungs.push_back(std::move(rung.tables));
  }
  // A rung that failed can never run; it borrows a table so that all have one.
  const auto good =
      std::ranges::find_if(tables.rungs, [](const auto& r) { return !r.tables.empty(); });
  if (good == tables.rungs.end()) return base::BadInput(errors);
  for (const planner::RungTables& rung : tables.rungs) {
    result.tables.push_back(TablesOf(rung.tables.empty() ? good->tables : rung.tables));
  }
  HONE_ASSIGN_OR_RETURN(model.endpoint.tokenizer, tokenizer.Get());
  HONE_RETURN_IF_ERROR(text::CheckIds(*model.endpoint.tokenizer, model.endpoint.vocabulary));
  // A guess serves until the next start, which measures; as kept it would be believed for good.
  const bool whole = errors.empty() && !guessed;
  if (whole) {
    result.content = model.content;
    result.measured = tables;
  }
  if (!kept && whole) context.kept.Write(model.content, std::move(tables));
  result.endpoint = std::move(model.endpoint);
  result.rungs = std::move(model.rungs);
  return result;
}

}  // namespace hone::server
