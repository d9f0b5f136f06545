/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/amqp_names.h"

#define C (1 << FROM_CLIENT)
#define S (1 << FROM_SERVER)
#define ASK(class, method, name, reserved, strings, shown, nowait) \
	{AMQP_METHOD(class, method), name, C, AMQP_ASKS, 0, reserved, strings, shown, nowait}
#define ANSWER(class, method, asked, name) {AMQP_METHOD(class, method), name, S, AMQP_ANSWERS, asked, false, 0, 0, 0}
#define OTHER(class, method, from, name) {AMQP_METHOD(class, method), name, from, AMQP_OTHER, 0, false, 0, 0, 0}

static const struct amqp_method methods[] = {
	OTHER(10, 10, S, "Connection.Start"),
	ASK(10, 11, "Connection.Start", false, 0, 0, 0),
	OTHER(10, 20, S, "Connection.Secure"),
	ASK(10, 21, "Connection.Secure", false, 0, 0, 0),
	OTHER(10, 30, S, "Connection.Tune"),
	OTHER(10, 31, C, "Connection.TuneOk"),
	ASK(10, 40, "Connection.Open", false, 1, 1, 0),
	ANSWER(10, 41, 40, "Connection.OpenOk"),
	OTHER(10, 50, C | S, "Connection.Close"),
	OTHER(10, 51, C | S, "Connection.CloseOk"),
	OTHER(10, 60, S, "Connection.Blocked"),
	OTHER(10, 61, S, "Connection.Unblocked"),
	ASK(10, 70, "Connection.UpdateSecret", false, 0, 0, 0),
	ANSWER(10, 71, 70, "Connection.UpdateSecretOk"),
	ASK(20, 10, "Channel.Open", false, 0, 0, 0),
	ANSWER(20, 11, 10, "Channel.OpenOk"),
	OTHER(20, 20, C | S, "Channel.Flow"),
	OTHER(20, 21, C | S, "Channel.FlowOk"),
	OTHER(20, 40, C | S, "Channel.Close"),
	OTHER(20, 41, C | S, "Channel.CloseOk"),
	ASK(30, 10, "Access.Request", false, 1, 1, 0),
	ANSWER(30, 11, 10, "Access.RequestOk"),
	ASK(40, 10, "Exchange.Declare", true, 2, 1, 1 << 4),
	ANSWER(40, 11, 10, "Exchange.DeclareOk"),
	ASK(40, 20, "Exchange.Delete", true, 1, 1, 1 << 1),
	ANSWER(40, 21, 20, "Exchange.DeleteOk"),
	ASK(40, 30, "Exchange.Bind", true, 3, 1, 1 << 0),
	ANSWER(40, 31, 30, "Exchange.BindOk"),
	ASK(40, 40, "Exchange.Unbind", true, 3, 1, 1 << 0),
	ANSWER(40, 51, 40, "Exchange.UnbindOk"),
	ASK(50, 10, "Queue.Declare", true, 1, 1, 1 << 4),
	ANSWER(50, 11, 10, "Queue.DeclareOk"),
	ASK(50, 20, "Queue.Bind", true, 3, 1, 1 << 0),
	ANSWER(50, 21, 20, "Queue.BindOk"),
	ASK(50, 30, "Queue.Purge", true, 1, 1, 1 << 0),
	ANSWER(50, 31, 30, "Queue.PurgeOk"),
	ASK(50, 40, "Queue.Delete", true, 1, 1, 1 << 2),
	ANSWER(50, 41, 40, "Queue.DeleteOk"),
	ASK(50, 50, "Queue.Unbind", true, 3, 1, 0),
	ANSWER(50, 51, 50, "Queue.UnbindOk"),
	ASK(60, 10, "Basic.Qos", false, 0, 0, 0),
	ANSWER(60, 11, 10, "Basic.QosOk"),
	ASK(60, 20, "Basic.Consume", true, 2, 1, 1 << 3),
	ANSWER(60, 21, 20, "Basic.ConsumeOk"),
	{AMQP_METHOD(60, 30), "Basic.Cancel", C | S, AMQP_ASKS, 0, false, 1, 0, 1 << 0},
	{AMQP_METHOD(60, 31), "Basic.CancelOk", C | S, AMQP_ANSWERS, 30, false, 0, 0, 0},
	OTHER(60, 40, C, "Basic.Publish"),
	OTHER(60, 50, S, "Basic.Return"),
	OTHER(60, 60, S, "Basic.Deliver"),
	ASK(60, 70, "Basic.Get", true, 1, 1, 0),
	OTHER(60, 71, S, "Basic.GetOk"),
	OTHER(60, 72, S, "Basic.GetEmpty"),
	OTHER(60, 80, C | S, "Basic.Ack"),
	OTHER(60, 90, C, "Basic.Reject"),
	OTHER(60, 100, C, "Basic.RecoverAsync"),
	ASK(60, 110, "Basic.Recover", false, 0, 0, 0),
	ANSWER(60, 111, 110, "Basic.RecoverOk"),
	OTHER(60, 120, C | S, "Basic.Nack"),
	ASK(85, 10, "Confirm.Select", false, 0, 0, 1 << 0),
	ANSWER(85, 11, 10, "Confirm.SelectOk"),
	ASK(90, 10, "Tx.Select", false, 0, 0, 0),
	ANSWER(90, 11, 10, "Tx.SelectOk"),
	ASK(90, 20, "Tx.Commit", false, 0, 0, 0),
	ANSWER(90, 21, 20, "Tx.CommitOk"),
	ASK(90, 30, "Tx.Rollback", false, 0, 0, 0),
	ANSWER(90, 31, 30, "Tx.RollbackOk"),
};

