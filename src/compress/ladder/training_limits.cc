#include "compress/ladder/training_limits.h"

#include "base/json.h"

namespace hone::compress {

base::StatusOr<TrainingLimits> KeepLimits(env::FileSystem& files, const std::string& path,
                                          const TrainingLimits& planned) {
  constexpr std::uint64_t kMaxBytes = 4096;
  if (!files.IsFile(path)) {
    base::JsonWriter json(1);
    json.BeginObject().Key("epochs").Double(planned.epochs);
    json.Key("max_seconds").Double(planned.max_seconds).EndObject();
    HONE_RETURN_IF_ERROR(env::WriteFile(files, path, json.Take() + "\n"));
    return planned;
  }
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  const base::JsonValue root = json.root();
  HONE_ASSIGN_OR_RETURN(const base::JsonValue epochs, root.Get("epochs"));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue seconds, root.Get("max_seconds"));
  TrainingLimits kept;
  HONE_ASSIGN_OR_RETURN(kept.epochs, epochs.Double());
  HONE_ASSIGN_OR_RETURN(kept.max_seconds, seconds.Double());
  return kept;
}

}  // namespace hone::compress
