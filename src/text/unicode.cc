#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

namespace hone::text {
namespace {

struct Range {
  char32_t first, last;
};

// White_Space, Unicode 15 (unchanged since 6.3).
constexpr Range kWhitespaceRanges[] = {
    {0x9, 0xD},       {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
};

// The blocks of huggingface/tokenizers, normalizers/bert.rs.
constexpr Range kChineseRanges[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

// Categories Cc, Cf and Co of Unicode 8, and U+0000 and U+FFFD; not tab, line feed, carriage
// return.
constexpr Range kControlRanges[] = {
    {0x0, 0x8},           {0xB, 0xC},         {0xE, 0x1F},        {0x7F, 0x9F},
    {0xAD, 0xAD},         {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
    {0x70F, 0x70F},       {0x180E, 0x180E},   {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x2064},     {0x2066, 0x206F},   {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},     {0xFFFD, 0xFFFD},   {0x110BD, 0x110BD}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A},   {0xE0001, 0xE0001}, {0xE0020, 0xE007F}, {0xF0000, 0xFFFFD},
    {0x100000, 0x10FFFD},
};

// Punctuation that Unicode 8 did not have, or classed otherwise.
constexpr Range kNotPunctuation[] = {
    {0x61D, 0x61D},     {0x9FD, 0x9FD},     {0xA76, 0xA76},     {0xC77, 0xC77},
    {0xC84, 0xC84},     {0x1B7D, 0x1B7E},   {0x2E43, 0x2E4F},   {0x2E52, 0x2E5D},
    {0x10EAD, 0x10EAD}, {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x1144B, 0x1144F},
    {0x1145A, 0x1145B}, {0x1145D, 0x1145D}, {0x11660, 0x1166C}, {0x116B9, 0x116B9},
    {0x1183B, 0x1183B}, {0x11944, 0x11946}, {0x119E2, 0x119E2}, {0x11A3F, 0x11A46},
    {0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2}, {0x11B00, 0x11B09}, {0x11C41, 0x11C45},
    {0x11C70, 0x11C71}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF},
    {0x12FF1, 0x12FF2}, {0x16E97, 0x16E9A}, {0x16FE2, 0x16FE2}, {0x1E95E, 0x1E95F},
};
constexpr Range kFormerPunctuation[] = {{0x166D, 0x166D}, {0x111C9, 0x111C9}};

// Nonspacing marks (Mn) that Unicode 8 did not have; U+1734 was one then.
constexpr Range kNotNonspacing[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8E1},     {0x9FE, 0x9FE},
    {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},
    {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},     {0xEBA, 0xEBA},
    {0xECE, 0xECE},     {0x180F, 0x180F},   {0x1885, 0x1886},   {0x1ABF, 0x1ACE},
    {0x1DF6, 0x1DFB},   {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},
    {0xA9BD, 0xA9BD},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x11073, 0x11074},
    {0x110C2, 0x110C2}, {0x111C9, 0x111C9}, {0x111CF, 0x111CF}, {0x1123E, 0x1123E},
    {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x11438, 0x1143F}, {0x11442, 0x11444},
    {0x11446, 0x11446}, {0x1145E, 0x1145E}, {0x1182F, 0x11837}, {0x11839, 0x1183A},
    {0x1193B, 0x1193C}, {0x1193E, 0x1193E}, {0x11943, 0x11943}, {0x119D4, 0x119D7},
    {0x119DA, 0x119DB}, {0x119E0, 0x119E0}, {0x11A01, 0x11A0A}, {0x11A33, 0x11A38},
    {0x11A3B, 0x11A3E}, {0x11A47, 0x11A47}, {0x11A51, 0x11A56}, {0x11A59, 0x11A5B},
    {0x11A8A, 0x11A96}, {0x11A98, 0x11A99}, {0x11C30, 0x11C36}, {0x11C38, 0x11C3D},
    {0x11C3F, 0x11C3F}, {0x11C92, 0x11CA7}, {0x11CAA, 0x11CB0}, {0x11CB2, 0x11CB3},
    {0x11CB5, 0x11CB6}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A}, {0x11D3C, 0x11D3D},
    {0x11D3F, 0x11D45}, {0x11D47, 0x11D47}, {0x11D90, 0x11D91}, {0x11D95, 0x11D95},
    {0x11D97, 0x11D97}, {0x11EF3, 0x11EF4}, {0x11F00, 0x11F01}, {0x11F36, 0x11F3A},
    {0x11F40, 0x11F40}, {0x11F42, 0x11F42}, {0x13440, 0x13440}, {0x13447, 0x13455},
    {0x16F4F, 0x16F4F}, {0x16FE4, 0x16FE4}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46},
    {0x1E000, 0x1E006}, {0x1E008, 0x1E018}, {0x1E01B, 0x1E021}, {0x1E023, 0x1E024},
    {0x1E026, 0x1E02A}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1E944, 0x1E94A},
};
constexpr Range kFormerNonspacing[] = {{0x1734, 0x1734}};

