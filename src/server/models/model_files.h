// What a model's directory says before anything is packed: a ladder, or a plain model directory, which
// is a ladder of one rung named "model".
//
// Usage
//   HONE_ASSIGN_OR_RETURN(ModelFiles model, ReadModelFiles(files, options));
//   for (const RungFiles& rung : model.rungs) … LoadRung(files, model.endpoint, rung, …) …
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "server/endpoint.h"
#include "server/service.h"

namespace hone::server {

struct RungFiles {
  std::string name, directory;
  std::string format;  // "int8"; empty where only loading tells
  std::string metric;  // name; empty where unknown
  double accuracy = 0;
  double p95_ratio = 1;  // p95 / p50 where it was made
};

struct ModelFiles {
  Endpoint endpoint;             // all but number and tokenizer
  std::vector<RungFiles> rungs;  // most accurate first
  std::string common_directory;  // of a rung that opens: the tokenizer is taken from there
  std::string content;           // what measured tables are kept for: changes with the weights
};

// Opens the first rung that opens (its weights are mapped, not read) for what all have in common; an
// error where none does.
base::StatusOr<ModelFiles> ReadModelFiles(env::FileSystem& files, const ModelOptions& options);

}  // namespace hone::server
