/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/x509.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,        /* [0] of TBSCertificate */
	DER_EXTENSIONS = 0xa3,     /* [3] */
	DER_DNS_NAME = 0x82,       /* [2] IMPLICIT of GeneralName */
	DER_IP_ADDRESS = 0x87,     /* [7] */
};

#define EXTENSIONS_MAX 64
#define NAME_PARTS_MAX 32

/* The contents of an element as far as they are there: cut says that its length said more. */
struct der { const uint8_t *p; size_t n; bool cut; };

/* Takes the next element off d. Its tag, or -ENODATA at the end, -EINVAL for what DER does not have in a certificate. */
static int der_next(struct der *d, struct der *body)
{
	size_t head = 2, len;
	int tag;

	if (d->n < 2)
		return -ENODATA;
	tag = d->p[0];
	len = d->p[1];
	if ((tag & 0x1f) == 0x1f || len == 0x80 || len > 0x84)
		return -EINVAL;
	if (len > 0x80) {
		head += len & 0x7f;
		if (d->n < head)
			return -ENODATA;
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | d->p[i];
	}
	body->p = d->p + head;
	body->cut = len > d->n - head;
	body->n = body->cut ? d->n - head : len;
	d->p += head + body->n;
	d->n -= head + body->n;
	return tag;
}

/* The next element must have this tag. */
static int der_expect(struct der *d, int tag, struct der *body)
{
	int got = der_next(d, body);

	if (got < 0)
		return got;
	return got == tag ? 0 : -EINVAL;
}

