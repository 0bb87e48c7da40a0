#include "server/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/strings.h"
#include "server/test_models.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

TEST_F(ServiceTest, GivesTheModelsOwnBitsForEveryTask) {
  const std::vector<std::string> names = {"bert/embed-mean", "bert/ForSequenceClassification",
                                          "bert/ForTokenClassification", "bert/ForMaskedLM",
                                          "roberta/ForSequenceClassification"};
  ServiceOptions options;
  options.threads = 2;
  for (std::size_t i = 0; i < names.size(); ++i) {
    options.models.push_back(
        {.name = names[i], .directory = TinyModel(names[i], base::StrCat("m", i))});
  }
  const auto service = Start(options);
  ASSERT_TRUE(service);
  for (const ModelOptions& model : options.models) {
    const auto endpoint = service->Find(model.name);
    ASSERT_TRUE(endpoint) << model.name;
    const std::vector<std::string> texts = {"a b [MASK] c", Words(3), "[MASK] [MASK]", Words(12)};
    const Reply reply = Run(*service, Ask(endpoint, texts));
    ASSERT_TRUE(reply.ok()) << model.name << ": " << reply.fault->message;
    ASSERT_EQ(reply.results.size(), texts.size());
    EXPECT_EQ(reply.served.rung, "model");
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const auto expected = Alone(model.directory, texts[t]);
      ASSERT_EQ(reply.results[t].outputs.size(), expected.size());
      for (std::size_t o = 0; o < expected.size(); ++o) {
        EXPECT_EQ(reply.results[t].outputs[o].values, expected[o]) << model.name << " text " << t;
      }
    }
  }
}

TEST_F(ServiceTest, ManyThreadsGetTheirOwnAnswers) {
  ServiceOptions options;
  options.threads = 2;
  options.split = {1, 1};
  options.models = {{.name = "embed", .directory = TinyModel("bert/embed-mean", "m")},
                    {.name = "ladder", .directory = TinyLadder("bert/embed-mean", "l")}};
  const auto service = Start(options);
  ASSERT_TRUE(service);
  constexpr int kThreads = 4, kRequests = 60, kTexts = 11;
  std::vector<std::vector<float>> expected, rounded;
  for (int i = 0; i < kTexts; ++i) {
    expected.push_back(Alone(options.models[0].directory, Words(i))[0]);
    rounded.push_back(Alone(options.models[1].directory + "/int8", Words(i))[0]);
    EXPECT_NE(expected[i], rounded[i]) << "rungs must differ for this to be a test";
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRequests; ++i) {
        const auto endpoint = service->Find(i % 2 == 0 ? "embed" : "ladder");
        const int first = (t + i) % kTexts, second = (5 * t + i) % kTexts;
        const Reply reply = Run(*service, Ask(endpoint, {Words(first), Words(second)}));
        if (!reply.ok()) {
          ++wrong;
          continue;
        }
        const auto& right = reply.served.rung == "int8" ? rounded : expected;
        wrong += reply.results[0].outputs[0].values != right[static_cast<std::size_t>(first)];
        wrong += reply.results[1].outputs[0].values != right[static_cast<std::size_t>(second)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
  const ServiceStatus status = service->Status();
  EXPECT_EQ(status.counters.accepted, kThreads * kRequests);
  EXPECT_EQ(status.counters.answered, kThreads * kRequests);
  EXPECT_EQ(status.counters.texts, 2 * kThreads * kRequests);
  EXPECT_EQ(status.queued, 0);
  ASSERT_EQ(status.models.size(), 2u);
  EXPECT_EQ(status.models[1].rungs.size(), 2u);
  std::int64_t counted = 0;
  for (const std::int64_t n : status.models[0].total.counts) counted += n;
  EXPECT_EQ(counted, status.models[0].counters.answered);
}

TEST_F(ServiceTest, TextsAmongManyPartsComeBackInTheirPlaces) {
  ServiceOptions options;
  options.threads = 2;
  options.models = {{.name = "embed",
                     .directory = TinyModel("bert/embed-mean", "m"),
                     .max_texts = 3,  // of a batch: 20 texts are seven parts or more
                     .max_batch_tokens = 40}};
  const auto service = Start(options);
  ASSERT_TRUE(service);
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i) texts.push_back(Words(i));
  const Reply reply = Run(*service, Ask(service->Find("embed"), texts));
  ASSERT_TRUE(reply.ok()) << reply.fault->message;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(reply.results[i].outputs[0].values, Alone(options.models[0].directory, texts[i])[0])
        << i;
  }
  EXPECT_GE(service->Status().counters.batches, 7);
}

