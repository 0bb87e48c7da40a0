// hone profile-device: the latency table of this device for models of one shape, to compress for it
// elsewhere.
#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "compress/ladder/workload.h"
#include "compress/latency/measure_profile.h"
#include "env/file.h"

namespace hone::cli {
namespace {

class ProfileDeviceCommand : public Command {
 public:
  std::string name() const override { return "profile-device"; }
  std::string summary() const override {
    return "measure what each part of a model costs on this device";
  }
  std::string example() const override {
    return "  hone profile-device -m minilm -s 32 -t 2 --out pi5.json\n"
           "  hone profile-device -m minilm --lengths sentences.txt --out laptop.json\n"
           "  hone compress -m minilm --device pi5.json …    # on any machine";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &model_.model, "model directory; its shape is what counts");
    flags.Required("--out", &out_, "file to write");
    flags.Int("-s,--seq", &sequence_, 0, 1 << 16, "tokens of every text; 0: 32, or --lengths");
    flags.Text("--lengths", &lengths_, "use the natural lengths of the lines of this file");
    flags.Int("-b,--batch", &batch_, 1, 4096, "texts in a batch");
    flags.Int("-t,--threads", &model_.threads, 0, 256, "threads; 0: all that are allowed");
    flags.Real("--seconds", &seconds_, "about how long to measure");
    output_.Add(flags);
  }

  base::Status Run() override {
    if (sequence_ > 0 && !lengths_.empty()) return InvalidUsage("-s and --lengths: give one");
    HONE_ASSIGN_OR_RETURN(runtime::EngineOptions engine, model_.Engine());
    engine.format = quant::Format::kF32;
    env::FileSystem& files = env::RealFileSystem();
    compress::MeasureOptions options;
    options.workload = {.batch = batch_, .threads = engine.threads, .lengths = {}};
    options.formats = {quant::Format::kF32, quant::Format::kInt8, quant::Format::kInt4};
    options.isa = IsaLimit();
    options.seconds = seconds_;
    HONE_ASSIGN_OR_RETURN(
        const auto model,
        runtime::TextModel::Open(files, model_.model, {.engine = std::move(engine)}));
    if (lengths_.empty()) {
      constexpr int kUsual = 32;
      options.workload.lengths = {sequence_ > 0 ? sequence_ : kUsual};
    } else {
      HONE_ASSIGN_OR_RETURN(options.workload.lengths,
                            compress::LengthsOfLines(files, lengths_, *model));
    }
    Progress progress("measuring this device");
    HONE_ASSIGN_OR_RETURN(const compress::MeasuredProfile measured,
                          compress::MeasureProfile(model->model(), options, [&](double done) {
                            progress.Update(static_cast<std::int64_t>(done * 1000), 1000);
                          }));
    HONE_RETURN_IF_ERROR(env::WriteFile(files, out_, compress::ToJson(measured.profile)));
    Print(measured, model->model().config);
    std::fprintf(stderr, "wrote %s\n", out_.c_str());
    return base::OkStatus();
  }

 private:
  void Print(const compress::MeasuredProfile& measured, const model::ModelConfig& config) const {
    TableWriter table(output_.format);
    const compress::DeviceProfile& profile = measured.profile;
    for (const compress::FixedCost& fixed : profile.fixed) {
      const auto whole = profile.Predict(config.layers, fixed.format);
      table.Write({{"format", quant::NameOf(fixed.format)},
                   {"fixed_ms", Cell(fixed.ms, 4)},
                   {"whole_ms", Cell(whole.ok() ? *whole : 0, 3)},
                   {"spread", Cell(measured.spread, 3)},
                   {"processor", profile.processor},
                   {"isa", profile.isa},
                   {"threads", profile.workload.threads}});
    }
  }

  ModelFlags model_;
  OutputFlag output_;
  std::string out_, lengths_;
  int sequence_ = 0, batch_ = 1;
  double seconds_ = 20;
};

}  // namespace

std::unique_ptr<Command> MakeProfileDeviceCommand() {
  return std::make_unique<ProfileDeviceCommand>();
}

}  // namespace hone::cli
