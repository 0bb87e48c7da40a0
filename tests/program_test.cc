// The program as a user meets it: commands, exit codes, what goes to stdout, and bad input.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "base/strings.h"
#include "load/test_server.h"
#include "tests/support/tiny_models.h"

namespace hone {
namespace {

using testing::HasSubstr;

struct Result {
  int exit_code = -1;
  std::string out, err;
};

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Runs `hone ARGUMENTS` in a shell; `before` may set variables or feed a pipe.
Result Hone(const std::string& arguments, const std::string& before = "") {
  const std::string out = testing::TempDir() + "/program_out";
  const std::string err = testing::TempDir() + "/program_err";
  const int status = std::system(
      base::StrCat(before, " ", HONE_PROGRAM, " ", arguments, " >", out, " 2>", err).c_str());
  // -1: a signal, which no input may ever cause.
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(out), ReadAll(err)};
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

// A tiny model with a tokenizer: every letter a word piece.
std::string MakeModel(const std::string& name) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name != name) continue;
    const std::string parent = testing::TempDir() + "/program";
    std::filesystem::remove_all(parent);
    std::filesystem::create_directories(parent);
    std::string directory = tests::WriteTinyModel(tiny, parent);
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) base::StrAppend(&vocabulary, c, "\n##", c, "\n");
    Write(directory + "/vocab.txt", vocabulary);
    return directory;
  }
  ADD_FAILURE() << "no tiny model " << name;
  return "";
}

// Every line of `text` is JSON; gives the number of lines.
int JsonLines(const std::string& text) {
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = base::Json::Parse(line, "output");
    EXPECT_TRUE(json.ok()) << line;
  }
  return count;
}

constexpr const char* kEmbedder = "bert/embed-mean";
constexpr const char* kClassifier = "bert/ForSequenceClassification";

TEST(Program, LoadSaysWhatIsMissingOrNotThere) {
  const Result no_model = Hone("load --url http://127.0.0.1:9");
  EXPECT_EQ(no_model.exit_code, 2);
  EXPECT_THAT(no_model.err, HasSubstr("needs --model NAME"));
  const Result uneven =
      Hone("load --url http://127.0.0.1:9 --model a --model b --model c --rate 1 --rate 2");
  EXPECT_EQ(uneven.exit_code, 2);
  EXPECT_THAT(uneven.err, HasSubstr("--rate is given 2 times, --model 3 times"));
  const Result no_unit = Hone("load --url http://127.0.0.1:9 --model a --deadline 20");
  EXPECT_EQ(no_unit.exit_code, 2);
  EXPECT_THAT(no_unit.err, HasSubstr("\"20\" is no duration"));
  // Port 9 is discard's, which no machine of ours runs.
  const Result nobody = Hone("load --url http://127.0.0.1:9 --model a --duration 1s");
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("cannot connect to http://127.0.0.1:9"));
  const Result trace =
      Hone("load --url http://127.0.0.1:9 --model a --arrivals trace:/nowhere.csv");
  EXPECT_EQ(trace.exit_code, 1);
  EXPECT_THAT(trace.err, HasSubstr("/nowhere.csv"));
}

TEST(Program, LoadNamesTheFlagThatMakesNoSense) {
  const auto error = [](const std::string& flags, const std::string& url = "http://127.0.0.1:9") {
    const Result result = Hone(base::StrCat("load --url ", url, " --model a ", flags));
    EXPECT_EQ(result.exit_code, 2) << flags << url;
    return result.err;
  };
  EXPECT_THAT(error("", "127.0.0.1:1"), HasSubstr("--url: url \"127.0.0.1:1\": expected http://"));
  EXPECT_THAT(error("--route /foo"), HasSubstr("--route: route \"/foo\": known are /embed"));
  EXPECT_THAT(error("--priority foo"), HasSubstr("--priority \"foo\": low, normal or high"));
  EXPECT_THAT(error("--rate 1e12"), HasSubstr("--rate 1e12: at most 1,000,000 a second"));
  EXPECT_THAT(error("--timeout 2h"), HasSubstr("timeout 7200 is not within 0.001 to 3600"));
}

TEST(Program, LoadFailsWhereNothingWasAnsweredAndSaysWhatTheServerSays) {
  std::atomic<int> good = 0;
  load::TestServer server([&](const std::string&, int number) {
    return number < good ? load::TestServer::Reply(200)
                         : load::TestServer::Reply(404, "", "{\"error\":\"no model a here\"}");
  });
  const std::string command = "load --url " + server.url() +
                              " --model a --arrivals uniform --rate 50 --duration 100ms -o json";
  const Result none = Hone(command);
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(JsonLines(none.out), 2) << "the rows are there all the same";
  EXPECT_THAT(none.err, HasSubstr("none of 5 requests was answered in time; the server says: "
                                  "no model a here"));
  good = server.requests() + 1;
  const Result one = Hone(command);
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_THAT(one.err, HasSubstr("errors: HTTP 404, 4 times\nthe first: no model a here\n"));
}

TEST(Program, EveryCommandHasHelpWithAnExample) {
  const std::string help = Hone("--help").out;
  const std::size_t list = help.find("Subcommands:\n");
  ASSERT_NE(list, std::string::npos) << help;
  std::istringstream lines(help.substr(list));
  std::string line;
  std::getline(lines, line);
  int seen = 0, of_programs_not_built = 0;
  while (std::getline(lines, line)) {
    std::string command;
    std::istringstream(line) >> command;
    if (command.empty() || command == "help") continue;
    ++seen;
    const Result result = Hone(command + " --help");
    // train, compress and serve are programs beside this one.
    if (result.err.find("is neither in") != std::string::npos) {
      ++of_programs_not_built;
      continue;
    }
    EXPECT_EQ(result.exit_code, 0) << command;
    const std::size_t example = result.out.find("Example:");
    ASSERT_NE(example, std::string::npos) << command;
    EXPECT_THAT(result.out.substr(example), HasSubstr(base::StrCat("hone ", command, " ")));
  }
  EXPECT_GE(seen, 14);
  EXPECT_LE(of_programs_not_built, 3);
}

