// What a head file provides, and what it is bound from.
//
// To add a head: heads/<name>.cc defines `extern const HeadKind k<Name>Head`, and heads/list.inc
// gets the line HONE_HEAD(<Name>). What an architecture's heads are made of stands in its
// HeadPlans.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "env/file.h"
#include "model/architecture.h"
#include "model/binder.h"
#include "model/head.h"

namespace hone::model {

struct HeadSource {
  env::FileSystem& files;
  const std::string& directory;
  base::JsonValue json;  // config.json
  const ModelConfig& config;
  const Architecture& architecture;
  const HeadPlans& plans;
  const Binder& encoder;  // names with the encoder's prefix
  const Binder& top;      // names without
  const CheckpointOpener& open;
};

struct HeadKind {
  std::string_view ending;  // of the class in config.json's `architectures`
  base::StatusOr<Head> (*bind)(const HeadSource& source);
};

// `plans` bound one after the other, from rows of D values. `labels` is what kLabels stands for,
// and `labels_field` names where the number comes from, for the error.
base::StatusOr<std::vector<HeadStage>> BindStages(const HeadSource& source,
                                                  std::span<const StagePlan> plans, int labels,
                                                  std::string_view labels_field);

// The labels of `field` ({"0": "NEGATIVE", "1": "POSITIVE"}). Absent: LABEL_0, LABEL_1 as
// transformers has them, or as many as num_labels says.
base::StatusOr<std::vector<std::string>> ParseLabels(const base::JsonValue& json,
                                                     std::string_view field);

// True where the directory's modules.json asks for a pooled embedding.
base::StatusOr<bool> HasPoolingModule(env::FileSystem& files, const std::string& directory);

// The rows that 1_Pooling/config.json asks for.
base::StatusOr<Rows> ParsePooling(const base::JsonValue& json, int width);

}  // namespace hone::model
