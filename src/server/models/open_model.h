// A model from its directory to something the dispatcher serves: tokenizer, rungs in memory, latency
// tables.
//
// Usage
//   TokenizerLoad tokenizer(files, directory);                  // begins at once, on its own thread
//   HONE_ASSIGN_OR_RETURN(ModelFiles model, ReadModelFiles(files, options));
//   HONE_ASSIGN_OR_RETURN(NewModel ready, OpenModel(context, options, std::move(model), tokenizer,
//                                                   resident));
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "env/file.h"
#include "planner/latency_table.h"
#include "server/models/kept_tables.h"
#include "server/models/load_rung.h"
#include "server/models/model_files.h"
#include "server/service.h"

namespace hone::server {

// A tokenizer of a hundred thousand words takes as long as packing the weights: the two go side by
// side.
class TokenizerLoad {
 public:
  TokenizerLoad(env::FileSystem& files, std::string directory);
  base::StatusOr<std::shared_ptr<const text::Tokenizer>> Get();  // waits; once

 private:
  std::future<base::StatusOr<std::shared_ptr<const text::Tokenizer>>> result_;
};

// What a new model brings: `tables[rung][width]` in the order of the dispatcher's widths.
struct NewModel {
  ModelOptions options;
  Endpoint endpoint;  // with its tokenizer; the number is given by the dispatcher
  std::vector<RungFiles> rungs;
  std::vector<RungInfo> infos;
  std::vector<std::vector<planner::LatencyTable>> tables;
  std::vector<std::shared_ptr<const runtime::LocalEngine>> packed;  // null: stays on disk
  std::string content = {};          // what tables are kept for (ModelFiles); empty: not kept,
                                     // since a rung failed or a table is a guess
  planner::TableFile measured = {};  // `tables` as they are kept
};

struct OpenContext {
  env::FileSystem& files;
  base::Isa isa;
  KeptTables& kept;
  std::vector<int> widths;  // of the dispatcher
  // Packs, warms and measures. Tables of widths that no pool has are guessed from those measured.
  std::vector<std::shared_ptr<base::ThreadPool>> pools;  // the widest first
  double measure_ms = 0;                                 // budget for each table that is not kept
};

// `resident` says of each rung whether it stays in memory; one that does not is loaded only where its
// tables must be measured. A rung that fails is kFailed; an error where no rung can be served.
base::StatusOr<NewModel> OpenModel(const OpenContext& context, const ModelOptions& options,
                                   ModelFiles model, TokenizerLoad& tokenizer,
                                   const std::vector<bool>& resident);

}  // namespace hone::server
