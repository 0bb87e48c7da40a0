// Rows of named fields, written as a Markdown table, as JSON (one object a line) or as CSV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace hone::cli {

// A number carries the decimals that md shows; JSON and CSV get seven digits.
struct Cell {
  Cell(std::string text) : value(std::move(text)) {}         // NOLINT
  Cell(std::string_view text) : value(std::string(text)) {}  // NOLINT
  Cell(const char* text) : value(std::string(text)) {}       // NOLINT
  Cell(int number) : value(std::int64_t{number}) {}          // NOLINT
  Cell(std::int64_t number) : value(number) {}               // NOLINT
  Cell(double number, int digits) : value(number), decimals(digits) {}

  // Text that is JSON already: written as it is with -o json, as text otherwise.
  static Cell RawJson(std::string json) {
    Cell cell(std::move(json));
    cell.raw_json = true;
    return cell;
  }

  std::variant<std::string, std::int64_t, double> value;
  int decimals = 0;
  bool raw_json = false;
};

using Row = std::vector<std::pair<std::string, Cell>>;

// Writes to stdout as rows come: JSON at once, tables when the writer ends (columns need widths).
class TableWriter {
 public:
  explicit TableWriter(std::string format) : format_(std::move(format)) {}
  ~TableWriter();
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  void Write(const Row& row);

 private:
  void WriteMarkdown() const;

  std::string format_;
  std::vector<Row> rows_;
  bool header_written_ = false;
};

// An error once stdout has refused something: who reads or computes without end stops there.
base::Status OutputStatus();

}  // namespace hone::cli
