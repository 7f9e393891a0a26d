/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix as one HTML page: data as JSON, a little script, nothing from elsewhere (see
 * matrix.h). Equal reasons are stored once; names never become markup. */
#include "lib/json/json.h"
#include "plugin/cmd/matrix.h"

#include "lib/base/text.h"
#include "plugin/out/json.h"

#include <errno.h>

#define NAME_BYTES 255 /* of a host's name */

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<title>virt-warden: who can migrate where</title>\n<style>\n"
	"body{font:14px system-ui,sans-serif;margin:1em;color:#222;background:#fff}\n"
	"#wrap{overflow:auto;max-height:70vh;border:1px solid #ccc}\n"
	"table{border-collapse:separate;border-spacing:0}\n"
	"th{background:#f4f4f4;font-weight:normal;position:sticky;z-index:1;cursor:pointer}\n"
	"thead th{top:0;height:7em;vertical-align:bottom}\n"
	"thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:12em;overflow:hidden}\n"
	"tbody th{left:0;text-align:left;padding:0 .6em;white-space:nowrap}\n"
	"thead th:first-child{left:0;z-index:2}\n"
	"td{width:1.6em;min-width:1.6em;height:1.6em;text-align:center;cursor:pointer;border:1px solid #fff}\n"
	".ok{background:#cdebcf}.risk{background:#ffe3a3}.blocked{background:#f5b7b1}.unknown{background:#d9d9d9}\n"
	".by{font-weight:bold;background:#dde8f5}.self{background:#fff;cursor:default}.on{outline:2px solid #06c;outline-offset:-2px}\n"
	"#why{margin-top:1em}#why li{margin:.4em 0}code{background:#f0f0f0;padding:0 .3em}\n"
	"</style></head><body>\n<h1>Who can migrate where</h1>\n<p id=\"sum\"></p>\n"
	"<p><label>Hosts: <input id=\"filter\" placeholder=\"part of a name\"></label>\n"
	"Click a column to sort by it, a name to sort by it, a cell for its reasons.\n"
	"<span class=\"ok\">&nbsp;o ok&nbsp;</span> <span class=\"risk\">&nbsp;! risk&nbsp;</span>\n"
	"<span class=\"blocked\">&nbsp;x blocked&nbsp;</span> "
	"<span class=\"unknown\">&nbsp;? unknown&nbsp;</span></p>\n"
	"<div id=\"wrap\"><table><thead></thead><tbody></tbody></table></div>\n"
	"<div id=\"why\"></div>\n<script type=\"application/json\" id=\"data\">\n";

static const char tail[] =
	"</script>\n<script>\n'use strict';\n"
	"const d=JSON.parse(document.getElementById('data').textContent);\n"
	"const n=d.hosts.length,V=['ok','unknown','risk','blocked'],S=['o','?','!','x'];\n"
	"let rows=[...Array(n).keys()],cols=rows.slice(),by=-2,up=1;\n"
	"const el=(t,x,c)=>{const e=document.createElement(t);if(x!==undefined)e.textContent=x;"
	"if(c)e.className=c;return e};\n"
	"const verdict=(i,k)=>d.verdicts[i].charCodeAt(k)-48;\n"
	"const weight=(i,k)=>i===k?-1:verdict(i,k);\n"
	"function why(i,k,td){document.querySelectorAll('.on').forEach(e=>e.classList.remove('on'));"
	"td.classList.add('on');const w=document.getElementById('why');w.textContent='';\n"
	"w.append(el('h2',d.hosts[i]+' \\u2192 '+d.hosts[k]+': '+V[verdict(i,k)]));"
	"const u=el('ul');(d.cells[i*n+k]||[]).forEach(r=>{const x=d.reasons[r],l=el('li');"
	"l.append(el('b',x.severity+' '+x.id),' '+x.message);"
	"if(x.remedy){l.append(el('br'),'Remedy: ',el('code',x.remedy))}u.append(l)});"
	"if(!u.children.length)u.append(el('li',"
	"d.why[i]||d.why[k]||'nothing stands against it'));w.append(u)}\n"
	"function sort(k){if(by===k)up=-up;else{by=k;up=1}"
	"rows.sort((a,b)=>k<0?up*d.hosts[a].localeCompare(d.hosts[b],undefined,{numeric:true}):"
	"up*(weight(b,k)-weight(a,k))||a-b);draw()}\n"
	"function draw(){const f=document.getElementById('filter').value.toLowerCase(),"
	"see=i=>d.hosts[i].toLowerCase().includes(f);\n"
	"const head=(t,k)=>{if(by===k){t.className='by';t.ariaSort=up>0?'ascending':'descending';"
	"t.append(up>0?' \\u25b4':' \\u25be')}return t};\n"
	"const h=el('tr'),c=head(el('th','from \\\\ to'),-1);c.onclick=()=>sort(-1);h.append(c);"
	"cols.filter(see).forEach(k=>{const t=el('th');t.append(el('span',d.hosts[k]));t.title=d.hosts[k];head(t,k);"
	"t.onclick=()=>sort(k);h.append(t)});document.querySelector('thead').replaceChildren(h);\n"
	"document.querySelector('tbody').replaceChildren(...rows.filter(see).map(i=>{const r=el('tr');"
	"const t=el('th',d.hosts[i]);t.onclick=()=>sort(-1);r.append(t);"
	"cols.filter(see).forEach(k=>{const x=i===k?el('td','','self'):el('td',S[verdict(i,k)],V[verdict(i,k)]);"
	"if(i!==k){x.title=d.hosts[i]+' \\u2192 '+d.hosts[k];x.onclick=()=>why(i,k,x)}r.append(x)});"
	"return r}))}\n"
	"document.getElementById('filter').oninput=draw;\n"
	"document.getElementById('sum').textContent=n+' hosts. '+d.sum;draw();\n"
	"</script></body></html>\n";

