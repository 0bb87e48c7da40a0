#include "planner/latency_table.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/strings.h"

namespace hone::planner {
namespace {

using base::StrCat;

// A measured grid has a dozen cells; whatever is far beyond that is not a measurement.
constexpr int kMaxAxis = 256;
constexpr int kMaxLength = 1 << 24;
constexpr double kMaxMs = 1e7;

// One batch moves the correction by a sixteenth of what it saw: noise of 5 % becomes under 1 %, and a
// change of the machine's clock is followed within some thirty batches.
constexpr double kStep = 1.0 / 16;
// A single batch counts as at most twice or half as long: a stall is not a slower machine.
constexpr double kMaxRatio = 2;
constexpr double kMaxCorrection = 4;

base::Status CheckAxis(const std::vector<int>& axis, const char* name) {
  if (axis.empty() || static_cast<int>(axis.size()) > kMaxAxis) {
    return base::BadInput(name, ": expected 1 to ", kMaxAxis, " numbers, found ", axis.size());
  }
  for (std::size_t i = 0; i < axis.size(); ++i) {
    if (axis[i] < 1 || axis[i] > kMaxLength) {
      return base::BadInput(name, "[", i, "]: ", axis[i], " is not within 1 and ", kMaxLength);
    }
    if (i > 0 && axis[i] <= axis[i - 1]) {
      return base::BadInput(name, "[", i, "]: ", axis[i], " does not ascend");
    }
  }
  return base::OkStatus();
}

base::Status Check(const LatencyGrid& grid) {
  HONE_RETURN_IF_ERROR(CheckAxis(grid.lengths, "lengths"));
  HONE_RETURN_IF_ERROR(CheckAxis(grid.texts, "texts"));
  if (grid.texts.front() != 1) return base::BadInput("texts[0]: expected 1");
  if (grid.ms.size() != grid.lengths.size() * grid.texts.size()) {
    return base::BadInput("ms: expected ", grid.lengths.size(), " × ", grid.texts.size(),
                          " numbers, found ", grid.ms.size());
  }
  for (std::size_t i = 0; i < grid.ms.size(); ++i) {
    if (!(grid.ms[i] > 0 && grid.ms[i] <= kMaxMs)) {
      return base::BadInput("ms[", i / grid.texts.size(), "][", i % grid.texts.size(),
                            "]: ", grid.ms[i], " is not above 0 and at most ", kMaxMs);
    }
  }
  return base::OkStatus();
}

base::StatusOr<std::vector<int>> ReadAxis(const base::JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, object.Get(name));
  if (!list.IsArray()) return list.Error("expected an array of numbers");
  if (list.size() > kMaxAxis) return list.Error(StrCat("more than ", kMaxAxis, " numbers"));
  std::vector<int> axis;
  for (const base::JsonValue value : list) {
    HONE_ASSIGN_OR_RETURN(axis.emplace_back(), value.IntIn(1, kMaxLength));
  }
  return axis;
}

// Where `at` lies between the points of an axis: point[low] ≤ at ≤ point[low+1], `share` of the way.
struct Place {
  std::size_t low = 0;
  double share = 0;
};

Place Find(const std::vector<int>& axis, double at) {
  if (at <= axis.front() || axis.size() == 1) return {};
  std::size_t high = 1;
  while (high + 1 < axis.size() && axis[high] < at) ++high;
  const double span = axis[high] - axis[high - 1];
  return {high - 1, std::min((at - axis[high - 1]) / span, 1.0)};
}

}  // namespace

LatencyTable::LatencyTable(LatencyGrid grid) : grid_(std::move(grid)), rising_ms_(grid_.ms) {
  // More tokens or texts never take less; where a measurement says so it is noise.
  const std::size_t columns = grid_.texts.size();
  for (std::size_t i = 0; i < rising_ms_.size(); ++i) {
    if (i % columns > 0) rising_ms_[i] = std::max(rising_ms_[i], rising_ms_[i - 1]);
    if (i >= columns) rising_ms_[i] = std::max(rising_ms_[i], rising_ms_[i - columns]);
  }
}

