# Preset "release": cmake -C cli/cmake/preset-release.cmake -S . -B build/release && cmake --build build/release
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
