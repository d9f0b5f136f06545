# Toolchain for 64-bit ARM: cmake --toolchain cli/cmake/toolchain-aarch64.cmake -DROOTLE_SYSROOT=DIR -DBUILD_TESTING=OFF …
# ROOTLE_SYSROOT is a folder with the target's libraries and headers (tests/vm/cross.py makes one of Debian's packages); without
# it those of Debian's multiarch on this machine are used.  What runs here (clang for BPF, bpftool) is this machine's own.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ROOTLE_SYSROOT)

set(libraries /usr/lib/aarch64-linux-gnu)
if(ROOTLE_SYSROOT)
  set(CMAKE_SYSROOT ${ROOTLE_SYSROOT})
  set(ENV{PKG_CONFIG_SYSROOT_DIR} ${ROOTLE_SYSROOT})
endif()
set(ENV{PKG_CONFIG_LIBDIR} ${ROOTLE_SYSROOT}${libraries}/pkgconfig:${ROOTLE_SYSROOT}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_PATH} "")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
