/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* export-xml.c - XML in the manner of `gluster --xml`, by libxml2's writer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/xmlwriter.h>

#include "export.h"

json_t *
allot_export_next(FILE *list)
{
    int c;

    do {
        c = getc(list);
    } while (c == ',' || c == '\n');
    if (c == EOF)
        return NULL;
    ungetc(c, list);
    return json_loadf(list, JSON_DISABLE_EOF_CHECK, NULL);
}

/* XML cannot say most control characters, not even escaped. */
static int
allot_xml_text(xmlTextWriter *xml, const char *text)
{
    char *copy = strdup(text), *c;
    int ret;

    if (!copy)
        return -1;
    for (c = copy; *c; c++)
        if ((unsigned char)*c < 0x20 && !strchr("\t\n\r", *c))
            *c = '?';
    ret = xmlTextWriterWriteString(xml, BAD_CAST copy);
    free(copy);
    return ret;
}

static const char *
allot_xml_singular(const char *plural)
{
    static const char *const words[][2] = {
        {"bricks", "brick"},      {"damaged_files", "file"},
        {"workers", "worker"},    {"inexact_because", "reason"},
        {"lost_ranges", "range"}, {"warnings", "warning"},
        {"leaves", "leaf"},
    };
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], plural) == 0)
            return words[i][1];
    return "item";
}

static int
allot_xml_value(xmlTextWriter *xml, const char *name, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    int ret = xmlTextWriterStartElement(xml, BAD_CAST name);

    switch (json_typeof(value)) {
        case JSON_OBJECT:
            json_object_foreach((json_t *)value, key, member)
            {
                if (ret >= 0)
                    ret = allot_xml_value(xml, key, member);
            }
            break;
        case JSON_ARRAY:
            json_array_foreach(value, i, member)
            {
                if (ret >= 0)
                    ret =
                        allot_xml_value(xml, allot_xml_singular(name), member);
            }
            break;
        case JSON_STRING:
            if (ret >= 0)
                ret = allot_xml_text(xml, json_string_value(value));
            break;
        case JSON_INTEGER:
            if (ret >= 0)
                ret = xmlTextWriterWriteFormatString(
                    xml, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
            break;
        case JSON_REAL:
            if (ret >= 0)
                ret = xmlTextWriterWriteFormatString(xml, "%.9g",
                                                     json_real_value(value));
            break;
        case JSON_TRUE:
        case JSON_FALSE:
            if (ret >= 0)
                ret = allot_xml_text(xml, json_is_true(value) ? "1" : "0");
            break;
        default:
            break;
    }
    return ret < 0 ? ret : xmlTextWriterEndElement(xml);
}

static int
allot_xml_files(xmlTextWriter *xml, FILE *list)
{
    json_t *entry;
    int ret = xmlTextWriterStartElement(xml, BAD_CAST "damaged_files");

    rewind(list);
    while (ret >= 0 && (entry = allot_export_next(list))) {
        ret = allot_xml_value(xml, "file", entry);
        json_decref(entry);
    }
    return ret < 0 ? ret : xmlTextWriterEndElement(xml);
}

int
allot_export_xml(const char *kind, const json_t *doc, FILE *list)
{
    xmlOutputBuffer *out = xmlOutputBufferCreateFile(stdout, NULL);
    xmlTextWriter *xml = out ? xmlNewTextWriter(out) : NULL;
    const char *key;
    json_t *value;
    int ret;

    if (!xml)
        return -ENOMEM;
    xmlTextWriterSetIndent(xml, 1);
    ret = xmlTextWriterStartDocument(xml, NULL, "UTF-8", "yes");
    if (ret >= 0)
        ret = xmlTextWriterStartElement(xml, BAD_CAST "cliOutput");
    if (ret >= 0)
        ret = xmlTextWriterWriteElement(xml, BAD_CAST "opRet", BAD_CAST "0");
    if (ret >= 0)
        ret = xmlTextWriterWriteElement(xml, BAD_CAST "opErrno", BAD_CAST "0");
    if (ret >= 0)
        ret = xmlTextWriterWriteElement(xml, BAD_CAST "opErrstr", NULL);
    if (ret >= 0)
        ret = xmlTextWriterStartElement(xml, BAD_CAST kind);
    json_object_foreach((json_t *)doc, key, value)
    {
        if (ret >= 0)
            ret = allot_xml_value(xml, key, value);
    }
    if (ret >= 0 && list)
        ret = allot_xml_files(xml, list);
    if (ret >= 0)
        ret = xmlTextWriterEndDocument(xml);
    xmlFreeTextWriter(xml);
    return ret < 0 || ferror(stdout) ? -EIO : 0;
}
