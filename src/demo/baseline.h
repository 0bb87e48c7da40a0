// What can be done without a model: the intent by naive Bayes over the words and the pairs of
// neighbours of a sentence; each word's most frequent tag. The assistant must stay clearly above it,
// or its data would be a toy.
//
//   intent = argmax_c  log (n_c + 1) + Σ_w log ((n_cw + α) / (n_c· + α V))     α = 0.1
//
// Source  Maron 1961; McCallum and Nigam 1998 (multinomial event model).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "eval/example.h"

namespace hone::demo {

class Baseline {
 public:
  explicit Baseline(std::span<const eval::Example> train);

  std::vector<eval::Prediction> Predict(std::span<const eval::Example> commands) const;

 private:
  struct IntentCounts {
    double sentences = 0, features = 0;
    std::map<std::string, double> of;
  };

  std::string BestIntent(const eval::Example& command) const;

  std::map<std::string, IntentCounts> intents_;
  std::map<std::string, std::string> tag_of_word_;
  std::size_t vocabulary_ = 0;  // distinct features
};

}  // namespace hone::demo
