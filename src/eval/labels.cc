#include "eval/labels.h"

#include <charconv>

#include "base/strings.h"

namespace hone::eval {
namespace {

char Fold(char c) {
  return c == '-' || c == ' ' ? '_' : base::AsciiLower(c);
}

bool SameName(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Fold(a[i]) != Fold(b[i])) return false;
  }
  return true;
}

}  // namespace

int FindLabel(std::span<const std::string_view> labels, std::string_view text) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (SameName(labels[i], text)) return static_cast<int>(i);
  }
  unsigned index = 0;  // unsigned: no sign is accepted
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool number = error == std::errc() && end == text.data() + text.size();
  return number && index < labels.size() ? static_cast<int>(index) : -1;
}

base::StatusOr<int> ParseLabel(std::span<const std::string_view> labels, std::string_view text,
                               std::string_view where) {
  const int label = FindLabel(labels, text);
  if (label >= 0) return label;
  constexpr std::size_t kShown = 40;  // a wrong column may hold a whole text
  return base::BadInput(where, ": unknown label \"", text.substr(0, kShown),
                        text.size() > kShown ? "…" : "", "\"; expected ", base::Join(labels, ", "),
                        " or its index from 0");
}

base::StatusOr<std::vector<int>> MapModelLabels(std::span<const std::string_view> labels,
                                                std::span<const std::string> model_labels) {
  constexpr std::string_view kUnnamed = "LABEL_";
  std::vector<int> map;
  std::vector<bool> used(labels.size(), false);
  for (const std::string& name : model_labels) {
    std::string_view text = name;
    if (text.starts_with(kUnnamed)) text.remove_prefix(kUnnamed.size());
    const int label = FindLabel(labels, text);
    if (label < 0 || used[static_cast<std::size_t>(label)]) break;
    used[static_cast<std::size_t>(label)] = true;
    map.push_back(label);
  }
  if (map.size() != labels.size() || model_labels.size() != labels.size()) {
    return base::BadInput("the model's labels (", base::Join(model_labels, ", "),
                          ") are not the task's (", base::Join(labels, ", "), ")");
  }
  return map;
}

}  // namespace hone::eval
