/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* export-xml.c - XML in the manner of `gluster --xml`, by libxml2's writer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/xmlstring.h>
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

/* U+FFFE and U+FFFF: UTF-8, and no characters of XML. */
static int
allot_xml_is_nonchar(const char *c)
{
    return (unsigned char)c[0] == 0xef && (unsigned char)c[1] == 0xbf &&
           ((unsigned char)c[2] & 0xfe) == 0xbe;
}

/* XML cannot say most control characters, not even escaped, nor bytes that are
 * not UTF-8 (an error text may have a path in it). */
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
        else if (allot_xml_is_nonchar(c))
            memcpy(c, "???", 3);
    if (!xmlCheckUTF8(BAD_CAST copy))
        for (c = copy; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    ret = xmlTextWriterWriteString(xml, BAD_CAST copy);
    free(copy);
    return ret;
}

static const char *
allot_xml_singular(const char *plural)
{
    static const char *const words[][2] = {
        {"bricks", "brick"},
        {"damaged_files", "file"},
        {"workers", "worker"},
        {"inexact_because", "reason"},
        {"lost_ranges", "range"},
        {"warnings", "warning"},
        {"leaves", "leaf"},
        {"because", "reason"},
        {"unavailable_ranges", "range"},
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

static int allot_xml_begun;

/* <cliOutput> and the three elements that every one of gluster's has. */
static int
allot_xml_begin(xmlTextWriter *xml, int op_ret, int op_errno, const char *text)
{
    int ret;

    allot_xml_begun = 1;
    xmlTextWriterSetIndent(xml, 1);
    ret = xmlTextWriterStartDocument(xml, NULL, "UTF-8", "yes");
    if (ret >= 0)
        ret = xmlTextWriterStartElement(xml, BAD_CAST "cliOutput");
    if (ret >= 0)
        ret = xmlTextWriterWriteFormatElement(xml, BAD_CAST "opRet", "%d",
                                              op_ret);
    if (ret >= 0)
        ret = xmlTextWriterWriteFormatElement(xml, BAD_CAST "opErrno", "%d",
                                              op_errno);
    if (ret >= 0)
        ret = xmlTextWriterStartElement(xml, BAD_CAST "opErrstr");
    if (ret >= 0 && text)
        ret = allot_xml_text(xml, text);
    return ret < 0 ? ret : xmlTextWriterEndElement(xml);
}

static xmlTextWriter *
allot_xml_writer(void)
{
    xmlOutputBuffer *out = xmlOutputBufferCreateFile(stdout, NULL);

    return out ? xmlNewTextWriter(out) : NULL;
}

void
allot_export_xml_failure(int err, const char *text)
{
    xmlTextWriter *xml = allot_xml_begun ? NULL : allot_xml_writer();

    if (!xml)
        return;
    if (allot_xml_begin(xml, -1, err, text) >= 0)
        (void)xmlTextWriterEndDocument(xml);
    xmlFreeTextWriter(xml);
}

int
allot_export_xml(const char *kind, const json_t *doc, FILE *list)
{
    xmlTextWriter *xml = allot_xml_writer();
    const char *key;
    json_t *value;
    int ret;

    if (!xml)
        return -ENOMEM;
    ret = allot_xml_begin(xml, 0, 0, NULL);
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
