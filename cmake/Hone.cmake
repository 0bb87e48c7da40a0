# How a folder of src/ becomes a library, a test program and fuzz targets.
#
#   src/<folder>/**/*.cc          → library hone_<folder>
#   src/<folder>/**/*_test.cc     → program hone_<folder>_test (GoogleTest)
#   src/<folder>/**/*_bench.cc    → part of the bench folder's library where it registers itself
#   src/<folder>/**/*_fuzz.cc     → program <name>_fuzz each, with the fuzz preset
#   src/<folder>/main.cc          → the program that PROGRAM names
#   src/cli/training/*.cc         → program hone-train
#   src/cli/serving/*.cc          → program hone-serve

add_library(hone_options INTERFACE)
target_include_directories(hone_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(hone_options INTERFACE -Wall -Wextra -Wshadow -Wno-psabi -Werror
                       -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely about its own AVX-512 headers and about inlined std::string code.
  target_compile_options(hone_options INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized
                         -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
  # Asio's fences, of which ThreadSanitizer knows nothing; no order here depends on them alone.
  if(CMAKE_CXX_FLAGS MATCHES "sanitize=thread")
    target_compile_options(hone_options INTERFACE -Wno-tsan)
    # GCC 12 dies of an internal error (output_6924, sse.md) on what this pass makes of a masked load here.
    set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/attention/f32_hwy.cc PROPERTIES
                                COMPILE_OPTIONS -fno-tree-forwprop)
  endif()
endif()

if(HONE_TESTS)
  find_package(GTest REQUIRED)
  # A test takes longer to compile than to run; what it tests is optimised as it is shipped. The emulated
  # instructions of hone_kernels_simde_test most of all: one file 24 s with -O2, 4 s so.
  set(hone_test_options $<$<CONFIG:Release>:-O0>)
  # The main function of a test program, and of one with kernels, which limits the instruction set.
  function(hone_test_main target library)
    add_library(${target} STATIC ${PROJECT_SOURCE_DIR}/tests/test_main.cc)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${library} GTest::gtest)
  endfunction()
  hone_test_main(hone_test_main hone_base)
  hone_test_main(hone_kernels_test_main hone_kernels)
  target_compile_definitions(hone_kernels_test_main PRIVATE HONE_TEST_KERNELS)
endif()
if(HONE_FUZZ)
  add_custom_target(hone_fuzzers)  # all of them, and nothing that none of them needs
endif()

# The sanitizers multiply what a file takes to compile (one of the kernels' by thirty): they are left out
# where no fuzzer comes.
function(hone_unreached name)
  set(sources ${ARGN})
  if(NOT name MATCHES "^(kernels|runtime|bench|scheduler)$")
    list(FILTER sources INCLUDE REGEX "/server/(dispatch|models|service)")
  endif()
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
endfunction()

# hone_folder(name [PROGRAM program] [USES library...] [FUZZED expression])
#   FUZZED  of a large folder, the files that its fuzzers are linked from: the others are not built for
#           them. Where a fuzzer comes to need more, the linker names it.
function(hone_folder name)
  cmake_parse_arguments(ARG "" "PROGRAM;FUZZED" "USES" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/cli/(training|serving)/")  # hone_command_program's
  if(HONE_FUZZ AND ARG_FUZZED)
    list(FILTER sources INCLUDE REGEX "/${name}/(${ARG_FUZZED})")
  endif()

  if(sources)
    add_library(hone_${name} STATIC ${sources})
    target_link_libraries(hone_${name} PUBLIC hone_options ${ARG_USES})
  else()
    add_library(hone_${name} INTERFACE)
    target_link_libraries(hone_${name} INTERFACE hone_options ${ARG_USES})
  endif()

  if(HONE_FUZZ)
    hone_unreached(${name} ${sources})
  endif()

  if(ARG_PROGRAM AND NOT HONE_FUZZ)
    add_executable(${ARG_PROGRAM} ${dir}/main.cc)
    target_link_libraries(${ARG_PROGRAM} PRIVATE hone_${name})
  endif()

  if(HONE_TESTS AND tests)
    set(main hone_kernels_test_main)
    if(name MATCHES "^(base|tensor|text|env|quant|formats|planner|scheduler)$")
      set(main hone_test_main)
    endif()
    add_executable(hone_${name}_test ${tests})
    target_link_libraries(hone_${name}_test PRIVATE ${main} hone_${name} GTest::gmock)
    target_compile_options(hone_${name}_test PRIVATE ${hone_test_options})
    target_include_directories(hone_${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(hone_${name}_test PRIVATE
                               HONE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  endif()

  if(HONE_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE hone_${name} -fsanitize=fuzzer)
      add_dependencies(hone_fuzzers ${target})
    endforeach()
  endif()
endfunction()

# A program of commands that alone are linked to a large library: src/cli/<folder>/*.cc.
#   training → hone-train, libtorch       serving → hone-serve, gRPC
function(hone_command_program folder program library)
  if(HONE_FUZZ)
    return()  # its library is not whole then
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/${folder}/*.cc)
  add_executable(${program} ${sources})
  target_link_libraries(${program} PRIVATE hone_cli ${library})
endfunction()

# The bytes of a file as the function hone::<folder>::<name>() of that folder's library.
function(hone_embed folder name file)
  set(out ${PROJECT_BINARY_DIR}/embedded/${name}.cc)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${file} -DOUT=${out} -DNAMESPACE=hone::${folder} -DNAME=${name}
            -P ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake VERBATIM)
  target_sources(hone_${folder} PRIVATE ${out})
endfunction()

# Plots of report.html: Chart.js and its licence from the distribution's package, put into the
# program so that a report needs no network (docs/decisions/0007-report-plots.md).
function(hone_report_plots)
  find_file(HONE_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js
            NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  find_file(HONE_CHART_JS_LICENCE copyright PATHS /usr/share/doc/libjs-chart.js
            NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(NOT HONE_CHART_JS OR NOT HONE_CHART_JS_LICENCE)
    message(FATAL_ERROR "Chart.js, which draws report.html, is missing: install the package "
            "libjs-chart.js, or name its files with -DHONE_CHART_JS=…/chart.min.js and "
            "-DHONE_CHART_JS_LICENCE=…")
  endif()
  hone_embed(compress PlotLibrary ${HONE_CHART_JS})
  hone_embed(compress PlotLicence ${HONE_CHART_JS_LICENCE})
  hone_embed(compress ReportStyle ${PROJECT_SOURCE_DIR}/src/compress/report/report.css)
  hone_embed(compress ReportScript ${PROJECT_SOURCE_DIR}/src/compress/report/report.js)
endfunction()

# The page at / of hone serve.
function(hone_server_page)
  hone_embed(server PageHtml ${PROJECT_SOURCE_DIR}/src/server/page/page.html)
  hone_embed(server PageStyle ${PROJECT_SOURCE_DIR}/src/server/page/page.css)
  hone_embed(server PageScript ${PROJECT_SOURCE_DIR}/src/server/page/page.js)
endfunction()

# tests/support/*.cc: what the tests of several folders share; linked to those of the folders named.
function(hone_test_support)
  cmake_parse_arguments(ARG "" "" "USES;FOR" ${ARGN})
  if(NOT HONE_TESTS)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.cc)
  add_library(hone_test_support STATIC ${sources})
  target_link_libraries(hone_test_support PUBLIC ${ARG_USES} GTest::gtest)
  target_include_directories(hone_test_support PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_definitions(hone_test_support PRIVATE HONE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  foreach(folder ${ARG_FOR})
    if(TARGET hone_${folder}_test)
      target_link_libraries(hone_${folder}_test PRIVATE hone_test_support)
    endif()
  endforeach()
endfunction()

function(hone_structure_test)
  if(HONE_TESTS)
    set(dir ${PROJECT_SOURCE_DIR}/tests)
    add_executable(hone_structure_test ${dir}/structure_test.cc ${dir}/standard_headers_test.cc
                   ${dir}/source_tree.cc)
    target_link_libraries(hone_structure_test PRIVATE hone_test_main GTest::gmock)
    target_include_directories(hone_structure_test PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(hone_structure_test PRIVATE
                               HONE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  endif()
endfunction()

# The x86 kernels in intrinsics, products and attention, again with SIMDe's emulation in place of the intrinsics (x86.h), so that a machine
# without AVX-512 or VNNI still tests those bodies. Their symbols stand in for the library's.
function(hone_simde_test)
  # SIMDe emulates masked loads by whole ones, which AddressSanitizer rightly calls out of bounds.
  if(CMAKE_CXX_FLAGS MATCHES "sanitize")
    return()
  endif()
  # 0.7.4 brought this header and most of the AVX-512 that the kernels use; Ubuntu 24.04 has 0.7.2.
  find_path(SIMDE_INCLUDE_DIR simde/x86/f16c.h)
  if(HONE_TESTS AND SIMDE_INCLUDE_DIR AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    file(GLOB kernels CONFIGURE_DEPENDS
         ${PROJECT_SOURCE_DIR}/src/kernels/matmul/bf16_avx*.cc
         ${PROJECT_SOURCE_DIR}/src/kernels/matmul/int[48]_avx*.cc
         ${PROJECT_SOURCE_DIR}/src/kernels/attention/reduced*_avx*.cc)
    list(FILTER kernels EXCLUDE REGEX "_test\\.cc$")
    add_executable(hone_kernels_simde_test ${kernels}
                   ${PROJECT_SOURCE_DIR}/src/kernels/attention/attention_test.cc
                   ${PROJECT_SOURCE_DIR}/src/kernels/matmul/matmul_test.cc)
    target_compile_definitions(hone_kernels_simde_test PRIVATE HONE_SIMDE)
    target_compile_options(hone_kernels_simde_test PRIVATE ${hone_test_options})
    target_include_directories(hone_kernels_simde_test SYSTEM PRIVATE ${SIMDE_INCLUDE_DIR})
    target_link_libraries(hone_kernels_simde_test PRIVATE hone_kernels_test_main GTest::gmock)
  endif()
endfunction()

# tests/program_test.cc, tests/serve_program_test.cc: the built programs as a user meets them.
function(hone_program_test)
  if(HONE_TESTS AND NOT CMAKE_CROSSCOMPILING)
    add_executable(hone_program_test ${PROJECT_SOURCE_DIR}/tests/program_test.cc)
    target_link_libraries(hone_program_test PRIVATE hone_test_main hone_test_support GTest::gmock)
    target_compile_definitions(hone_program_test PRIVATE HONE_PROGRAM="$<TARGET_FILE:hone>"
                               HONE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_dependencies(hone_program_test hone)
    if(HONE_TRAIN)
      target_compile_definitions(hone_program_test PRIVATE HONE_TRAIN)
      add_dependencies(hone_program_test hone-train)
    endif()
    if(HONE_SERVE)
      target_sources(hone_program_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/serve_program_test.cc)
      add_dependencies(hone_program_test hone-serve)
    endif()
  endif()
endfunction()