// Marks that Unicode 9 did not have; U+1CF2 and U+1CF3 were marks then.
constexpr Range kNotCombining[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
    {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},
    {0xCF3, 0xCF3},     {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},
    {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x1715, 0x1715},   {0x180F, 0x180F},
    {0x1ABF, 0x1ACE},   {0x1CF7, 0x1CF7},   {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},
    {0xA8FF, 0xA8FF},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x11073, 0x11074},
    {0x110C2, 0x110C2}, {0x11145, 0x11146}, {0x111C9, 0x111C9}, {0x111CE, 0x111CF},
    {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x1182C, 0x1183A},
    {0x11930, 0x11935}, {0x11937, 0x11938}, {0x1193B, 0x1193E}, {0x11940, 0x11940},
    {0x11942, 0x11943}, {0x119D1, 0x119D7}, {0x119DA, 0x119E0}, {0x119E4, 0x119E4},
    {0x11A01, 0x11A0A}, {0x11A33, 0x11A39}, {0x11A3B, 0x11A3E}, {0x11A47, 0x11A47},
    {0x11A51, 0x11A5B}, {0x11A8A, 0x11A99}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A},
    {0x11D3C, 0x11D3D}, {0x11D3F, 0x11D45}, {0x11D47, 0x11D47}, {0x11D8A, 0x11D8E},
    {0x11D90, 0x11D91}, {0x11D93, 0x11D97}, {0x11EF3, 0x11EF6}, {0x11F00, 0x11F01},
    {0x11F03, 0x11F03}, {0x11F34, 0x11F3A}, {0x11F3E, 0x11F42}, {0x13440, 0x13440},
    {0x13447, 0x13455}, {0x16F4F, 0x16F4F}, {0x16F7F, 0x16F87}, {0x16FE4, 0x16FE4},
    {0x16FF0, 0x16FF1}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
};
constexpr Range kFormerCombining[] = {{0x1CF2, 0x1CF3}};

// Characters that came after Unicode 15.
constexpr Range kNewNumeric[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
    {0x11DE0, 0x11DE9}, {0x16130, 0x16139}, {0x16D70, 0x16D79},
    {0x16FF4, 0x16FF6}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};
constexpr Range kNewLetter[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
};
constexpr Range kNewNumber[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
    {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};
constexpr Range kNewMark[] = {
    {0x897, 0x897},     {0x10D69, 0x10D6D}, {0x10EFC, 0x10EFC}, {0x113B8, 0x113C0},
    {0x113C2, 0x113C2}, {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D0},
    {0x113D2, 0x113D2}, {0x113E1, 0x113E2}, {0x11F5A, 0x11F5A}, {0x1611E, 0x1612F},
    {0x1E5EE, 0x1E5EF},
};

// \w beyond categories L, M, Nd, Nl and Pc: Other_Alphabetic, and what came after Unicode 15.
constexpr Range kMoreWord[] = {
    {0x897, 0x897},     {0x1C89, 0x1C8A},   {0x24B6, 0x24E9},   {0xA7CB, 0xA7CD},
    {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D40, 0x10D65}, {0x10D69, 0x10D6D},
    {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x10EFC, 0x10EFC}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113C0},
    {0x113C2, 0x113C2}, {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D3},
    {0x113E1, 0x113E2}, {0x116D0, 0x116E3}, {0x11BC0, 0x11BE0}, {0x11BF0, 0x11BF9},
    {0x11F5A, 0x11F5A}, {0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D6C},
    {0x16D70, 0x16D79}, {0x18CFF, 0x18CFF}, {0x1CCF0, 0x1CCF9}, {0x1E5D0, 0x1E5FA},
    {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}, {0x2EBF0, 0x2EE5D},
};
// The file's regular expressions (Oniguruma) count these Latin-1 numbers too, the other engine the
// joiners.
constexpr Range kMoreRegexWord[] = {{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}};
constexpr Range kJoiners[] = {{0x200C, 0x200D}};

