// What the parser knows of each kind of stage: its name, how its settings are read, and what it may
// stand beside. One line each in list.inc; everything else walks the list.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "compress/recipe/fields.h"
#include "compress/recipe/recipe.h"

namespace hone::compress {

// What a stage does to the model, as far as the order of stages goes.
enum class Role : std::uint8_t {
  kReshape,   // every layer alike: before pruning, whose choices it would undo
  kPrune,     // to the rung's target: once
  kTrain,     // needs float weights
  kQuantize,  // ends what can be changed: once, and last
};

struct StageKind {
  std::string_view name;
  Role role;
  bool (*is)(const Stage& stage);
  void (*parse)(Fields& fields, Stage* stage);
};

std::span<const StageKind> StageKinds();
const StageKind& KindOf(const Stage& stage);

// stages/<name>.cc defines each.
#define HONE_STAGE(name, type, role) void ParseStage(Fields& fields, type* stage);
#include "compress/recipe/stages/list.inc"
#undef HONE_STAGE

// Refuses stages that contradict each other, naming both lines.
base::Status CheckOrder(const std::vector<Stage>& stages, const std::string& path);

}  // namespace hone::compress
