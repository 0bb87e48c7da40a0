// hone-demo: makes the spoken-command assistant's data and the directory its training starts from.
//
//   hone-demo data --out DIR [--seed 1] [--train 24000] [--dev 2000] [--test 2000]
//   hone-demo blank --out DIR [--seed 1] [--layers 6] [--width 192] [--heads 6] [--ffn 768]
//   hone-demo baseline [--seed 1] …
#include <charconv>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "demo/assistant.h"
#include "demo/baseline.h"
#include "demo/commands.h"
#include "env/file.h"
#include "eval/tasks.h"

namespace hone::demo {
namespace {

constexpr std::string_view kUsage =
    "usage: hone-demo data      --out DIR   train.jsonl, dev.jsonl, test.jsonl of spoken commands\n"
    "       hone-demo blank     --out DIR   the model directory that their training starts from\n"
    "       hone-demo baseline              what words without a model score on the test set\n"
    "Flags: --seed 1 --train 24000 --dev 2000 --test 2000\n"
    "       --layers 6 --width 192 --heads 6 --ffn 768 --vocabulary 2048\n";

struct Arguments {
  std::string out;
  int seed = 1;
  Counts counts;
  AssistantShape shape;
};

base::StatusOr<Arguments> Parse(std::span<char*> flags) {
  Arguments arguments;
  const std::map<std::string_view, int*> numbers = {{"--seed", &arguments.seed},
                                                    {"--train", &arguments.counts.train},
                                                    {"--dev", &arguments.counts.dev},
                                                    {"--test", &arguments.counts.test},
                                                    {"--layers", &arguments.shape.layers},
                                                    {"--width", &arguments.shape.width},
                                                    {"--heads", &arguments.shape.heads},
                                                    {"--ffn", &arguments.shape.ffn},
                                                    {"--vocabulary", &arguments.shape.vocabulary}};
  for (std::size_t i = 0; i < flags.size(); i += 2) {
    const std::string_view flag = flags[i];
    if (i + 1 == flags.size()) return base::BadInput(flag, " needs a value");
    const std::string_view value = flags[i + 1];
    if (flag == "--out") {
      arguments.out = value;
      continue;
    }
    const auto found = numbers.find(flag);
    if (found == numbers.end()) return base::BadInput("unknown flag ", flag);
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), *found->second);
    constexpr int kMost = 10'000'000;
    if (error != std::errc() || end != value.data() + value.size() || *found->second < 1 ||
        *found->second > kMost) {
      return base::BadInput(flag, ": \"", value, "\" is no number from 1 to ", kMost);
    }
  }
  return arguments;
}

base::Status WriteData(const Arguments& arguments, const CommandSet& set) {
  env::FileSystem& files = env::RealFileSystem();
  HONE_RETURN_IF_ERROR(files.MakeDirectory(arguments.out));
  const std::pair<const char*, std::span<const eval::Example>> splits[] = {
      {"train.jsonl", set.train}, {"dev.jsonl", set.dev}, {"test.jsonl", set.test}};
  for (const auto& [name, commands] : splits) {
    HONE_RETURN_IF_ERROR(
        env::WriteFile(files, env::JoinPath(arguments.out, name), ToJsonLines(commands)));
    std::printf("%s/%s: %zu commands\n", arguments.out.c_str(), name, commands.size());
  }
  return base::OkStatus();
}

base::Status ScoreBaseline(const CommandSet& set) {
  HONE_ASSIGN_OR_RETURN(const eval::Task* task, eval::FindTask("intent_slots"));
  const Baseline baseline(set.train);
  for (const auto& [name, value] : task->score(set.test, baseline.Predict(set.test))) {
    std::printf("%s %.4f\n", name.c_str(), value);
  }
  return base::OkStatus();
}

base::Status Run(std::string_view command, const Arguments& arguments) {
  const CommandSet set = MakeCommands(static_cast<std::uint64_t>(arguments.seed), arguments.counts);
  if (command == "baseline") return ScoreBaseline(set);
  if (arguments.out.empty()) return base::BadInput("needs --out DIR");
  if (command == "data") return WriteData(arguments, set);
  return WriteBlank(env::RealFileSystem(), arguments.out, arguments.shape, set.train);
}

int Main(std::span<char*> arguments) {
  const std::string_view command = arguments.size() > 1 ? arguments[1] : "";
  if (command != "data" && command != "blank" && command != "baseline") {
    const bool help = command == "--help" || command == "-h";
    std::fprintf(help ? stdout : stderr, "%s", std::string(kUsage).c_str());
    return help ? 0 : 2;
  }
  const base::StatusOr<Arguments> parsed = Parse(arguments.subspan(2));
  const base::Status status = parsed.ok() ? Run(command, *parsed) : parsed.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "hone-demo: %s\n", status.message().c_str());
  return parsed.ok() ? 1 : 2;
}

}  // namespace
}  // namespace hone::demo

int main(int argc, char** argv) {
  return hone::demo::Main({argv, static_cast<std::size_t>(argc)});
}
