// hone run: texts in, whatever the model's head gives out.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "runtime/answer_question.h"
#include "runtime/tasks/fill_mask.h"
#include "runtime/tasks/joint.h"
#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"

namespace hone::cli {
namespace {

using model::Task;
using runtime::TextOutput;

// Texts in one forward pass.
constexpr std::size_t kBatch = 32;

// Where answers go, and what there is to say of them at the end.
struct Answers {
  explicit Answers(const std::string& format) : table(format) {}

  TableWriter table;
  Progress progress{"running"};
  std::size_t texts = 0;
  int truncated = 0;
  std::ptrdiff_t without_mask = 0;
};

class RunCommand : public Command {
 public:
  std::string name() const override { return "run"; }
  std::string summary() const override {
    return "run texts through a model: vectors, labels, entities, answers, fillings";
  }
  std::string example() const override {
    return "  hone run -m minilm \"a sentence to embed\" -o json\n"
           "  hone run -m squad-model --pair \"$(cat page.txt)\" \"Who wrote it?\"\n"
           "  hone run -m ner-model --aggregation first < lines.txt";
  }

  void AddFlags(Flags& flags) override {
    model_.Add(flags);
    flags.Text("--pair", &pair_,
               "second text of every pair; the context of a question (answers begin and end at "
               "its bytes)");
    flags.Choice("--aggregation", &aggregation_, {"none", "simple", "first", "average", "max"},
                 "how tokens become entities, which begin and end at bytes of the text; `line` is "
                 "their text's, and a text without any gives no row");
    flags.Int("--top", &top_, 1, 1 << 16, "labels, answers or fillings to print for each text");
    flags.Int("--stride", &stride_, 0, 1 << 16, "context tokens that windows of a long text share");
    flags.Switch("--no-answer", &no_answer_, "let a question have no answer (SQuAD 2.0)");
    output_.Add(flags);
    flags.Arguments("text", &texts_,
                    "texts; default: the lines of standard input, empty ones too, answered as they "
                    "come (-o md: in one table at the end), or what is typed");
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(aggregation_kind_, runtime::ParseAggregation(aggregation_));
    HONE_ASSIGN_OR_RETURN(opened_, model_.Open());
    const Task task = opened_->model().head.task;
    if (!pair_.empty() && (task == Task::kTokenClassification || task == Task::kJoint)) {
      return InvalidUsage("--pair: this model finds entities in one text at a time");
    }
    if (pair_.empty() && IsQuestion()) {
      return InvalidUsage("a question needs its context: --pair TEXT");
    }
    if (!texts_.empty()) return RunArguments();
    return isatty(STDIN_FILENO) == 1 ? RunTyped() : RunLines();
  }

 private:
  base::Status RunArguments();
  // Every line, empty ones too, so that the n-th answer is the n-th line's.
  base::Status RunLines();
  // Answers each line as soon as a person has typed it.
  base::Status RunTyped();
  // A question is asked of its whole context, in batches of its own.
  std::size_t MostTexts() const { return IsQuestion() ? 1 : kBatch; }
  bool IsQuestion() const { return opened_->model().head.task == Task::kQuestionAnswering; }
  // At most MostTexts of them; what is written of them has left the program when it returns.
  base::Status RunSome(std::span<const std::string> texts, Answers& answers);
  base::Status AnswerAll(std::span<const std::string> questions, Answers& answers);
  base::Status RunBatch(std::span<const std::string> texts, Answers& answers);
  void Warn(const Answers& answers) const;
  // Of a model that fills masks: how many texts have none.
  std::ptrdiff_t CountWithoutMask(const TextOutput& output) const;
  // `first` is the number of the first text.
  void Print(const TextOutput& output, std::span<const std::string> texts, std::size_t first,
             TableWriter& table) const;
  void PrintVector(const TextOutput& output, std::size_t i, const std::string& text,
                   TableWriter& table) const;
  void PrintLabels(const TextOutput& output, std::size_t i, const std::string& text,
                   TableWriter& table) const;
  void PrintEntities(const TextOutput& output, std::size_t i, std::size_t line,
                     const std::string& text, TableWriter& table) const;
  void PrintIntent(const TextOutput& output, std::size_t i, const std::string& text,
                   TableWriter& table) const;
  std::size_t PrintFillings(const TextOutput& output, std::size_t i, std::size_t first_mask,
                            const std::string& text, TableWriter& table) const;

  // The rows of output `index` that belong to text i: one, or one a token.
  static std::span<const float> RowOf(const TextOutput& output, std::size_t index, std::size_t i) {
    const std::vector<float>& rows = output.rows[index];
    const std::size_t width = rows.size() / output.encodings.size();
    return std::span(rows).subspan(i * width, width);
  }
  static std::span<const float> TokenRows(const TextOutput& output, std::size_t index,
                                          std::size_t i) {
    const std::vector<float>& rows = output.rows[index];
    const std::size_t width = rows.size() / static_cast<std::size_t>(output.begins.back());
    const auto begin = static_cast<std::size_t>(output.begins[i]);
    return std::span(rows).subspan(begin * width, output.encodings[i].ids.size() * width);
  }