TEST(Program, HandsTrainingOverToTheProgramBesideIt) {
  EXPECT_THAT(Hone("--help").out, HasSubstr("train "));
  const Result help = Hone("train --help");
#ifdef HONE_TRAIN
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("hone train -m minilm --task sst2"));
  EXPECT_EQ(Hone("train --out x").exit_code, 2);
#else
  EXPECT_EQ(help.exit_code, 1);
  EXPECT_THAT(help.err, HasSubstr("hone train: the program hone-train is neither in"));
#endif
}

TEST(Program, WrongUsageExitsWithTwo) {
  EXPECT_EQ(Hone("").exit_code, 2);
  EXPECT_EQ(Hone("fly").exit_code, 2);
  EXPECT_EQ(Hone("run").exit_code, 2);
  EXPECT_EQ(Hone("run -m x --dtype int3").exit_code, 2);
  EXPECT_EQ(Hone("bench").exit_code, 2);
  EXPECT_EQ(Hone("bench -m x -t -3").exit_code, 2);
  EXPECT_EQ(Hone("--version", "HONE_ISA=mmx").exit_code, 2);
}

TEST(Program, WrongUsageIsOneLineThatSaysWhatWasMeant) {
  const auto error = [](const std::string& arguments) {
    const Result result = Hone(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "") << arguments;
    return result.err;
  };
  EXPECT_EQ(error("quantise -m x"),
            "hone: unknown command \"quantise\"; did you mean \"quantize\"? (see hone --help)\n");
  EXPECT_THAT(error("xyzzyx"), HasSubstr("unknown command \"xyzzyx\"; there are run, rank, "));
  EXPECT_THAT(error("help quantise"), HasSubstr("did you mean \"quantize\"?"));
  EXPECT_THAT(error(""), HasSubstr("hone: expected a command: run, rank, "));
  EXPECT_EQ(error("--versoin"),
            "hone: unknown flag \"--versoin\"; did you mean \"--version\"? (see hone --help)\n");
  EXPECT_EQ(error("run"), "hone run: --model is required (see hone run --help)\n");
  EXPECT_EQ(error("run --modl=x y"),
            "hone run: unknown flag \"--modl\"; did you mean \"--model\"? (see hone run --help)\n");
  EXPECT_THAT(error("bench -m x [y]"), HasSubstr("hone bench: unexpected argument \"[y]\""));
}

TEST(Program, HelpIsACommandToo) {
  const Result help = Hone("help"), run = Hone("help run");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.out, Hone("--help").out);
  EXPECT_THAT(help.out, HasSubstr("help "));
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, Hone("run --help").out);
  EXPECT_EQ(Hone("help train").out, Hone("train --help").out);
}

TEST(Program, RunsEveryHeadWithCleanJson) {
  for (const char* head : {"ForSequenceClassification", "ForTokenClassification", "ForMaskedLM"}) {
    const std::string model = MakeModel(base::StrCat("bert/", head));
    const Result result = Hone("run -m " + model + " -o json 'ab [MASK] c' 'de'");
    EXPECT_EQ(result.exit_code, 0) << head << ": " << result.err;
    EXPECT_GT(JsonLines(result.out), 0) << head;
  }
  const std::string model = MakeModel("bert/ForQuestionAnswering");
  const Result answer = Hone("run -m " + model + " -o json --pair 'ab cd ef' 'gh'");
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_GT(JsonLines(answer.out), 0);
  EXPECT_EQ(Hone("run -m " + model + " 'a question without context'").exit_code, 2);
}

TEST(Program, OddInputGetsAWarningOrAnError) {
  const std::string filler = MakeModel("bert/ForMaskedLM");
  const Result unmasked = Hone("run -m " + filler + " -o json ab '[MASK]'");
  EXPECT_EQ(unmasked.exit_code, 0);
  EXPECT_THAT(unmasked.err, HasSubstr("warning: 1 text has no mask token"));
  const std::string tagger = MakeModel("bert/ForTokenClassification");
  EXPECT_EQ(Hone("run -m " + tagger + " --pair 'a longer second text' a").exit_code, 2);
  const std::string model = MakeModel(kClassifier);
  const Result nul = Hone("run -m " + model + " -o csv", "printf 'a\\000b\\n' |");
  EXPECT_THAT(nul.out, HasSubstr(std::string("\na\0b,", 5))) << "the row goes on behind a NUL";
  for (const char* wrong : {"nan", "inf", "-1", "1e99", "x"}) {
    const Result seconds = Hone(base::StrCat("bench -m ", model, " --seconds ", wrong));
    EXPECT_EQ(seconds.exit_code, 2) << wrong;
    EXPECT_THAT(seconds.err, HasSubstr("--seconds: expected a number of ")) << wrong;
  }
  const Result nothing = Hone("run -m " + model + " </dev/null");
  EXPECT_EQ(nothing.exit_code, 0) << nothing.err;
  EXPECT_EQ(nothing.out, "");
  const Result full = Hone("run -m " + model + " -o json ab >/dev/full 2>/dev/null; exit");
  EXPECT_EQ(full.exit_code, 1);
  const Result csv = Hone("run -m " + model + " -o csv 'a,b'");
  EXPECT_THAT(csv.out, testing::StartsWith("text,label,score\n\"a,b\","));
  const Result bar = Hone("run -m " + model + " 'a|b'");
  EXPECT_THAT(bar.out, HasSubstr("a\\|b"));
}

