#include "eval/tasks.h"

#include <array>

#include "base/check.h"
#include "base/strings.h"
#include "eval/entity_metrics.h"
#include "eval/metrics.h"
#include "eval/squad_metrics.h"

namespace hone::eval {
namespace {

using Labels = std::array<std::string_view, 2>;

// In the order of GLUE's label indices, as Hugging Face's data sets and most models have them.
constexpr Labels kSentiment = {"negative", "positive"};
constexpr Labels kParaphrase = {"not_equivalent", "equivalent"};
constexpr Labels kDuplicate = {"not_duplicate", "duplicate"};
constexpr Labels kEntailment2 = {"entailment", "not_entailment"};
constexpr Labels kAcceptable = {"unacceptable", "acceptable"};
constexpr std::array<std::string_view, 3> kEntailment3 = {"entailment", "neutral", "contradiction"};

struct LabelPair {
  std::vector<int> expected, predicted;
};

LabelPair LabelsOf(std::span<const Example> examples, std::span<const Prediction> predictions) {
  LabelPair labels;
  for (const Example& example : examples) labels.expected.push_back(example.label);
  for (const Prediction& prediction : predictions) labels.predicted.push_back(prediction.label);
  return labels;
}

Metrics ScoreLabels(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const LabelPair labels = LabelsOf(examples, predictions);
  return {{"accuracy", Accuracy(labels.expected, labels.predicted)}};
}

Metrics ScoreLabelsF1(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const LabelPair labels = LabelsOf(examples, predictions);
  return {{"accuracy", Accuracy(labels.expected, labels.predicted)},
          {"f1", BinaryF1(labels.expected, labels.predicted)}};
}

Metrics ScoreMatthews(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const LabelPair labels = LabelsOf(examples, predictions);
  return {{"matthews", Matthews(labels.expected, labels.predicted)},
          {"accuracy", Accuracy(labels.expected, labels.predicted)}};
}

Metrics ScoreSimilarity(std::span<const Example> examples,
                        std::span<const Prediction> predictions) {
  std::vector<double> expected, predicted;
  for (const Example& example : examples) expected.push_back(example.score);
  for (const Prediction& prediction : predictions) predicted.push_back(prediction.score);
  return {{"pearson", Pearson(expected, predicted)}, {"spearman", Spearman(expected, predicted)}};
}

Metrics ScoreAnswers1(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const SquadScores scores = ScoreSquad1(examples, predictions);
  return {{"exact_match", scores.all.exact}, {"f1", scores.all.f1}};
}

Metrics ScoreAnswers2(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const SquadScores scores = ScoreSquad2(examples, predictions);
  return {{"exact", scores.all.exact},
          {"f1", scores.all.f1},
          {"HasAns_exact", scores.has_answer.exact},
          {"HasAns_f1", scores.has_answer.f1},
          {"HasAns_total", static_cast<double>(scores.has_answer.total)},
          {"NoAns_exact", scores.no_answer.exact},
          {"NoAns_f1", scores.no_answer.f1},
          {"NoAns_total", static_cast<double>(scores.no_answer.total)}};
}

Metrics ScoreTags(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const EntityScores scores = ScoreEntities(examples, predictions);
  Metrics metrics = {{"precision", scores.all.Precision()},
                     {"recall", scores.all.Recall()},
                     {"f1", scores.all.F1()},
                     {"accuracy", scores.accuracy}};
  for (const auto& [type, counts] : scores.by_type) metrics.emplace_back("f1_" + type, counts.F1());
  return metrics;
}

Metrics ScoreJoint(std::span<const Example> examples, std::span<const Prediction> predictions) {
  const JointScores scores = ScoreIntentsAndSlots(examples, predictions);
  return {{"exact", scores.exact},
          {"intent_accuracy", scores.intent_accuracy},
          {"slot_f1", scores.slots.all.F1()}};
}

constexpr std::string_view kNone = "";
constexpr std::string_view kTwoSentences = "text=sentence1,pair=sentence2,label=label";
constexpr std::string_view kQuestionJson = "id=id,text=question,pair=context,answers=answers";

// clang-format off
// name, output, labels, reader, columns of the header, columns without one, of JSON lines, scorer, primary
constexpr Task kTasks[] = {
    {"sst2", Output::kLabel, kSentiment, ReadTable, "text=sentence,label=label", kNone, "text=sentence,label=label", ScoreLabels, "accuracy"},
    {"mrpc", Output::kLabel, kParaphrase, ReadTable, "text=#1 String,pair=#2 String,label=Quality", kNone, kTwoSentences, ScoreLabelsF1, "f1"},
    {"stsb", Output::kScore, {}, ReadTable, "text=sentence1,pair=sentence2,score=score", "text=5,pair=6,score=4", "text=sentence1,pair=sentence2,score=label", ScoreSimilarity, "spearman"},
    {"qqp", Output::kLabel, kDuplicate, ReadTable, "text=question1,pair=question2,label=is_duplicate", "text=3,pair=4,label=5", "text=question1,pair=question2,label=label", ScoreLabelsF1, "f1"},
    {"qnli", Output::kLabel, kEntailment2, ReadTable, "text=question,pair=sentence,label=label", kNone, "text=question,pair=sentence,label=label", ScoreLabels, "accuracy"},
    {"mnli", Output::kLabel, kEntailment3, ReadTable, "text=sentence1,pair=sentence2,label=gold_label", kNone, "text=premise,pair=hypothesis,label=label", ScoreLabels, "accuracy"},
    {"rte", Output::kLabel, kEntailment2, ReadTable, kTwoSentences, kNone, kTwoSentences, ScoreLabels, "accuracy"},
    {"cola", Output::kLabel, kAcceptable, ReadTable, kNone, "text=3,label=1", "text=sentence,label=label", ScoreMatthews, "matthews"},
    {"squad", Output::kAnswer, {}, ReadSquad, kNone, kNone, kQuestionJson, ScoreAnswers1, "f1"},
    {"squad_v2", Output::kAnswer, {}, ReadSquad, kNone, kNone, kQuestionJson, ScoreAnswers2, "f1"},
    {"ner", Output::kTags, {}, ReadConll, kNone, kNone, "words=tokens,tags=tags", ScoreTags, "f1"},
    {"intent_slots", Output::kJoint, {}, ReadJsonLines, kNone, kNone, "words=words,tags=tags,intent=intent", ScoreJoint, "exact"},
};
// clang-format on

bool IsJsonLines(const Task& task, std::string_view bytes, std::string_view path) {
  if (path.ends_with(".jsonl") || task.read == ReadJsonLines) return true;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  return task.read != ReadSquad && first != std::string_view::npos && bytes[first] == '{';
}

// A mapping of the user's must name what the task is scored by, or every example would be wrong.
base::Status CheckColumns(const Task& task, const Columns& columns) {
  std::string missing;
  auto need = [&](const std::string& column, std::string_view role) {
    if (column.empty()) missing = role;
  };
  switch (task.output) {
    case Output::kLabel:
      need(columns.label, "label");
      need(columns.text, "text");
      break;
    case Output::kScore:
      need(columns.score, "score");
      need(columns.pair, "pair");
      need(columns.text, "text");
      break;
    case Output::kAnswer:
      need(columns.answers, "answers");
      need(columns.pair, "pair");
      need(columns.text, "text");
      break;
    case Output::kTags:
      need(columns.tags, "tags");
      need(columns.words, "words");
      break;
    case Output::kJoint:
      need(columns.intent, "intent");
      need(columns.tags, "tags");
      need(columns.words, "words");
      break;
  }
  if (missing.empty()) return base::OkStatus();
  return base::BadInput("columns: task ", task.name, " needs a column for ", missing);
}

}  // namespace

std::span<const Task> Tasks() {
  return kTasks;
}

base::StatusOr<const Task*> FindTask(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Task& task : kTasks) {
    if (task.name == name) return &task;
    names.push_back(task.name);
  }
  return base::BadInput("unknown task \"", name, "\"; there are ", base::Join(names, ", "));
}