// Code points whose combining class, or compatibility decomposition, is newer than Unicode 9.
constexpr Range kNoCombiningClass[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
    {0xC3C, 0xC3C},     {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x1715, 0x1715},
    {0x1ABF, 0x1ACE},   {0x1DF7, 0x1DFA},   {0xA82C, 0xA82C},   {0x10D24, 0x10D27},
    {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85},
    {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A},
    {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45},
    {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EE, 0x1E4EF},
};
constexpr Range kNoCompatibility[] = {
    {0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},
    {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
    {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9},
};

// Case pairs that came after Unicode 15: first..last map to `lower` and on.
struct CaseRange {
  char32_t first, last, lower;
};
constexpr CaseRange kNewLower[] = {
    {0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},  {0xA7CC, 0xA7CC, 0xA7CD},
    {0xA7CE, 0xA7CE, 0xA7CF},    {0xA7D2, 0xA7D2, 0xA7D3}, {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},  {0x10D50, 0x10D65, 0x10D70},
    {0x16EA0, 0x16EB8, 0x16EBB},
};

// General categories of what came after Unicode 15 (and of U+1171E, which changed).
struct CategoryRange {
  char32_t first, last;
  utf8proc_category_t category;
};
constexpr CategoryRange kNewCategories[] = {
    {0x897, 0x897, UTF8PROC_CATEGORY_MN},     {0x1B4E, 0x1B4F, UTF8PROC_CATEGORY_PO},
    {0x1B7F, 0x1B7F, UTF8PROC_CATEGORY_PO},   {0x1C89, 0x1C89, UTF8PROC_CATEGORY_LU},
    {0x1C8A, 0x1C8A, UTF8PROC_CATEGORY_LL},   {0x2427, 0x2429, UTF8PROC_CATEGORY_SO},
    {0x2FFC, 0x2FFF, UTF8PROC_CATEGORY_SO},   {0x31E4, 0x31E5, UTF8PROC_CATEGORY_SO},
    {0x31EF, 0x31EF, UTF8PROC_CATEGORY_SO},   {0xA7CB, 0xA7CC, UTF8PROC_CATEGORY_LU},
    {0xA7CD, 0xA7CD, UTF8PROC_CATEGORY_LL},   {0xA7DA, 0xA7DA, UTF8PROC_CATEGORY_LU},
    {0xA7DB, 0xA7DB, UTF8PROC_CATEGORY_LL},   {0xA7DC, 0xA7DC, UTF8PROC_CATEGORY_LU},
    {0x105C0, 0x105F3, UTF8PROC_CATEGORY_LO}, {0x10D40, 0x10D49, UTF8PROC_CATEGORY_ND},
    {0x10D4A, 0x10D4D, UTF8PROC_CATEGORY_LO}, {0x10D4E, 0x10D4E, UTF8PROC_CATEGORY_LM},
    {0x10D4F, 0x10D4F, UTF8PROC_CATEGORY_LO}, {0x10D50, 0x10D65, UTF8PROC_CATEGORY_LU},
    {0x10D69, 0x10D6D, UTF8PROC_CATEGORY_MN}, {0x10D6E, 0x10D6E, UTF8PROC_CATEGORY_PD},
    {0x10D6F, 0x10D6F, UTF8PROC_CATEGORY_LM}, {0x10D70, 0x10D85, UTF8PROC_CATEGORY_LL},
    {0x10D8E, 0x10D8F, UTF8PROC_CATEGORY_SM}, {0x10EC2, 0x10EC4, UTF8PROC_CATEGORY_LO},
    {0x10EFC, 0x10EFC, UTF8PROC_CATEGORY_MN}, {0x11380, 0x11389, UTF8PROC_CATEGORY_LO},
    {0x1138B, 0x1138B, UTF8PROC_CATEGORY_LO}, {0x1138E, 0x1138E, UTF8PROC_CATEGORY_LO},
    {0x11390, 0x113B5, UTF8PROC_CATEGORY_LO}, {0x113B7, 0x113B7, UTF8PROC_CATEGORY_LO},
    {0x113B8, 0x113BA, UTF8PROC_CATEGORY_MC}, {0x113BB, 0x113C0, UTF8PROC_CATEGORY_MN},
    {0x113C2, 0x113C2, UTF8PROC_CATEGORY_MC}, {0x113C5, 0x113C5, UTF8PROC_CATEGORY_MC},
    {0x113C7, 0x113CA, UTF8PROC_CATEGORY_MC}, {0x113CC, 0x113CD, UTF8PROC_CATEGORY_MC},
    {0x113CE, 0x113CE, UTF8PROC_CATEGORY_MN}, {0x113CF, 0x113CF, UTF8PROC_CATEGORY_MC},
    {0x113D0, 0x113D0, UTF8PROC_CATEGORY_MN}, {0x113D1, 0x113D1, UTF8PROC_CATEGORY_LO},
    {0x113D2, 0x113D2, UTF8PROC_CATEGORY_MN}, {0x113D3, 0x113D3, UTF8PROC_CATEGORY_LO},
    {0x113D4, 0x113D5, UTF8PROC_CATEGORY_PO}, {0x113D7, 0x113D8, UTF8PROC_CATEGORY_PO},
    {0x113E1, 0x113E2, UTF8PROC_CATEGORY_MN}, {0x116D0, 0x116E3, UTF8PROC_CATEGORY_ND},
    {0x1171E, 0x1171E, UTF8PROC_CATEGORY_MC}, {0x11BC0, 0x11BE0, UTF8PROC_CATEGORY_LO},
    {0x11BE1, 0x11BE1, UTF8PROC_CATEGORY_PO}, {0x11BF0, 0x11BF9, UTF8PROC_CATEGORY_ND},
    {0x11F5A, 0x11F5A, UTF8PROC_CATEGORY_MN}, {0x13460, 0x143FA, UTF8PROC_CATEGORY_LO},
    {0x16100, 0x1611D, UTF8PROC_CATEGORY_LO}, {0x1611E, 0x16129, UTF8PROC_CATEGORY_MN},
    {0x1612A, 0x1612C, UTF8PROC_CATEGORY_MC}, {0x1612D, 0x1612F, UTF8PROC_CATEGORY_MN},
    {0x16130, 0x16139, UTF8PROC_CATEGORY_ND}, {0x16D40, 0x16D42, UTF8PROC_CATEGORY_LM},
    {0x16D43, 0x16D6A, UTF8PROC_CATEGORY_LO}, {0x16D6B, 0x16D6C, UTF8PROC_CATEGORY_LM},
    {0x16D6D, 0x16D6F, UTF8PROC_CATEGORY_PO}, {0x16D70, 0x16D79, UTF8PROC_CATEGORY_ND},
    {0x18CFF, 0x18CFF, UTF8PROC_CATEGORY_LO}, {0x1CC00, 0x1CCEF, UTF8PROC_CATEGORY_SO},
    {0x1CCF0, 0x1CCF9, UTF8PROC_CATEGORY_ND}, {0x1CD00, 0x1CEB3, UTF8PROC_CATEGORY_SO},
    {0x1E5D0, 0x1E5ED, UTF8PROC_CATEGORY_LO}, {0x1E5EE, 0x1E5EF, UTF8PROC_CATEGORY_MN},
    {0x1E5F0, 0x1E5F0, UTF8PROC_CATEGORY_LO}, {0x1E5F1, 0x1E5FA, UTF8PROC_CATEGORY_ND},
    {0x1E5FF, 0x1E5FF, UTF8PROC_CATEGORY_PO}, {0x1F8B2, 0x1F8BB, UTF8PROC_CATEGORY_SO},
    {0x1F8C0, 0x1F8C1, UTF8PROC_CATEGORY_SO}, {0x1FA89, 0x1FA89, UTF8PROC_CATEGORY_SO},
    {0x1FA8F, 0x1FA8F, UTF8PROC_CATEGORY_SO}, {0x1FABE, 0x1FABE, UTF8PROC_CATEGORY_SO},
    {0x1FAC6, 0x1FAC6, UTF8PROC_CATEGORY_SO}, {0x1FADC, 0x1FADC, UTF8PROC_CATEGORY_SO},
    {0x1FADF, 0x1FADF, UTF8PROC_CATEGORY_SO}, {0x1FAE9, 0x1FAE9, UTF8PROC_CATEGORY_SO},
    {0x1FBCB, 0x1FBEF, UTF8PROC_CATEGORY_SO}, {0x2EBF0, 0x2EE5D, UTF8PROC_CATEGORY_LO}};

bool In(std::span<const Range> ranges, char32_t rune) {
  for (const Range& range : ranges) {
    if (rune <= range.last) return rune >= range.first;
  }
  return false;
}

// The one canonical decomposition that came after Unicode 9.
constexpr char32_t kNewComposite = 0x11938;

struct Categories {
  bool letter, mark, number, punctuation, word;
};

Categories Classify(int category) {
  Categories c = {};
  c.letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  c.mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  c.number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
  c.punctuation = category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
  c.word = c.letter || c.mark || category == UTF8PROC_CATEGORY_ND ||
           category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_PC;
  return c;
}

// Flags by category alone, without the lists above.
std::uint16_t BaseFlags(char32_t rune) {
  const auto code = static_cast<utf8proc_int32_t>(rune);
  const utf8proc_property_t* property = utf8proc_get_property(code);
  const Categories c = Classify(property->category);
  unsigned flags = 0;
  if (c.letter) flags |= kLetter;
  if (c.mark) flags |= kMark | kCombining;
  if (c.number) flags |= kNumber | kNumeric;
  if (c.punctuation || (rune < 0x80 && IsAsciiPunctuation(static_cast<unsigned char>(rune)))) {
    flags |= kPunctuation;
  }
  if (c.word) flags |= kWord | kRegexWord;
  if (property->category == UTF8PROC_CATEGORY_MN) flags |= kNonspacing;
  if (property->category == UTF8PROC_CATEGORY_ND) flags |= kDigit;
  if (utf8proc_tolower(code) != code || rune == 0x130) flags |= kHasLower;
  // decomp_type is 0 for a canonical decomposition; Hangul syllables decompose by rule.
  const bool decomposes = property->decomp_seqindex != UINT16_MAX;
  const bool hangul = rune >= 0xAC00 && rune <= 0xD7A3;
  if (hangul || property->combining_class != 0 || (decomposes && property->decomp_type == 0)) {
    flags |= kNfdActive | kNfkdActive;
  }
  if (decomposes) flags |= kNfkdActive;
  return static_cast<std::uint16_t>(flags);
}

struct Correction {
  std::span<const Range> ranges;
  std::uint16_t set, clear;
};

const std::span<const Correction> Corrections() {
  static constexpr Correction kCorrections[] = {
      {kWhitespaceRanges, kWhitespace, 0},
      {kChineseRanges, kChinese, 0},
      {kControlRanges, kControl, 0},
      {kNotPunctuation, 0, kPunctuation},
      {kFormerPunctuation, kPunctuation, 0},
      {kNotNonspacing, 0, kNonspacing},
      {kFormerNonspacing, kNonspacing, 0},
      {kNotCombining, 0, kCombining},
      {kFormerCombining, kCombining, 0},
      {kNewNumeric, kNumeric, 0},
      {kNewLetter, kLetter, 0},
      {kNewNumber, kNumber | kDigit, 0},
      {kNewMark, kMark, 0},
      {kMoreWord, kWord | kRegexWord, 0},
      {kMoreRegexWord, kRegexWord, 0},
      {kJoiners, kWord, 0},
      {kNoCombiningClass, 0, kNfdActive | kNfkdActive},
      {kNoCompatibility, 0, kNfkdActive},
  };
  return kCorrections;
}

}  // namespace

