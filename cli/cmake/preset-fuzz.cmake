# Preset "fuzz": cmake -C cli/cmake/preset-fuzz.cmake -S . -B build/fuzz && cmake --build build/fuzz
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(ROOTLE_FUZZ ON CACHE BOOL "")
