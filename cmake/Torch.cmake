# HONE_TRAIN, and the target hone_torch: libtorch without its CMake package.
#
# That package sets compiler flags for the whole project and asks for what the distribution built Torch
# with (protobuf, Caffe2's parts). A user of the C++ interface needs two folders of headers and two
# libraries, in Debian's libtorch-dev (1.13) as in what tools/fetch-libtorch fetches (2.13).

set(fetched_torch ${PROJECT_SOURCE_DIR}/build/libtorch)
find_path(TORCH_INCLUDE_DIR ATen/ATen.h HINTS ${fetched_torch}/include)
find_path(TORCH_API_INCLUDE_DIR torch/torch.h HINTS ${fetched_torch}/include
          PATH_SUFFIXES torch/csrc/api/include)
find_library(TORCH_CPU_LIBRARY torch_cpu HINTS ${fetched_torch}/lib)
find_library(C10_LIBRARY c10 HINTS ${fetched_torch}/lib)
find_package(OpenMP QUIET COMPONENTS CXX)

# Sanitized and cross-compiled builds go without: libtorch is not instrumented, and trains on no board.
set(hone_train_default OFF)
if(TORCH_INCLUDE_DIR AND TORCH_API_INCLUDE_DIR AND TORCH_CPU_LIBRARY AND C10_LIBRARY
   AND OpenMP_CXX_FOUND AND NOT CMAKE_CROSSCOMPILING AND NOT HONE_FUZZ
   AND NOT CMAKE_CXX_FLAGS MATCHES "sanitize")
  set(hone_train_default ON)
endif()
option(HONE_TRAIN "Build training and compression with training (needs libtorch)"
       ${hone_train_default})

if(HONE_TRAIN)
  add_library(hone_torch INTERFACE)
  # SYSTEM: our warnings do not concern their headers.
  target_include_directories(hone_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIR}
                             ${TORCH_API_INCLUDE_DIR})
  target_link_libraries(hone_torch INTERFACE ${TORCH_CPU_LIBRARY} ${C10_LIBRARY}
                        OpenMP::OpenMP_CXX)
endif()
