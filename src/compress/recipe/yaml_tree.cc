#include "compress/recipe/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>

namespace hone::compress {
namespace {

// Reads a string_view as a stream without copying it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // only ever read
    setg(begin, begin, begin + text.size());
  }
};

// Stops yaml-cpp's parser from within an event; never leaves ParseYaml.
struct Refusal {
  int line;
  std::string what;
};

// Puts the parser's events together. Events rather than YAML::Load, so that aliases are refused
// before they are followed and limits hold before memory is taken.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode Take() { return std::move(root_); }
  bool empty() const { return !started_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, anchor, YamlKind::kNull, {}, false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{mark.line + 1, "anchors and aliases are not read here"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // "?" is a plain scalar, "!" a quoted or block one; the rest is an explicit tag.
    if (tag != "?" && tag != "!" && !tag.empty()) {
      throw Refusal{mark.line + 1, "tags (\"!…\") are not read here"};
    }
    Add(mark, anchor, YamlKind::kScalar, value, tag == "!");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Add(mark, anchor, YamlKind::kList, {}, false));
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Add(mark, anchor, YamlKind::kMap, {}, false));
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Level {
    YamlNode* node;
    bool key_read = false;
    std::string key = {};
    int key_line = 0;
  };

  void Open(YamlNode* node) {
    if (open_.size() >= static_cast<std::size_t>(kMaxYamlDepth)) {
      throw Refusal{node->line, base::StrCat("nested deeper than ", kMaxYamlDepth)};
    }
    open_.push_back({node});
  }

  // The new node, or null where the scalar was a key. Pointers in open_ stay valid: only the
  // innermost open node's list grows.
  YamlNode* Add(const YAML::Mark& mark, YAML::anchor_t anchor, YamlKind kind, std::string text,
                bool quoted) {
    const int line = mark.line + 1;
    if (anchor != 0) throw Refusal{line, "anchors and aliases are not read here"};
    if (++nodes_ > kMaxYamlNodes) {
      throw Refusal{line, base::StrCat("more than ", kMaxYamlNodes, " values")};
    }
    YamlNode node{.kind = kind, .line = line, .key = {}, .quoted = quoted, .text = {}, .items = {}};
    if (open_.empty()) {
      started_ = true;
      node.text = std::move(text);
      root_ = std::move(node);
      return &root_;
    }
    Level& level = open_.back();
    if (level.node->kind == YamlKind::kMap && !level.key_read) {
      if (kind != YamlKind::kScalar) throw Refusal{line, "a key must be a plain text"};
      if (level.node->Find(text) != nullptr) {
        throw Refusal{line, base::StrCat("\"", text, "\" is there twice")};
      }
      level.key_read = true;
      level.key = std::move(text);
      level.key_line = line;
      return nullptr;
    }
    node.text = std::move(text);
    if (level.node->kind == YamlKind::kMap) {
      node.key = std::move(level.key);
      node.line = level.key_line;
      level.key_read = false;
    }
    level.node->items.push_back(std::move(node));
    return &level.node->items.back();
  }

  YamlNode root_;
  std::vector<Level> open_;
  bool started_ = false;
  int nodes_ = 0;
};

}  // namespace

const YamlNode* YamlNode::Find(std::string_view name) const {
  for (const YamlNode& item : items) {
    if (item.key == name) return &item;
  }
  return nullptr;
}

std::string_view KindOf(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull: return "nothing";
    case YamlKind::kList: return "a list";
    case YamlKind::kMap: return "a map";
    case YamlKind::kScalar: break;
  }
  return node.quoted ? "a quoted text" : "a single value";
}

base::StatusOr<YamlNode> ParseYaml(std::string_view text, const std::string& path) {
  if (text.size() > kMaxYamlBytes) {
    return base::BadInput(path, ": ", text.size(), " bytes; at most ", kMaxYamlBytes, " are read");
  }
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder first, second;
    if (!parser.HandleNextDocument(first) || first.empty()) {
      return base::BadInput(path, ": is empty");
    }
    if (parser.HandleNextDocument(second)) {
      return base::BadInput(path, ": holds more than one YAML document");
    }
    return first.Take();
  } catch (const Refusal& refusal) {
    return base::BadInput(path, ":", refusal.line, ": ", refusal.what);
  } catch (const YAML::Exception& error) {
    return base::BadInput(path, ":", error.mark.line + 1, ": not YAML: ", error.msg);
  } catch (const std::exception& error) {
    return base::BadInput(path, ": not YAML: ", error.what());
  }
}

}  // namespace hone::compress
