// Reads the members of one YAML map into a struct's fields, and collects what is wrong.
//
//   Fields fields(node, "recipe.yaml", "distill");
//   fields.Number("epochs", {.min = 0, .max = 100}, &stage.epochs);
//   HONE_RETURN_IF_ERROR(fields.Finish());   // the error that stands first in the file
//
// A member that is absent leaves its field as it is, so that a default stands in the struct alone.
// Finish refuses members that nobody asked for, and names the one that was probably meant.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "compress/recipe/recipe.h"
#include "compress/recipe/yaml_tree.h"

namespace hone::compress {

struct Range {
  double min = 0, max = 0;
  bool above_min = false;  // the minimum itself is out
};

class Fields {
 public:
  // A map, or nothing at all ("- prune:"), which has no members. `of` names the map in messages.
  Fields(const YamlNode& node, const std::string& path, std::string of);

  const std::string& path() const { return path_; }
  bool Has(std::string_view key) const { return node_.Find(key) != nullptr; }
  int line(std::string_view key) const;  // of the member; of the map where it is absent

  void Integer(std::string_view key, Range range, int* out);
  void Number(std::string_view key, Range range, double* out);
  void Number(std::string_view key, Range range, float* out);
  void Boolean(std::string_view key, bool* out);
  void Text(std::string_view key, std::string* out);
  void Modules(Selection* out);  // targets and ignore

  // A member that is a map itself; null where it is absent.
  const YamlNode* Map(std::string_view key);

  template <typename E>
  using Choices = std::initializer_list<std::pair<std::string_view, E>>;

  template <typename E>
  void Choice(std::string_view key, const std::type_identity_t<Choices<E>>& choices, E* out) {
    const YamlNode* node = Member(key);
    if (node != nullptr) Pick(*node, choices, out);
  }
  // A list, or one of them alone. Refuses an empty list and repetitions.
  template <typename E>
  void ChoiceList(std::string_view key, const std::type_identity_t<Choices<E>>& choices,
                  std::vector<E>* out) {
    const YamlNode* node = Member(key);
    if (node == nullptr) return;
    out->clear();
    for (const YamlNode* item : Items(*node)) {
      E value{};
      Pick(*item, choices, &value);
      for (const E& other : *out) {
        if (other == value) Fail(item->line, base::StrCat(key, ": \"", item->text, "\" twice"));
      }
      out->push_back(value);
    }
  }

  // "path:line: of: message"; the first line's is kept.
  void Fail(int line, const std::string& message);
  bool ok() const { return error_.ok(); }
  base::Status Finish();
  // Takes over what is wrong in a map within this one.
  void Adopt(Fields& inner);

 private:
  const YamlNode* Member(std::string_view key);
  std::vector<const YamlNode*> Items(const YamlNode& node);
  bool Parse(std::string_view key, Range range, bool integer, double* out);
  void Patterns(std::string_view key, std::vector<std::string>* out, std::vector<int>* lines);
  std::size_t PickIndex(const YamlNode& node, const std::vector<std::string_view>& names);

  template <typename E>
  void Pick(const YamlNode& node, const Choices<E>& choices, E* out) {
    std::vector<std::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.first);
    const std::size_t index = PickIndex(node, names);
    if (index < choices.size()) *out = (choices.begin() + index)->second;
  }

  const YamlNode& node_;
  const std::string& path_;
  std::string of_;
  std::vector<std::string_view> known_;
  int error_line_ = 0;
  base::Status error_;
};

}  // namespace hone::compress
