#include "env/caches.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace hone::env {
namespace {

// Files of cpu0's caches, by "index0/level" and so on.
Caches Read(const std::map<std::string, std::string>& files) {
  return ReadCaches([&](const std::string& path) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/";
    EXPECT_TRUE(path.starts_with(folder)) << path;
    const auto found = files.find(path.substr(folder.size()));
    return found == files.end() ? std::string() : found->second;
  });
}

TEST(Caches, OwnIsThePartOfTheSecondLevelAndLastTheSharedOneBehindIt) {
  const Caches server = Read({{"index0/level", "1\n"},
                              {"index0/type", "Data\n"},
                              {"index0/size", "48K\n"},
                              {"index1/level", "1\n"},
                              {"index1/type", "Instruction\n"},
                              {"index1/size", "32K\n"},
                              {"index2/level", "2\n"},
                              {"index2/type", "Unified\n"},
                              {"index2/size", "2048K\n"},
                              {"index2/shared_cpu_list", "0,64\n"},
                              {"index3/level", "3\n"},
                              {"index3/type", "Unified\n"},
                              {"index3/size", "32768K\n"},
                              {"index3/shared_cpu_list", "0-31,64-95\n"}});
  EXPECT_EQ(server.own_bytes, 1u << 20) << "two threads of a core share it";
  EXPECT_EQ(server.last_bytes, 32u << 20);
}

TEST(Caches, SmallBoardsHaveOneSharedSecondLevelAndNothingBehindIt) {
  const Caches board = Read({{"index0/level", "1\n"},
                             {"index0/type", "Data\n"},
                             {"index0/size", "32K\n"},
                             {"index2/level", "2\n"},
                             {"index2/type", "Unified\n"},
                             {"index2/size", "1024K\n"},
                             {"index2/shared_cpu_list", "0-3\n"}});
  EXPECT_EQ(board.own_bytes, 256u << 10);
  EXPECT_EQ(board.last_bytes, 0u);
}

TEST(Caches, WhatIsNotToldOrNoNumberCountsAsNone) {
  EXPECT_EQ(Read({}).own_bytes, 0u);
  EXPECT_EQ(Read({}).last_bytes, 0u);
  for (const char* size : {"", "K", "many", "-1K", "2048", "99999999999999999999K"}) {
    const Caches caches = Read({{"index2/level", "2\n"}, {"index2/size", size}});
    EXPECT_EQ(caches.own_bytes, 0u) << size;
  }
  for (const char* list : {"", "x", "3-1", "0"}) {
    const Caches caches = Read(
        {{"index2/level", "2\n"}, {"index2/size", "512K\n"}, {"index2/shared_cpu_list", list}});
    EXPECT_EQ(caches.own_bytes, 512u << 10) << list;
  }
}

}  // namespace
}  // namespace hone::env
