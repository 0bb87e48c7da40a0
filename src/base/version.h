// The version of this build, as CMakeLists.txt has it (tests/structure_test.cc compares the two).
#pragma once

#include <string_view>

namespace hone::base {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace hone::base
