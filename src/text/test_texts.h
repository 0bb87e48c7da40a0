// Texts for tests: the generator and the hash of tools/golden/text.py, which must stay identical,
// and reading of the data folder. Included by tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/fnv1a.h"
#include "base/split_mix64.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

namespace hone::text {

class TestRandom : private base::SplitMix64 {
 public:
  using SplitMix64::SplitMix64;
  std::uint32_t Below(std::uint32_t n) { return static_cast<std::uint32_t>(SplitMix64::Below(n)); }
};

// Texts of mixed scripts, emoji, marks and controls; one in eight has bytes that are not UTF-8.
inline std::vector<std::string> GeneratedTexts(std::uint64_t seed, int count) {
  static constexpr struct {
    char32_t first, last;
  } kPools[] = {
      {0x61, 0x7A},       {0x41, 0x5A},        {0x30, 0x39},       {0x20, 0x20},
      {0x21, 0x2F},       {0x3A, 0x40},        {0x00, 0x1F},       {0x7F, 0x24F},
      {0x300, 0x36F},     {0x370, 0x5FF},      {0x600, 0xFFF},     {0x1100, 0x11FF},
      {0xAC00, 0xD7A3},   {0x1E00, 0x20FF},    {0x2000, 0x206F},   {0x2100, 0x30FF},
      {0x4E00, 0x9FFF},   {0x1F600, 0x1F64F},  {0x1F1E6, 0x1F1FF}, {0xF900, 0xFFFD},
      {0x10000, 0x1FFFF}, {0x20000, 0x10FFFF},
  };
  static constexpr std::string_view kSnippets[] = {
      "the ",
      "hello",
      "World",
      "token",
      "ing ",
      " of",
      "[MASK]",
      "[SEP]",
      "<s>",
      "</s>",
      "<mask>",
      "<|endoftext|>",
      "'s",
      "'ll",
      "'LL",
      "\u017f",
      "\u0130",
      "\u00df",
      "\r\n",
      "  ",
      "\u2581",
      "\u3000",
      "\ufeff",
      "\u200b",
      "\u00e9",
      "e\u0301",
      "\u1100\u1161\u11a8",
      "\u65e5\u672c",
      "\ud55c\uad6d\uc5b4",
      "\u05e9\u05dc\u05d5\u05dd",
      "\u0645\u0631\u062d\u0628\u0627",
      "\U0001f468\u200d\U0001f469\u200d\U0001f467",
      "\u2764\ufe0f",
      "\U0001f44d\U0001f3fd",
      "supercalifragilistic",
  };
  constexpr std::uint32_t kPoolCount = std::size(kPools);
  TestRandom random(seed);
  std::vector<std::string> texts(static_cast<std::size_t>(count));
  for (std::string& text : texts) {
    std::uint32_t kinds[4];
    const std::uint32_t kind_count = 1 + random.Below(4);
    for (std::uint32_t i = 0; i < kind_count; ++i) kinds[i] = random.Below(kPoolCount + 4);
    static constexpr std::uint32_t kLimits[] = {4, 12, 40, 40};
    std::uint32_t limit = kLimits[random.Below(4)];
    if (random.Below(200) == 0) limit = 400;
    const bool broken = random.Below(8) == 0;
    const std::uint32_t size = random.Below(limit);
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t kind = kinds[random.Below(kind_count)];
      if (kind >= kPoolCount) {
        text += kSnippets[random.Below(std::size(kSnippets))];
      } else {
        const auto& pool = kPools[kind];
        base::AppendRune(
            pool.first + random.Below(static_cast<std::uint32_t>(pool.last - pool.first) + 1),
            &text);
      }
      if (broken && random.Below(6) == 0) text.push_back(static_cast<char>(random.Below(256)));
    }
  }
  return texts;
}

// FNV-1a, 64 bits, over ids, offsets and (where asked) words.
class EncodingHash {
 public:
  void Add(const Encoding& encoding, bool words) {
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
      AddWord(static_cast<std::uint32_t>(encoding.ids[i]));
      AddWord(encoding.offsets[i].begin);
      AddWord(encoding.offsets[i].end);
      if (words) AddWord(static_cast<std::uint32_t>(encoding.word[i]));
    }
    AddWord(0xFFFFFFFF);
  }
  std::string Hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
    return text;
  }

 private:
  void AddWord(std::uint32_t word) {
    char bytes[4];  // the lowest first
    for (char& byte : bytes) {
      byte = static_cast<char>(word & 0xFF);
      word >>= 8;
    }
    value_ = base::Fnv1a(std::string_view(bytes, sizeof bytes), value_);
  }
  std::uint64_t value_ = base::kFnv1aBasis;
};

inline constexpr std::size_t kHashBlock = 500;

// One hash for each block of texts.
inline std::vector<std::string> BlockHashes(const Tokenizer& tokenizer,
                                            const std::vector<std::string>& texts, bool words) {
  std::vector<std::string> hashes;
  Encoding encoding;
  for (std::size_t begin = 0; begin < texts.size(); begin += kHashBlock) {
    EncodingHash hash;
    for (std::size_t i = begin; i < std::min(begin + kHashBlock, texts.size()); ++i) {
      tokenizer.Encode(texts[i], {}, &encoding);
      hash.Add(encoding, words);
    }
    hashes.push_back(hash.Hex());
  }
  return hashes;
}

inline std::string ReadTestFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::filesystem::path GoldenFile(std::string_view name) {
  return std::filesystem::path(HONE_SOURCE_DIR) / "tests/golden/text" / name;
}

// A file of the data folder; empty where there is none.
inline std::filesystem::path DataFile(std::string_view name) {
  const char* folder = std::getenv("HONE_TEST_DATA");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(HONE_SOURCE_DIR) / "../shared/data";
  const std::filesystem::path path = root / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace hone::text