  ModelFlags model_;
  OutputFlag output_;
  std::string pair_, aggregation_ = "simple";
  runtime::Aggregation aggregation_kind_ = runtime::Aggregation::kSimple;
  int top_ = 3, stride_ = 128;
  bool no_answer_ = false;
  std::vector<std::string> texts_;
  std::unique_ptr<runtime::TextModel> opened_;
};

base::Status RunCommand::RunArguments() {
  Answers answers(output_.format);
  while (answers.texts < texts_.size()) {
    const std::size_t count = std::min(MostTexts(), texts_.size() - answers.texts);
    HONE_RETURN_IF_ERROR(RunSome(std::span(texts_).subspan(answers.texts, count), answers));
  }
  Warn(answers);
  return base::OkStatus();
}

base::Status RunCommand::RunLines() {
  Answers answers(output_.format);
  LineReader input = LineReader::StandardInput();
  for (;;) {
    HONE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, input.NextLines(MostTexts()));
    if (lines.empty()) break;
    HONE_RETURN_IF_ERROR(RunSome(lines, answers));
  }
  Warn(answers);
  return base::OkStatus();
}

base::Status RunCommand::RunTyped() {
  const auto prompt = [] { std::fprintf(stderr, "> "); };
  prompt();
  HONE_RETURN_IF_ERROR(ForEachLine({}, [&](std::string_view line) {
    if (!line.empty()) {
      Answers answers(output_.format);
      const base::Status status = RunSome(std::vector{std::string(line)}, answers);
      Warn(answers);
      // Of this text; the next may be fine.
      if (!status.ok()) PrintError(name(), status);
    }
    prompt();
    return OutputStatus();
  }));
  std::fprintf(stderr, "\n");
  return base::OkStatus();
}

base::Status RunCommand::RunSome(std::span<const std::string> texts, Answers& answers) {
  HONE_RETURN_IF_ERROR(IsQuestion() ? AnswerAll(texts, answers) : RunBatch(texts, answers));
  answers.texts += texts.size();
  std::fflush(stdout);
  answers.progress.Update(static_cast<std::int64_t>(answers.texts),
                          static_cast<std::int64_t>(texts_.size()));
  return OutputStatus();
}

base::Status RunCommand::AnswerAll(std::span<const std::string> questions, Answers& answers) {
  for (const std::string& question : questions) {
    HONE_ASSIGN_OR_RETURN(const std::vector<runtime::Answer> found,
                          runtime::AnswerQuestion(*opened_, question, pair_, stride_,
                                                  {.count = top_, .allow_no_answer = no_answer_}));
    answers.progress.Clear();
    for (const runtime::Answer& answer : found) {
      answers.table.Write({{"question", question},
                           {"answer", answer.text},
                           {"score", Cell(answer.score, 4)},
                           {"begin", static_cast<int>(answer.span.begin)},
                           {"end", static_cast<int>(answer.span.end)}});
    }
  }
  return base::OkStatus();
}

base::Status RunCommand::RunBatch(std::span<const std::string> texts, Answers& answers) {
  std::vector<runtime::TextInput> inputs;
  for (const std::string& text : texts) {
    inputs.push_back({text});
    if (!pair_.empty()) inputs.back().pair = pair_;
  }
  HONE_ASSIGN_OR_RETURN(const TextOutput output, opened_->Run(inputs, answers.texts + 1));
  answers.truncated += output.truncated;
  answers.without_mask += CountWithoutMask(output);
  answers.progress.Clear();
  Print(output, texts, answers.texts + 1, answers.table);
  return base::OkStatus();
}

void RunCommand::Warn(const Answers& answers) const {
  WarnTruncated(answers.truncated, opened_->max_tokens());
  if (answers.without_mask == 0) return;
  std::fprintf(stderr, "warning: %td text%s no mask token to fill\n", answers.without_mask,
               answers.without_mask == 1 ? " has" : "s have");
}

std::ptrdiff_t RunCommand::CountWithoutMask(const TextOutput& output) const {
  if (opened_->model().head.task != Task::kFillMask) return 0;
  return std::ranges::count_if(output.encodings, [&](const text::Encoding& encoding) {
    return std::ranges::find(encoding.ids, opened_->mask_id()) == encoding.ids.end();
  });
}

void RunCommand::Print(const TextOutput& output, std::span<const std::string> texts,
                       std::size_t first, TableWriter& table) const {
  std::size_t masks = 0;
  for (std::size_t i = 0; i < output.encodings.size(); ++i) {
    const std::string& text = texts[i];
    switch (opened_->model().head.task) {
      case Task::kEmbedding: PrintVector(output, i, text, table); break;
      case Task::kSequenceClassification: PrintLabels(output, i, text, table); break;
      case Task::kTokenClassification: PrintEntities(output, i, first + i, text, table); break;
      case Task::kFillMask: masks += PrintFillings(output, i, masks, text, table); break;
      case Task::kJoint: PrintIntent(output, i, text, table); break;
      case Task::kQuestionAnswering: break;
    }
  }
}

void RunCommand::PrintVector(const TextOutput& output, std::size_t i, const std::string& text,
                             TableWriter& table) const {
  base::JsonWriter json;
  json.BeginArray();
  for (const float x : RowOf(output, 0, i)) json.Double(double{x}, 7);
  json.EndArray();
  if (output_.format == "md") {
    std::printf("%s\n", json.Take().c_str());
    return;
  }
  table.Write({{"text", text}, {"embedding", Cell::RawJson(json.Take())}});
}

void RunCommand::PrintLabels(const TextOutput& output, std::size_t i, const std::string& text,
                             TableWriter& table) const {
  const model::Head& head = opened_->model().head;
  for (const runtime::LabelScore& label : runtime::ScoreLabels(
           RowOf(output, 0, i), head.labels, runtime::ScoreFunctionOf(head.problem), top_)) {
    table.Write({{"text", text}, {"label", label.label}, {"score", Cell(double{label.score}, 4)}});
  }
}

void RunCommand::PrintEntities(const TextOutput& output, std::size_t i, std::size_t line,
                               const std::string& text, TableWriter& table) const {
  const text::Encoding& encoding = output.encodings[i];
  const std::vector<std::uint8_t> continues =
      runtime::ContinuesWord(opened_->tokenizer(), encoding, text);
  const std::vector<runtime::Entity> entities =
      runtime::FindEntities({.text = text,
                             .logits = TokenRows(output, 0, i),
                             .offsets = encoding.offsets,
                             .sequence = encoding.sequence,
                             .continues = continues},
                            opened_->model().head.labels, aggregation_kind_);
  for (const runtime::Entity& entity : entities) {
    table.Write({{"entity", entity.label},
                 {"score", Cell(double{entity.score}, 4)},
                 {"word", text.substr(entity.span.begin, entity.span.end - entity.span.begin)},
                 {"begin", static_cast<int>(entity.span.begin)},
                 {"end", static_cast<int>(entity.span.end)},
                 {"line", static_cast<std::int64_t>(line)},
                 {"text", text}});
  }
}

void RunCommand::PrintIntent(const TextOutput& output, std::size_t i, const std::string& text,
                             TableWriter& table) const {
  const model::Head& head = opened_->model().head;
  const text::Encoding& encoding = output.encodings[i];
  const std::vector<std::uint8_t> continues =
      runtime::ContinuesWord(opened_->tokenizer(), encoding, text);
  const runtime::JointResult result = runtime::ReadJoint(RowOf(output, 0, i), head.labels,
                                                         {.text = text,
                                                          .logits = TokenRows(output, 1, i),
                                                          .offsets = encoding.offsets,
                                                          .sequence = encoding.sequence,
                                                          .continues = continues},
                                                         head.slot_labels);
  std::string slots;
  base::JsonWriter json;  // as the server's /v1/hone/tag writes them: places count characters
  const auto character = [&](std::size_t byte) {
    return std::ranges::count_if(text.substr(0, byte), [](char c) { return (c & 0xC0) != 0x80; });
  };
  json.BeginArray();
  for (const runtime::Entity& slot : result.slots) {
    const std::string word = text.substr(slot.span.begin, slot.span.end - slot.span.begin);
    base::StrAppend(&slots, slots.empty() ? "" : "; ", slot.label, "=", word);
    json.BeginObject().Key("label").String(slot.label);
    json.Key("score").Double(double{slot.score}, 6).Key("text").String(word);
    json.Key("start").Int(character(slot.span.begin)).Key("end").Int(character(slot.span.end));
    json.EndObject();
  }
  json.EndArray();
  table.Write({{"text", text},
               {"intent", result.intent.label},
               {"score", Cell(double{result.intent.score}, 4)},
               {"slots", output_.json() ? Cell::RawJson(json.Take()) : Cell(slots)}});
}

std::size_t RunCommand::PrintFillings(const TextOutput& output, std::size_t i,
                                      std::size_t first_mask, const std::string& text,
                                      TableWriter& table) const {
  const auto width = static_cast<std::size_t>(opened_->model().head.outputs[0].width);
  std::size_t masks = 0;
  for (const std::int32_t id : output.encodings[i].ids) {
    if (id != opened_->mask_id()) continue;
    const std::span<const float> logits =
        std::span(output.rows[0]).subspan((first_mask + masks) * width, width);
    for (const runtime::TokenScore& filling : runtime::FillMask(logits, top_)) {
      table.Write({{"text", text},
                   {"mask", static_cast<int>(masks + 1)},
                   {"token", opened_->tokenizer().Token(filling.token)},
                   {"score", Cell(double{filling.score}, 4)}});
    }
    ++masks;
  }
  return masks;
}

}  // namespace

std::unique_ptr<Command> MakeRunCommand() {
  return std::make_unique<RunCommand>();
}

}  // namespace hone::cli
