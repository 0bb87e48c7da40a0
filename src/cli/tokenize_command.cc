// hone tokenize: one line of ids for each line of input.
#include <cstdio>
#include <string>

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/model_flags.h"
#include "cli/table.h"
#include "env/file.h"
#include "formats/tokenizer_files.h"

namespace hone::cli {
namespace {

class TokenizeCommand : public Command {
 public:
  std::string name() const override { return "tokenize"; }
  std::string summary() const override { return "print the token ids of each line of a text"; }
  std::string example() const override {
    return "  echo \"Hello, world\" | hone tokenize -m minilm --offsets";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &model_.model, "model directory, for its tokenizer files");
    model_.AddRung(flags);
    flags.Switch("--offsets", &offsets_, "write id:begin-end, in bytes of the line");
    flags.Switch("--no-special", &no_special_, "leave out the special tokens");
    output_.Add(flags);
    flags.Arguments("file", &files_, "text file; default: standard input");
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(const std::string directory, model_.Directory());
    HONE_ASSIGN_OR_RETURN(const auto tokenizer,
                          formats::OpenTokenizer(env::RealFileSystem(), directory));
    text::Encoding encoding;
    std::string out;
    std::int64_t number = 0;
    const bool rows = output_.format != "md";
    TableWriter table(output_.format);
    const auto write_line = [&](std::string_view line) {
      tokenizer->Encode(line, {.add_special_tokens = !no_special_}, &encoding);
      if (rows) {
        table.Write(RowOf(++number, encoding));
        return OutputStatus();
      }
      out.clear();
      for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        base::StrAppend(&out, i == 0 ? "" : " ", encoding.ids[i]);
        if (!offsets_) continue;
        base::StrAppend(&out, ":", encoding.offsets[i].begin, "-", encoding.offsets[i].end);
      }
      out += '\n';
      std::fwrite(out.data(), 1, out.size(), stdout);
      return OutputStatus();
    };
    return ForEachLine(files_, write_line);
  }

 private:
  Row RowOf(std::int64_t number, const text::Encoding& encoding) const {
    base::JsonWriter ids, offsets;
    ids.BeginArray();
    offsets.BeginArray();
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
      ids.Int(encoding.ids[i]);
      offsets.BeginArray().Int(encoding.offsets[i].begin).Int(encoding.offsets[i].end).EndArray();
    }
    Row row = {{"line", number}, {"ids", Cell::RawJson(ids.EndArray().Take())}};
    if (offsets_) row.emplace_back("offsets", Cell::RawJson(offsets.EndArray().Take()));
    return row;
  }

  ModelFlags model_;
  OutputFlag output_;
  bool offsets_ = false, no_special_ = false;
  std::vector<std::string> files_;
};

}  // namespace

std::unique_ptr<Command> MakeTokenizeCommand() {
  return std::make_unique<TokenizeCommand>();
}

}  // namespace hone::cli