TEST(Program, FlagsAreEnvironmentVariablesToo) {
  const std::string model = MakeModel(kClassifier);
  const Result result = Hone("run abc", "HONE_MODEL=" + model + " HONE_OUTPUT=json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(JsonLines(result.out), 0);
}

TEST(Program, ValuesOfTheEnvironmentAreThoseOfTheFlags) {
  const std::string model = MakeModel(kClassifier);
  const Result list = Hone("bench -m " + model + " -r 1 -o json", "HONE_SEQ=4,8 HONE_BATCH=1,2");
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_EQ(JsonLines(list.out), 4);
  const std::string command = "bench -m " + model;
  EXPECT_THAT(Hone(command, "HONE_SEQ=4,x").err, HasSubstr("hone bench: HONE_SEQ: Value x not in"));
  EXPECT_THAT(Hone(command + " -s8 -s x", "HONE_SEQ=4").err,
              HasSubstr("hone bench: --seq: Value x"));
  EXPECT_THAT(Hone(command, "HONE_SECONDS=nan").err,
              HasSubstr("HONE_SECONDS: expected a number of 0 or more, found \"nan\" (see"));
  EXPECT_THAT(Hone(command, "HONE_OUTPUT=xml").err,
              HasSubstr("hone bench: HONE_OUTPUT: xml not in"));
  EXPECT_THAT(Hone(command, "HONE_PROFILE=maybe").err,
              HasSubstr("hone bench: HONE_PROFILE: expected true or false, found \"maybe\""));
  // Another command's business.
  EXPECT_EQ(Hone("tokenize -m " + model + " </dev/null", "HONE_SECONDS=nan HONE_SEQ=x").exit_code,
            0);
}

TEST(Program, NumbersAreFinite) {
  for (const char* value : {"nan", "inf", "-1", "1e400", "1e10", "5s", "''"}) {
    const Result result = Hone(base::StrCat("bench -m x --seconds ", value));
    EXPECT_EQ(result.exit_code, 2) << value;
    EXPECT_THAT(result.err, HasSubstr("hone bench: --seconds: expected a number of ")) << value;
    EXPECT_LT(result.err.size(), 120u) << value;
  }
  EXPECT_THAT(Hone("bench -m /nowhere --seconds 1e-3").err, HasSubstr("/nowhere"));
}

TEST(Program, QuantizesAndRunsWhatItWrote) {
  const std::string model = MakeModel(kClassifier);
  for (const char* type : {"bf16", "int8", "int4"}) {
    const std::string out = base::StrCat(model, "-", type);
    const std::string command =
        base::StrCat("quantize -m ", model, " --type ", type, " --out ", out);
    const Result written = Hone(command);
    ASSERT_EQ(written.exit_code, 0) << written.err;
    EXPECT_EQ(written.out, "");
    const Result run = Hone("run -m " + out + " -o json abc");
    EXPECT_EQ(run.exit_code, 0) << type << ": " << run.err;
    EXPECT_EQ(Hone(command).exit_code, 1) << "an existing directory is not overwritten";
    const Result forced = Hone(command + " --force -o json");
    EXPECT_EQ(forced.exit_code, 0);
    EXPECT_EQ(JsonLines(forced.out), 1);
    EXPECT_THAT(forced.out, HasSubstr(base::StrCat("\"type\":\"", type, "\"")));
  }
}

TEST(Program, QuantizesWithTextsAndSaysWhatIsMissing) {
  const std::string model = MakeModel(kClassifier);
  std::ofstream(model + "/texts") << "a b c\nab c d\n\nc c a b\nd a\n";
  for (const char* method : {"gptq", "awq", "nearest --smooth 0.5"}) {
    const std::string out = model + "-rounded";
    const Result written =
        Hone(base::StrCat("quantize -m ", model, " --type int8 --embeddings int8 --method ", method,
                          " --calibrate ", model, "/texts --samples 3 --force --out ", out));
    ASSERT_EQ(written.exit_code, 0) << method << ": " << written.err;
    EXPECT_EQ(Hone("run -m " + out + " -o json abc").exit_code, 0) << method;
    EXPECT_THAT(Hone("inspect -m " + out).out, HasSubstr("| embeddings in | int8"));
  }
  const auto error = [&](const std::string& flags, int exit_code = 2) {
    const Result result = Hone("quantize -m " + model + " --out " + model + "-no " + flags);
    EXPECT_EQ(result.exit_code, exit_code) << flags;
    return result.err;
  };
  EXPECT_THAT(error("--method gptq"), HasSubstr("--method gptq: needs texts, --calibrate FILE"));
  EXPECT_THAT(error("--calibrate " + model + "/texts"), HasSubstr("nearest looks at no texts"));
  EXPECT_THAT(error("--smooth 2"), HasSubstr("expected a number from 0 to 1"));
  EXPECT_THAT(error("--type bf16 --embeddings int8"), HasSubstr("are for int8 and int4"));
  std::ofstream(model + "/empty") << "\n  \n";
  EXPECT_THAT(error("--method awq --calibrate " + model + "/empty", 1),
              HasSubstr("no line of text"));
}

TEST(Program, BenchNeedsNoTokenizerNorWeights) {
  const std::string model = MakeModel(kClassifier);
  std::filesystem::remove(model + "/vocab.txt");
  const std::string flags = "bench -m " + model + " -s 4,8 -b 1,3 -r 3 -t 2 -o json";
  const Result result = Hone(flags);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(JsonLines(result.out), 4);
  for (const char* key : {"model", "dtype", "isa", "threads", "batch", "seq", "reps", "p50_ms",
                          "p95_ms", "p99_ms", "tokens_per_s", "load_ms", "peak_rss_mib"}) {
    EXPECT_THAT(result.out, HasSubstr(base::StrCat("\"", key, "\":")));
  }
  std::filesystem::remove(model + "/model.safetensors");
  EXPECT_EQ(Hone(flags).exit_code, 1);
  EXPECT_EQ(Hone(flags + " --random-weights").exit_code, 0);
  EXPECT_EQ(Hone("bench -m " + model + " --random-weights -s 4000").exit_code, 1);
}

TEST(Program, BenchTimesLinesInAnOrderOfChance) {
  const std::string model = MakeModel(kClassifier);
  const std::string lines = testing::TempDir() + "/lengths";
  // The shortest first, as in a sorted file: "a", "a a", … of 3 to 22 tokens, 12.5 at the mean.
  std::string text, line;
  for (int i = 0; i < 20; ++i) text += (line += "a ") + "\n";
  Write(lines, text);
  const auto seq = [&](const std::string& flags) {
    const Result result = Hone("bench -m " + model + " --lengths " + lines + " -o json " + flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto json = base::Json::Parse(result.out, "row");
    return json.ok() ? *json->root().Get("seq")->Double() : 0;
  };
  EXPECT_NEAR(seq("-r 20"), 12.5, 0.05) << "every line once";
  const double some = seq("-r 5");
  EXPECT_GT(some, 7) << "not the first lines of the file";
  EXPECT_NE(some, 12.5) << "the mean of what was timed";
  EXPECT_EQ(seq("-r 5"), some);
  EXPECT_NEAR(seq("-r 3 -b 20"), 12.5, 0.05);
  const Result few = Hone("bench -m " + model + " --lengths " + lines + " -b 64");
  EXPECT_EQ(few.exit_code, 1);
  EXPECT_THAT(few.err, HasSubstr("/lengths: has 20 lines with a token, too few for -b 64"));
  for (const std::string& flags :
       {"-m " + model + " --lengths " + lines + " -s 8", "--roofline -m " + model,
        std::string("--roofline -s 8"), "--kernels --lengths " + lines}) {
    EXPECT_EQ(Hone("bench " + flags).exit_code, 2) << flags;
  }
}

TEST(Program, TokenizesALineToALine) {
  const std::string model = MakeModel(kClassifier);
  const Result ids = Hone("tokenize -m " + model, "printf 'ab\\n\\nc\\n' |");
  EXPECT_EQ(ids.out, "2 5 8 3\n2 3\n2 9 3\n");
  const Result offsets = Hone("tokenize --no-special --offsets -m " + model, "printf 'ab c\\n' |");
  EXPECT_EQ(offsets.out, "5:0-1 8:1-2 9:3-4\n");
  const Result json = Hone("tokenize --offsets -o json -m " + model, "printf '\\nc\\n' |");
  EXPECT_EQ(json.out,
            "{\"line\":1,\"ids\":[2,3],\"offsets\":[[0,0],[0,0]]}\n"
            "{\"line\":2,\"ids\":[2,9,3],\"offsets\":[[0,0],[0,1],[0,0]]}\n");
  // What has no lines fills no memory.
  const Result device = Hone("tokenize -m " + model + " /dev/zero");
  EXPECT_EQ(device.exit_code, 1);
  EXPECT_THAT(device.err, HasSubstr("/dev/zero: is a device, expected a text file"));
  const Result endless = Hone("tokenize -m " + model + " </dev/zero");
  EXPECT_EQ(endless.exit_code, 1);
  EXPECT_THAT(endless.err, HasSubstr("standard input:1: the line is longer than 67,108,864 bytes"));
}

// A ladder of one rung, "8x", which is the tiny model.
std::string MakeLadder(const std::string& head) {
  const std::string model = MakeModel(head);
  const std::string ladder = testing::TempDir() + "/program/ladder";
  std::filesystem::create_directories(ladder);
  std::filesystem::rename(model, ladder + "/8x");
  std::filesystem::copy(HONE_SOURCE_DIR "/tests/corpus/ladder_fuzz/one-rung.json",
                        ladder + "/hone.json");
  return ladder;
}

TEST(Program, TokenizesWithALaddersRung) {
  const std::string ladder = MakeLadder(kClassifier);
  const Result first = Hone("tokenize -m " + ladder, "printf 'ab\\n' |");
  EXPECT_EQ(first.out, "2 5 8 3\n") << first.err;
  EXPECT_EQ(Hone("tokenize --rung 8x -m " + ladder, "printf 'ab\\n' |").out, first.out);
  EXPECT_EQ(Hone("tokenize --rung 9x -m " + ladder, "printf 'ab\\n' |").exit_code, 1);
}

TEST(Program, VerifyTellsFilesThatAreNotAsWrittenFromThoseThatWere) {
  const Result result = Hone("verify --hashes-only " + MakeLadder(kClassifier));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("files are not as written, missing or added; "));
  EXPECT_THAT(result.err, HasSubstr("8x/vocab.txt: was not there when the ladder was written"));
}

TEST(Program, RunGivesAnIntentsSlotsAsTheServerDoes) {
  const std::string model = MakeModel("bert/Joint");
  // Some of these texts have slots, whatever the tiny model's weights make of them.
  const Result result =
      Hone("run -o json -m " + model + " 'é ab cd' 'a b c d e f' 'xyz' 'k l m n' 'q r s t u v w'");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream rows(result.out);
  int slots = 0;
  for (std::string row; std::getline(rows, row);) {
    const auto json = base::Json::Parse(row, "row");
    ASSERT_TRUE(json.ok()) << row;
    ASSERT_TRUE(json->root().Get("slots")->IsArray()) << row;
    for (const base::JsonValue slot : *json->root().Get("slots")) {
      ++slots;
      EXPECT_TRUE(slot.Get("label")->IsString() && slot.Get("score")->Double().ok()) << row;
      const std::int64_t begin = *slot.Get("start")->Int(), end = *slot.Get("end")->Int();
      const std::string text(*json->root().Get("text")->String());
      if (!text.starts_with("é")) {
        EXPECT_EQ(*slot.Get("text")->String(), text.substr(static_cast<std::size_t>(begin),
                                                           static_cast<std::size_t>(end - begin)));
      } else {
        EXPECT_LE(end, 7) << "characters, not bytes";
      }
    }
  }
  EXPECT_GT(slots, 0) << result.out;
  EXPECT_THAT(Hone("run -o csv -m " + model + " 'a b'").out,
              testing::StartsWith("text,intent,score,slots\n"));
}

TEST(Program, StandardInputThatCannotBeReadIsAnError) {
  const std::string model = MakeModel(kEmbedder);
  for (const std::string command : {"tokenize", "run", "rank --query a"}) {
    const Result directory = Hone(base::StrCat(command, " -m ", model, " </"));
    EXPECT_EQ(directory.exit_code, 1) << command;
    EXPECT_THAT(directory.err, HasSubstr("standard input: cannot read: Is a directory")) << command;
    const Result closed = Hone(base::StrCat(command, " -m ", model, " <&-"));
    EXPECT_EQ(closed.exit_code, 1) << command;
    EXPECT_THAT(closed.err, HasSubstr("standard input: cannot read: Bad file descriptor"))
        << command;
  }
  // A line longer than what is read at once, and a last one without its newline.
  const Result lines = Hone("tokenize --no-special --offsets -m " + model,
                            "(head -c 200000 /dev/zero | tr '\\0' ' '; printf 'a\\r\\n\\r\\nb') |");
  EXPECT_EQ(lines.out, "5:200000-200001\n\n7:0-1\n") << lines.err;
}

TEST(Program, TablesHoldAnyTextInTheirColumns) {
  const std::string model = MakeModel(kClassifier);
  const std::string in = "printf 'a\\0b\\033[2J\\302\\233\\377\\tc\\n' |";
  const Result table = Hone("run --top 1 -m " + model, in);
  EXPECT_THAT(table.out, HasSubstr("| a\\x00b\\x1b[2J\\xc2\\x9b\\xff c |")) << table.err;
  const Result csv = Hone("run --top 1 -o csv -m " + model, in);
  const std::string bytes = {'\n', 'a', '\0', 'b', '\x1b', '['};
  EXPECT_THAT(csv.out, HasSubstr(bytes));
  EXPECT_THAT(csv.out, HasSubstr("\tc,"));
  // Each is shown in four columns: two wide characters, an emoji, marks that take none.
  const Result wide =
      Hone("run --top 1 -m " + model + " 中文 '😀ab' 'e\u0301e\u0301e\u0301e' éàüö abcd");
  for (const char* cell :
       {"| 中文 |", "| 😀ab |", "| e\u0301e\u0301e\u0301e |", "| éàüö |", "| abcd |"}) {
    EXPECT_THAT(wide.out, HasSubstr(cell));
  }
}

// A pipe that stays open after its first lines: what has come is answered, whatever is still to come.
TEST(Program, AnswersLinesAsTheyCome) {
  const std::string model = MakeModel(kClassifier);
  const std::string in = testing::TempDir() + "/lines_in";
  std::filesystem::remove(in);
  ASSERT_EQ(mkfifo(in.c_str(), 0600), 0);
  for (const std::string format : {"json", "csv"}) {
    // Writes the second line only once the first is answered, and gives up after a while.
    const std::string out = testing::TempDir() + "/lines_out";
    std::filesystem::remove(out);
    const Result writer =
        Hone(base::StrCat("run --top 1 -m ", model, " -o ", format, " <", in, " >", out, "; exit"),
             base::StrCat("(echo ab; for i in $(seq 300); do grep -q ab ", out,
                          " 2>/dev/null && break; sleep 0.1; done; grep -q ab ", out,
                          " && echo cd) >", in, " &"));
    EXPECT_EQ(writer.exit_code, 0) << writer.err;
    EXPECT_THAT(ReadAll(out), HasSubstr("cd")) << format;
  }
  // Where all have come, batches are whole and every line has its number.
  const std::string lines = testing::TempDir() + "/many_lines";
  std::string text;
  for (int i = 0; i < 100; ++i) text += i == 70 ? "abcdefghijklmnop qrstuvwxyz a b c\n" : "a\n";
  Write(lines, text);
  EXPECT_EQ(JsonLines(Hone(base::StrCat("run --top 1 -o json -m ", model, " <", lines)).out), 100);
  const Result cut = Hone(
      base::StrCat("run --top 1 -o json --max-tokens 8 --no-truncate -m ", model, " <", lines));
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.err, HasSubstr("text 71 is longer than the limit"));
  EXPECT_EQ(JsonLines(cut.out), 64);
}

