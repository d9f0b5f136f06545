/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target over the files of the folders given: what the fuzzers found stays mended, without clang. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (!f)
		return;
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	exact = malloc(n ? n : 1);
	if (!exact)
		abort();
	for (size_t i = 0; i < n; i++)
		exact[i] = buf[i];
	/* every prefix too: a conversation may end anywhere */
	for (size_t k = 0; k <= n; k++) {
		uint8_t *part = realloc(NULL, k ? k : 1);

		if (!part)
			abort();
		for (size_t i = 0; i < k; i++)
			part[i] = exact[i];
		LLVMFuzzerTestOneInput(part, k);
		free(part);
	}
	free(exact);
}

int main(int argc, char **argv)
{
	unsigned files = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;

		if (!d) {
			perror(argv[i]);
			return 1;
		}
		while ((e = readdir(d))) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
			replay_file(path);
			files++;
		}
		closedir(d);
	}
	printf("%u files replayed\n", files);
	return files ? 0 : 1;
}