static int digits(const uint8_t *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar; March is the first month of the year that is counted in. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ from 2050; nothing else. */
static int time_parse(int tag, const struct der *t, int64_t *ret)
{
	int century = tag == DER_TIME ? 2 : 0, year, v[5];
	const uint8_t *p = t->p + 2 + century;

	if ((tag != DER_TIME && tag != DER_UTC_TIME) || t->n != (size_t)(13 + century) || t->p[t->n - 1] != 'Z')
		return -EINVAL;
	year = digits(t->p, 2 + century);
	if (year >= 0 && !century)
		year += year < 50 ? 2000 : 1900;
	for (int i = 0; i < 5; i++)
		v[i] = digits(p + 2 * i, 2);
	if (year < 0 || v[0] < 1 || v[0] > 12 || v[1] < 1 || v[1] > 31 || v[2] < 0 || v[2] > 23 || v[3] < 0 || v[3] > 59 ||
	    v[4] < 0 || v[4] > 60)
		return -EINVAL;
	*ret = days_from_civil(year, v[0], v[1]) * 86400 + v[2] * 3600 + v[3] * 60 + v[4];
	return 0;
}

static int validity_parse(struct der *tbs, struct x509_leaf *ret)
{
	struct der both, t;
	int tag, err = der_expect(tbs, DER_SEQUENCE, &both);

	if (err)
		return err;
	tag = der_next(&both, &t);
	if (tag < 0 || t.cut)
		return tag == -EINVAL ? tag : -ENODATA;
	err = time_parse(tag, &t, &ret->not_before_s);
	if (err)
		return err;
	tag = der_next(&both, &t);
	if (tag < 0 || t.cut)
		return tag == -EINVAL ? tag : -ENODATA;
	return time_parse(tag, &t, &ret->not_after_s);
}

static bool is_text(int tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_TELETEX || tag == DER_IA5;
}

/* AttributeTypeAndValue: copies the value where it is a common name (2.5.4.3). */
static void attribute_take(struct der attribute, struct x509_leaf *ret)
{
	struct der oid, value;

	if (der_expect(&attribute, DER_OID, &oid) || oid.n != 3 || memcmp(oid.p, "\x55\x04\x03", 3))
		return;
	if (is_text(der_next(&attribute, &value)) && !value.cut)
		text_clean(ret->subject, sizeof(ret->subject), (const char *)value.p, value.n, true);
}

/* Name: a sequence of sets of attributes. */
static int subject_parse(struct der *tbs, struct x509_leaf *ret)
{
	struct der name, set, attribute;
	int err = der_expect(tbs, DER_SEQUENCE, &name);

	for (int i = 0; !err && i < NAME_PARTS_MAX && !der_expect(&name, DER_SET, &set); i++)
		if (!der_expect(&set, DER_SEQUENCE, &attribute))
			attribute_take(attribute, ret);
	if (!err && name.cut && !ret->subject[0])
		err = -ENODATA;
	return err;
}

/* The contents of subjectAltName (2.5.29.17): GeneralNames. False where the certificate is not there so far, or has none. */
static bool alt_names(struct der *tbs, struct der *names)
{
	struct der outer, all, one, oid, value;
	int tag;

	while ((tag = der_next(tbs, &outer)) >= 0 && tag != DER_EXTENSIONS)
		;
	if (tag < 0 || der_expect(&outer, DER_SEQUENCE, &all))
		return false;
	for (int i = 0; i < EXTENSIONS_MAX && !der_expect(&all, DER_SEQUENCE, &one); i++) {
		if (der_expect(&one, DER_OID, &oid) || oid.n != 3 || memcmp(oid.p, "\x55\x1d\x11", 3))
			continue;
		tag = der_next(&one, &value);
		if (tag == DER_BOOLEAN)
			tag = der_next(&one, &value);
		return tag == DER_OCTETS && !der_expect(&value, DER_SEQUENCE, names);
	}
	return false;
}

/* The first of the DNS names. */
static void alt_name_take(struct der *tbs, struct x509_leaf *ret)
{
	struct der names, name;
	int tag;

	if (!alt_names(tbs, &names))
		return;
	while ((tag = der_next(&names, &name)) >= 0)
		if (tag == DER_DNS_NAME && !name.cut) {
			text_clean(ret->subject, sizeof(ret->subject), (const char *)name.p, name.n, true);
			return;
		}
}

/* TBSCertificate: [0] version, serialNumber, signature, issuer, validity, subject, … */
static int tbs_parse(struct der *tbs, struct x509_leaf *ret)
{
	struct der skipped;
	int tag = der_next(tbs, &skipped), err;

	if (tag == DER_VERSION)
		tag = der_next(tbs, &skipped);
	if (tag != DER_INTEGER)
		return tag == -ENODATA ? tag : -EINVAL;
	err = der_expect(tbs, DER_SEQUENCE, &skipped);
	if (!err)
		err = der_expect(tbs, DER_SEQUENCE, &skipped);
	if (!err)
		err = validity_parse(tbs, ret);
	if (!err)
		err = subject_parse(tbs, ret);
	return err;
}

int x509_leaf_parse(const uint8_t *p, size_t n, struct x509_leaf *ret)
{
	struct der all = {p, n, false}, certificate, tbs;
	struct x509_leaf leaf = {0};
	int err = der_expect(&all, DER_SEQUENCE, &certificate);

	if (!err)
		err = der_expect(&certificate, DER_SEQUENCE, &tbs);
	if (!err)
		err = tbs_parse(&tbs, &leaf);
	if (!err && !leaf.subject[0])
		alt_name_take(&tbs, &leaf);
	if (!err)
		*ret = leaf;
	return err;
}

/* As x509_is_for(), of one name. */
static int name_is_of(const char *name, size_t n, const char *host)
{
	bool any = n > 2 && name[0] == '*' && name[1] == '.';

	if (any) {
		host = strchr(host, '.');
		name++;
		n--;
	}
	if (!host || !n || strlen(host) != n || strncasecmp(host, name, n))
		return 0;
	return any ? 1 : 2;
}

static int address_is(const struct der *name, const uint8_t ip[16])
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

	if (name->n == 4)
		return !memcmp(ip, v4, sizeof(v4)) && !memcmp(ip + 12, name->p, 4) ? 2 : 0;
	return name->n == 16 && !memcmp(ip, name->p, 16) ? 2 : 0;
}

/* Sets *dns where there are names of hosts: then the common name does not count. */
static int alt_names_are_for(struct der names, const char *host, const uint8_t ip[16], bool *dns)
{
	struct der name;
	int tag, best = 0;

	while ((tag = der_next(&names, &name)) >= 0 && !name.cut) {
		int one = 0;

		*dns |= tag == DER_DNS_NAME;
		if (host[0] && tag == DER_DNS_NAME)
			one = name_is_of((const char *)name.p, name.n, host);
		else if (!host[0] && tag == DER_IP_ADDRESS)
			one = address_is(&name, ip);
		best = one > best ? one : best;
	}
	return best;
}

int x509_is_for(const uint8_t *p, size_t n, const char *host, const uint8_t ip[16])
{
	struct der all = {p, n, false}, certificate, tbs, names;
	struct x509_leaf leaf = {0};
	bool dns = false;
	int is = 0;

	if (der_expect(&all, DER_SEQUENCE, &certificate) || der_expect(&certificate, DER_SEQUENCE, &tbs) || tbs_parse(&tbs, &leaf))
		return 0;
	if (alt_names(&tbs, &names))
		is = alt_names_are_for(names, host, ip, &dns);
	return is || dns || !host[0] ? is : name_is_of(leaf.subject, strlen(leaf.subject), host);
}
