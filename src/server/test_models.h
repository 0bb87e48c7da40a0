// What the server's tests serve: tiny models of the goldens with a vocabulary of their own, and
// ladders made of them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "compress/ladder/ladder.h"
#include "compress/quantize.h"
#include "env/file.h"
#include "formats/test_directory.h"
#include "runtime/text_model.h"
#include "server/service.h"
#include "tests/support/tiny_models.h"

namespace hone::server {

class ServiceTest : public formats::TestDirectory {
 protected:
  // The directory of the tiny model ("bert/embed-mean"), in a folder of its own.
  std::string TinyModel(const std::string& name, const std::string& folder) {
    const std::string parent = Path(folder);
    EXPECT_TRUE(files_.MakeDirectory(parent).ok());
    for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
      if (tiny.name != name) continue;
      std::string model = tests::WriteTinyModel(tiny, parent);
      EXPECT_TRUE(env::WriteFile(files_, model + "/vocab.txt", Vocabulary()).ok());
      return model;
    }
    ADD_FAILURE() << "there is no tiny model " << name;
    return {};
  }

  // A ladder of the model itself ("dense") and its int8 form ("int8"), with made-up figures.
  std::string TinyLadder(const std::string& name, const std::string& folder) {
    const std::string model = TinyModel(name, folder + "-source");
    std::string ladder = Path(folder);
    EXPECT_TRUE(files_.MakeDirectory(ladder).ok());
    EXPECT_TRUE(files_.Move(model, ladder + "/dense").ok());
    const base::Status status = compress::QuantizeDirectory(
        files_, ladder + "/dense", quant::Format::kInt8, ladder + "/int8", {}, {});
    EXPECT_TRUE(status.ok()) << status;
    compress::LadderReport report;
    report.device.lengths = {8};
    report.rungs = {Rung("dense", 2, 0.92), Rung("int8", 1, 0.9)};
    EXPECT_TRUE(env::WriteFile(files_, ladder + "/hone.json", compress::ToJson(report)).ok());
    return ladder;
  }

  static std::unique_ptr<Service> Start(const ServiceOptions& options) {
    auto service = Service::Start(env::RealFileSystem(), options);
    EXPECT_TRUE(service.ok()) << service.status();
    return service.ok() ? *std::move(service) : nullptr;
  }

  // A text of some letters, different for every seed.
  static std::string Words(int seed) {
    std::string text;
    for (int w = 0; w < 2 + seed % 7; ++w) {
      text += w > 0 ? " " : "";
      text += static_cast<char>('a' + (seed + 7 * w) % 26);
    }
    return text;
  }

  static Query Ask(const std::shared_ptr<const Endpoint>& endpoint,
                   const std::vector<std::string>& texts, base::TimeNs deadline_ns = 0) {
    Query query;
    query.endpoint = endpoint;
    query.terms.deadline_ns = deadline_ns;
    // The scratch holds a cache of words: made once, handed from text to text.
    text::Encoding warm;
    for (const std::string& text : texts) {
      endpoint->tokenizer->Encode(text, {.max_tokens = endpoint->max_tokens}, &warm);
      text::Encoding& encoding = query.texts.emplace_back();
      encoding.ids = warm.ids;
      encoding.types = warm.types;
    }
    return query;
  }

  // Waits for the reply.
  static Reply Run(Service& service, Query query) {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<Reply> reply;
    service.Submit(std::move(query), [&](Reply r) {
      const std::lock_guard lock(mutex);
      reply = std::move(r);
      ready.notify_one();
    });
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return reply.has_value(); });
    return *std::move(reply);
  }

  // Keeps the only executor of a Service or Dispatcher busy until released: replies are given by the
  // executor's thread, and this one's reply waits.
  class Hold {
   public:
    template <class Submitter>
    Hold(Submitter& to, Query query) {
      to.Submit(std::move(query), [this](const Reply&) {
        std::unique_lock lock(mutex_);
        held_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return released_; });
        done_ = true;
        changed_.notify_all();
      });
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return held_; });
    }
    ~Hold() { Release(); }
    void Release() {
      std::unique_lock lock(mutex_);
      released_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return done_; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false, released_ = false, done_ = false;
  };

  // Replies of many queries, in the order in which they came.
  class Replies {
   public:
    Done Next() {
      const std::lock_guard lock(mutex_);
      ++expected_;
      return [this](Reply reply) {
        const std::lock_guard guard(mutex_);
        replies_.push_back(std::move(reply));
        changed_.notify_all();
      };
    }
    std::vector<Reply> Take() {  // waits for all, each of which comes once
      std::unique_lock lock(mutex_);
      EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60),
                                    [this] { return replies_.size() >= expected_; }));
      EXPECT_EQ(replies_.size(), expected_);
      return std::move(replies_);
    }
    std::size_t size() {
      const std::lock_guard lock(mutex_);
      return replies_.size();
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t expected_ = 0;
    std::vector<Reply> replies_;
  };

  // What the model gives for one text when nobody else is there.
  static std::vector<std::vector<float>> Alone(const std::string& directory,
                                               const std::string& text) {
    auto model = runtime::TextModel::Open(env::RealFileSystem(), directory, {});
    EXPECT_TRUE(model.ok()) << model.status();
    const std::vector<runtime::TextInput> input = {{text}};
    auto output = (*model)->Run(input);
    EXPECT_TRUE(output.ok()) << output.status();
    return output->rows;
  }

 private:
  static std::string Vocabulary() {
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) vocabulary += std::string(1, c) + "\n##" + c + "\n";
    return vocabulary;
  }
  static compress::LadderRung Rung(const std::string& path, double ms, double accuracy) {
    compress::LadderRung rung;
    rung.path = path;
    rung.speedup = 2 / ms;
    rung.model.latency = {ms, 1.2 * ms, 1.5 * ms};
    rung.model.metric = {"accuracy", accuracy, accuracy - 0.01, accuracy + 0.01};
    return rung;
  }
};

}  // namespace hone::server