double Primary(const Task& task, const Metrics& metrics) {
  for (const auto& [name, value] : metrics) {
    if (name == task.primary) return value;
  }
  HONE_CHECK(false && "a task's scorer gives its primary metric");
  return 0;
}

base::StatusOr<Examples> ReadExamples(const Task& task, std::string_view bytes,
                                      std::string_view path, const ReadOptions& options) {
  if (bytes.empty()) return base::BadInput(path, ": the file is empty");
  ReadSpec spec;
  spec.labels = task.labels;
  spec.skip_bad_rows = options.skip_bad_rows;
  HONE_ASSIGN_OR_RETURN(const Columns own, Columns::Parse(options.columns, "columns"));
  if (!own.empty) HONE_RETURN_IF_ERROR(CheckColumns(task, own));

  if (IsJsonLines(task, bytes, path)) {
    HONE_ASSIGN_OR_RETURN(spec.columns, Columns::Parse(task.json_columns, task.name));
    if (!own.empty) spec.columns = own;
    return ReadJsonLines(bytes, path, spec);
  }
  if (own.empty) {
    HONE_ASSIGN_OR_RETURN(spec.columns, Columns::Parse(task.columns, task.name));
    HONE_ASSIGN_OR_RETURN(spec.numbered, Columns::Parse(task.numbered, task.name));
  } else if (own.Numbered() && task.read != ReadSquad) {
    spec.numbered = own;
  } else if (task.read == ReadTable) {
    spec.columns = own;
  } else {
    return base::BadInput("columns: the files of task ", task.name,
                          " have no named columns; give JSON lines (.jsonl)");
  }
  return task.read(bytes, path, spec);
}

}  // namespace hone::eval
