// A tiny vocabulary, models from scratch over it, and data that such a model can learn in seconds; for
// the tests of this folder.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "compress/trainer.h"

namespace hone::train::testing {

inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// An empty directory of this test in this process.
inline std::string FreshDirectory(const std::string& parent, const std::string& name) {
  std::string path = parent + "/hone-train-" + std::to_string(getpid()) + "-" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

// A directory with config.json and vocab.txt, for TrainRequest::from_scratch. Words beside the five
// special ones: good fine great nice bad awful poor sad film plot actor scene the a is was.
inline std::string WriteScratch(const std::string& parent, const std::string& name, int width,
                                int layers, const std::string& more = "") {
  std::string directory = parent + "/" + name;
  std::filesystem::create_directories(directory);
  const std::string words =
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nfine\ngreat\nnice\nbad\nawful\npoor\nsad\nfilm\n"
      "plot\nactor\nscene\nthe\na\nis\nwas\n";
  WriteText(directory + "/vocab.txt", words);
  WriteText(directory + "/tokenizer_config.json", R"({"do_lower_case": true})");
  std::ostringstream config;
  // Wider than usual, or so few values would hardly reach the first token at the beginning.
  config << R"({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 21,)"
         << R"( "type_vocab_size": 2, "max_position_embeddings": 32, "hidden_act": "gelu",)"
         << R"( "num_attention_heads": 2, "layer_norm_eps": 1e-12, "hidden_size": )" << width
         << R"(, "intermediate_size": )" << 2 * width << R"(, "num_hidden_layers": )" << layers
         << more << R"(, "initializer_range": 0.2})";
  WriteText(directory + "/config.json", config.str());
  return directory;
}

// Reviews whose one telling word decides: "sentence<TAB>label" rows.
inline std::string Reviews(int count, int first = 0) {
  const char* const good[] = {"good", "fine", "great", "nice"};
  const char* const bad[] = {"bad", "awful", "poor", "sad"};
  const char* const things[] = {"film", "plot", "actor", "scene"};
  std::ostringstream text;
  text << "sentence\tlabel\n";
  for (int i = first; i < first + count; ++i) {
    const bool is_good = i % 2 == 0;
    text << (i % 3 == 0 ? "the " : "a ") << things[i / 2 % 4] << (i % 5 < 2 ? " is " : " was ")
         << (is_good ? good : bad)[i / 8 % 4] << (i % 7 == 0 ? " the film" : "") << "\t"
         << (is_good ? 1 : 0) << "\n";
  }
  return text.str();
}

// A run of a few dozen steps on `scratch`, sst2's layout, in one thread.
inline compress::TrainRequest TinyRequest(const std::string& scratch, const std::string& train,
                                          const std::string& dev, const std::string& out) {
  compress::TrainRequest request;
  request.model = scratch;
  request.from_scratch = true;
  request.out = out;
  request.task = "sst2";
  request.train = {train};
  request.dev = dev;
  request.epochs = 6;
  request.batch = 8;
  request.learning_rate = 5e-3;
  request.threads = 1;
  return request;
}

}  // namespace hone::train::testing