std::uint16_t ComputeCharFlags(char32_t rune) {
  unsigned flags = BaseFlags(rune);
  for (const Correction& correction : Corrections()) {
    if (In(correction.ranges, rune)) flags = (flags | correction.set) & ~unsigned{correction.clear};
  }
  for (const CaseRange& range : kNewLower) {
    if (rune >= range.first && rune <= range.last) flags |= kHasLower;
  }
  return static_cast<std::uint16_t>(flags);
}

const std::uint16_t* CharFlagTable() {
  static const std::vector<std::uint16_t> table = [] {
    std::vector<std::uint16_t> flags(kTableSize);
    for (char32_t rune = 0; rune < kTableSize; ++rune) flags[rune] = BaseFlags(rune);
    // A correction at a time, since searching its list for each code point would take far longer.
    for (const Correction& correction : Corrections()) {
      for (const Range& range : correction.ranges) {
        for (char32_t rune = range.first; rune <= range.last && rune < kTableSize; ++rune) {
          flags[rune] = static_cast<std::uint16_t>((flags[rune] | correction.set) &
                                                   ~unsigned{correction.clear});
        }
      }
    }
    for (const CaseRange& range : kNewLower) {
      for (char32_t rune = range.first; rune <= range.last; ++rune) flags[rune] |= kHasLower;
    }
    return flags;
  }();
  return table.data();
}

