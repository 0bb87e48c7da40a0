#include "load/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/fnv1a.h"
#include "base/strings.h"
#include "load/random.h"

namespace hone::load {
namespace {

using base::kSecondNs;
using testing::HasSubstr;

struct Moments {
  double mean = 0, cv = 0;
};

template <typename Draw>
Moments MomentsOf(int count, const Draw& draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean) / mean};
}

TEST(Random, LogAndExpAgreeWithTheLibrary) {
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const double x = std::ldexp(random.Unit() + 0.5, static_cast<int>(random.Below(200)) - 100);
    ASSERT_NEAR(Log(x), std::log(x), 1e-14 * std::max(1.0, std::abs(std::log(x)))) << x;
    const double y = 1400 * (random.Unit() - 0.5);
    ASSERT_NEAR(Exp(y) / std::exp(y), 1, 1e-14) << y;
  }
  EXPECT_EQ(Log(1), 0);
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Exp(-1e6), 0);
}

TEST(Random, DistributionsHaveTheirMoments) {
  Random random(2);
  const Moments exponential = MomentsOf(1'000'000, [&] { return random.Exponential(); });
  EXPECT_NEAR(exponential.mean, 1, 0.005);
  EXPECT_NEAR(exponential.cv, 1, 0.005);
  const Moments normal = MomentsOf(1'000'000, [&] { return 10 + random.Normal(); });
  EXPECT_NEAR(normal.mean, 10, 0.005);
  EXPECT_NEAR(normal.cv, 0.1, 0.0005);
  // Five standard errors of the mean, from the variance; the variance's own are larger the smaller
  // the shape is.
  for (const double shape : {0.0625, 0.5, 1.0, 2.5, 100.0}) {
    const Moments gamma = MomentsOf(1'000'000, [&] { return random.Gamma(shape); });
    EXPECT_NEAR(gamma.mean / shape, 1, 5e-3 / std::sqrt(shape)) << shape;
    EXPECT_NEAR(gamma.cv * std::sqrt(shape), 1, 0.03) << shape;
  }
}

TEST(Random, IsTheSameEverywhere) {
  Random random(7);
  EXPECT_EQ(random.Next(), 0x63CBE1E459320DD7u);  // SplitMix64's published stream
  // To the last bit, whatever instructions a compiler makes of them.
  Random drawn(7);
  EXPECT_EQ(drawn.Exponential(), 0x1.f9dfa91949293p-2);
  EXPECT_EQ(drawn.Normal(), 0x1.1da4d46924367p+1);
  EXPECT_EQ(drawn.Gamma(0.0625), 0x1.bc794e436de68p-9);
  EXPECT_EQ(drawn.Gamma(2.5), 0x1.e434ad3cf94c5p+0);
  EXPECT_EQ(Log(3.7), 0x1.4eeee650ae55p+0);
  EXPECT_EQ(Exp(-2.3), 0x1.9aa9046ec997cp-4);
}

TEST(Arrivals, AreTheSameEverywhere) {
  const auto hash = [](const ArrivalSpec& spec) {
    std::uint64_t value = base::kFnv1aBasis;
    for (const Arrival& arrival : MakeArrivals(spec, 100, 10 * kSecondNs, 3)) {
      value = base::Fnv1a(base::StrCat(arrival.at, " "), value);
    }
    return value;
  };
  EXPECT_EQ(hash({.process = Process::kPoisson}), 0xC2E2653EE938E429u);
  EXPECT_EQ(hash({.process = Process::kGamma, .cv = 4}), 0xCF9DC41652A24C96u);
}

Moments GapMoments(const std::vector<Arrival>& arrivals) {
  std::size_t i = 0;
  return MomentsOf(static_cast<int>(arrivals.size()) - 1, [&] {
    ++i;
    return static_cast<double>(arrivals[i].at - arrivals[i - 1].at);
  });
}

