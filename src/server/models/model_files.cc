#include "server/models/model_files.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/strings.h"
#include "compress/ladder/ladder.h"
#include "formats/artefact.h"
#include "formats/directory.h"
#include "formats/sha256.h"
#include "model/model.h"

namespace hone::server {
namespace {

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{64} << 20;

std::string Sha(std::string_view text) {
  return formats::Sha256Hex(std::as_bytes(std::span(text.data(), text.size())));
}

base::StatusOr<std::vector<RungFiles>> LadderRungs(env::FileSystem& files,
                                                   const std::string& directory) {
  HONE_ASSIGN_OR_RETURN(const compress::LadderReport ladder,
                        compress::ReadLadder(files, directory));
  if (ladder.rungs.empty()) return base::BadInput(directory, ": the ladder has no rungs");
  std::vector<RungFiles> rungs;
  for (const compress::LadderRung& rung : ladder.rungs) {
    const compress::LatencyFigures& latency = rung.model.latency;
    RungFiles& to = rungs.emplace_back();
    to.name = rung.path;
    to.directory = env::JoinPath(directory, rung.path);
    to.format = rung.model.format;
    to.metric = rung.model.metric.name;
    to.accuracy = rung.model.metric.value;
    if (latency.p50_ms > 0 && latency.p95_ms > latency.p50_ms) {
      to.p95_ratio = latency.p95_ms / latency.p50_ms;
    }
  }
  std::ranges::stable_sort(
      rungs, [](const RungFiles& a, const RungFiles& b) { return a.accuracy > b.accuracy; });
  return rungs;
}

// The first rung that opens; the error of the very first where none does.
base::StatusOr<model::Model> OpenFirst(env::FileSystem& files, ModelFiles* model) {
  base::Status first_error;
  for (const RungFiles& rung : model->rungs) {
    base::StatusOr<model::Model> opened = model::Model::Open(files, rung.directory);
    model->common_directory = rung.directory;
    if (opened.ok()) return opened;
    if (first_error.ok()) first_error = opened.status();
  }
  return first_error;
}

}  // namespace

base::StatusOr<ModelFiles> ReadModelFiles(env::FileSystem& files, const ModelOptions& options) {
  ModelFiles model;
  const std::string& directory = options.directory;
  if (compress::IsLadder(files, directory)) {
    HONE_ASSIGN_OR_RETURN(model.rungs, LadderRungs(files, directory));
  } else {
    model.rungs.push_back({.name = "model", .directory = directory, .format = {}, .metric = {}});
  }
  HONE_ASSIGN_OR_RETURN(model::Model first, OpenFirst(files, &model));

  // hone.json holds the hashes of all other files; a directory without one is known by its
  // configuration and the size of its weights.
  std::string path = env::JoinPath(directory, formats::kManifestFile);
  if (!files.IsFile(path)) {
    HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files, directory));
    path = env::JoinPath(encoder, "config.json");
  }
  std::string description;
  if (files.IsFile(path)) {
    HONE_ASSIGN_OR_RETURN(description, files.Read(path, kMaxJsonBytes));
  }
  Endpoint& endpoint = model.endpoint;
  endpoint.name = options.name;
  endpoint.directory = directory;
  endpoint.sha = Sha(description);
  model.content = Sha(base::StrCat(endpoint.sha, " ", first.checkpoint->bytes()));
  endpoint.architecture = first.config.architecture;
  endpoint.width = first.config.width;
  endpoint.vocabulary = first.config.vocabulary;
  endpoint.token_types = first.config.token_types;
  endpoint.max_tokens = first.max_text_tokens;
  endpoint.task = first.head.task;
  endpoint.head = std::move(first.head);
  for (const RungFiles& rung : model.rungs) endpoint.rungs.push_back(rung.name);
  return model;
}

}  // namespace hone::server
