// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   files and directories of files: a fuzzer's corpus.
 * Out:  each given once to the fuzzer's function, by the usual compiler.
 * Owns: one file's bytes at a time.
 * Runs on: one thread; a crash is the failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nr_inputs;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;
	int err = -EIO;

	if (!f || fstat(fileno(f), &st))
		goto out;
	/* exactly as large as the input, so that ASan sees one byte too far */
	data = malloc(st.st_size ? st.st_size : 1);
	if (!data || fread(data, 1, st.st_size, f) != (size_t)st.st_size)
		goto out;
	LLVMFuzzerTestOneInput(data, st.st_size);
	nr_inputs++;
	err = 0;
out:
	if (err)
		fprintf(stderr, "%s: cannot be read\n", path);
	if (f)
		fclose(f);
	free(data);
	return err;
}

static int replay(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[4096];
	int err = 0;

	if (!dir)
		return replay_file(path);
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		err = replay_file(file);
	}
	closedir(dir);
	return err;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (replay(argv[i]))
			return 1;
	}
	printf("%d inputs\n", nr_inputs);
	return nr_inputs ? 0 : 1;
}