TEST(Arrivals, HaveTheirRateAndVariation) {
  struct Case {
    const char* text;
    double cv, tolerance;
  };
  for (const Case& c : {Case{"poisson", 1, 0.01},
                        {"gamma:4", 4, 0.15},
                        {"gamma:0.5", 0.5, 0.01},
                        {"uniform", 0, 1e-3}}) {
    const auto spec = ParseArrivals(c.text);
    ASSERT_TRUE(spec.ok()) << spec.status();
    const auto arrivals = MakeArrivals(*spec, 1000, 300 * kSecondNs, 11);
    EXPECT_NEAR(static_cast<double>(arrivals.size()), 300'000, 12'000) << c.text;
    const Moments gaps = GapMoments(arrivals);
    EXPECT_NEAR(gaps.mean, 1e6, 0.04e6) << c.text;
    EXPECT_NEAR(gaps.cv, c.cv, c.tolerance) << c.text;
  }
}

TEST(Arrivals, DependOnTheSeedAlone) {
  const ArrivalSpec spec{.process = Process::kGamma, .cv = 4};
  const auto a = MakeArrivals(spec, 100, 10 * kSecondNs, 5);
  const auto b = MakeArrivals(spec, 100, 10 * kSecondNs, 5);
  const auto c = MakeArrivals(spec, 100, 10 * kSecondNs, 6);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].at, b[i].at);
  EXPECT_NE(a[0].at, c[0].at);
  // A longer run begins like a shorter one.
  const auto longer = MakeArrivals(spec, 100, 20 * kSecondNs, 5);
  ASSERT_GE(longer.size(), a.size());
  EXPECT_EQ(longer[a.size() - 1].at, a.back().at);
}

TEST(Arrivals, NoRateNoArrivals) {
  for (const Process process : {Process::kPoisson, Process::kGamma, Process::kUniform}) {
    EXPECT_TRUE(MakeArrivals({.process = process}, 0, kSecondNs, 1).empty());
    EXPECT_TRUE(MakeArrivals({.process = process}, NAN, kSecondNs, 1).empty());
  }
}

TEST(Arrivals, NamesThatAreWrongSayWhatIsExpected) {
  for (const char* text : {"", "poison", "gamma", "gamma:", "gamma:x", "gamma:0", "gamma:4x",
                           "gamma:21", "gamma:nan", "trace:", "Poisson"}) {
    const auto spec = ParseArrivals(text);
    ASSERT_FALSE(spec.ok()) << text;
    EXPECT_THAT(spec.status().message(), HasSubstr(base::StrCat("\"", text, "\"")));
  }
  const auto trace = ParseArrivals("trace:a:b.csv");
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace->trace, "a:b.csv");
}

std::vector<Arrival> Parsed(std::string_view csv) {
  auto trace = ParseTrace(csv, "t.csv");
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.ok() ? *trace : std::vector<Arrival>();
}

