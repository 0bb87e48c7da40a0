// The stages of a recipe for one target: from a float model directory to the rung's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/ladder/job.h"
#include "compress/ladder/module_formats.h"
#include "compress/prune/pruner.h"

namespace hone::compress {

struct MadeRung {
  std::string directory;  // of the finished model
  std::string
      float_directory;  // of the last one before quantisation: what the next rung begins from
};

class RungMaker {
 public:
  explicit RungMaker(CompressJob& job) : job_(job) {}

  // `name` is the rung's ("2x"); steps are entered in the job's state as "2x-0-prune", ….
  base::StatusOr<MadeRung> Make(const std::string& name, const PruneTarget& target,
                                const std::string& from);

  // What would stop a training stage hours from now: labels, classes, memory, disk.
  base::Status CheckTraining();

  // The name of a rung for a target: "2x", "1.5ms".
  static std::string NameOf(const PruneTarget& target);

 private:
  // Each makes the directory `out` from `in`.
  base::Status Prune(const PruneStage& stage, const PruneTarget& target, const std::string& rung,
                     const std::string& in, const std::string& out);
  base::Status Narrow(const NarrowStage& stage, const std::string& in, const std::string& out);
  base::Status DropLayers(const DropLayersStage& stage, const std::string& in,
                          const std::string& out);
  TrainRequest TrainingOf(const DistillStage& stage, const std::string& in,
                          const std::string& out) const;
  base::Status Distill(const DistillStage& stage, const std::string& rung, const std::string& in,
                       const std::string& out);
  base::Status Quantize(const QuantizeStage& stage, const std::string& rung, const std::string& in,
                        const std::string& out);

  base::StatusOr<const std::vector<BlockSnapshots>*> Snapshots(const PruneStage& stage,
                                                               const std::string& rung,
                                                               const std::string& in, Draft& draft);
  runtime::EngineOptions EngineFor(const model::Model& model,
                                   const std::vector<BlockSnapshots>& snapshots,
                                   const BlockFormats& formats) const;
  CandidateJudges Judges(const std::vector<BlockSnapshots>& snapshots);
  PruneOptions OptionsFor(const PruneStage& stage, const std::string& rung,
                          const model::Model& model);
  // Of a narrower student, the latency table is another one.
  base::StatusOr<const DeviceProfile*> ProfileFor(const model::Model& model,
                                                  const std::string& rung);
  // Chosen and refitted from bottom to top, where that has the lower loss.
  base::Status RefitPruned(const PruneStage& stage, const std::string& rung, const Draft& draft,
                           const std::vector<BlockSnapshots>& snapshots, PrunedDraft* pruned);
  // A step that is done again, after a fault, tells its points again.
  void ForgetPoints(const std::string& rung, const std::string& stage);
  void AddTrained(const std::string& rung, double metric);
  // A stage that would change nothing: the model is as narrow, or has as few layers, already.
  base::StatusOr<bool> IsDone(const Stage& stage, const std::string& in);

  CompressJob& job_;
  // Of the model that they were taken of: without training every rung begins from the same.
  std::string snapshots_of_;
  std::vector<BlockSnapshots> snapshots_;
  Calibration texts_;                      // that they were taken with
  std::map<int, DeviceProfile> profiles_;  // of widths other than the dense model's
  // The number format that the search gave each module of the rung in the making; empty: none yet.
  ModuleFormats chosen_;
};

}  // namespace hone::compress
