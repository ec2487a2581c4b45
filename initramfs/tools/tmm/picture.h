/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A region's occupancy as a picture made of letters.
 */
#ifndef TMM_PICTURE_H
#define TMM_PICTURE_H

/**
 * struct picture_style - how to draw
 * @width: columns to use
 * @max_rows: rows of cells at the most, for each region
 * @colour: letters may have colours as well
 */
struct picture_style {
	unsigned int width;
	unsigned int max_rows;
	int colour;
};

/**
 * picture_draw() - draw all regions, with a legend and the free runs, on stdout
 * @fd: a client
 * @style: how
 *
 * Return: 0 or a negative errno value
 */
int picture_draw(int fd, const struct picture_style *style);

#endif /* TMM_PICTURE_H */
