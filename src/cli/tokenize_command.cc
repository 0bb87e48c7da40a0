// hone tokenize: one line of ids for each line of input.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
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
    flags.Required("-m,--model", &model_, "model directory, for its tokenizer files");
    flags.Switch("--offsets", &offsets_, "write id:begin-end, in bytes of the line");
    flags.Switch("--no-special", &no_special_, "leave out the special tokens");
    flags.Arguments("file", &files_, "text file; default: standard input");
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(const auto tokenizer,
                          formats::OpenTokenizer(env::RealFileSystem(), model_));
    text::Encoding encoding;
    std::string out;
    const auto write_line = [&](std::string_view line) {
      tokenizer->Encode(line, {.add_special_tokens = !no_special_}, &encoding);
      out.clear();
      for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        base::StrAppend(&out, i == 0 ? "" : " ", encoding.ids[i]);
        if (!offsets_) continue;
        base::StrAppend(&out, ":", encoding.offsets[i].begin, "-", encoding.offsets[i].end);
      }
      out += '\n';
      std::fwrite(out.data(), 1, out.size(), stdout);
    };
    return ForEachLine(files_, write_line);
  }

 private:
  std::string model_;
  bool offsets_ = false, no_special_ = false;
  std::vector<std::string> files_;
};

}  // namespace

std::unique_ptr<Command> MakeTokenizeCommand() {
  return std::make_unique<TokenizeCommand>();
}

}  // namespace hone::cli
