// Entity scores of tag sequences, as seqeval's default mode and conlleval count them, as fractions.
//
// Tags      "O", or B-, I-, E-, S- and a type (IOB1, IOB2, IOBES alike)
// Entity    a maximal run of tags of one type; B and S begin a new one, E and S end one. An I after
//           O, after E or S, or after another type begins one too: nothing is invalid.
// Scores    an entity is right when type, begin and end are. Over all types together (micro):
//           precision = right / predicted, recall = right / expected, f1 their harmonic mean;
//           0/0 = 0.
// Source    Tjong Kim Sang and De Meulder 2003 (conlleval); seqeval 1.2. Checked by
//           tests/golden/eval.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/example.h"

namespace hone::eval {

struct Entity {
  std::string type;
  int begin = 0, end = 0;  // words [begin, end)
  auto operator<=>(const Entity&) const = default;
};

std::vector<Entity> FindEntities(std::span<const std::string> tags);

struct EntityCounts {
  std::size_t expected = 0, predicted = 0, right = 0;
  double Precision() const;
  double Recall() const;
  double F1() const;
};

struct EntityScores {
  EntityCounts all;
  std::map<std::string, EntityCounts> by_type;
  double accuracy = 0;  // of single tags
};

// Spans of one length (a CHECK). Words without a predicted tag (truncated text) count as "O".
EntityScores ScoreEntities(std::span<const Example> examples,
                           std::span<const Prediction> predictions);

// Of sentences with an intent each. A sentence is exactly right when its intent and the set of its
// entities are: what an assistant acts on.
struct JointScores {
  double exact = 0, intent_accuracy = 0;  // fractions of the sentences
  EntityScores slots;
};

// As ScoreEntities; of at least one example (a CHECK).
JointScores ScoreIntentsAndSlots(std::span<const Example> examples,
                                 std::span<const Prediction> predictions);

}  // namespace hone::eval
