// Every file includes what it uses of the standard library, itself or by a header of the project: what one
// compiler's headers bring along, the next one's do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "tests/source_tree.h"

namespace hone::structure {
namespace {

using base::StrCat;
using testing::ElementsAre;
using testing::IsEmpty;

struct Header {
  std::string_view name;
  std::vector<std::string_view> uses;  // beginnings of names; "(" or "<" behind one makes it whole
};

const std::vector<Header>& Headers() {
  static const std::vector<Header> headers = {
      {"algorithm",
       {"std::ranges::sort(", "std::ranges::stable_sort(", "std::ranges::find",
        "std::ranges::count", "std::ranges::any_of(", "std::ranges::all_of(",
        "std::ranges::none_of(", "std::ranges::m", "std::ranges::copy", "std::ranges::fill",
        "std::ranges::p", "std::clamp(", "std::sort(", "std::stable_sort(", "std::find",
        "std::min(", "std::max(", "std::nth_element("}},
      {"array", {"std::array<"}},
      {"atomic", {"std::atomic"}},
      {"bit", {"std::bit_cast", "std::popcount(", "std::countr_", "std::bit_ceil("}},
      {"charconv", {"std::from_chars(", "std::to_chars("}},
      {"chrono", {"std::chrono::"}},
      {"cmath",
       {"std::sqrt(", "std::exp", "std::abs(", "std::pow(", "std::isnan(", "std::isfinite(",
        "std::log", "std::tanh(", "std::floor(", "std::ceil(", "std::lround(", "HUGE_VAL"}},
      {"condition_variable", {"std::condition_variable"}},
      {"cstddef", {"std::byte", "std::ptrdiff_t"}},
      {"cstdint", {"std::int8_t", "std::int16_t", "std::int32_t", "std::int64_t", "std::uint"}},
      {"cstdio", {"std::printf(", "std::fprintf(", "std::fflush("}},
      {"cstdlib", {"std::getenv(", "std::abort("}},
      {"cstring", {"std::memcpy(", "std::memcmp(", "std::memset("}},
      {"deque", {"std::deque<"}},
      {"fstream", {"std::ifstream", "std::ofstream"}},
      {"functional", {"std::function<"}},
      {"iterator", {"std::back_inserter("}},
      {"limits", {"std::numeric_limits<"}},
      {"map", {"std::map<"}},
      {"memory",
       {"std::unique_ptr<", "std::shared_ptr<", "std::make_unique<", "std::make_shared<"}},
      {"mutex", {"std::mutex", "std::lock_guard", "std::unique_lock"}},
      {"new", {"std::bad_alloc", "std::align_val_t", "std::nothrow"}},
      {"numbers", {"std::numbers::"}},
      {"numeric", {"std::accumulate(", "std::iota(", "std::reduce("}},
      {"optional", {"std::optional<", "std::nullopt"}},
      {"random", {"std::mt19937"}},
      {"set", {"std::set<"}},
      {"span", {"std::span<"}},
      {"sstream", {"std::ostringstream", "std::istringstream", "std::stringstream"}},
      {"string", {"std::string ", "std::string&", "std::string>", "std::to_string("}},
      {"string_view", {"std::string_view"}},
      {"thread", {"std::thread"}},
      {"tuple", {"std::tuple<", "std::tie("}},
      {"utility", {"std::move(", "std::pair", "std::exchange("}},
      {"variant", {"std::variant<", "std::get_if<", "std::holds_alternative<"}},
      {"vector", {"std::vector<"}},
  };
  return headers;
}

// Without what a line says behind "//".
std::string CodeOf(std::string_view text) {
  std::string code;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    code.append(line.substr(0, line.find("//"))).push_back('\n');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return code;
}

class StandardIncludes {
 public:
  explicit StandardIncludes(const Tree& tree) : tree_(tree) {}

  // Of the file and of all that it includes of the project.
  const std::set<std::string>& Of(const std::string& path) {
    const auto [known, is_new] = known_.try_emplace(path);
    if (!is_new) return known->second;
    std::set<std::string> found;
    for (const Include& include : IncludesOf(tree_.at(path))) {
      if (!include.quoted) {
        found.insert(include.name);
      } else if (const std::string inner = "src/" + include.name; tree_.contains(inner)) {
        const std::set<std::string>& of_inner = Of(inner);
        found.insert(of_inner.begin(), of_inner.end());
      }
    }
    return known_[path] = std::move(found);
  }

 private:
  const Tree& tree_;
  std::map<std::string, std::set<std::string>> known_;
};

std::vector<std::string> Missing(const Tree& tree) {
  StandardIncludes includes(tree);
  std::vector<std::string> missing;
  for (const auto& [path, text] : tree) {
    if (path.ends_with(".inc")) continue;  // a part of the file that includes it
    const std::string code = CodeOf(text);
    const std::set<std::string>& there = includes.Of(path);
    for (const Header& header : Headers()) {
      if (there.contains(std::string(header.name))) continue;
      const auto use = std::ranges::find_if(
          header.uses, [&](std::string_view name) { return code.find(name) != std::string::npos; });
      if (use != header.uses.end()) {
        missing.push_back(StrCat(path, ": ", *use, " needs <", header.name, ">"));
      }
    }
  }
  return missing;
}

TEST(StandardHeaders, EveryFileIncludesWhatItUses) {
  const Tree tree = ReadSources();
  ASSERT_GT(tree.size(), 40u);
  EXPECT_THAT(Missing(tree), IsEmpty());
}

TEST(StandardHeaders, OneThatIsMissingIsNamed) {
  EXPECT_THAT(Missing({{"src/base/a.cc", "#include <vector>\nstd::vector<int> a;\n"}}), IsEmpty());
  EXPECT_THAT(Missing({{"src/base/a.h", "#include <vector>\n"},
                       {"src/base/a.cc", "#include \"base/a.h\"\nstd::vector<int> a;\n"}}),
              IsEmpty());
  EXPECT_THAT(Missing({{"src/base/a.cc", "// std::map<\nstd::vector<int> a;\n"}}),
              ElementsAre("src/base/a.cc: std::vector< needs <vector>"));
}

}  // namespace
}  // namespace hone::structure
