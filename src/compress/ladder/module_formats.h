// Which matrices a stage of a recipe is for, and the number format of each.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/prune/snapshots.h"
#include "compress/recipe/recipe.h"
#include "compress/search/prune_to_target.h"
#include "env/file.h"
#include "model/model.h"
#include "quant/format.h"

namespace hone::compress {

// By name ("encoder.layer.3.output.dense"), as the engine and the quantiser take them.
using ModuleFormats = std::map<std::string, quant::Format, std::less<>>;

// Of the blocks that have snapshots, as they will be written.
ModuleFormats FormatsByModule(const model::Model& model,
                              const std::vector<BlockSnapshots>& snapshots,
                              const BlockFormats& formats);

// On disk beside a pruned model, for the quantisation that comes after training.
std::string ToJson(const ModuleFormats& formats);
base::StatusOr<ModuleFormats> ReadModuleFormats(env::FileSystem& files, const std::string& path);

// The layers' matrices that a stage with this selection is not for.
std::vector<std::string> LeftInFloat(const Selection& modules, const model::Model& model);

// Whether a block's output or down matrix is among those that the selection is for; empty: all are.
std::function<bool(int layer, Block block)> SelectedBlocks(const Selection& modules,
                                                           const model::Model& model);

}  // namespace hone::compress
