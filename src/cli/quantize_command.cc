// hone quantize: a smaller copy of a model directory.
#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "compress/quantize.h"
#include "env/cpus.h"
#include "env/file.h"
#include "formats/artefact.h"

namespace hone::cli {
namespace {

class QuantizeCommand : public Command {
 public:
  std::string name() const override { return "quantize"; }
  std::string summary() const override { return "write a smaller copy of a model directory"; }
  std::string example() const override {
    return "  hone quantize -m minilm --type int8 --out minilm-int8\n"
           "  hone quantize -m minilm --type int4 --method gptq --calibrate texts.txt \\\n"
           "                --embeddings int8 --out minilm-int4";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &model_, "model directory to read");
    flags.Choice("--type", &type_, {"bf16", "int8", "int4"}, "number format of the weights");
    flags.Choice(
        "--method", &method_, compress::RoundingNames(),
        "how weights are rounded; all but nearest look at texts; best: gptq or awq a matrix");
    flags.Real("--smooth", &smooth_,
               "SmoothQuant's exponent for int8, 0.5 to 0.85; 0: off; awq and best find their own");
    flags.Text("--calibrate", &calibrate_,
               "file of texts, one a line, for gptq, awq, best, --smooth");
    flags.Int("--samples", &samples_, 1, 1 << 20, "how many of the texts, chosen by a fixed seed");
    flags.Choice("--embeddings", &embeddings_, {"f16", "int8", "int4"},
                 "number format of the embedding tables");
    flags.Required("--out", &out_, "directory to write; must not exist");
    flags.Switch("--force", &force_, "replace an existing output directory");
    flags.Int("-t,--threads", &threads_, 0, 256, "threads; 0: all that are allowed");
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(const quant::Format format, quant::ParseFormat(type_));
    if (env::IsSame(model_, out_)) {
      return InvalidUsage(
          base::StrCat("--out ", out_, ": is the model itself, which would be lost"));
    }
    compress::QuantizeOptions options;
    options.replace = force_;
    options.isa = IsaLimit();
    options.threads =
        threads_ > 0 ? threads_ : std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads);
    HONE_ASSIGN_OR_RETURN(options.method, compress::ParseRounding(method_));
    if (!(smooth_ >= 0 && smooth_ <= 1)) {
      return InvalidUsage(base::StrCat("--smooth ", smooth_, ": expected a number from 0 to 1"));
    }
    options.smooth = static_cast<float>(smooth_);
    const bool needs_texts = options.method != compress::Rounding::kNearest || smooth_ > 0;
    if (needs_texts && calibrate_.empty()) {
      return InvalidUsage(base::StrCat("--method ", method_, smooth_ > 0 ? " with --smooth" : "",
                                       ": needs texts, --calibrate FILE"));
    }
    if (!needs_texts && !calibrate_.empty()) {
      return InvalidUsage(
          "--calibrate: --method nearest looks at no texts; take gptq, awq or best");
    }
    if (type_ == "bf16" && (needs_texts || embeddings_ != "f16")) {
      return InvalidUsage(
          "--type bf16 rounds every tensor to bf16; --method and --embeddings are "
          "for int8 and int4");
    }
    options.calibrate = calibrate_;
    options.samples = static_cast<std::size_t>(samples_);
    if (embeddings_ != "f16") {
      HONE_ASSIGN_OR_RETURN(options.embeddings, quant::ParseFormat(embeddings_));
    }
    Progress progress("quantizing");
    HONE_RETURN_IF_ERROR(compress::QuantizeDirectory(
        env::RealFileSystem(), model_, format, out_, options,
        [&](std::uint64_t done, std::uint64_t total) {
          progress.Update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
        }));
    std::fprintf(stderr, "wrote %s\n", out_.c_str());
    return output_.format == "md" ? base::OkStatus() : PrintRow();
  }

 private:
  // For scripts; a person has read what was written.
  base::Status PrintRow() const {
    HONE_ASSIGN_OR_RETURN(const formats::Manifest manifest,
                          formats::ReadManifest(env::RealFileSystem(), out_));
    std::uint64_t bytes = 0;
    for (const formats::ManifestFile& file : manifest.files) bytes += file.bytes;
    TableWriter table(output_.format);
    table.Write({{"out", out_},
                 {"type", type_},
                 {"method", method_},
                 {"embeddings", embeddings_},
                 {"bytes", static_cast<std::int64_t>(bytes)}});
    return base::OkStatus();
  }

  OutputFlag output_;
  std::string model_, type_ = "int8", method_ = "nearest", calibrate_, embeddings_ = "f16", out_;
  bool force_ = false;
  int samples_ = 512;
  double smooth_ = 0;
  int threads_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeQuantizeCommand() {
  return std::make_unique<QuantizeCommand>();
}

}  // namespace hone::cli
