// What the tests of this folder and of those above share: a directory of a test's own, and
// safetensors files made from text, right and wrong ones alike.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "env/file.h"

namespace hone::formats {

class TestDirectory : public testing::Test {
 protected:
  TestDirectory()
      : directory_(*env::RealFileSystem().MakeTemporaryDirectory(testing::TempDir() + "hone")) {}
  ~TestDirectory() override { EXPECT_TRUE(files_.RemoveTree(directory_).ok()); }

  std::string Path(std::string_view name) const { return env::JoinPath(directory_, name); }
  void Put(std::string_view name, std::string_view bytes) {
    const base::Status status = env::WriteFile(files_, Path(name), bytes);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Names() const { return *files_.List(directory_); }

  // A file of this header and that many bytes of data (0, 1, 2, …).
  static std::string Safetensors(std::string_view header, std::size_t data_bytes) {
    std::string file;
    for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xFF);
    file += header;
    for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i & 0xFF);
    return file;
  }

  env::FileSystem& files_ = env::RealFileSystem();
  std::string directory_;
};

}  // namespace hone::formats
