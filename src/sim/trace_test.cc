// The promises on real arrivals: the Azure LLM inference traces of 2023 (conversations and code), where the
// shared data has them. Their long prompts are cut to what an encoder reads.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/scene.h"
#include "sim/simulation.h"
#include "sim/test_traffic.h"

namespace hone::sim {
namespace {

std::string ReadTrace(const std::string& name) {
  const char* set = std::getenv("HONE_TEST_DATA");
  const std::filesystem::path data =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(HONE_SOURCE_DIR).parent_path() / "shared/data";
  std::ifstream in(data / "traces/azure_llm" / name);
  std::stringstream text;
  text << in.rdbuf();
  return in ? text.str() : "";
}

class RealTrace : public testing::TestWithParam<const char*> {};

TEST_P(RealTrace, PromisesAreKeptAndTheLadderAnswersMost) {
  const std::string csv = ReadTrace(GetParam());
  if (csv.empty()) GTEST_SKIP() << GetParam() << " is not there (set HONE_TEST_DATA)";
  auto trace = load::ParseTrace(csv, GetParam());
  ASSERT_TRUE(trace.ok()) << trace.status();
  const scheduler::Setup setup = ThreeModels(2);
  // The recorded rates are those of a slow service; these are one and three times what two cores can do.
  for (const double rate : {60.0, 180.0}) {
    std::vector<Stream> streams;
    for (int model = 0; model < 3; ++model) {
      streams.push_back({.model = model,
                         .arrivals = {.process = load::Process::kTrace},
                         .trace = *trace,
                         .rate_per_s = rate / 3,
                         .deadline_ns = (60 + 60 * model) * base::kMillisecondNs});
    }
    const auto requests = MakeRequests(streams, 60 * base::kSecondNs, 1);
    ASSERT_GT(requests.size(), 300U);
    const auto run = [&](const char* policy) {
      auto result = Simulate(setup, policy, requests, {.sigma = 0}, 1);
      EXPECT_TRUE(result.ok()) << result.status();
      return *std::move(result);
    };
    const SimResult ladder = run("ladder"), fcfs = run("fcfs");
    EXPECT_EQ(ladder.total.late, 0) << rate;
    EXPECT_EQ(run("edf").total.late, 0) << rate;
    EXPECT_GE(ladder.total.ok, fcfs.total.ok) << rate;
    EXPECT_GT(ladder.total.ok, ladder.total.sent / 2) << rate;
  }
}

INSTANTIATE_TEST_SUITE_P(Azure, RealTrace,
                         testing::Values("AzureLLMInferenceTrace_conv.csv",
                                         "AzureLLMInferenceTrace_code.csv"));

}  // namespace
}  // namespace hone::sim