// Runs `hone ARGUMENTS` as a person does, who types `text` and ends it.
Result HoneTyped(const std::string& arguments, const std::string& text) {
  const int person = posix_openpt(O_RDWR | O_NOCTTY);
  if (person < 0 || grantpt(person) != 0 || unlockpt(person) != 0) {
    ADD_FAILURE() << "no terminal";
    return {};
  }
  const std::string terminal = ptsname(person);
  const int held = open(terminal.c_str(), O_RDWR | O_NOCTTY);  // from before the text to its end
  const std::string typed = text + '\x04';
  EXPECT_EQ(write(person, typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  const Result result = Hone(base::StrCat("<", terminal, " ", arguments));
  close(held);
  close(person);
  return result;
}

TEST(Program, TypedTextsGoOnBehindAnError) {
  const std::string model = MakeModel(kClassifier);
  const Result result = HoneTyped("run -m " + model + " --max-tokens 5 --no-truncate -o json",
                                  "ab\nabcdefgh\n\nba\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("\"text\":\"ab\""));
  EXPECT_THAT(result.out, HasSubstr("\"text\":\"ba\""));
  EXPECT_THAT(result.err, testing::StartsWith("> > hone run: text 1 is longer than the limit"));
  EXPECT_THAT(result.err, testing::EndsWith("\n> > > \n"));
  EXPECT_THAT(HoneTyped("run -m " + model + " >/dev/full 2>/dev/null; exit", "ab\nab\n").exit_code,
              1);
  const Result question = HoneTyped("run -m " + MakeModel("bert/ForQuestionAnswering"), "ab\n");
  EXPECT_EQ(question.exit_code, 2);
  EXPECT_THAT(question.err, testing::StartsWith("hone run: a question needs its context"));
}

// Endless input, which only the output that fails can end.
TEST(Program, StopsReadingWhereNothingCanBeWritten) {
  const std::string model = MakeModel(kClassifier);
  for (const std::string command : {"tokenize", "tokenize -o json", "run -o json", "run -o csv"}) {
    const std::string err = testing::TempDir() + "/full_err";
    const Result result = Hone(
        base::StrCat(command, " -m ", model, " >/dev/full 2>", err, "; exit"), "yes | timeout 60");
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_THAT(ReadAll(err), HasSubstr("cannot write all of the output")) << command;
  }
}

TEST(Program, EvaluatesATask) {
  const std::string model = MakeModel(kClassifier);
  const std::string data = testing::TempDir() + "/sst2.tsv";
  Write(data, "sentence\tlabel\nabc\t1\nde\t0\n");
  const Result other = Hone("eval -m " + model + " --task sst2 -o json --data " + data);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err,
              HasSubstr("the model's labels (A, B, C) are not the task's (negative, positive)"));
  Write(data, "sentence\tlabel\nabc\tmaybe\n");
  EXPECT_THAT(Hone("eval -m " + model + " --task sst2 --data " + data).err,
              HasSubstr("sst2.tsv:2"));
  const Result columns = Hone("eval -m " + model + " --task sst2 --columns foo=bar --data " + data);
  EXPECT_EQ(columns.exit_code, 2);
  EXPECT_THAT(columns.err, HasSubstr("--columns: unknown role \"foo\""));

  // With the labels of a task: one of two pairs is given what the model says of it.
  const std::string config_path = model + "/config.json";
  std::string config = ReadAll(config_path);
  const auto rename = [&](const std::string& from, const std::string& to) {
    const std::size_t at = config.find("\"" + from + "\"");
    ASSERT_NE(at, std::string::npos) << from;
    config.replace(at, from.size() + 2, "\"" + to + "\"");
  };
  rename("A", "entailment");
  rename("B", "neutral");
  rename("C", "contradiction");
  Write(config_path, config);
  const std::string said = Hone("run -m " + model + " --pair de abc -o json").out;
  const std::string best(
      *base::Json::Parse(said.substr(0, said.find('\n')), "row")->root().Get("label")->String());
  const std::string wrong = best == "neutral" ? "entailment" : "neutral";
  std::string pairs;
  for (const std::string& label : {best, wrong}) {
    pairs += R"({"premise":"abc","hypothesis":"de","label":")" + label + "\"}\n";
  }
  Write(testing::TempDir() + "/mnli.jsonl", pairs);
  const Result result = Hone("eval -m " + model + " --task mnli -o json --data " +
                             testing::TempDir() + "/mnli.jsonl");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto json = base::Json::Parse(result.out, "eval");
  ASSERT_TRUE(json.ok()) << result.out;
  EXPECT_EQ(*json->root().Get("task")->String(), "mnli");
  EXPECT_EQ(*json->root().Get("n")->Int(), 2);
  EXPECT_EQ(*json->root().Get("metrics")->Get("accuracy")->Double(), 0.5);
}

