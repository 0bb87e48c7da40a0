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

std::optional<planner::TableFile> KeptTables::Read(const ModelFiles& model,
                                                   const std::vector<int>& widths) {
  if (directory_.empty()) return std::nullopt;
  const std::string path = PathOf(model.content);
  if (!files_.IsFile(path)) return std::nullopt;
  const auto unusable = [&](const base::Status& why) {
    WarnOnce(path, base::StrCat("the latency tables kept of \"", model.endpoint.name,
                                "\" are of no use, and are measured anew: ", why.message()));
    return std::nullopt;
  };
  const base::StatusOr<std::string> text = files_.Read(path, kMaxBytes);
  if (!text.ok()) return unusable(text.status());
  base::StatusOr<planner::TableFile> file = planner::ParseTableFile(*text, path);
  if (!file.ok()) return unusable(file.status());
  // Other executor widths, as another --split gives, are no fault.
  const std::vector<std::string>& rungs = model.endpoint.rungs;
  if (file->rungs.size() != rungs.size()) return std::nullopt;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    if (file->rungs[i].name != rungs[i] || file->rungs[i].widths != widths) return std::nullopt;
  }
  return *std::move(file);
}

void KeptTables::Write(const std::string& content, planner::TableFile tables) {
  if (directory_.empty()) return;
  tables.device = device_;
  const base::Status written = TryToWrite(PathOf(content), tables);
  if (written.ok()) return;
  WarnOnce("",
           base::StrCat("latency tables are not kept, those of \"", tables.model,
                        "\" to begin with; the next start measures again: ", written.message()));
}

base::Status KeptTables::TryToWrite(const std::string& path, const planner::TableFile& tables) {
  HONE_RETURN_IF_ERROR(env::MakeDirectories(files_, directory_));
  return env::WriteFile(files_, path, planner::ToJson(tables));
}

void KeptTables::WarnOnce(const std::string& about, const std::string& message) {
  if (warned_.insert(about).second && warn_) warn_(message);
}

}  // namespace hone::server
