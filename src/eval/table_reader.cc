#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "eval/labels.h"
#include "eval/lines.h"
#include "eval/reader.h"

namespace hone::eval {
namespace {

// Positions of the columns in a row; -1: not in the file.
struct Positions {
  int text = -1, pair = -1, label = -1, score = -1, id = -1;
  int largest = -1;
};

void Split(std::string_view line, std::vector<std::string_view>* fields) {
  fields->clear();
  while (true) {
    const std::size_t tab = line.find('\t');
    fields->push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return;
    line.remove_prefix(tab + 1);
  }
}

// Calls use(column's name, position member) for every column that the spec names.
template <typename Use>
void ForEachColumn(const Columns& columns, Positions* positions, Use use) {
  if (!columns.text.empty()) use(columns.text, &positions->text);
  if (!columns.pair.empty()) use(columns.pair, &positions->pair);
  if (!columns.label.empty()) use(columns.label, &positions->label);
  if (!columns.score.empty()) use(columns.score, &positions->score);
  if (!columns.id.empty()) use(columns.id, &positions->id);
}

// Positions of named columns in a header; *missing names one that is not there.
Positions FindNamed(const Columns& columns, const std::vector<std::string_view>& header,
                    std::string_view* missing) {
  Positions positions;
  ForEachColumn(columns, &positions, [&](const std::string& name, int* position) {
    for (std::size_t i = 0; i < header.size() && *position < 0; ++i) {
      if (header[i] == name) *position = static_cast<int>(i);
    }
    if (*position < 0) *missing = name;
    positions.largest = std::max(positions.largest, *position);
  });
  return positions;
}

Positions FindNumbered(const Columns& columns) {
  Positions positions;
  ForEachColumn(columns, &positions, [&](const std::string& number, int* position) {
    std::from_chars(number.data(), number.data() + number.size(), *position);
    positions.largest = std::max(positions.largest, *position);
  });
  return positions;
}

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

base::StatusOr<Example> ParseRow(const std::vector<std::string_view>& fields,
                                 const Positions& positions, std::size_t expected_fields,
                                 const ReadSpec& spec, std::string_view where) {
  // A table with a header is exact; without one, columns beyond those used may come and go, as the
  // source notes at the end of some STS-B rows do.
  const std::size_t needed = static_cast<std::size_t>(positions.largest) + 1;
  if (expected_fields != 0 ? fields.size() != expected_fields : fields.size() < needed) {
    return base::BadInput(where, ": ", fields.size(), " tab-separated fields, expected ",
                          expected_fields != 0 ? "" : "at least ",
                          expected_fields != 0 ? expected_fields : needed);
  }
  auto field = [&](int position) {
    return position < 0 ? std::string_view() : fields[static_cast<std::size_t>(position)];
  };
  Example example;
  example.id = std::string(field(positions.id));
  example.text = std::string(field(positions.text));
  if (positions.pair >= 0) example.second = std::make_shared<std::string>(field(positions.pair));
  if (positions.label >= 0) {
    HONE_ASSIGN_OR_RETURN(example.label, ParseLabel(spec.labels, field(positions.label), where));
  }
  if (positions.score >= 0) {
    const std::optional<double> score = ParseNumber(field(positions.score));
    if (!score) {
      return base::BadInput(where, ": the score \"", field(positions.score).substr(0, 40),
                            "\" is not a number");
    }
    example.score = *score;
  }
  return example;
}

}  // namespace

base::StatusOr<Examples> ReadTable(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec) {
  Lines lines(bytes);
  std::string_view line;
  if (!lines.Next(&line)) return base::BadInput(path, ": the file is empty");

  std::vector<std::string_view> fields;
  Split(line, &fields);
  std::string_view missing;
  Positions positions = FindNamed(spec.columns, fields, &missing);
  std::size_t expected_fields = fields.size();
  bool pending = false;  // the first line is a row
  if (spec.columns.empty || !missing.empty()) {
    if (spec.numbered.empty) {
      return base::BadInput(At(path, 1), ": no column \"", missing, "\"; the header has ",
                            base::Join(fields, ", ").substr(0, 200));
    }
    positions = FindNumbered(spec.numbered);
    expected_fields = 0;
    pending = true;
  }

  Examples examples;
  int blank_line = 0;
  while (pending || lines.Next(&line)) {
    pending = false;
    if (line.empty()) {  // fine at the end of the file only
      if (blank_line == 0) blank_line = lines.number();
      continue;
    }
    if (blank_line != 0) {
      HONE_RETURN_IF_ERROR(Keep(base::BadInput(At(path, blank_line), ": a blank line between rows"),
                                blank_line, spec, &examples));
      blank_line = 0;
    }
    Split(line, &fields);
    HONE_RETURN_IF_ERROR(
        Keep(ParseRow(fields, positions, expected_fields, spec, At(path, lines.number())),
             lines.number(), spec, &examples));
  }
  return NotEmpty(std::move(examples), path);
}

}  // namespace hone::eval
