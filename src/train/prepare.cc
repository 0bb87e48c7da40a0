#include "train/prepare.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <span>

#include "formats/sha256.h"
#include "formats/tokenizer_files.h"
#include "train/fit_head.h"
#include "train/request_text.h"
#include "train/state.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;
using base::StrCat;
using compress::TrainRequest;

constexpr std::uint64_t kMaxDataBytes = std::uint64_t{4} << 30;

// What the files hold: examples of a task, or lines.
struct Source {
  eval::Examples examples;
  std::vector<std::string> lines;
};

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
  }
  return lines;
}

bool IsPlainText(const TrainRequest& request, const eval::Task* task, const std::string& path) {
  if (task == nullptr || request.text_lines) return true;
  return request.loss.task == 0 && path.ends_with(".txt");
}

// Of what a file holds, short enough to stand in a message.
std::string Digest(std::string_view bytes) {
  return formats::Sha256Hex(std::as_bytes(std::span(bytes))).substr(0, 16);
}

// Of the files that say what the model and its teacher are; one in shards by its index alone.
Status DigestModels(env::FileSystem& files, const TrainRequest& request,
                    std::vector<std::string>* contents) {
  for (const std::string& directory : {request.model, request.teacher}) {
    if (directory.empty()) continue;
    for (const char* name : {"config.json", "model.safetensors", "model.safetensors.index.json"}) {
      const std::string path = env::JoinPath(directory, name);
      if (!files.IsFile(path)) continue;
      HONE_ASSIGN_OR_RETURN(const auto mapped, files.Map(path));
      contents->push_back(formats::Sha256Hex(mapped->bytes()).substr(0, 16));
    }
  }
  return base::OkStatus();
}

StatusOr<Source> ReadTraining(env::FileSystem& files, const TrainRequest& request,
                              const eval::Task* task, std::vector<std::string>* contents) {
  Source source;
  for (const std::string& path : request.train) {
    HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxDataBytes));
    contents->push_back(Digest(text));
    if (IsPlainText(request, task, path)) {
      for (std::string& line : Lines(text)) source.lines.push_back(std::move(line));
      continue;
    }
    HONE_ASSIGN_OR_RETURN(eval::Examples read,
                          eval::ReadExamples(*task, text, path, {.columns = request.columns}));
    std::ranges::move(read.items, std::back_inserter(source.examples.items));
  }
  if (!source.examples.items.empty() && !source.lines.empty()) {
    return base::BadInput("the training files are both examples and plain text; give one kind");
  }
  return source;
}

// Names that occur, "O" first, then by the alphabet.
std::vector<std::string> Names(const std::set<std::string>& present, bool outside) {
  std::vector<std::string> names;
  if (outside) names.emplace_back("O");
  for (const std::string& name : present) {
    if (!outside || name != "O") names.push_back(name);
  }
  return names;
}

StatusOr<HeadNeed> NeedOf(env::FileSystem& files, const TrainRequest& request,
                          const eval::Task* task, const eval::Examples& examples) {
  HeadNeed need;
  if (task == nullptr) {
    need.task = model::Task::kFillMask;
    return need;
  }
  std::set<std::string> tags, intents;
  for (const eval::Example& example : examples.items) {
    tags.insert(example.tags.begin(), example.tags.end());
    if (!example.intent.empty()) intents.insert(example.intent);
  }
  switch (task->output) {
    case eval::Output::kLabel: need.labels.assign(task->labels.begin(), task->labels.end()); break;
    case eval::Output::kScore:
      need.problem = model::ProblemType::kRegression;
      need.labels = {"score"};
      need.embedding_will_do = true;
      break;
    case eval::Output::kTags:
      need.task = model::Task::kTokenClassification;
      if (!tags.empty()) need.labels = Names(tags, true);
      break;
    case eval::Output::kAnswer: need.task = model::Task::kQuestionAnswering; break;
    case eval::Output::kJoint:
      need.task = model::Task::kJoint;
      if (!intents.empty()) need.labels = Names(intents, false);
      if (!tags.empty()) need.slot_labels = Names(tags, true);
      break;
  }
  const bool named =
      need.task == model::Task::kTokenClassification || need.task == model::Task::kJoint;
  if (named && need.labels.empty() && !request.teacher.empty()) {
    // Plain text names no classes: the teacher's are what is learnt.
    HONE_ASSIGN_OR_RETURN(const model::Model teacher, model::Model::Open(files, request.teacher));
    need.labels = teacher.head.labels;
    need.slot_labels = teacher.head.slot_labels;
  }
  return need;
}