// One line that names the file; never a crash.
TEST(Program, BadModelDirectoriesGetOneLine) {
  const auto error = [](const std::string& arguments) {
    const Result result = Hone(arguments);
    EXPECT_EQ(result.exit_code, 1) << arguments;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "") << arguments;
    return result.err;
  };
  EXPECT_THAT(error("run -m /nowhere x"), HasSubstr("/nowhere"));
  EXPECT_THAT(error("run -m /dev/null x"), HasSubstr("/dev/null"));
  const std::string model = MakeModel(kClassifier);
  const std::string weights = model + "/model.safetensors";
  const auto size = std::filesystem::file_size(weights);
  std::filesystem::resize_file(weights, size / 2);
  EXPECT_THAT(error("run -m " + model + " x"), HasSubstr("model.safetensors"));
  std::filesystem::resize_file(weights, 5);
  EXPECT_THAT(error("inspect -m " + model), HasSubstr("model.safetensors"));
  std::filesystem::remove(weights);
  std::filesystem::create_directory(weights);
  EXPECT_THAT(error("bench -m " + model), HasSubstr("model.safetensors"));
  std::filesystem::remove(weights);
  Write(model + "/pytorch_model.bin", "x");
  EXPECT_THAT(error("run -m " + model + " x"), HasSubstr("safetensors"));
  Write(model + "/config.json", "{");
  EXPECT_THAT(error("run -m " + model + " x"), HasSubstr("config.json"));
  Write(model + "/config.json", "");
  EXPECT_THAT(error("inspect -m " + model), HasSubstr("config.json"));
}

