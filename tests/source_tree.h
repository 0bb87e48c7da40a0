// The sources as text, for tests that hold them to rules.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace hone::structure {

// Path relative to the repository ("src/base/json.h") to contents.
using Tree = std::map<std::string, std::string>;

struct Include {
  int line = 0;
  std::string name;
  bool quoted = false;
};

std::vector<Include> IncludesOf(const std::string& text);

std::string ReadText(const std::filesystem::path& path);

// Everything below src/.
Tree ReadSources();

}  // namespace hone::structure