// The directory to start from: the model's own where its head fits, or one with a new head.
StatusOr<std::string> StartFrom(env::FileSystem& files, const TrainRequest& request,
                                const eval::Task* task, const eval::Examples& examples,
                                bool* fresh_head) {
  const bool any_head = request.task == "none";
  HeadNeed need;
  if (!any_head) {
    HONE_ASSIGN_OR_RETURN(need, NeedOf(files, request, task, examples));
  }
  if (!request.from_scratch) {
    const StatusOr<model::Model> model = model::Model::Open(files, request.model);
    if (model.ok() && (any_head || Fits(model->head, need))) return request.model;
    const bool is_model = files.IsFile(env::JoinPath(request.model, "config.json")) ||
                          files.IsFile(env::JoinPath(request.model, "modules.json"));
    if (!model.ok() && (any_head || !is_model)) return model.status();
  } else if (any_head) {
    return base::BadInput("task none needs a model that has a head; from scratch there is none");
  }
  *fresh_head = true;
  const std::string start = env::JoinPath(StateDirectory(request.out), "start");
  if (files.IsDirectory(start)) return start;
  HONE_RETURN_IF_ERROR(FitHead(files, request.model, need,
                               {.seed = request.seed, .from_scratch = request.from_scratch},
                               start));
  return start;
}

// Of a share that is measured on n examples, at a typical 90 %: half of the 95 % interval, in points.
double HalfWidth(std::size_t n) {
  return 100 * 1.96 * std::sqrt(0.9 * 0.1 / static_cast<double>(n));
}

StatusOr<MaskPlan> PlanMasks(const Prepared& prepared) {
  MaskPlan plan;
  const text::Tokenizer& tokenizer = *prepared.tokenizer;
  if (!tokenizer.mask_id()) {
    return base::BadInput(prepared.draft.directory(), ": the tokenizer has no mask token");
  }
  plan.mask_id = *tokenizer.mask_id();
  plan.vocabulary = tokenizer.vocabulary_size();
  plan.special.resize(static_cast<std::size_t>(plan.vocabulary));
  for (std::int32_t id = 0; id < plan.vocabulary; ++id) {
    plan.special[static_cast<std::size_t>(id)] = tokenizer.IsSpecial(id);
  }
  return plan;
}

Status ReadDev(env::FileSystem& files, const TrainRequest& request, const EncodeText& encode,
               std::vector<std::string>* contents, Prepared* prepared) {
  if (request.dev.empty()) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(request.dev, kMaxDataBytes));
  contents->push_back(Digest(text));
  std::size_t rows = 0;
  if (prepared->task == nullptr) {
    HONE_ASSIGN_OR_RETURN(prepared->dev_text,
                          MakeTextDataset(Lines(text), prepared->objective, encode));
    rows = prepared->dev_text->items();
  } else {
    HONE_ASSIGN_OR_RETURN(prepared->dev, eval::ReadExamples(*prepared->task, text, request.dev,
                                                            {.columns = request.columns}));
    rows = prepared->dev.items.size();
  }
  if (const double half = HalfWidth(rows); half > 1) {
    prepared->notes.push_back(
        StrCat(request.dev, ": with ", rows, " examples the metric is known to about ± ",
               base::Fixed(half, 1), " points (95 %); differences of 1 point are not"));
  }
  return base::OkStatus();
}

