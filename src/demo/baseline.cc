#include "demo/baseline.h"

#include <cmath>
#include <limits>
#include <set>

#include "base/check.h"

namespace hone::demo {
namespace {

constexpr double kSmoothing = 0.1;

std::vector<std::string> Features(const eval::Example& command) {
  std::vector<std::string> features = command.words;
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    features.push_back(command.words[i - 1] + " " + command.words[i]);
  }
  return features;
}

}  // namespace

Baseline::Baseline(std::span<const eval::Example> train) {
  HONE_CHECK(!train.empty());
  std::set<std::string> all;
  std::map<std::string, std::map<std::string, int>> tags;
  for (const eval::Example& command : train) {
    IntentCounts& counts = intents_[command.intent];
    ++counts.sentences;
    for (const std::string& feature : Features(command)) {
      ++counts.features;
      ++counts.of[feature];
      all.insert(feature);
    }
    for (std::size_t i = 0; i < command.words.size(); ++i) {
      ++tags[command.words[i]][command.tags[i]];
    }
  }
  vocabulary_ = all.size();
  for (const auto& [word, counts] : tags) {
    int most = 0;
    for (const auto& [tag, count] : counts) {
      if (count > most) {
        most = count;
        tag_of_word_[word] = tag;
      }
    }
  }
}

std::string Baseline::BestIntent(const eval::Example& command) const {
  const std::vector<std::string> features = Features(command);
  std::string best;
  double best_score = -std::numeric_limits<double>::infinity();
  for (const auto& [intent, counts] : intents_) {
    double score = std::log(counts.sentences + 1);
    const double all = counts.features + kSmoothing * static_cast<double>(vocabulary_);
    for (const std::string& feature : features) {
      const auto found = counts.of.find(feature);
      score += std::log(((found == counts.of.end() ? 0 : found->second) + kSmoothing) / all);
    }
    if (score > best_score) {
      best_score = score;
      best = intent;
    }
  }
  return best;
}

std::vector<eval::Prediction> Baseline::Predict(std::span<const eval::Example> commands) const {
  std::vector<eval::Prediction> predictions(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    predictions[i].intent = BestIntent(commands[i]);
    for (const std::string& word : commands[i].words) {
      const auto found = tag_of_word_.find(word);
      predictions[i].tags.push_back(found == tag_of_word_.end() ? "O" : found->second);
    }
  }
  return predictions;
}

}  // namespace hone::demo
