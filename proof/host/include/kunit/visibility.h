/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_KUNIT_VISIBILITY_H
#define HOST_KUNIT_VISIBILITY_H
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif
