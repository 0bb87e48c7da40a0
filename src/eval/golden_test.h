// Reads tests/golden/eval for the tests of this folder; a golden that is absent or malformed is a
// CHECK.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json.h"

namespace hone::eval {

inline std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline base::Json Golden(const std::string& name) {
  const std::string path = std::string(HONE_SOURCE_DIR) + "/tests/golden/eval/" + name + ".json";
  auto json = base::Json::Parse(ReadWhole(path), path);
  HONE_CHECK(json.ok());
  return *std::move(json);
}

inline base::JsonValue Member(const base::JsonValue& value, std::string_view name) {
  auto member = value.Get(name);
  HONE_CHECK(member.ok());
  return *member;
}

inline std::string String(const base::JsonValue& value) {
  return std::string(*value.String());
}

inline std::vector<std::string> Strings(const base::JsonValue& list) {
  std::vector<std::string> strings;
  for (const base::JsonValue item : list) strings.push_back(String(item));
  return strings;
}

inline std::vector<double> Doubles(const base::JsonValue& list) {
  std::vector<double> doubles;
  for (const base::JsonValue item : list) doubles.push_back(*item.Double());
  return doubles;
}

inline std::vector<int> Ints(const base::JsonValue& list) {
  std::vector<int> ints;
  for (const base::JsonValue item : list) ints.push_back(static_cast<int>(*item.Int()));
  return ints;
}

inline double Number(const base::JsonValue& value, std::string_view name) {
  return *Member(value, name).Double();
}

}  // namespace hone::eval