TEST(Trace, DatesAndSeconds) {
  const auto dates = Parsed(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 23:59:59.9799600,4808,10\r\n"
      "2023-11-17 00:00:00.0319600,3180,8\r\n\r\n2024-02-29T00:00:01Z,0,0");
  ASSERT_EQ(dates.size(), 3u);
  EXPECT_EQ(dates[0].at, 0);
  EXPECT_EQ(dates[0].tokens, 4808);
  EXPECT_EQ(dates[1].at, 52'000'000);
  EXPECT_EQ(dates[1].tokens, 3180);
  // 104 days of the end of November, December, January and 28 of February.
  EXPECT_EQ(dates[2].at, (104 * 86'400 + 1) * kSecondNs + 20'040'000);
  const auto seconds = Parsed("t\n1.5\n1.500000001999\n4\n");
  ASSERT_EQ(seconds.size(), 3u);
  EXPECT_EQ(seconds[1].at, 1);
  EXPECT_EQ(seconds[2].at, 2'500'000'000);
  EXPECT_EQ(seconds[2].tokens, 0);
}

TEST(Trace, ErrorsNameTheLine) {
  const auto error = [](std::string_view csv) {
    const auto trace = ParseTrace(csv, "t.csv");
    return trace.ok() ? "parsed" : trace.status().message();
  };
  EXPECT_THAT(error(""), HasSubstr("t.csv: no line after the header"));
  EXPECT_THAT(error("t\n\n"), HasSubstr("t.csv: no line after the header"));
  EXPECT_THAT(error("t\n1\n\nnoon\n"), HasSubstr("t.csv:4: \"noon\" is not a moment"));
  EXPECT_THAT(error("t\n2\n1\n"), HasSubstr("t.csv:3: 1 is before the line above"));
  EXPECT_THAT(error("t,ContextTokens\n1,2\n2\n"), HasSubstr("t.csv:3: ContextTokens \"\""));
  EXPECT_THAT(error("t,ContextTokens\n1,-2\n"), HasSubstr("t.csv:2: ContextTokens \"-2\""));
  for (const char* moment :
       {"-1", "1e3", "99999999999", "2023-02-29 00:00:00", "2023-13-01 00:00:00",
        "1969-12-31 23:59:59", "2023-01-01 24:00:00", "2023-01-01 00:60:00", "2023-01-01 00:00:61",
        "2023-01-01 00:00:0x", "2023-01-01x00:00:00", "2023-01-01 00:00Z"}) {
    EXPECT_THAT(error(base::StrCat("t\n", moment, "\n")), HasSubstr("t.csv:2: \"")) << moment;
  }
}

TEST(Trace, IsPlayedAsItIsOrScaledAndRepeated) {
  const auto trace = Parsed("t,ContextTokens\n0,10\n1,11\n4,12\n5,13\n");
  const ArrivalSpec spec{.process = Process::kTrace};
  const auto once = MakeArrivals(spec, 0, 5 * kSecondNs, 1, trace);
  ASSERT_EQ(once.size(), 3u) << "the duration's end is open";
  EXPECT_EQ(once[2].at, 4 * kSecondNs);
  // Four a round at 2 per second: a round takes 2 s, of which 1.5 s are the trace's 5 s.
  const auto scaled = MakeArrivals(spec, 2, 4 * kSecondNs, 1, trace);
  ASSERT_EQ(scaled.size(), 8u);
  EXPECT_EQ(scaled[1].at, 300'000'000);
  EXPECT_EQ(scaled[3].at, 1'500'000'000);
  EXPECT_EQ(scaled[4].at, 2'000'000'000);
  EXPECT_EQ(scaled[5].tokens, 11);
  // All at one moment: bursts at the wanted mean rate.
  EXPECT_EQ(MakeArrivals(spec, 10, kSecondNs, 1, Parsed("t\n3\n3\n")).size(), 10u);
}

TEST(Trace, AzuresTracesParse) {
  const char* variable = std::getenv("HONE_TEST_DATA");
  const std::string folder =
      base::StrCat(variable ? variable : HONE_SOURCE_DIR "/../shared/data", "/traces/azure_llm/");
  struct Case {
    const char* file;
    std::size_t count;
    int first_tokens;
  };
  for (const Case& c : {Case{"AzureLLMInferenceTrace_code.csv", 8819, 4808},
                        {"AzureLLMInferenceTrace_conv.csv", 19366, 374}}) {
    std::ifstream file(folder + c.file, std::ios::binary);
    if (!file) GTEST_SKIP() << folder << c.file << " is not here (HONE_TEST_DATA)";
    std::ostringstream text;
    text << file.rdbuf();
    const auto trace = Parsed(text.str());
    ASSERT_EQ(trace.size(), c.count);
    EXPECT_EQ(trace[0].tokens, c.first_tokens);
    EXPECT_NEAR(static_cast<double>(trace.back().at) * 1e-9, 3500, 100);
  }
}

}  // namespace
}  // namespace hone::load
