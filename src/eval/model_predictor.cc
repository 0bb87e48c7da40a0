#include "eval/model_predictor.h"

#include "base/strings.h"
#include "eval/labels.h"
#include "eval/task_text.h"
#include "runtime/answer_question.h"
#include "runtime/tasks/scores.h"

namespace hone::eval {
namespace {

using runtime::TextInput;
using runtime::TextModel;
using runtime::TextOutput;
using Predictions = base::StatusOr<std::vector<Prediction>>;

constexpr int kMaxAnswerTokens = 30;

std::span<const float> Row(const TextOutput& output, std::size_t i) {
  const std::size_t width = output.rows[0].size() / output.encodings.size();
  return std::span(output.rows[0]).subspan(i * width, width);
}

// What an error calls an example, whose file eval::Run names; empty where nobody knows.
std::string NameOf(const Example& example) {
  if (example.line > 0) return base::StrCat("line ", example.line);
  return example.id.empty() ? std::string() : base::StrCat("id \"", example.id, "\"");
}

// Texts with their seconds as pairs, where they have one.
std::vector<TextInput> Inputs(std::span<const Example> batch) {
  std::vector<TextInput> inputs;
  for (const Example& example : batch) {
    inputs.push_back({example.text});
    if (example.second) inputs.back().pair = *example.second;
    inputs.back().name = NameOf(example);
  }
  return inputs;
}

Predictions PredictLabels(TextModel& model, const std::vector<int>& meaning,
                          std::span<const Example> batch) {
  HONE_ASSIGN_OR_RETURN(const TextOutput output, model.Run(Inputs(batch)));
  std::vector<Prediction> predictions(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    predictions[i].label = meaning[static_cast<std::size_t>(runtime::ArgMax(Row(output, i)))];
    predictions[i].truncated = output.encodings[i].truncated;
  }
  return predictions;
}

Predictions PredictValues(TextModel& model, std::span<const Example> batch) {
  HONE_ASSIGN_OR_RETURN(const TextOutput output, model.Run(Inputs(batch)));
  std::vector<Prediction> predictions(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    predictions[i].score = double{Row(output, i)[0]};
    predictions[i].truncated = output.encodings[i].truncated;
  }
  return predictions;
}

Predictions PredictCosines(TextModel& model, std::span<const Example> batch) {
  std::vector<TextInput> inputs;
  for (const Example& example : batch) {
    inputs.push_back({.text = example.text, .name = NameOf(example)});
    inputs.push_back({.text = example.pair(), .name = NameOf(example)});
  }
  HONE_ASSIGN_OR_RETURN(const TextOutput output, model.Run(inputs));
  std::vector<Prediction> predictions(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    predictions[i].score = runtime::Cosine(Row(output, 2 * i), Row(output, 2 * i + 1));
    predictions[i].truncated =
        output.encodings[2 * i].truncated || output.encodings[2 * i + 1].truncated;
  }
  return predictions;
}

Predictions PredictAnswers(TextModel& model, bool allow_no_answer, std::span<const Example> batch) {
  std::vector<Prediction> predictions(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const base::StatusOr<std::vector<runtime::Answer>> answers = runtime::AnswerQuestion(
        model, batch[i].text, batch[i].pair(), kAnswerStride,
        {.count = 1, .max_answer_tokens = kMaxAnswerTokens, .allow_no_answer = allow_no_answer});
    if (!answers.ok()) {
      const std::string name = NameOf(batch[i]);
      return name.empty() ? answers.status() : base::Annotate(answers.status(), name);
    }
    if (!answers->empty()) predictions[i].answer = answers->front().text;
  }
  return predictions;
}

// The tags of the words that begin at `begins`, from output `index`, whose rows are tokens.
std::vector<std::string> WordTags(const TextOutput& output, std::size_t index,
                                  std::span<const std::string> labels, std::size_t i,
                                  std::span<const std::uint32_t> begins) {
  const text::Encoding& encoding = output.encodings[i];
  const auto first_row = static_cast<std::size_t>(output.begins[i]);
  std::vector<std::string> tags;
  for (std::size_t t = 0; t < encoding.ids.size() && tags.size() < begins.size(); ++t) {
    // The first token that reaches into a word names it; a word that gave no token stays "O".
    if (encoding.sequence[t] != 0) continue;
    while (tags.size() + 1 < begins.size() &&
           encoding.offsets[t].begin >= begins[tags.size() + 1]) {
      tags.emplace_back("O");
    }
    if (encoding.offsets[t].end <= begins[tags.size()]) continue;
    tags.push_back(labels[static_cast<std::size_t>(runtime::ArgMax(
        std::span(output.rows[index]).subspan((first_row + t) * labels.size(), labels.size())))]);
  }
  return tags;
}

// `joint`: the first output is the intent, the second the slots.
Predictions PredictTags(TextModel& model, bool joint, std::span<const Example> batch) {
  std::vector<std::string> texts;
  std::vector<std::vector<std::uint32_t>> begins(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    texts.push_back(JoinWords(batch[i].words, &begins[i]));
  }
  std::vector<TextInput> inputs;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    inputs.push_back({.text = texts[i], .name = NameOf(batch[i])});
  }
  HONE_ASSIGN_OR_RETURN(const TextOutput output, model.Run(inputs));
  const model::Head& head = model.model().head;
  std::vector<Prediction> predictions(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    predictions[i].tags =
        WordTags(output, joint ? 1 : 0, joint ? head.slot_labels : head.labels, i, begins[i]);
    predictions[i].truncated = output.encodings[i].truncated;
    if (joint) {
      predictions[i].intent =
          head.labels[static_cast<std::size_t>(runtime::ArgMax(Row(output, i)))];
    }
  }
  return predictions;
}

base::Status CannotDo(const Task& task, std::string_view needs) {
  return base::BadInput("task ", task.name, " needs ", needs);
}

}  // namespace

