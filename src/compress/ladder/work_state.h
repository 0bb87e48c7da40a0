// What is finished of a long command, on disk: OUT.partial/state.json.
//
//   {"schema": 1, "request": "sha256 of what was asked for",
//    "done": [{"step": "2x/1-prune", "seconds": 41.2}, …]}
//
// A step is entered after everything it made is on disk, so a command that was killed does again only
// the step it was in. Each change replaces the file whole.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/file.h"

namespace hone::compress {

class WorkState {
 public:
  // Makes the directory where there is none. An error where it is of another request.
  static base::StatusOr<WorkState> Open(env::FileSystem& files, const std::string& directory,
                                        const std::string& request);

  bool Done(const std::string& step) const;
  double TotalSeconds() const;  // that everything took that is done
  bool empty() const { return done_.empty(); }
  base::Status Finish(const std::string& step, double seconds);

  const std::string& directory() const { return directory_; }
  std::string Path(const std::string& name) const { return env::JoinPath(directory_, name); }

 private:
  WorkState(env::FileSystem& files, std::string directory, std::string request)
      : files_(&files), directory_(std::move(directory)), request_(std::move(request)) {}
  base::Status Read();

  env::FileSystem* files_;
  std::string directory_, request_;
  std::vector<std::pair<std::string, double>> done_;
};

}  // namespace hone::compress
