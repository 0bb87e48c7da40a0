// The latency tables of one model on one device, as the server keeps them between starts and as
// `hone simulate` reads them.
//
//   {"schema": 1, "kind": "latency-tables", "model": "intent", "device": "Intel(R) … / avx512_vnni / 2",
//    "rungs": [{"name": "2x", "accuracy": 0.91, "bytes": 10700000, "load_ms": 14.2,
//               "widths": [1, 2], "tables": [{"lengths": […], "texts": […], "ms": [[…], …]}, …]}, …]}
//
// `tables[i]` is of an executor of `widths[i]` threads. "bytes" (packed weights) and "load_ms" (map,
// pack and first passes, all cores) may be absent: 0, unknown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "planner/latency_table.h"

namespace hone::planner {

struct RungTables {
  std::string name;
  double accuracy = 0;
  std::uint64_t bytes = 0;
  double load_ms = 0;
  std::vector<int> widths;  // ascending, at least one
  std::vector<LatencyGrid> tables;
};

struct TableFile {
  std::string model, device;
  std::vector<RungTables> rungs;  // most accurate first, at least one
};

std::string ToJson(const TableFile& file);

// `source` names the text in errors, which tell the path of what is wrong. Every grid makes a
// LatencyTable.
base::StatusOr<TableFile> ParseTableFile(std::string_view json, std::string_view source);

}  // namespace hone::planner