base::StatusOr<LatencyTable> LatencyTable::FromGrid(LatencyGrid grid) {
  HONE_RETURN_IF_ERROR(Check(grid));
  return LatencyTable(std::move(grid));
}

double LatencyTable::GridMs(int texts, int tokens) const {
  const double count = std::max(texts, 1);
  const double length = tokens / count;
  const std::size_t columns = grid_.texts.size();
  const Place row = Find(grid_.lengths, length), column = Find(grid_.texts, count);
  const double* low = rising_ms_.data() + row.low * columns + column.low;
  const auto across = [&](const double* at) {
    return column.share > 0 ? at[0] + column.share * (at[1] - at[0]) : at[0];
  };
  double ms = across(low);
  if (row.share > 0) ms += row.share * (across(low + columns) - ms);
  if (length > grid_.lengths.back()) ms *= length / grid_.lengths.back();
  if (count > grid_.texts.back()) ms *= count / grid_.texts.back();
  return ms;
}

base::TimeNs LatencyTable::Predict(int texts, int tokens) const {
  const double ns = correction_ * GridMs(texts, tokens) * base::kMillisecondNs;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative
  return static_cast<base::TimeNs>(ns + 0.5);
}

void LatencyTable::Observe(int texts, int tokens, base::TimeNs seen, base::TimeNs now) {
  corrected_at_ = now;
  const double expected = static_cast<double>(Predict(texts, tokens));
  if (seen <= 0 || expected <= 0) return;
  const double ratio = std::clamp(static_cast<double>(seen) / expected, 1 / kMaxRatio, kMaxRatio);
  correction_ =
      std::clamp(correction_ * (1 + kStep * (ratio - 1)), 1 / kMaxCorrection, kMaxCorrection);
}

void LatencyTable::Age(base::TimeNs now) {
  const base::TimeNs age = now - corrected_at_;
  if (age < base::kSecondNs || correction_ == 1) return;
  correction_ = 1 + (correction_ - 1) * std::exp2(-static_cast<double>(age) /
                                                  static_cast<double>(kCorrectionHalfLifeNs));
  corrected_at_ = now;
}

std::string ToJson(const LatencyGrid& grid) {
  base::JsonWriter json;
  const auto axis = [&](const char* name, const std::vector<int>& values) {
    json.Key(name).BeginArray();
    for (const int value : values) json.Int(value);
    json.EndArray();
  };
  json.BeginObject();
  axis("lengths", grid.lengths);
  axis("texts", grid.texts);
  json.Key("ms").BeginArray();
  for (std::size_t i = 0; i < grid.lengths.size(); ++i) {
    json.BeginArray();
    for (std::size_t j = 0; j < grid.texts.size(); ++j) {
      json.Double(grid.ms[i * grid.texts.size() + j]);
    }
    json.EndArray();
  }
  return json.EndArray().EndObject().Take();
}

base::StatusOr<LatencyGrid> ReadLatencyGrid(const base::JsonValue& object) {
  LatencyGrid grid;
  HONE_ASSIGN_OR_RETURN(grid.lengths, ReadAxis(object, "lengths"));
  HONE_ASSIGN_OR_RETURN(grid.texts, ReadAxis(object, "texts"));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue rows, object.Get("ms"));
  if (!rows.IsArray() || rows.size() != static_cast<int>(grid.lengths.size())) {
    return rows.Error(StrCat("expected an array of ", grid.lengths.size(), " rows"));
  }
  for (const base::JsonValue row : rows) {
    if (!row.IsArray() || row.size() != static_cast<int>(grid.texts.size())) {
      return row.Error(StrCat("expected an array of ", grid.texts.size(), " numbers"));
    }
    for (const base::JsonValue cell : row) {
      HONE_ASSIGN_OR_RETURN(const double ms, cell.Double());
      grid.ms.push_back(ms);
    }
  }
  if (const base::Status status = Check(grid); !status.ok()) {
    return object.Error(StrCat(status.message()));
  }
  return grid;
}

base::StatusOr<LatencyGrid> ParseLatencyGrid(std::string_view json, std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(json, source));
  return ReadLatencyGrid(document.root());
}

}  // namespace hone::planner