void NoteWhatWasLeftOut(const Dataset& data, std::vector<std::string>* notes) {
  if (data.empty > 0) {
    notes->push_back(StrCat(data.empty, " of ", data.examples,
                            " training examples are empty texts "
                            "and left out"));
  }
  if (data.cut > 0) {
    notes->push_back(StrCat(data.cut, " training texts are longer than max-tokens and were cut"));
  }
}

Status DropShortTexts(const TrainRequest& request, Prepared* prepared) {
  if (request.min_tokens <= 0) return base::OkStatus();
  const std::size_t all = prepared->data.items();
  const std::size_t gone = LeaveOutShort(request.min_tokens, &prepared->data);
  if (gone == all) {
    return base::BadInput(base::Join(request.train, ", "), ": no text has min-tokens ",
                          request.min_tokens, " tokens");
  }
  prepared->notes.push_back(StrCat(gone, " of ", all, " training texts have fewer than ",
                                   request.min_tokens, " tokens and are left out"));
  return base::OkStatus();
}

}  // namespace

StatusOr<Prepared> Prepare(env::FileSystem& files, const TrainRequest& request) {
  HONE_RETURN_IF_ERROR(CheckRequest(request));
  const eval::Task* task = nullptr;
  if (request.task != "mlm" && request.task != "none") {
    HONE_ASSIGN_OR_RETURN(task, eval::FindTask(request.task));
  }
  std::vector<std::string> contents;
  HONE_ASSIGN_OR_RETURN(const Source source, ReadTraining(files, request, task, &contents));
  bool fresh_head = false;
  HONE_ASSIGN_OR_RETURN(const std::string start,
                        StartFrom(files, request, task, source.examples, &fresh_head));
  HONE_ASSIGN_OR_RETURN(compress::Draft draft, compress::Draft::Open(files, start));
  Prepared prepared(std::move(draft));
  prepared.fresh_head = fresh_head;
  prepared.task = task;
  HONE_ASSIGN_OR_RETURN(prepared.tokenizer, formats::OpenTokenizer(files, start));
  const model::Model& model = prepared.draft.model();
  HONE_RETURN_IF_ERROR(text::CheckIds(*prepared.tokenizer, model.config.vocabulary));
  prepared.types = model.config.token_types >= 2;
  prepared.max_tokens = std::min(request.max_tokens, model.max_text_tokens);
  const EncodeText encode{*prepared.tokenizer, prepared.max_tokens};
  if (request.task == "mlm") {
    prepared.objective = Objective::kMaskedWords;
    HONE_ASSIGN_OR_RETURN(prepared.masks, PlanMasks(prepared));
  } else if (task != nullptr && source.lines.empty()) {
    HONE_ASSIGN_OR_RETURN(prepared.objective, ObjectiveOf(*task, model.head));
  }
  StatusOr<Dataset> data =
      source.lines.empty() && task != nullptr
          ? MakeDataset(source.examples.items, *task, prepared.objective, model.head, encode)
          : MakeTextDataset(source.lines, prepared.objective, encode);
  if (!data.ok()) return base::Annotate(data.status(), base::Join(request.train, ", "));
  prepared.data = *std::move(data);
  NoteWhatWasLeftOut(prepared.data, &prepared.notes);
  HONE_RETURN_IF_ERROR(DropShortTexts(request, &prepared));
  if (fresh_head && !request.from_scratch) {
    prepared.notes.push_back(
        StrCat(request.model, ": its head is not for task ", request.task, "; training a new one"));
  }
  HONE_RETURN_IF_ERROR(ReadDev(files, request, encode, &contents, &prepared));
  HONE_RETURN_IF_ERROR(DigestModels(files, request, &contents));
  prepared.request = RequestText(request, contents);
  return prepared;
}

}  // namespace hone::train
