// Replaces operator new in the test program by one that counts. Apart from the tests that look at
// the count, since GCC warns falsely where it can see both sides.
#include <cstddef>
#include <cstdlib>
#include <new>

extern std::size_t g_allocations;
std::size_t g_allocations = 0;

void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* p = std::malloc(size > 0 ? size : 1)) return p;
  std::abort();
}
// std::stable_sort asks for its buffer this way.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++g_allocations;
  return std::malloc(size > 0 ? size : 1);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
