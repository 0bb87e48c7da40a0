#include "compress/ladder/verify.h"

#include <algorithm>
#include <memory>
#include <set>

#include "bench/forward_bench.h"
#include "compress/ladder/finish.h"
#include "formats/sha256.h"
#include "model/model.h"

namespace hone::compress {
namespace {

base::Status FindAdded(env::FileSystem& files, const std::string& directory,
                       const std::string& folder, const std::set<std::string>& known,
                       std::vector<FileFault>* faults) {
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                        files.List(env::JoinPath(directory, folder)));
  for (const std::string& name : names) {
    const std::string relative = env::JoinPath(folder, name);
    if (files.IsDirectory(env::JoinPath(directory, relative))) {
      HONE_RETURN_IF_ERROR(FindAdded(files, directory, relative, known, faults));
    } else if (!known.contains(relative)) {
      faults->push_back({relative, "was not there when the ladder was written"});
    }
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<std::vector<FileFault>> CheckHashes(
    env::FileSystem& files, const std::string& directory, const LadderReport& ladder,
    const std::function<void(std::size_t done, std::size_t total)>& progress) {
  std::vector<FileFault> faults;
  std::set<std::string> known;
  for (std::size_t f = 0; f < ladder.files.size(); ++f) {
    const formats::ManifestFile& file = ladder.files[f];
    known.insert(file.name);
    const std::string path = env::JoinPath(directory, file.name);
    if (!files.IsFile(path)) {
      faults.push_back({file.name, "is missing"});
      continue;
    }
    HONE_ASSIGN_OR_RETURN(const auto mapped, files.Map(path));
    if (mapped->bytes().size() != file.bytes) {
      faults.push_back({file.name, base::StrCat("has ", mapped->bytes().size(), " bytes; ",
                                                file.bytes, " were written")});
    } else if (formats::Sha256Hex(mapped->bytes()) != file.sha256) {
      faults.push_back({file.name, "its sha256 is not the one that was written"});
    }
    if (progress) progress(f + 1, ladder.files.size());
  }
  // What was added to a rung may change what it answers.
  for (const LadderRung& rung : ladder.rungs) {
    if (!files.IsDirectory(env::JoinPath(directory, rung.path))) continue;
    HONE_RETURN_IF_ERROR(FindAdded(files, directory, rung.path, known, &faults));
  }
  return faults;
}

base::StatusOr<std::vector<LatencyFigures>> MeasureRungs(env::FileSystem& files,
                                                         const std::string& directory,
                                                         const LadderReport& ladder,
                                                         const runtime::EngineOptions& engine,
                                                         double seconds_a_rung) {
  if (ladder.rungs.empty()) return base::NotFound(directory, ": the ladder has no rungs");
  if (ladder.device.lengths.empty()) {
    return base::BadInput(directory, ": hone.json names no lengths to measure with");
  }
  const auto batch = static_cast<std::size_t>(std::clamp(ladder.device.batch, 1, 4096));
  std::vector<std::unique_ptr<runtime::LocalEngine>> engines;
  std::vector<std::unique_ptr<bench::ForwardPasses>> passes;
  std::vector<bench::ForwardPasses*> models;
  for (const LadderRung& rung : ladder.rungs) {
    HONE_ASSIGN_OR_RETURN(const model::Model model,
                          model::Model::Open(files, env::JoinPath(directory, rung.path)));
    std::vector<std::vector<int>> batches;
    for (std::size_t i = 0; i < ladder.device.lengths.size(); ++i) {
      if (i % batch == 0) batches.emplace_back();
      batches.back().push_back(std::min(ladder.device.lengths[i], model.config.max_tokens));
    }
    HONE_ASSIGN_OR_RETURN(engines.emplace_back(), runtime::LocalEngine::Load(model, engine));
    passes.push_back(std::make_unique<bench::ForwardPasses>(
        *engines.back(), static_cast<int>(model.head.outputs.size()), model.config.vocabulary,
        batches));
    models.push_back(passes.back().get());
  }
  return MeasureInTurn(models, seconds_a_rung * static_cast<double>(models.size()));
}

}  // namespace hone::compress
