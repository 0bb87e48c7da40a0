#include "model/config_reader.h"

#include <cmath>

namespace hone::model {
namespace {

using kernels::Activation;

struct NamedActivation {
  std::string_view name;
  Activation activation;
};

// transformers/activations.py, ACT2CLS. gelu_fast and gelu_accurate are the tanh form with the
// factors multiplied out; quick_gelu is another function and stays unsupported.
constexpr NamedActivation kActivations[] = {
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_python_tanh", Activation::kGeluTanh},
    {"linear", Activation::kNone},
    {"relu", Activation::kRelu},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
};

}  // namespace

base::StatusOr<Activation> ParseActivation(std::string_view name) {
  std::string known;
  for (const NamedActivation& entry : kActivations) {
    if (entry.name == name) return entry.activation;
    base::StrAppend(&known, known.empty() ? "" : ", ", entry.name);
  }
  return base::Unsupported("activation \"", name, "\" is not supported; Hone has ", known);
}

int ConfigReader::Ranged(const base::JsonValue& field, int least, int most) {
  const base::StatusOr<int> value = field.IntIn(least, most);
  if (value.ok()) return *value;
  Fail(value.status());
  return least;
}

int ConfigReader::Int(std::string_view name, int least, int most) {
  const base::StatusOr<base::JsonValue> field = json_.Get(name);
  if (field.ok()) return Ranged(*field, least, most);
  Fail(field.status());
  return least;
}

int ConfigReader::IntOr(std::string_view name, int fallback, int least, int most) {
  const auto field = json_.Find(name);
  return field ? Ranged(*field, least, most) : fallback;
}

double ConfigReader::PositiveOr(std::string_view name, double fallback) {
  const auto field = json_.Find(name);
  if (!field) return fallback;
  const base::StatusOr<double> value = field->Double();
  if (!value.ok()) {
    Fail(value.status());
  } else if (!(*value > 0) || !(*value < 1e30)) {
    Fail(field->Error(base::StrCat("expected a positive number, found ", *value)));
  } else {
    return *value;
  }
  return fallback;
}

bool ConfigReader::BoolOr(std::string_view name, bool fallback) {
  const base::StatusOr<bool> value = json_.BoolOr(name, fallback);
  if (value.ok()) return *value;
  Fail(value.status());
  return fallback;
}

std::string ConfigReader::StringOr(std::string_view name, std::string_view fallback) {
  const base::StatusOr<std::string_view> value = json_.StringOr(name, fallback);
  if (value.ok()) return std::string(*value);
  Fail(value.status());
  return std::string(fallback);
}

Activation ConfigReader::ActivationOr(std::string_view name, std::string_view fallback) {
  const base::StatusOr<Activation> activation = ParseActivation(StringOr(name, fallback));
  if (activation.ok()) return *activation;
  Fail(base::Annotate(activation.status(), base::StrCat(json_.Where(), ".", name)));
  return Activation::kNone;
}

}  // namespace hone::model