TEST_F(ServiceTest, RefusesWhatTheModelCannotTake) {
  ServiceOptions options;
  options.threads = 1;
  options.max_texts = 4;
  options.max_answer_bytes = 1000;
  options.models = {{.name = "embed", .directory = TinyModel("bert/embed-mean", "m")}};
  const auto service = Start(options);
  ASSERT_TRUE(service);
  const auto endpoint = service->Find("embed");
  EXPECT_EQ(service->Only(), endpoint);
  EXPECT_EQ(service->Find("nobody"), nullptr);
  const auto fault = [&](const std::function<void(Query*)>& change) {
    Query query = Ask(endpoint, {"a", "b"});
    change(&query);
    const Reply reply = Run(*service, std::move(query));
    EXPECT_FALSE(reply.ok());
    return reply.fault.value_or(Fault{});
  };
  Fault f = fault([&](Query* q) { q->texts[1].ids[1] = endpoint->vocabulary; });
  EXPECT_EQ(f.kind, FaultKind::kBadRequest);
  EXPECT_EQ(f.field, "texts[1]");
  f = fault([](Query* q) { q->texts[0].ids[0] = -1; });
  EXPECT_EQ(f.kind, FaultKind::kBadRequest);
  f = fault([](Query* q) { q->texts[0].types[0] = 7; });
  EXPECT_THAT(f.message, HasSubstr("token type 7"));
  f = fault([](Query* q) { q->texts[0].ids.clear(); });
  EXPECT_THAT(f.message, HasSubstr("no tokens"));
  f = fault([&](Query* q) {
    q->texts[0].ids.assign(static_cast<std::size_t>(endpoint->max_tokens) + 1, 5);
    q->texts[0].types.clear();
  });
  EXPECT_EQ(f.kind, FaultKind::kTooLong);
  f = fault([](Query* q) { q->texts.clear(); });
  EXPECT_EQ(f.kind, FaultKind::kBadRequest);
  f = fault([](Query* q) { q->texts.resize(5); });
  EXPECT_EQ(f.kind, FaultKind::kTooLarge);
  f = fault([](Query* q) { q->terms.deadline_ns = -5; });
  EXPECT_EQ(f.field, "deadline");
  f = fault([&](Query* q) {
    q->texts.resize(4);
    q->hidden = true;
    for (text::Encoding& text : q->texts) {
      text.ids.assign(static_cast<std::size_t>(endpoint->max_tokens), 5);
      text.types.clear();
    }
  });
  EXPECT_EQ(f.kind, FaultKind::kTooLarge);
  EXPECT_THAT(f.message, HasSubstr("the answer would hold"));
  // Nobody can answer within ten nanoseconds.
  f = fault([](Query* q) { q->terms.deadline_ns = 10; });
  EXPECT_EQ(f.kind, FaultKind::kRefused);
  EXPECT_EQ(service->Status().counters.accepted, 0);
  EXPECT_EQ(service->Status().counters.refused, 1);
}

TEST_F(ServiceTest, OptionsThatMakeNoSenseAreErrors) {
  const std::string model = TinyModel("bert/embed-mean", "m");
  const auto error = [&](const std::function<void(ServiceOptions*)>& change) {
    ServiceOptions options;
    options.threads = 2;
    options.models = {{.name = "a", .directory = model}};
    change(&options);
    auto service = Service::Start(env::RealFileSystem(), options);
    EXPECT_FALSE(service.ok());
    return service.status().message();
  };
  EXPECT_THAT(error([](auto* o) { o->policy = "lifo"; }), HasSubstr("ladder"));
  EXPECT_THAT(error([](auto* o) { o->split = {2, 1}; }), HasSubstr("split: \"2,1\""));
  EXPECT_THAT(error([](auto* o) { o->split = {0}; }), HasSubstr("split: \"0\""));
  EXPECT_THAT(error([](auto* o) { o->models.clear(); }), HasSubstr("no models"));
  EXPECT_THAT(error([](auto* o) { o->models.push_back(o->models[0]); }), HasSubstr("\"a\""));
  EXPECT_THAT(error([](auto* o) { o->models[0].directory += "/none"; }), HasSubstr("none"));
  EXPECT_THAT(error([](auto* o) { o->models[0].max_texts = 0; }), HasSubstr("limit"));
}

}  // namespace
}  // namespace hone::server
