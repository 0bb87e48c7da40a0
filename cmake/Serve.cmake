# HONE_SERVE, and the targets hone_boost (Asio and Beast, headers alone), hone_kserve and hone_grpc (KServe's
# messages, and its service, generated from src/server/grpc/kserve.proto).

find_package(Boost 1.81 REQUIRED)
add_library(hone_boost INTERFACE)
target_include_directories(hone_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
# Beast's and Asio's own warnings are not ours; coroutines need no separate library.
target_compile_definitions(hone_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)

find_program(PROTOC protoc)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin)
find_library(GRPCPP_LIBRARY grpc++)
find_library(GRPC_LIBRARY grpc)
find_library(GPR_LIBRARY gpr)
find_library(PROTOBUF_LIBRARY protobuf)

set(hone_serve_default OFF)
if(PROTOC AND GRPC_CPP_PLUGIN AND GRPCPP_LIBRARY AND GRPC_LIBRARY AND PROTOBUF_LIBRARY AND NOT CMAKE_CROSSCOMPILING)
  set(hone_serve_default ON)
endif()
option(HONE_SERVE "Build the server (needs gRPC)" ${hone_serve_default})

if(HONE_SERVE)
  set(kserve_proto ${PROJECT_SOURCE_DIR}/src/server/grpc/kserve.proto)
  set(kserve_dir ${PROJECT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${kserve_dir})
  add_custom_command(
    OUTPUT ${kserve_dir}/kserve.pb.cc ${kserve_dir}/kserve.pb.h ${kserve_dir}/kserve.grpc.pb.cc
           ${kserve_dir}/kserve.grpc.pb.h
    COMMAND ${PROTOC} --proto_path=${PROJECT_SOURCE_DIR}/src/server/grpc --cpp_out=${kserve_dir}
            --grpc_out=${kserve_dir} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${kserve_proto}
    DEPENDS ${kserve_proto} VERBATIM)
  find_package(absl REQUIRED)  # gRPC's headers call its mutex
  add_library(hone_kserve STATIC EXCLUDE_FROM_ALL ${kserve_dir}/kserve.pb.cc)
  target_include_directories(hone_kserve SYSTEM PUBLIC ${kserve_dir})
  target_link_libraries(hone_kserve PUBLIC ${PROTOBUF_LIBRARY})
  add_library(hone_grpc STATIC EXCLUDE_FROM_ALL ${kserve_dir}/kserve.grpc.pb.cc)
  target_link_libraries(hone_grpc PUBLIC hone_kserve ${GRPCPP_LIBRARY} ${GRPC_LIBRARY} ${GPR_LIBRARY}
                        absl::synchronization)
endif()