TEST(Program, ATokenBeyondTheEmbeddingIsNamedWithItsFile) {
  const std::string model = MakeModel(kClassifier);
  // The id of the last line is one too high, however few tokens there are.
  const std::string added =
      R"({"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"a":1,"b":20000}}})";
  Write(model + "/tokenizer.json", added);
  const Result result = Hone("run -m " + model + " a");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/tokenizer.json: has token id 20000 (\"b\"), but the model's "
                                    "embedding "));
}

TEST(Program, LongTextsAreCutWithAWarningOrRefused) {
  const std::string model = MakeModel(kClassifier);
  std::string text = "'";
  for (int i = 0; i < 200; ++i) text += "ab ";
  text += "'";
  const Result cut = Hone("run -m " + model + " -o json " + text);
  EXPECT_EQ(cut.exit_code, 0) << cut.err;
  EXPECT_THAT(cut.err, HasSubstr("warning: 1 text was cut"));
  EXPECT_GT(JsonLines(cut.out), 0);
  const Result refused = Hone("run -m " + model + " --no-truncate " + text);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("text 1 is longer than the limit"));
  const Result no_room = Hone("run -m " + model + " --max-tokens 2 a");
  EXPECT_EQ(no_room.exit_code, 2);
  EXPECT_THAT(no_room.err, HasSubstr("--max-tokens 2: the model's tokenizer adds 2 special tokens; "
                                     "at least 3"));
  EXPECT_EQ(Hone("run -m " + model + " --max-tokens 3 'a b'").exit_code, 0);
  const std::string data = testing::TempDir() + "/long.jsonl";
  Write(data, "{\"sentence1\": \"" + text.substr(1, text.size() - 2) +
                  "\", \"sentence2\": \"a\", \"label\": 1}\n"
                  "{\"sentence1\": \"b\", \"sentence2\": \"a\", \"label\": 2}\n");
  const std::string embedder = MakeModel(kEmbedder);
  const Result scored = Hone("eval -m " + embedder + " --task stsb -o json --data " + data);
  EXPECT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_THAT(scored.err, HasSubstr("warning: 1 text was cut"));
  EXPECT_THAT(scored.out, HasSubstr("\"truncated\":1"));
  const Result unscored = Hone("eval -m " + embedder + " --task stsb --no-truncate --data " + data);
  EXPECT_EQ(unscored.exit_code, 1);
  EXPECT_THAT(unscored.err, HasSubstr("/long.jsonl: example 1 of 2: line 1: the text is longer "
                                      "than the limit of "));
  const std::string lines = testing::TempDir() + "/lines";
  Write(lines, "\n\n" + text + "\n");
  const Result query = Hone("rank -m " + embedder + " --query " + text + " " + lines);
  EXPECT_THAT(query.err, HasSubstr("warning: the query was cut"));
  const Result third = Hone("rank -m " + embedder + " --no-truncate --query a " + lines);
  EXPECT_THAT(third.err, HasSubstr("/lines:3: the text is longer than the limit"));
  const Result asked = Hone("rank -m " + embedder + " --no-truncate --query " + text + " " + lines);
  EXPECT_THAT(asked.err, HasSubstr("--query: the text is longer"));
}

