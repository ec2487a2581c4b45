/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of the project. Module, library, tool, manuals and packages take theirs from this
 * line; CHANGELOG.md lists what each version changes.
 */
#ifndef TMM_VERSION_H
#define TMM_VERSION_H

#define TMM_VERSION	"1.0.0"

#endif /* TMM_VERSION_H */
