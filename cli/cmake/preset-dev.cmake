# Preset "dev": cmake -C cli/cmake/preset-dev.cmake -S . -B build/dev && cmake --build build/dev
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(ROOTLE_SANITIZE ON CACHE BOOL "")
