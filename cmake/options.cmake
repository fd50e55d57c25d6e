# What can be switched, and the settings every target of ours shares.

option(ASSAY_TRAIN "Build assay-train (needs LibTorch)" ON)
option(ASSAY_TESTS "Build the tests" ON)
option(ASSAY_FUZZ "Build the fuzzers in the tests' place (needs Clang)" OFF)
set(ASSAY_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, empty for none")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Paths below the source tree count as relative: two checkouts share what they compiled.
find_program(ASSAY_CCACHE ccache)
if(ASSAY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ASSAY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  # Tests find these first in PATH: what they compile again and again is compiled once, and sanitized
  # tests do not compile it anew. The cache has a place of its own, for tests give programs a home
  # that is empty, or small.
  foreach(compiler arm-none-eabi-g++ arm-linux-gnueabi-g++ aarch64-linux-gnu-g++)
    find_program(ASSAY_${compiler} ${compiler})
    if(ASSAY_${compiler})
      set(script ${PROJECT_BINARY_DIR}/compilers/${compiler})
      file(REMOVE ${script})  # never write through a link
      file(WRITE ${script} "#!/bin/sh\nCCACHE_DIR='${PROJECT_SOURCE_DIR}/build/device-code' "
        "exec '${ASSAY_CCACHE}' '${ASSAY_${compiler}}' \"$@\"\n")
      file(CHMOD ${script} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    endif()
  endforeach()
endif()
# Sanitized builds are compiled often and run shortly: -O1 takes half as long again to compile.
set(CMAKE_CXX_FLAGS_SANITIZE "-Og -g1")

# Every target of ours links this: language, warnings as errors, sanitizers, include root.
add_library(assay_settings INTERFACE)
target_compile_features(assay_settings INTERFACE cxx_std_20)
target_include_directories(assay_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(assay_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
# GCC 12 sees overlaps in std::string that are not there (GCC bug 105651).
target_compile_options(assay_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(ASSAY_SANITIZE)
  # GCC documents false "maybe uninitialized" warnings under sanitizers.
  target_compile_options(assay_settings INTERFACE
    -fsanitize=${ASSAY_SANITIZE} -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(assay_settings INTERFACE -fsanitize=${ASSAY_SANITIZE})
endif()
