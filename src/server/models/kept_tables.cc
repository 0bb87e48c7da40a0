#include "server/models/kept_tables.h"

#include <span>

#include "base/strings.h"
#include "env/cpus.h"
#include "formats/sha256.h"

namespace hone::server {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{4} << 20;

}  // namespace

std::string DeviceName(base::Isa isa, int threads) {
  return base::StrCat(env::ProcessorName(), " / ", base::IsaName(isa), " / ", threads);
}

std::string KeptTables::PathOf(const std::string& content) const {
  const std::string key = base::StrCat(device_, "\n", content);
  const std::string hash = formats::Sha256Hex(std::as_bytes(std::span(key.data(), key.size())));
  constexpr std::size_t kDigits = 32;
  return env::JoinPath(directory_, base::StrCat(hash.substr(0, kDigits), ".json"));
}

std::optional<planner::TableFile> KeptTables::Read(const std::string& content,
                                                   const std::vector<std::string>& rungs,
                                                   const std::vector<int>& widths,
                                                   std::string* note) const {
  if (directory_.empty()) return std::nullopt;
  const std::string path = PathOf(content);
  if (!files_.IsFile(path)) return std::nullopt;
  const base::StatusOr<std::string> text = files_.Read(path, kMaxBytes);
  if (!text.ok()) {
    *note = text.status().message();
    return std::nullopt;
  }
  base::StatusOr<planner::TableFile> file = planner::ParseTableFile(*text, path);
  if (!file.ok()) {
    *note = base::StrCat(file.status().message(), "; it is measured anew");
    return std::nullopt;
  }
  // Other executor widths, as another --split gives, are no fault.
  if (file->rungs.size() != rungs.size()) return std::nullopt;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    if (file->rungs[i].name != rungs[i] || file->rungs[i].widths != widths) return std::nullopt;
  }
  return *std::move(file);
}

base::Status KeptTables::Write(const std::string& content, planner::TableFile tables) const {
  if (directory_.empty()) return base::OkStatus();
  HONE_RETURN_IF_ERROR(env::MakeDirectories(files_, directory_));
  tables.device = device_;
  return env::WriteFile(files_, PathOf(content), planner::ToJson(tables));
}

}  // namespace hone::server
