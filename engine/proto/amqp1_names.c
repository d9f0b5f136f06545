/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/amqp1.h"

#include <string.h>

/* Parts 2.8.15 to 2.8.18 and 4.5.8 of the specification. */
static const struct {
	const char *name;
	enum req_error error;
} conditions[] = {
	{"amqp:internal-error", REQ_SERVER_ERROR},
	{"amqp:not-found", REQ_CLIENT_ERROR},
	{"amqp:unauthorized-access", REQ_CLIENT_ERROR},
	{"amqp:decode-error", REQ_CLIENT_ERROR},
	{"amqp:resource-limit-exceeded", REQ_SERVER_ERROR},
	{"amqp:not-allowed", REQ_CLIENT_ERROR},
	{"amqp:invalid-field", REQ_CLIENT_ERROR},
	{"amqp:not-implemented", REQ_CLIENT_ERROR},
	{"amqp:resource-locked", REQ_CLIENT_ERROR},
	{"amqp:precondition-failed", REQ_CLIENT_ERROR},
	{"amqp:resource-deleted", REQ_CLIENT_ERROR},
	{"amqp:illegal-state", REQ_CLIENT_ERROR},
	{"amqp:frame-size-too-small", REQ_CLIENT_ERROR},
	{"amqp:connection:forced", REQ_SERVER_ERROR},
	{"amqp:connection:framing-error", REQ_CLIENT_ERROR},
	{"amqp:connection:redirect", REQ_SERVER_ERROR},
	{"amqp:session:window-violation", REQ_CLIENT_ERROR},
	{"amqp:session:errant-link", REQ_CLIENT_ERROR},
	{"amqp:session:handle-in-use", REQ_CLIENT_ERROR},
	{"amqp:session:unattached-handle", REQ_CLIENT_ERROR},
	{"amqp:link:detach-forced", REQ_SERVER_ERROR},
	{"amqp:link:transfer-limit-exceeded", REQ_CLIENT_ERROR},
	{"amqp:link:message-size-exceeded", REQ_CLIENT_ERROR},
	{"amqp:link:redirect", REQ_SERVER_ERROR},
	{"amqp:link:stolen", REQ_CLIENT_ERROR},
	{"amqp:transaction:unknown-id", REQ_CLIENT_ERROR},
	{"amqp:transaction:rollback", REQ_SERVER_ERROR},
	{"amqp:transaction:timeout", REQ_SERVER_ERROR},
};

enum req_error amqp1_condition(const struct amqp1_value *condition, const char **detail)
{
	*detail = NULL;
	for (size_t i = 0; amqp1_is_text(condition) && i < sizeof(conditions) / sizeof(*conditions); i++) {
		if (condition->n == strlen(conditions[i].name) && !memcmp(condition->p, conditions[i].name, condition->n)) {
			*detail = conditions[i].name;
			return conditions[i].error;
		}
	}
	return REQ_SERVER_ERROR;
}
