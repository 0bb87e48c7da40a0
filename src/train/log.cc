#include "train/log.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/json.h"

namespace hone::train {
namespace {

constexpr int kDigits = 6;
constexpr std::uint64_t kMaxLogBytes = std::uint64_t{1} << 30;
constexpr std::string_view kCsvHeader =
    "step,epoch,loss,task,logits,hidden,relations,consistency,lr,norm,tokens_per_s,metric,value,"
    "best\n";

bool IsCsv(const std::string& path) {
  return path.ends_with(".csv");
}

// The number that a row begins with: `{"step":40,…` or `40,…`; -1 where there is none.
std::int64_t StepOf(std::string_view row) {
  const std::size_t digits = row.find_first_of("0123456789");
  if (digits == std::string_view::npos || digits > 10) return -1;
  std::int64_t step = -1;
  std::from_chars(row.data() + digits, row.data() + row.size(), step);
  return step;
}

std::string CsvRow(const LogRow& row) {
  std::string line = base::StrCat(row.step, ",", row.epoch);
  if (row.metric.empty()) {
    for (const double value : {row.loss, row.task, row.logits, row.hidden, row.relations,
                               row.consistency, row.learning_rate, row.norm, row.tokens_per_s}) {
      base::StrAppend(&line, ",", value);
    }
    return line + ",,,\n";
  }
  return base::StrCat(line, ",,,,,,,,,,", row.metric, ",", row.value, ",", row.best, "\n");
}

std::string JsonRow(const LogRow& row) {
  base::JsonWriter json;
  json.BeginObject().Key("step").Int(row.step).Key("epoch").Double(row.epoch, kDigits);
  const auto add = [&](std::string_view key, double value) {
    json.Key(key).Double(value, kDigits);
  };
  if (row.metric.empty()) {
    add("loss", row.loss);
    add("task", row.task);
    if (row.logits != 0) add("logits", row.logits);
    if (row.hidden != 0) add("hidden", row.hidden);
    if (row.relations != 0) add("relations", row.relations);
    if (row.consistency != 0) add("consistency", row.consistency);
    add("lr", row.learning_rate);
    add("norm", row.norm);
    add("tokens_per_s", row.tokens_per_s);
  } else {
    add(row.metric, row.value);
    add("best", row.best);
  }
  return json.EndObject().Take() + "\n";
}

base::Status AppendTo(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return base::BadInput(path, ": ", std::strerror(errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) {
    return base::OutOfResource(path, ": cannot write the log");
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<TrainingLog> TrainingLog::Open(env::FileSystem& files, const std::string& path,
                                              std::int64_t after_step) {
  TrainingLog log;
  log.path_ = path;
  if (path.empty()) return log;
  std::string kept = IsCsv(path) ? std::string(kCsvHeader) : std::string();
  if (after_step >= 0 && files.IsFile(path)) {
    HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxLogBytes));
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) break;  // half a row, of a process that was killed
      const std::string_view row(text.data() + begin, end + 1 - begin);
      const std::int64_t step = StepOf(row);
      if (step >= 0 && step <= after_step) kept += row;
      begin = end + 1;
    }
  }
  HONE_RETURN_IF_ERROR(env::WriteFile(files, path, kept));
  return log;
}

base::Status TrainingLog::Write(const LogRow& row) {
  if (path_.empty()) return base::OkStatus();
  return AppendTo(path_, IsCsv(path_) ? CsvRow(row) : JsonRow(row));
}

}  // namespace hone::train
