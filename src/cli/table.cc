#include "cli/table.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/strings.h"

namespace hone::cli {
namespace {

constexpr int kDigits = 7;  // all that a float has to say

std::string Shown(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell.value)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&cell.value)) return base::StrCat(*integer);
  return base::Fixed(std::get<double>(cell.value), cell.decimals);
}

// A cell of a Markdown table: one line, and no bar that is not a border.
std::string MarkdownField(const Cell& cell) {
  std::string out;
  for (const char c : Shown(cell)) {
    if (c == '|') out += '\\';
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;  // nothing that a terminal would obey
  }
  return out;
}

// Characters of UTF-8, which most terminals show in one column each.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// A text may hold a NUL, which printf takes for its end.
void PrintLine(std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
}

// What a script reads: text as it is, numbers with kDigits digits.
std::string Full(const Cell& cell) {
  const auto* number = std::get_if<double>(&cell.value);
  if (number == nullptr) return Shown(cell);
  base::JsonWriter json;
  json.Double(*number, kDigits);
  return json.Take();
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string JsonLine(const Row& row) {
  base::JsonWriter json;
  json.BeginObject();
  for (const auto& [name, cell] : row) {
    json.Key(name);
    if (const auto* text = std::get_if<std::string>(&cell.value)) {
      if (cell.raw_json) {
        json.Raw(*text);
      } else {
        json.String(*text);
      }
    } else if (const auto* integer = std::get_if<std::int64_t>(&cell.value)) {
      json.Int(*integer);
    } else {
      json.Double(std::get<double>(cell.value), kDigits);
    }
  }
  json.EndObject();
  return json.Take();
}

}  // namespace

TableWriter::~TableWriter() {
  if (!rows_.empty()) WriteMarkdown();
  std::fflush(stdout);
}

void TableWriter::Write(const Row& row) {
  if (format_ == "json") {
    PrintLine(JsonLine(row));
  } else if (format_ == "csv") {
    std::string header, line;
    for (const auto& [name, cell] : row) {
      base::StrAppend(&header, header.empty() ? "" : ",", CsvField(name));
      base::StrAppend(&line, &cell == &row.front().second ? "" : ",", CsvField(Full(cell)));
    }
    if (!header_written_) PrintLine(std::move(header));
    header_written_ = true;
    PrintLine(std::move(line));
  } else {
    rows_.push_back(row);
  }
}

void TableWriter::WriteMarkdown() const {
  const Row& first = rows_.front();
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < first.size(); ++c) {
    std::size_t width = WidthOf(first[c].first);
    for (const Row& row : rows_) width = std::max(width, WidthOf(MarkdownField(row[c].second)));
    widths.push_back(width);
  }
  const auto print = [&](const Row& row, bool header) {
    std::string line = "|";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const bool left = std::holds_alternative<std::string>(row[c].second.value);
      const std::string text = header ? row[c].first : MarkdownField(row[c].second);
      const std::size_t width = WidthOf(text);
      const std::string space(widths[c] > width ? widths[c] - width : 0, ' ');
      base::StrAppend(&line, " ", left ? text : space, left ? space : text, " |");
    }
    PrintLine(std::move(line));
  };
  print(first, true);
  std::string rule = "|";
  for (std::size_t c = 0; c < first.size(); ++c) {
    const bool left = std::holds_alternative<std::string>(first[c].second.value);
    base::StrAppend(&rule, left ? ":" : "-", std::string(widths[c], '-'), left ? "-|" : ":|");
  }
  PrintLine(std::move(rule));
  for (const Row& row : rows_) print(row, false);
}

base::Status OutputStatus() {
  if (std::ferror(stdout) != 0) return base::OutOfResource("cannot write all of the output");
  return base::OkStatus();
}

}  // namespace hone::cli