base::StatusOr<Predictor> MakePredictor(const Task& task, TextModel& model) {
  const model::Head& head = model.model().head;
  const bool one_value =
      head.task == model::Task::kSequenceClassification && head.outputs[0].width == 1;
  switch (task.output) {
    case Output::kLabel: {
      if (head.task != model::Task::kSequenceClassification || one_value) {
        return CannotDo(task, "a sequence classification head");
      }
      HONE_ASSIGN_OR_RETURN(std::vector<int> meaning, MapModelLabels(task.labels, head.labels));
      return Predictor([&model, meaning = std::move(meaning)](std::span<const Example> batch) {
        return PredictLabels(model, meaning, batch);
      });
    }
    case Output::kScore:
      if (one_value) {
        return Predictor(
            [&model](std::span<const Example> batch) { return PredictValues(model, batch); });
      }
      if (head.task != model::Task::kEmbedding) {
        return CannotDo(task, "an embedding model, or a head with one value");
      }
      return Predictor(
          [&model](std::span<const Example> batch) { return PredictCosines(model, batch); });
    case Output::kAnswer: {
      if (head.task != model::Task::kQuestionAnswering) {
        return CannotDo(task, "a question answering head");
      }
      const bool allow_no_answer = task.name == "squad_v2";
      return Predictor([&model, allow_no_answer](std::span<const Example> batch) {
        return PredictAnswers(model, allow_no_answer, batch);
      });
    }
    case Output::kTags:
      if (head.task != model::Task::kTokenClassification) {
        return CannotDo(task, "a token classification head");
      }
      return Predictor(
          [&model](std::span<const Example> batch) { return PredictTags(model, false, batch); });
    case Output::kJoint:
      if (head.task != model::Task::kJoint) {
        return CannotDo(task, "a joint head of intents and slots");
      }
      return Predictor(
          [&model](std::span<const Example> batch) { return PredictTags(model, true, batch); });
  }
  return base::Unsupported("task ", task.name);
}

}  // namespace hone::eval
