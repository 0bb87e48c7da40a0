#include <gtest/gtest.h>
TEST(Structure, Placeholder) {}
