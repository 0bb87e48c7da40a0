// Any bytes as a latency grid: an error, or a table whose predictions are not below zero, nor fall
// as tokens rise.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "planner/latency_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hone::planner::LatencyTable;
  auto grid = hone::planner::ParseLatencyGrid({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!grid.ok()) {
    HONE_CHECK(grid.status().message().find("fuzz") != std::string_view::npos);
    return 0;
  }
  auto again = hone::planner::ParseLatencyGrid(hone::planner::ToJson(*grid), "again");
  HONE_CHECK(again.ok() && again->ms == grid->ms && again->lengths == grid->lengths &&
             again->texts == grid->texts);
  auto table = LatencyTable::FromGrid(*std::move(grid));
  HONE_CHECK(table.ok());
  for (const int texts : {1, 3, 100}) {
    HONE_CHECK(table->Predict(texts, texts) >= 0);
    HONE_CHECK(table->Predict(texts, texts * 20) >= table->Predict(texts, texts * 19));
  }
  return 0;
}
