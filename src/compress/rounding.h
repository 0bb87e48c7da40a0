// The ways to round weights to int8 and int4, which compress/quantize.h describes, and their names in
// flags and recipes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace hone::compress {

enum class Rounding : std::uint8_t { kNearest, kGptq, kAwq, kBest };

inline const std::initializer_list<std::pair<std::string_view, Rounding>> kRoundings = {
    {"nearest", Rounding::kNearest},
    {"gptq", Rounding::kGptq},
    {"awq", Rounding::kAwq},
    {"best", Rounding::kBest}};

}  // namespace hone::compress