TEST(Program, EntitiesSayWhoseTheyAre) {
  const std::string model = MakeModel("bert/ForTokenClassification");
  const Result result =
      Hone("run -m " + model + " --aggregation none -o json", "printf 'ab cd\\n\\nef\\n' |");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream rows(result.out);
  std::map<std::int64_t, int> entities;
  for (std::string row; std::getline(rows, row);) {
    const auto json = base::Json::Parse(row, "row");
    ASSERT_TRUE(json.ok()) << row;
    const std::int64_t line = *json->root().Get("line")->Int();
    EXPECT_EQ(*json->root().Get("text")->String(), line == 1 ? "ab cd" : "ef") << row;
    ++entities[line];
  }
  EXPECT_GT(entities[1], 0) << result.out;
  EXPECT_GT(entities[3], 0) << result.out;
  EXPECT_EQ(entities[2], 0) << "an empty line has none";
  EXPECT_THAT(Hone("run --help").out, HasSubstr("bytes"));
}

TEST(Program, BenchMeasuresNoMoreThanHoneIsaAllows) {
  const Result limited = Hone("bench --roofline -t 1 -o csv", "HONE_ISA=portable");
  EXPECT_EQ(limited.exit_code, 0) << limited.err;
  EXPECT_EQ(limited.out.find("ymm"), std::string::npos) << limited.out;
  EXPECT_EQ(limited.out.find("zmm"), std::string::npos) << limited.out;
}

// Overwrites the first value of a tensor in a safetensors file with a NaN.
void PutNan(const std::string& path, const std::string& tensor) {
  std::string bytes = ReadAll(path);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const auto json = base::Json::Parse(std::string_view(bytes).substr(8, header_size), path);
  ASSERT_TRUE(json.ok());
  const auto entry = json->root().Get(tensor);
  ASSERT_TRUE(entry.ok()) << tensor;
  const std::int64_t begin = *entry->Get("data_offsets")->At(0)->Int();
  const float nan = std::nanf("");
  std::memcpy(bytes.data() + 8 + header_size + static_cast<std::size_t>(begin), &nan, sizeof nan);
  Write(path, bytes);
}

TEST(Program, WeightsThatAreNotFiniteAreNamed) {
  const char* kMatrix = "bert.encoder.layer.0.attention.output.dense.weight";
  for (const std::string tensor : {kMatrix, "bert.embeddings.word_embeddings.weight"}) {
    const std::string model = MakeModel(kClassifier);
    PutNan(model + "/model.safetensors", tensor);
    // [PAD] is row 0 of the embeddings, where the NaN is.
    const Result result = Hone("run -m " + model + " '[PAD] ab'");
    EXPECT_EQ(result.exit_code, 1) << tensor;
    EXPECT_THAT(result.err, HasSubstr("not finite")) << tensor;
    EXPECT_THAT(result.err,
                HasSubstr(tensor == kMatrix ? "layer.0.attention.output" : "embedding"));
  }
}

TEST(Program, SmallTensorsThatAreNotFiniteAreNamedToo) {
  const std::pair<const char*, const char*> cases[] = {
      {kClassifier, "bert.encoder.layer.0.output.LayerNorm.bias"},
      {kClassifier, "bert.encoder.layer.1.intermediate.dense.bias"},
      {"mpnet/ForMaskedLM", "mpnet.encoder.relative_attention_bias.weight"}};
  for (const auto& [head, tensor] : cases) {
    const std::string model = MakeModel(head);
    PutNan(model + "/model.safetensors", tensor);
    const Result result = Hone("run -m " + model + " ab");
    EXPECT_EQ(result.exit_code, 1) << tensor;
    EXPECT_THAT(result.err, HasSubstr(base::StrCat(model, ": ", tensor, ": "))) << tensor;
    EXPECT_THAT(result.err, HasSubstr("not finite")) << tensor;
  }
}

TEST(Program, AFullDiskLeavesNothingBehind) {
  const std::string model = MakeModel(kClassifier);
  const std::string out = testing::TempDir() + "/full_disk";
  std::filesystem::remove_all(out);
  // A limit on file sizes stands in for the disk's end; the signal it sends is ignored.
  const Result result =
      Hone("quantize -m " + model + " --type int8 --out " + out, "trap '' XFSZ; ulimit -f 4;");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_FALSE(std::filesystem::exists(out));
  for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("full_disk")) << entry.path();
  }
}

