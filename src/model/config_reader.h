// Reads the fields of a config.json one after the other and keeps the first error, so that an
// architecture's file is a list of fields rather than of error checks.
//
// Usage
//   ConfigReader reader(json);
//   config.width = reader.Int("hidden_size", 1, kMaxWidth);  // an error where absent
//   config.pad_id = reader.IntOr("pad_token_id", 0, 0, kMaxVocabulary);
//   return reader.status();  // "…/config.json: $.hidden_size: …"
//
// Where a field is wrong the value returned is the smallest allowed one: harmless until status() is
// read.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "kernels/activation.h"

namespace hone::model {

// No published encoder comes near these; they keep products of sizes within 64 bits and an absurd
// config.json from asking for absurd memory.
inline constexpr int kMaxWidth = 1 << 16;
inline constexpr int kMaxFeedForward = 1 << 16;  // = kernels::kMaxK, which bounds every sum
inline constexpr int kMaxVocabulary = 1 << 24;
inline constexpr int kMaxPositions = 1 << 20;
inline constexpr int kMaxLayers = 1024;
inline constexpr int kMaxHeads = 1024;

class ConfigReader {
 public:
  explicit ConfigReader(const base::JsonValue& json) : json_(json) {}

  const base::JsonValue& json() const { return json_; }
  const base::Status& status() const { return status_; }
  void Fail(const base::Status& status) {
    if (status_.ok()) status_ = status;
  }

  int Int(std::string_view name, int least, int most);
  int IntOr(std::string_view name, int fallback, int least, int most);
  double PositiveOr(std::string_view name, double fallback);
  bool BoolOr(std::string_view name, bool fallback);
  std::string StringOr(std::string_view name, std::string_view fallback);
  kernels::Activation ActivationOr(std::string_view name, std::string_view fallback);

 private:
  int Ranged(const base::JsonValue& field, int least, int most);

  base::JsonValue json_;
  base::Status status_;
};

// The activation that transformers calls `name` ("gelu", "gelu_new", "silu", …).
base::StatusOr<kernels::Activation> ParseActivation(std::string_view name);

}  // namespace hone::model
