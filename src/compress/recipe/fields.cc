#include "compress/recipe/fields.h"

#include <charconv>
#include <cmath>

#include "base/closest.h"
#include "compress/recipe/pattern.h"

namespace hone::compress {

using base::StrCat;

Fields::Fields(const YamlNode& node, const std::string& path, std::string of)
    : node_(node), path_(path), of_(std::move(of)) {
  if (node.kind != YamlKind::kMap && node.kind != YamlKind::kNull) {
    Fail(node.line, StrCat("expected a map of settings, found ", KindOf(node)));
  }
}

int Fields::line(std::string_view key) const {
  const YamlNode* node = node_.Find(key);
  return node == nullptr ? node_.line : node->line;
}

const YamlNode* Fields::Member(std::string_view key) {
  known_.push_back(key);
  return node_.kind == YamlKind::kMap ? node_.Find(key) : nullptr;
}

void Fields::Fail(int line, const std::string& message) {
  if (!error_.ok() && error_line_ <= line) return;
  error_line_ = line;
  error_ = base::BadInput(path_, ":", line, ": ", of_, of_.empty() ? "" : ": ", message);
}

bool Fields::Parse(std::string_view key, Range range, bool integer, double* out) {
  const YamlNode* node = Member(key);
  if (node == nullptr) return false;
  const char* what = integer ? "a whole number" : "a number";
  if (node->kind != YamlKind::kScalar || node->quoted) {
    Fail(node->line, StrCat(key, ": expected ", what, ", found ", KindOf(*node)));
    return false;
  }
  const std::string& text = node->text;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
      (integer && value != std::floor(value))) {
    Fail(node->line, StrCat(key, ": expected ", what, ", found \"", text, "\""));
    return false;
  }
  if (value < range.min || value > range.max || (range.above_min && value == range.min)) {
    const auto write = [&](double bound) {
      return integer ? StrCat(static_cast<std::int64_t>(bound)) : StrCat(bound);
    };
    Fail(node->line,
         StrCat(key, ": ", text, " is not ", range.above_min ? "above " : "between ",
                write(range.min), range.above_min ? " and at most " : " and ", write(range.max)));
    return false;
  }
  *out = value;
  return true;
}

void Fields::Integer(std::string_view key, Range range, int* out) {
  double value = 0;
  if (Parse(key, range, true, &value)) *out = static_cast<int>(value);
}

void Fields::Number(std::string_view key, Range range, double* out) {
  Parse(key, range, false, out);
}

void Fields::Number(std::string_view key, Range range, float* out) {
  double value = 0;
  if (Parse(key, range, false, &value)) *out = static_cast<float>(value);
}

void Fields::Boolean(std::string_view key, bool* out) {
  const YamlNode* node = Member(key);
  if (node == nullptr) return;
  if (node->kind == YamlKind::kScalar && !node->quoted &&
      (node->text == "true" || node->text == "false")) {
    *out = node->text == "true";
  } else {
    Fail(node->line, StrCat(key, ": expected true or false, found ",
                            node->text.empty() ? std::string(KindOf(*node)) : node->text));
  }
}

void Fields::Text(std::string_view key, std::string* out) {
  const YamlNode* node = Member(key);
  if (node == nullptr) return;
  if (node->kind != YamlKind::kScalar || node->text.empty()) {
    Fail(node->line, StrCat(key, ": expected a text, found ", KindOf(*node)));
    return;
  }
  if (node->text.find('\0') != std::string::npos) {
    Fail(node->line, StrCat(key, ": holds a zero byte"));
    return;
  }
  *out = node->text;
}

const YamlNode* Fields::Map(std::string_view key) {
  return Member(key);
}

std::vector<const YamlNode*> Fields::Items(const YamlNode& node) {
  std::vector<const YamlNode*> items;
  if (node.kind == YamlKind::kScalar) {
    items.push_back(&node);
  } else if (node.kind == YamlKind::kList && !node.items.empty()) {
    for (const YamlNode& item : node.items) items.push_back(&item);
  } else {
    Fail(node.line, StrCat(node.key, ": expected one or more names, found ",
                           node.kind == YamlKind::kList ? "an empty list" : KindOf(node)));
  }
  return items;
}

std::size_t Fields::PickIndex(const YamlNode& node, const std::vector<std::string_view>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (node.kind == YamlKind::kScalar && node.text == names[i]) return i;
  }
  const std::string found =
      node.kind == YamlKind::kScalar ? StrCat("\"", node.text, "\"") : std::string(KindOf(node));
  Fail(node.line, StrCat(node.key, node.key.empty() ? "" : ": ", "found ", found,
                         ", expected one of ", base::Join(names, ", ")));
  return names.size();
}

void Fields::Patterns(std::string_view key, std::vector<std::string>* out,
                      std::vector<int>* lines) {
  const YamlNode* node = Member(key);
  if (node == nullptr) return;
  for (const YamlNode* item : Items(*node)) {
    if (item->kind != YamlKind::kScalar || item->text.empty()) {
      Fail(item->line,
           StrCat(key, ": expected a module's name or \"re:…\", found ", KindOf(*item)));
      continue;
    }
    if (const base::Status status = CheckPattern(item->text); !status.ok()) {
      Fail(item->line, StrCat(key, ": ", status.message()));
    }
    out->push_back(item->text);
    lines->push_back(item->line);
  }
}

void Fields::Modules(Selection* out) {
  Patterns("targets", &out->targets, &out->target_lines);
  Patterns("ignore", &out->ignore, &out->ignore_lines);
}

base::Status Fields::Finish() {
  for (const YamlNode& item : node_.items) {
    bool known = node_.kind != YamlKind::kMap;
    for (std::string_view key : known_) known = known || key == item.key;
    if (known) continue;
    std::string message = StrCat("unknown key \"", item.key, "\"");
    const std::string_view closest = base::Closest(item.key, known_);
    if (!closest.empty()) {
      message += StrCat("; did you mean \"", closest, "\"?");
    } else {
      message += StrCat("; known are ", base::Join(known_, ", "));
    }
    Fail(item.line, message);
  }
  return error_;
}

void Fields::Adopt(Fields& inner) {
  const base::Status status = inner.Finish();
  if (status.ok() || (!error_.ok() && error_line_ <= inner.error_line_)) return;
  error_line_ = inner.error_line_;
  error_ = status;
}

}  // namespace hone::compress
