// hone verify: a ladder's files against their hashes, and its latencies against this device.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/strings.h"
#include "bench/forward_bench.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "compress/ladder/verify.h"
#include "env/file.h"

namespace hone::cli {
namespace {

class VerifyCommand : public Command {
 public:
  std::string name() const override { return "verify"; }
  std::string summary() const override {
    return "check every hash of a ladder and measure its rungs again";
  }
  std::string example() const override {
    return "  hone verify sst2-ladder\n"
           "  hone verify sst2-ladder --hashes-only -o json";
  }

  void AddFlags(Flags& flags) override {
    flags.Switch("--hashes-only", &hashes_only_, "leave out the measuring");
    flags.Int("-t,--threads", &threads_, 0, 256, "threads; 0: as the ladder was measured with");
    flags.Real("--seconds", &seconds_, "time for each rung");
    output_.Add(flags);
    flags.Arguments("ladder", &ladders_, "the ladder's directory");
  }

  base::Status Run() override {
    if (ladders_.size() != 1) return InvalidUsage("needs one ladder: hone verify DIR");
    const std::string& directory = ladders_.front();
    env::FileSystem& files = env::RealFileSystem();
    HONE_ASSIGN_OR_RETURN(const compress::LadderReport ladder,
                          compress::ReadLadder(files, directory));
    std::size_t bad = 0;
    {
      Progress progress("hashing");
      HONE_ASSIGN_OR_RETURN(
          const std::vector<compress::FileFault> faults,
          compress::CheckHashes(files, directory, ladder, [&](std::size_t done, std::size_t total) {
            progress.Update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
          }));
      for (const compress::FileFault& fault : faults) {
        std::fprintf(stderr, "%s/%s: %s\n", directory.c_str(), fault.name.c_str(),
                     fault.what.c_str());
      }
      bad = faults.size();
    }
    if (bad > 0) {
      return base::BadInput(directory, ": ", bad, bad == 1 ? " file is" : " files are",
                            " not as written, missing or added; ", ladder.files.size(),
                            " were written");
    }
    std::fprintf(stderr, "%zu files are as they were written\n", ladder.files.size());
    if (!hashes_only_) return Measure(directory, ladder);
    if (output_.json()) {
      TableWriter(output_.format)
          .Write(
              {{"ladder", directory}, {"files", static_cast<std::int64_t>(ladder.files.size())}});
    }
    return base::OkStatus();
  }

 private:
  base::Status Measure(const std::string& directory, const compress::LadderReport& ladder);

  OutputFlag output_;
  bool hashes_only_ = false;
  int threads_ = 0;
  double seconds_ = 3;
  std::vector<std::string> ladders_;
};

base::Status VerifyCommand::Measure(const std::string& directory,
                                    const compress::LadderReport& ladder) {
  runtime::EngineOptions engine;
  engine.threads = threads_ > 0 ? threads_ : ladder.device.threads;
  engine.isa = IsaLimit();
  HONE_ASSIGN_OR_RETURN(
      const std::vector<compress::LatencyFigures> now,
      compress::MeasureRungs(env::RealFileSystem(), directory, ladder, engine, seconds_));
  if (ladder.device.predicted) {
    std::fprintf(stderr, "recorded latencies are predictions for %s\n",
                 ladder.device.processor.c_str());
  }
  TableWriter table(output_.format);
  for (std::size_t r = 0; r < ladder.rungs.size(); ++r) {
    const compress::LadderRung& rung = ladder.rungs[r];
    const compress::LatencyFigures& then = rung.model.latency;
    table.Write({{"rung", rung.path},
                 {"metric", rung.model.metric.name},
                 {"value", Cell(rung.model.metric.value, 4)},
                 {"recorded_p50_ms", Cell(then.p50_ms, 3)},
                 {"p50_ms", Cell(now[r].p50_ms, 3)},
                 {"recorded_p95_ms", Cell(then.p95_ms, 3)},
                 {"p95_ms", Cell(now[r].p95_ms, 3)},
                 {"ratio", Cell(now[r].p50_ms / then.p50_ms, 3)}});
  }
  return base::OkStatus();
}

}  // namespace

std::unique_ptr<Command> MakeVerifyCommand() {
  return std::make_unique<VerifyCommand>();
}

}  // namespace hone::cli