static const struct {
	uint16_t code;
	const char *name;
	enum req_error error;
} replies[] = {
	{311, "CONTENT_TOO_LARGE", REQ_CLIENT_ERROR},
	{312, "NO_ROUTE", REQ_CLIENT_ERROR},
	{313, "NO_CONSUMERS", REQ_SERVER_ERROR},
	{320, "CONNECTION_FORCED", REQ_SERVER_ERROR},
	{402, "INVALID_PATH", REQ_CLIENT_ERROR},
	{403, "ACCESS_REFUSED", REQ_CLIENT_ERROR},
	{404, "NOT_FOUND", REQ_CLIENT_ERROR},
	{405, "RESOURCE_LOCKED", REQ_CLIENT_ERROR},
	{406, "PRECONDITION_FAILED", REQ_CLIENT_ERROR},
	{501, "FRAME_ERROR", REQ_CLIENT_ERROR},
	{502, "SYNTAX_ERROR", REQ_CLIENT_ERROR},
	{503, "COMMAND_INVALID", REQ_CLIENT_ERROR},
	{504, "CHANNEL_ERROR", REQ_CLIENT_ERROR},
	{505, "UNEXPECTED_FRAME", REQ_CLIENT_ERROR},
	{506, "RESOURCE_ERROR", REQ_SERVER_ERROR},
	{530, "NOT_ALLOWED", REQ_CLIENT_ERROR},
	{540, "NOT_IMPLEMENTED", REQ_CLIENT_ERROR},
	{541, "INTERNAL_ERROR", REQ_SERVER_ERROR},
};

const struct amqp_method *amqp_method(uint32_t id)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (methods[i].id == id)
			return &methods[i];
	return NULL;
}

const char *amqp_reply_name(unsigned code)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		if (replies[i].code == code)
			return replies[i].name;
	return NULL;
}

/* 2xx is success; a code that nobody knows is the server's. */
enum req_error amqp_reply_class(unsigned code)
{
	if (code < 300)
		return REQ_OK;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		if (replies[i].code == code)
			return replies[i].error;
	return REQ_SERVER_ERROR;
}
