/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a structured error callback of libxml2 is given: const since libxml2 2.12, where C compilers refuse
 * the other (gcc >= 14, clang >= 16). */
#ifndef VW_XML_ERROR_H
#define VW_XML_ERROR_H

#include <libxml/xmlerror.h>
#include <libxml/xmlversion.h>

#if LIBXML_VERSION >= 21200
typedef const xmlError vw_xml_error;
#else
typedef xmlError vw_xml_error;
#endif

#endif
