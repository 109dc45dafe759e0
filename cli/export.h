/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * export.h - a status or a report for other programs and for a browser: XML
 * in the manner of `gluster --xml`, Prometheus's text format, one HTML page.
 * All of them are made from the JSON document. They print on standard output,
 * which output.h may have led into a file.
 */
#ifndef ALLOT_EXPORT_H
#define ALLOT_EXPORT_H

#include <jansson.h>
#include <stdio.h>

#include "document.h"
#include "target.h"

/**
 * allot_export_xml - <cliOutput> with opRet, opErrno, opErrstr and the document
 * @kind: the element's name: allotStatus, allotReport
 * @list: the entries of damaged_files, comma-separated objects from its
 *     beginning; NULL: none. They are read one after the other.
 * Keys become elements, the members of an array elements of its singular.
 * Returns 0 or -errno.
 */
int
allot_export_xml(const char *kind, const json_t *doc, FILE *list);

/** allot_export_xml_failure - <cliOutput> of a command that failed: opRet -1,
 * opErrno @err (positive), opErrstr @text
 * As gluster itself does it. Nothing is printed if allot_export_xml() was
 * called before: two documents are none.
 */
void
allot_export_xml_failure(int err, const char *text);

/** allot_export_prometheus - of a status (@report NULL) or a report
 * Returns 0 or -errno. */
int
allot_export_prometheus(const json_t *status, const json_t *report);

/** allot_export_html - one page without anything from elsewhere
 * @target: what was looked at; asked for the layout of the files with a map
 * @list: as above. The first ALLOT_HTML_FILES of them are shown, the first
 *     ALLOT_HTML_MAPS with a map.
 * Returns 0 or -errno. */
#define ALLOT_HTML_FILES 1000
#define ALLOT_HTML_MAPS 20
int
allot_export_html(struct allot_target *target,
                  const struct allot_doc_status *status, const json_t *report,
                  FILE *list);

/** allot_export_html_text - text of any kind, as HTML. */
void
allot_export_html_text(const char *text);

/** allot_export_map - export-map.c: as HTML, where the blocks of a file lie
 * @file: an entry of the list. Nothing is printed for a file that is not spread
 * or cannot be asked any more. */
void
allot_export_map(struct allot_target *target,
                 const struct allot_doc_status *status, const json_t *file);

/** allot_export_next - the next entry of a list; a new reference. NULL: the
 * end. */
json_t *
allot_export_next(FILE *list);

#endif /* ALLOT_EXPORT_H */
