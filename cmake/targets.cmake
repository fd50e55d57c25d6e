# Helpers that keep the folders' CMakeLists.txt short.

# assay_library(<name> SOURCES ... [PUBLIC ...] [PRIVATE ...]): a static library of ours.
# PUBLIC are the libraries whose headers ours include, PRIVATE all others.
function(assay_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC assay_settings ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# assay_test(<name> SOURCES ... [LINK ...] [LABELS ...]): a GoogleTest program; each TEST becomes a
# ctest entry. The label "threads" puts it into the thread-sanitized subset, the target thread_tests.
function(assay_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE assay_settings ${arg_LINK} test_main)
  # Test code is compiled more often than it is run: the libraries under test keep their level.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  set(properties)
  if(arg_LABELS)
    list(APPEND properties LABELS "${arg_LABELS}")
  endif()
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(thread_tests ${name})
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(ASSAY_CCACHE)
    list(APPEND properties ENVIRONMENT_MODIFICATION
      "PATH=path_list_prepend:${PROJECT_BINARY_DIR}/compilers")
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 NO_PRETTY_VALUES
    PROPERTIES TIMEOUT ${arg_TIMEOUT} ${properties})
endfunction()
