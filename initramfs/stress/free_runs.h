/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The free frames of all regions, by address: a client of root owns all of them for a moment.
 */
#ifndef STRESS_FREE_RUNS_H
#define STRESS_FREE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_FREE_RUNS	16384

/**
 * struct free_runs - runs of frames
 * @runs: the first frame of each run, and its number of frames
 * @nr: number of runs
 * @nr_frames: frames of all runs
 */
struct free_runs {
	struct {
		uint64_t frame;
		uint64_t nr;
	} runs[MAX_FREE_RUNS];
	unsigned int nr;
	uint64_t nr_frames;
};

/* No other client may use the module meanwhile. Return: false if a call fails */
bool free_runs_find(struct free_runs *free);

/* Return: the frame at place @place of all frames */
uint64_t free_runs_frame(const struct free_runs *free, uint64_t place);

bool free_runs_have(const struct free_runs *free, uint64_t frame);

#endif /* STRESS_FREE_RUNS_H */