TEST(Program, RanksWithAnEmbeddingModel) {
  const std::string model = MakeModel(kEmbedder);
  const Result result = Hone("rank -m " + model + " -o json --query ab", "printf 'ab\\ncd\\n' |");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(JsonLines(result.out), 2);
  EXPECT_THAT(result.out, HasSubstr("\"rank\":1,\"score\":"));
  EXPECT_THAT(result.out.substr(0, result.out.find('\n')), HasSubstr("\"text\":\"ab\""));
  // Lines are numbered as in the input, empty ones included.
  const Result gap = Hone("rank -m " + model + " -o json --query ab", "printf '\\n\\nab\\n' |");
  EXPECT_THAT(gap.out, HasSubstr("\"line\":3,\"text\":\"ab\""));
  // Each file's from one on, with its name where there are several.
  const std::string one = testing::TempDir() + "/one", two = testing::TempDir() + "/two";
  Write(one, "cd\nef\n");
  Write(two, "\nab\n");
  const Result both = Hone(base::StrCat("rank -m ", model, " -o json --query ab ", one, " ", two));
  EXPECT_THAT(both.out.substr(0, both.out.find('\n')),
              HasSubstr(base::StrCat("\"file\":\"", two, "\",\"line\":2,\"text\":\"ab\"")));
  EXPECT_THAT(Hone("rank -m " + model + " -o json --query ab " + two).out,
              testing::Not(HasSubstr("\"file\"")));
  // And answered each, so that the n-th answer is the n-th line's.
  const Result lines = Hone("run -m " + model + " -o json", "printf 'ab\\n\\ncd\\n' |");
  EXPECT_EQ(JsonLines(lines.out), 3) << lines.err;
  const Result vector = Hone("run -m " + model + " -o csv ab");
  EXPECT_THAT(vector.out, testing::StartsWith("text,embedding\nab,\"["));
  const Result empty = Hone("rank -m " + model + " --query ab", "printf '' |");
  EXPECT_EQ(empty.exit_code, 0) << empty.err;
  EXPECT_EQ(empty.out, "");
}

TEST(Program, SimulatesEveryPolicyOverAModelsTables) {
  const std::string tables = testing::TempDir() + "/tables.json";
  std::ofstream(tables) << R"({"schema":1,"kind":"latency-tables","model":"intent","rungs":[
    {"name":"dense","accuracy":0.9,"widths":[1],"tables":[{"lengths":[32],"texts":[1],"ms":[[4]]}]},
    {"name":"4x","accuracy":0.8,"widths":[1],"tables":[{"lengths":[32],"texts":[1],"ms":[[1]]}]}]})";
  const std::string command =
      "simulate --models " + tables + " --rate 600 --deadline 30ms --duration 2s -o json";
  const Result result = Hone(command);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(JsonLines(result.out), 4);
  for (const char* policy : {"ladder", "edf", "round_robin", "fcfs"}) {
    EXPECT_THAT(result.out, HasSubstr(base::StrCat("{\"policy\":\"", policy, "\"")));
  }
  EXPECT_EQ(Hone(command).out, result.out);  // the same seed
  EXPECT_NE(Hone(command + " --seed 2").out, result.out);
  EXPECT_EQ(Hone("simulate").exit_code, 2);
  EXPECT_EQ(Hone(command + " --rate 5").exit_code, 2);  // twice, for one model
  const Result unknown = Hone(command + " --policy lifo");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("--policy: "));
  EXPECT_THAT(unknown.err, HasSubstr("there are ladder, edf, round_robin, fcfs"));
  const Result width = Hone(command + " --split 2");
  EXPECT_THAT(width.err, HasSubstr("was not measured with 2 threads; there are 1"));
}

TEST(Program, SimulatesAMemoryBudget) {
  const auto table = [](const char* name) {
    std::string path = base::StrCat(testing::TempDir(), "/", name, ".json");
    std::ofstream(path) << R"({"schema":1,"kind":"latency-tables","model":")" << name
                        << R"(","rungs":[
    {"name":"dense","accuracy":0.9,"bytes":8000000,"load_ms":10,"widths":[1],
     "tables":[{"lengths":[32],"texts":[1],"ms":[[4]]}]},
    {"name":"4x","accuracy":0.8,"bytes":2000000,"load_ms":3,"widths":[1],
     "tables":[{"lengths":[32],"texts":[1],"ms":[[1]]}]}]})";
    return path;
  };
  const std::string command =
      base::StrCat("simulate --models ", table("a"), " --models ", table("b"),
                   " --rate 50 --deadline 200ms --duration 3s --policy ladder -o json");
  const Result all = Hone(command), some = Hone(command + " --memory 11MB");
  EXPECT_EQ(some.exit_code, 0) << some.err;
  EXPECT_EQ(JsonLines(some.out), 3);
  EXPECT_THAT(all.out, HasSubstr("\"loads\":0"));
  EXPECT_NE(some.out, all.out);
  std::istringstream rows(some.out);
  for (std::string row; std::getline(rows, row);) {
    const auto json = base::Json::Parse(row, "row");
    ASSERT_TRUE(json.ok()) << row;
    EXPECT_EQ(*json->root().Get("late")->Int(), 0) << row;
  }
  EXPECT_EQ(Hone(command + " --memory much").exit_code, 2);
  EXPECT_EQ(Hone(command + " --pin a").exit_code, 2) << "of which memory?";
  EXPECT_THAT(Hone(command + " --memory 11MB --pin c").err,
              HasSubstr("--pin \"c\" is none of the models"));
  EXPECT_THAT(Hone(command + " --memory 9MB --pin a").err, HasSubstr("pinned models need more"));
}

}  // namespace
}  // namespace hone
