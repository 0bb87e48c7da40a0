#include "cli/table.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace hone::cli {
namespace {

constexpr int kDigits = 7;  // all that a float has to say

std::string Shown(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell.value)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&cell.value)) return base::StrCat(*integer);
  return base::Fixed(std::get<double>(cell.value), cell.decimals);
}

// "\x1b" for each byte.
void AppendEscaped(std::string_view bytes, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    base::StrAppend(out, "\\x", kHex[byte >> 4], kHex[byte & 15]);
  }
}

// C0, DEL and C1: what a terminal may take for a command.
bool IsControl(char32_t rune) {
  return rune < 0x20 || (rune >= 0x7F && rune < 0xA0);
}

// A cell of a Markdown table: one line, no bar that is not a border, nothing but text.
std::string MarkdownField(const Cell& cell) {
  const std::string text = Shown(cell);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const base::DecodedRune next = base::DecodeRune(text, at);
    const auto bytes = std::string_view(text).substr(at, next.size);
    at += next.size;
    if (bytes == "\n" || bytes == "\r" || bytes == "\t") {
      out += ' ';
    } else if (!next.valid || IsControl(next.rune)) {
      AppendEscaped(bytes, &out);
    } else {
      base::StrAppend(&out, bytes == "|" ? "\\" : "", bytes);
    }
  }
  return out;
}

// That a terminal shows it in.
std::size_t Columns(std::string_view shown) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < shown.size();) {
    const base::DecodedRune next = base::DecodeRune(shown, at);
    columns += static_cast<std::size_t>(text::DisplayColumns(next.rune));
    at += next.size;
  }
  return columns;
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

// With its zero bytes, at which printf would end it.
void PrintLine(std::string line) {
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
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
    std::size_t width = first[c].first.size();
    for (const Row& row : rows_) width = std::max(width, Columns(MarkdownField(row[c].second)));
    widths.push_back(width);
  }
  const auto print = [&](const Row& row, bool header) {
    std::string line = "|";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const bool left = std::holds_alternative<std::string>(row[c].second.value);
      const std::string text = header ? row[c].first : MarkdownField(row[c].second);
      const std::size_t columns = Columns(text);
      const std::string space(widths[c] > columns ? widths[c] - columns : 0, ' ');
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
