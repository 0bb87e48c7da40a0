// hone quantize: a smaller copy of a model directory.
#include <algorithm>
#include <cstdio>

#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "compress/quantize.h"
#include "env/cpus.h"
#include "env/file.h"

namespace hone::cli {
namespace {

class QuantizeCommand : public Command {
 public:
  std::string name() const override { return "quantize"; }
  std::string summary() const override { return "write a smaller copy of a model directory"; }
  std::string example() const override {
    return "  hone quantize -m minilm --type int8 --out minilm-int8";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &model_, "model directory to read");
    flags.Choice("--type", &type_, {"bf16", "int8", "int4"}, "number format of the weights");
    flags.Required("--out", &out_, "directory to write; must not exist");
    flags.Switch("--force", &force_, "replace an existing output directory");
    flags.Int("-t,--threads", &threads_, 0, 256, "threads; 0: all that are allowed");
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(const quant::Format format, quant::ParseFormat(type_));
    Progress progress("quantizing");
    HONE_RETURN_IF_ERROR(compress::QuantizeDirectory(
        env::RealFileSystem(), model_, format, out_,
        {.replace = force_,
         .threads =
             threads_ > 0 ? threads_ : std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads)},
        [&](std::uint64_t done, std::uint64_t total) {
          progress.Update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
        }));
    std::fprintf(stderr, "wrote %s\n", out_.c_str());
    return base::OkStatus();
  }

 private:
  std::string model_, type_ = "int8", out_;
  bool force_ = false;
  int threads_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeQuantizeCommand() {
  return std::make_unique<QuantizeCommand>();
}

}  // namespace hone::cli
