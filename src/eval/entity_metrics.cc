#include "eval/entity_metrics.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace hone::eval {
namespace {

double Ratio(std::size_t a, std::size_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}

std::string_view TypeOf(std::string_view tag) {
  return tag.size() > 2 ? tag.substr(2) : std::string_view();
}

// The predicted tags of `words` words; those of truncated text are "O".
std::vector<std::string> TagsOf(const Prediction& prediction, std::size_t words) {
  std::vector<std::string> tags = prediction.tags;
  tags.resize(words, "O");
  return tags;
}

}  // namespace

std::vector<Entity> FindEntities(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  char previous = 'O';
  std::string_view open_type;
  int open_begin = -1;  // of the open entity, or -1
  auto close = [&](int end) {
    if (open_begin >= 0) entities.push_back({std::string(open_type), open_begin, end});
    open_begin = -1;
  };
  for (int i = 0; i < static_cast<int>(tags.size()); ++i) {
    const std::string_view tag = tags[static_cast<std::size_t>(i)];
    const char prefix = tag.empty() ? 'O' : tag[0];
    const std::string_view type = TypeOf(tag);
    const bool continues = (prefix == 'I' || prefix == 'E') && open_begin >= 0 &&
                           type == open_type && previous != 'E' && previous != 'S';
    if (!continues) {
      close(i);
      if (prefix != 'O') {
        open_begin = i;
        open_type = type;
      }
    }
    previous = prefix;
  }
  close(static_cast<int>(tags.size()));
  return entities;
}

double EntityCounts::Precision() const {
  return Ratio(right, predicted);
}
double EntityCounts::Recall() const {
  return Ratio(right, expected);
}
double EntityCounts::F1() const {
  return Ratio(2 * right, expected + predicted);
}

EntityScores ScoreEntities(std::span<const Example> examples,
                           std::span<const Prediction> predictions) {
  HONE_CHECK(examples.size() == predictions.size());
  EntityScores scores;
  std::size_t tags = 0, equal = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::vector<std::string>& expected_tags = examples[i].tags;
    const std::vector<std::string> predicted_tags = TagsOf(predictions[i], expected_tags.size());
    tags += expected_tags.size();
    for (std::size_t t = 0; t < expected_tags.size(); ++t) {
      equal += expected_tags[t] == predicted_tags[t];
    }
    // In order of their words, so that what both have is a plain merge.
    const std::vector<Entity> expected = FindEntities(expected_tags);
    const std::vector<Entity> predicted = FindEntities(predicted_tags);
    for (const Entity& entity : expected) ++scores.by_type[entity.type].expected;
    for (const Entity& entity : predicted) ++scores.by_type[entity.type].predicted;
    for (auto e = expected.begin(), p = predicted.begin();
         e != expected.end() && p != predicted.end();) {
      if (*e == *p) ++scores.by_type[e->type].right;
      const int begin_e = e->begin, begin_p = p->begin;
      if (begin_e <= begin_p) ++e;
      if (begin_p <= begin_e) ++p;
    }
  }
  for (const auto& [type, counts] : scores.by_type) {
    scores.all.expected += counts.expected;
    scores.all.predicted += counts.predicted;
    scores.all.right += counts.right;
  }
  scores.accuracy = Ratio(equal, tags);
  return scores;
}

JointScores ScoreIntentsAndSlots(std::span<const Example> examples,
                                 std::span<const Prediction> predictions) {
  HONE_CHECK(examples.size() == predictions.size() && !examples.empty());
  JointScores scores;
  std::size_t exact = 0, intents = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const bool intent = examples[i].intent == predictions[i].intent;
    intents += intent;
    exact += intent && FindEntities(examples[i].tags) ==
                           FindEntities(TagsOf(predictions[i], examples[i].tags.size()));
  }
  scores.exact = Ratio(exact, examples.size());
  scores.intent_accuracy = Ratio(intents, examples.size());
  scores.slots = ScoreEntities(examples, predictions);
  return scores;
}

}  // namespace hone::eval
