// Holds the source tree to the rules of docs/ARCHITECTURE.md and HACKING.md, and shows that each
// rule can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "base/version.h"
#include "tests/source_tree.h"

namespace hone::structure {
namespace {

using base::StrCat;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kMaxLines = 800;
constexpr int kManyLines = 400;  // nine in ten files should stay below

// Folders of src/ from the bottom up: a folder includes from itself and from lower layers, never
// sideways.
const std::vector<std::set<std::string>>& Layers() {
  static const std::vector<std::set<std::string>> layers = {
      {"base"},
      {"tensor", "text", "env"},
      {"quant", "cache"},
      {"kernels", "formats"},
      {"model"},
      {"runtime", "planner"},
      {"scheduler", "node", "eval", "bench"},
      {"compress", "demo", "load"},
      {"server", "operator", "train", "sim"},
      {"cli"},
  };
  return layers;
}

int LayerOf(const std::string& folder) {
  for (std::size_t layer = 0; layer < Layers().size(); ++layer) {
    if (Layers()[layer].contains(folder)) return static_cast<int>(layer);
  }
  return -1;
}

bool IsHeader(std::string_view path) {
  return path.ends_with(".h");
}

// A body that the .cc files of a folder's kernels include, each for its instruction set.
bool IsInline(std::string_view path) {
  return path.ends_with("-inl.h");
}

// What several tests share; only tests include it.
bool IsTestHeader(std::string_view path) {
  return IsHeader(path) && path.substr(path.find_last_of('/') + 1).starts_with("test_");
}

// "src/base/json.h" → "base"; "" for a file right under src/.
std::string FolderOf(const std::string& path) {
  const std::size_t first = path.find('/'), second = path.find('/', first + 1);
  return second == std::string::npos ? "" : path.substr(first + 1, second - first - 1);
}

int LineCount(const std::string& text) {
  return static_cast<int>(std::ranges::count(text, '\n')) +
         (!text.empty() && text.back() != '\n' ? 1 : 0);
}

// Libraries whose headers stay in .cc files.
bool IsThirdParty(std::string_view name) {
  return std::ranges::any_of(
      std::vector<std::string_view>{"absl/", "nlohmann/", "CLI/", "hwy/", "utf8proc", "openssl/",
                                    "simde/", "boost/", "grpc", "google/", "torch/", "yaml-cpp/",
                                    "sqlite3", "Eigen/", "re2/", "gtest/", "gmock/", "benchmark/"},
      [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// Lists one cycle of includes, if there is any.
std::vector<std::string> Cycles(const Tree& tree) {
  enum class Mark { kNew, kOpen, kDone };
  std::map<std::string, Mark> marks;
  std::vector<std::string> path, found;
  const std::function<void(const std::string&)> visit = [&](const std::string& file) {
    marks[file] = Mark::kOpen;
    path.push_back(file);
    for (const Include& include : IncludesOf(tree.at(file))) {
      const std::string target = StrCat("src/", include.name);
      if (!include.quoted || !tree.contains(target) || !found.empty()) continue;
      // A Highway body includes itself again through foreach_target.h: the same file is no cycle.
      if (target == file) continue;
      if (marks[target] == Mark::kOpen) {
        const auto from = std::ranges::find(path, target);
        found.push_back(StrCat(
            "cycle of includes: ", base::Join(std::vector<std::string>(from, path.end()), " → "),
            " → ", target));
      } else if (marks[target] == Mark::kNew) {
        visit(target);
      }
    }
    path.pop_back();
    marks[file] = Mark::kDone;
  };
  for (const auto& [file, text] : tree) {
    if (marks[file] == Mark::kNew) visit(file);
  }
  return found;
}

// Headers that a file of another folder sees, directly or through other headers.
std::set<std::string> PublicHeaders(const Tree& tree) {
  std::set<std::string> seen;
  const std::function<void(const std::string&)> visit = [&](const std::string& header) {
    if (!tree.contains(header) || !seen.insert(header).second) return;
    for (const Include& include : IncludesOf(tree.at(header))) {
      visit(StrCat("src/", include.name));
    }
  };
  for (const auto& [path, text] : tree) {
    for (const Include& include : IncludesOf(text)) {
      const std::string target = StrCat("src/", include.name);
      if (FolderOf(target) != FolderOf(path)) visit(target);
    }
  }
  return seen;
}

void CheckInclude(const Tree& tree, const std::set<std::string>& public_headers,
                  const std::string& path, const Include& include, std::vector<std::string>* out) {
  const std::string where = StrCat(path, ":", include.line, ": ");
  const bool ours = tree.contains(StrCat("src/", include.name));
  if (!ours) {
    const bool for_tests = include.name.starts_with("gtest/") && IsTestHeader(path);
    if (IsThirdParty(include.name) && public_headers.contains(path) && !for_tests) {
      out->push_back(StrCat(where, "third-party header ", include.name,
                            " in a header that another folder sees"));
    }
    const std::string folder = include.name.substr(0, include.name.find('/'));
    if (include.quoted && LayerOf(folder) >= 0) {
      out->push_back(StrCat(where, include.name, " does not exist"));
    }
    return;
  }
  const std::string from = FolderOf(path), to = FolderOf(StrCat("src/", include.name));
  if (from == to) return;
  const int from_layer = LayerOf(from), to_layer = LayerOf(to);
  if (to_layer > from_layer) {
    out->push_back(StrCat(where, from, " includes ", include.name, ", which is above it"));
  } else if (to_layer == from_layer) {
    out->push_back(StrCat(where, from, " includes ", include.name, ", which is beside it"));
  }
}

// One line a violation; empty where the tree keeps every rule:
//   a file includes only its own folder and folders of lower layers, and what it includes exists;
//   no cycle of includes between files; no third-party header where another folder sees it; every
//   header has #pragma once; no file is too long; every folder of src/ has a layer.
std::vector<std::string> Violations(const Tree& tree) {
  std::vector<std::string> out;
  std::set<std::string> unknown;
  const std::set<std::string> public_headers = PublicHeaders(tree);
  for (const auto& [path, text] : tree) {
    if (LayerOf(FolderOf(path)) < 0) {
      unknown.insert(FolderOf(path));
      continue;
    }
    for (const Include& include : IncludesOf(text)) {
      CheckInclude(tree, public_headers, path, include, &out);
    }
    // Highway's bodies are included once for each target, with a guard of their own kind.
    if (IsHeader(path) && !IsInline(path) && text.find("#pragma once") == std::string::npos) {
      out.push_back(StrCat(path, ": lacks #pragma once"));
    }
    if (LineCount(text) > kMaxLines) {
      out.push_back(StrCat(path, ": ", LineCount(text), " lines; at most ", kMaxLines));
    }
  }
  for (const std::string& folder : unknown) {
    out.push_back(StrCat("src/", folder, ": a folder without a layer"));
  }
  for (std::string& cycle : Cycles(tree)) out.push_back(std::move(cycle));
  return out;
}

// The table of layers in ARCHITECTURE.md: rows like "| 3 | `kernels` `formats` |", folder to layer.
std::map<std::string, int> TableFolders(const std::string& architecture) {
  std::istringstream lines(architecture);
  std::map<std::string, int> folders;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string bar;
    int layer = 0;
    if (!(words >> bar >> layer) || bar != "|") continue;
    for (std::string word; words >> word;) {
      if (word.size() > 2 && word.front() == '`' && word.back() == '`') {
        folders[word.substr(1, word.size() - 2)] = layer;
      }
    }
  }
  return folders;
}

// Folders that only one of the table and the tree has, or that the table puts in another layer.
std::vector<std::string> TableDifferences(const Tree& tree, const std::string& architecture) {
  std::set<std::string> present;
  for (const auto& [path, text] : tree) present.insert(FolderOf(path));
  const std::map<std::string, int> table = TableFolders(architecture);
  std::vector<std::string> out;
  for (const std::string& folder : present) {
    if (!table.contains(folder)) {
      out.push_back(StrCat("docs/ARCHITECTURE.md: the table lacks src/", folder));
    }
  }
  for (const auto& [folder, layer] : table) {
    if (!present.contains(folder)) {
      out.push_back(StrCat("docs/ARCHITECTURE.md: the table has ", folder, ", src/ has not"));
    } else if (layer != LayerOf(folder)) {
      out.push_back(StrCat("docs/ARCHITECTURE.md: ", folder, " is in row ", layer, ", not ",
                           LayerOf(folder)));
    }
  }
  return out;
}

TEST(Structure, SourcesKeepEveryRule) {
  const Tree tree = ReadSources();
  ASSERT_GT(tree.size(), 40u);
  EXPECT_THAT(Violations(tree), IsEmpty());
  for (const auto& [path, text] : tree) {
    if (LineCount(text) > kManyLines) {
      std::cout << "note: " << path << " has " << LineCount(text) << " lines\n";
    }
  }
}

TEST(Structure, ArchitectureTableListsTheFoldersPresent) {
  const std::filesystem::path path =
      std::filesystem::path(HONE_SOURCE_DIR) / "docs/ARCHITECTURE.md";
  ASSERT_TRUE(std::filesystem::exists(path)) << path;
  EXPECT_THAT(TableDifferences(ReadSources(), ReadText(path)), IsEmpty());
}

TEST(Structure, VersionIsTheOneOfCMake) {
  const std::string cmake = ReadText(std::filesystem::path(HONE_SOURCE_DIR) / "CMakeLists.txt");
  EXPECT_THAT(cmake, HasSubstr(StrCat("project(hone VERSION ", base::kVersion, " ")));
}

// The rules can fail: each small tree below breaks one.
TEST(StructureRules, AcceptAGoodTree) {
  EXPECT_THAT(Violations({
                  {"src/base/a.h", "#pragma once\n#include <vector>\n"},
                  {"src/base/a.cc", "#include \"base/a.h\"\n#include \"nlohmann/json.hpp\"\n"},
                  {"src/formats/b.h", "#pragma once\n#include \"base/a.h\"\n"},
                  {"src/kernels/c-inl.h", "#include \"hwy/highway.h\"\n"},
              }),
              IsEmpty());
}

TEST(StructureRules, NoIncludeUpward) {
  EXPECT_THAT(Violations({{"src/base/a.cc", "\n#include \"model/m.h\"\n"},
                          {"src/model/m.h", "#pragma once\n"}}),
              ElementsAre("src/base/a.cc:2: base includes model/m.h, which is above it"));
}

TEST(StructureRules, NoIncludeSideways) {
  EXPECT_THAT(Violations({{"src/kernels/a.cc", "#  include \"formats/f.h\"\n"},
                          {"src/formats/f.h", "#pragma once\n"}}),
              ElementsAre("src/kernels/a.cc:1: kernels includes formats/f.h, which is beside it"));
}

TEST(StructureRules, NoCycleOfFiles) {
  EXPECT_THAT(Violations({{"src/base/a.h", "#pragma once\n#include \"base/b.h\"\n"},
                          {"src/base/b.h", "#pragma once\n#include \"base/c.h\"\n"},
                          {"src/base/c.h", "#pragma once\n#include \"base/a.h\"\n"}}),
              ElementsAre("cycle of includes: src/base/a.h → src/base/b.h → src/base/c.h → "
                          "src/base/a.h"));
}

TEST(StructureRules, NoThirdPartyHeaderWhereAnotherFolderSeesIt) {
  Tree tree = {{"src/base/a.h", "#pragma once\n#include \"base/b.h\"\n"},
               {"src/base/b.h", "#pragma once\n#include <nlohmann/json.hpp>\n"},
               {"src/base/test_a.h", "#pragma once\n#include <gtest/gtest.h>\n"}};
  EXPECT_THAT(Violations(tree), IsEmpty()) << "inside one folder it is that folder's own business";
  tree["src/model/m.cc"] = "#include \"base/a.h\"\n#include \"base/test_a.h\"\n";
  EXPECT_THAT(Violations(tree), ElementsAre("src/base/b.h:2: third-party header nlohmann/json.hpp "
                                            "in a header that another folder sees"));
}

TEST(StructureRules, PragmaOnceInEveryHeader) {
  EXPECT_THAT(Violations({{"src/base/a.h", "int x;\n"}}),
              ElementsAre("src/base/a.h: lacks #pragma once"));
}

TEST(StructureRules, NoFileTooLong) {
  EXPECT_THAT(Violations({{"src/base/a.cc", std::string(kMaxLines, '\n')}}), IsEmpty());
  EXPECT_THAT(Violations({{"src/base/a.cc", std::string(kMaxLines + 1, '\n')}}),
              ElementsAre("src/base/a.cc: 801 lines; at most 800"));
}

TEST(StructureRules, IncludedFilesExist) {
  EXPECT_THAT(Violations({{"src/base/a.cc", "#include \"base/gone.h\"\n"}}),
              ElementsAre("src/base/a.cc:1: base/gone.h does not exist"));
}

TEST(StructureRules, EveryFolderHasALayer) {
  EXPECT_THAT(Violations({{"src/misc/a.cc", ""}}),
              ElementsAre("src/misc: a folder without a layer"));
}

TEST(StructureRules, TableAndTreeAgree) {
  const Tree tree = {{"src/base/a.h", ""}, {"src/env/f.h", ""}};
  EXPECT_THAT(TableDifferences(tree, "text\n| row | folders |\n| 1 | `env` |\n| 0 | `base` |\n"),
              IsEmpty());
  EXPECT_THAT(TableDifferences(tree, "| 2 | `env` `text` |\n"),
              ElementsAre("docs/ARCHITECTURE.md: the table lacks src/base",
                          "docs/ARCHITECTURE.md: env is in row 2, not 1",
                          "docs/ARCHITECTURE.md: the table has text, src/ has not"));
}

}  // namespace
}  // namespace hone::structure
