#include "compress/recipe/stages/stage_kind.h"

#include "base/check.h"

namespace hone::compress {
namespace {

template <typename T>
bool Is(const Stage& stage) {
  return std::holds_alternative<T>(stage.what);
}

template <typename T>
void ParseInto(Fields& fields, Stage* stage) {
  T what;
  ParseStage(fields, &what);
  stage->what = std::move(what);
}

constexpr StageKind kKinds[] = {
#define HONE_STAGE(name, type, role) {name, Role::role, Is<type>, ParseInto<type>},
#include "compress/recipe/stages/list.inc"
#undef HONE_STAGE
};

// Why `later` cannot stand after `earlier`; empty where it can.
std::string_view Contradiction(Role earlier, Role later) {
  if (earlier == Role::kQuantize) {
    switch (later) {
      case Role::kQuantize: return "weights are quantised once";
      case Role::kTrain: return "training needs float weights";
      default: return "shapes change while weights are float";
    }
  }
  if (earlier == Role::kPrune && later == Role::kReshape) {
    return "it would undo what pruning chose; put it first";
  }
  if (earlier == Role::kPrune && later == Role::kPrune) {
    return "one pruning reaches the rung's target";
  }
  return {};
}

// Repeated reshaping must go on where the one before stopped.
base::Status CheckShrinking(const std::vector<Stage>& stages, const std::string& path) {
  const NarrowStage* narrow = nullptr;
  const DropLayersStage* drop = nullptr;
  for (const Stage& stage : stages) {
    if (const auto* next = std::get_if<NarrowStage>(&stage.what)) {
      if (narrow != nullptr && next->width >= narrow->width) {
        return base::BadInput(path, ":", stage.line, ": narrow: width ", next->width,
                              " after a width of ", narrow->width, " narrows nothing");
      }
      narrow = next;
    } else if (const auto* more = std::get_if<DropLayersStage>(&stage.what)) {
      if (drop != nullptr && more->layers >= drop->layers) {
        return base::BadInput(path, ":", stage.line, ": drop_layers: ", more->layers,
                              " layers after ", drop->layers, " drops nothing");
      }
      drop = more;
    }
  }
  return base::OkStatus();
}

}  // namespace

std::span<const StageKind> StageKinds() {
  return kKinds;
}

const StageKind& KindOf(const Stage& stage) {
  for (const StageKind& kind : kKinds) {
    if (kind.is(stage)) return kind;
  }
  HONE_CHECK(false);  // a struct of the variant without a line in list.inc
  return kKinds[0];
}

std::string_view NameOf(const Stage& stage) {
  return KindOf(stage).name;
}

base::Status CheckOrder(const std::vector<Stage>& stages, const std::string& path) {
  for (std::size_t later = 0; later < stages.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      const StageKind& a = KindOf(stages[earlier]);
      const StageKind& b = KindOf(stages[later]);
      const std::string_view why = Contradiction(a.role, b.role);
      if (why.empty()) continue;
      return base::BadInput(path, ":", stages[later].line, ": ", b.name, " cannot follow ", a.name,
                            " (line ", stages[earlier].line, "): ", why);
    }
  }
  return CheckShrinking(stages, path);
}

}  // namespace hone::compress