int ToLower(char32_t rune, char32_t out[2]) {
  if (rune == 0x130) {  // the only unconditional mapping of SpecialCasing.txt that is longer
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  for (const CaseRange& range : kNewLower) {
    if (rune >= range.first && rune <= range.last) {
      out[0] = range.lower + (rune - range.first);
      return 1;
    }
  }
  out[0] = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(rune)));
  return 1;
}

int Decompose(char32_t rune, bool compatibility, char32_t out[kMaxDecomposition]) {
  out[0] = rune;
  if (rune == kNewComposite || (compatibility && In(kNoCompatibility, rune))) return 1;
  utf8proc_int32_t buffer[kMaxDecomposition];
  int unused_boundary = 0;
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0);
  const auto size =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(rune), buffer, kMaxDecomposition,
                              static_cast<utf8proc_option_t>(options), &unused_boundary);
  if (size < 1 || size > kMaxDecomposition) return 1;
  for (int i = 0; i < size; ++i) out[i] = static_cast<char32_t>(buffer[i]);
  return static_cast<int>(size);
}

char32_t Compose(char32_t first, char32_t second) {
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(first),
                              static_cast<utf8proc_int32_t>(second), 0};
  const auto size = utf8proc_normalize_utf32(
      pair, 2, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size != 1 || pair[0] == static_cast<utf8proc_int32_t>(kNewComposite)) return 0;
  return static_cast<char32_t>(pair[0]);
}

int CombiningClass(char32_t rune) {
  if (In(kNoCombiningClass, rune)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(rune))->combining_class;
}

std::uint32_t CategorySet(std::string_view name) {
  // In the order of utf8proc_category_t.
  static constexpr std::string_view kNames[] = {
      "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
      "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
  std::uint32_t set = 0;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name || (name.size() == 1 && kNames[i][0] == name[0])) set |= 1u << i;
  }
  return set;
}

std::uint32_t CategoryBit(char32_t rune) {
  const auto* range =
      std::lower_bound(std::begin(kNewCategories), std::end(kNewCategories), rune,
                       [](const CategoryRange& r, char32_t value) { return r.last < value; });
  if (range != std::end(kNewCategories) && rune >= range->first) return 1u << range->category;
  return 1u << utf8proc_get_property(static_cast<utf8proc_int32_t>(rune))->category;
}

bool GraphemeBreak(char32_t before, char32_t after, std::int32_t* state) {
  return utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                          static_cast<utf8proc_int32_t>(after), state);
}

}  // namespace hone::text
