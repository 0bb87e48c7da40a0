#include "compress/ladder/work_state.h"

#include <algorithm>

#include "base/json.h"

namespace hone::compress {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::uint64_t kMaxStateBytes = 16 << 20;

}  // namespace

base::StatusOr<WorkState> WorkState::Open(env::FileSystem& files, const std::string& directory,
                                          const std::string& request) {
  WorkState state(files, directory, request);
  HONE_RETURN_IF_ERROR(files.MakeDirectory(directory));
  HONE_RETURN_IF_ERROR(state.Read());
  return state;
}

base::Status WorkState::Read() {
  const std::string path = Path("state.json");
  if (!files_->IsFile(path)) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const std::string text, files_->Read(path, kMaxStateBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(text, path));
  const base::JsonValue root = document.root();
  HONE_ASSIGN_OR_RETURN(const base::JsonValue request, root.Get("request"));
  HONE_ASSIGN_OR_RETURN(const std::string_view of, request.String());
  if (of != request_) {
    return base::BadInput(directory_,
                          ": holds the unfinished work of another request (other model, data, "
                          "targets or recipe); give another --out, or remove it");
  }
  HONE_ASSIGN_OR_RETURN(const base::JsonValue done, root.Get("done"));
  for (const base::JsonValue step : done) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue name, step.Get("step"));
    HONE_ASSIGN_OR_RETURN(const std::string_view what, name.String());
    HONE_ASSIGN_OR_RETURN(const double seconds, step.DoubleOr("seconds", 0));
    done_.emplace_back(std::string(what), seconds);
  }
  return base::OkStatus();
}

bool WorkState::Done(const std::string& step) const {
  return std::ranges::any_of(done_, [&](const auto& done) { return done.first == step; });
}

double WorkState::TotalSeconds() const {
  double total = 0;
  for (const auto& [name, seconds] : done_) total += seconds;
  return total;
}

base::Status WorkState::Finish(const std::string& step, double seconds) {
  done_.emplace_back(step, seconds);
  base::JsonWriter json(1);
  json.BeginObject().Key("schema").Int(kSchema).Key("request").String(request_);
  json.Key("done").BeginArray();
  for (const auto& [name, took] : done_) {
    json.BeginObject().Key("step").String(name).Key("seconds").Double(took, 6).EndObject();
  }
  json.EndArray().EndObject();
  return env::WriteFile(*files_, Path("state.json"), json.Take() + "\n");
}

}  // namespace hone::compress