struct page {
	json_t *reasons; /* all that differ */
	json_t *numbers; /* their text -> index */
};

static int reason_number(struct page *p, json_t *reason)
{
	VW_AUTOFREE char *key = json_dumps(reason, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *known = key ? json_object_get(p->numbers, key) : NULL;
	int number = (int)json_array_size(p->reasons);

	if (known)
		return (int)json_integer_value(known);
	if (!key || json_object_set_new(p->numbers, key, json_integer(number)) < 0 ||
	    json_array_append(p->reasons, reason) < 0)
		return -ENOMEM;
	return number;
}

static json_t *cell(struct page *p, struct matrix *m, size_t from, size_t to)
{
	struct vw_judgement j = { 0 };
	json_t *numbers = json_array(), *reasons;
	size_t i;

	if (from == to || matrix_judge(m, from, to, &j, NULL) < 0)
		return numbers;
	reasons = host_reasons_json(&j);
	for (i = 0; i < json_array_size(reasons); i++)
		json_array_append_new(numbers,
				      json_integer(reason_number(p, json_array_get(reasons, i))));
	json_decref(reasons);
	vw_judgement_clear(&j);
	return numbers;
}

/* A name as a person sees it: in a page it stands beside others, and must not turn them. */
static json_t *shown(const char *name)
{
	VW_AUTOFREE char *clean = vw_printable(name, NAME_BYTES);

	return clean ? json_string(clean) : NULL;
}

static json_t *page_data(struct matrix *m)
{
	struct page p = { json_array(), json_object() };
	json_t *hosts = json_array(), *verdicts = json_array(), *cells = json_array();
	json_t *why = json_array(); /* could a host not be asked? */
	VW_AUTOFREE char *row = calloc(m->n + 1, 1);
	char sum[160];

	for (size_t i = 0; row && i < m->n; i++) {
		for (size_t k = 0; k < m->n; k++) {
			row[k] = (char)('0' + m->verdicts[i * m->n + k]);
			json_array_append_new(cells, cell(&p, m, i, k));
		}
		json_array_append_new(hosts, shown(matrix_name(m, i)));
		json_array_append_new(
			why, vw_json_string(m->hosts[i].known ? "" : m->hosts[i].err.text));
		json_array_append_new(verdicts, json_string(row));
	}
	json_decref(p.numbers);
	snprintf(sum, sizeof(sum), "Moves: %zu ok, %zu risk, %zu blocked, %zu unknown.",
		 m->count[VW_VERDICT_OK], m->count[VW_VERDICT_RISK], m->count[VW_VERDICT_BLOCKED],
		 m->count[VW_VERDICT_UNKNOWN]);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "hosts", hosts, "why", why, "verdicts",
			 verdicts, "reasons", p.reasons, "cells", cells, "sum", sum);
}

/* In a script element only "<" can end the data: it is written as \u003c. */
static int put_chunk(const char *buffer, size_t size, void *data)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	FILE *f = data;

	vw_json_escape(&b, buffer, size);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '<' ? fputs("\\u003c", f) < 0 : fputc(b.p[i], f) == EOF)
			return -1;
	return b.failed ? -1 : 0;
}

int matrix_write_html(struct matrix *m, const char *path, struct vw_err *err)
{
	VW_AUTOFCLOSE FILE *f = fopen(path, "we");
	json_t *data;
	int r;

	if (!f)
		return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	data = page_data(m);
	fputs(head, f);
	r = data ? json_dump_callback(data, put_chunk, f, JSON_COMPACT) : -1;
	fputs(tail, f);
	json_decref(data);
	if (r < 0 || fflush(f) || ferror(f))
		return vw_err_set(err, -EIO, "%s: could not be written whole: %s", path,
				  strerror(errno));
	return 0;
}
