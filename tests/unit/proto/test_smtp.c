/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

static const struct turn mail[] = {
	T(S, "220 mx.example ESMTP\r\n"), T(C, "EHLO me\r\n"), T(S, "250-mx.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
	T(C, "MAIL FROM:<s3cr3t@a.example>\r\nRCPT TO:<b@c.example>\r\nDATA\r\n"),
	T(S, "250 ok\r\n550 5.1.1 s3cr3t unknown\r\n354 go\r\n"), T(C, "Subject: s3cr3t\r\n\r\nEHLO x\r\n..\r\n.x\r\n\r\n.\r\n"),
	T(S, "250 queued\r\n"), T(C, "RCPT TO:<b@c.example>\r\n"), T(S, "451 later\r\n"), T(C, "quit\r\n"), T(S, "221 bye\r\n"),
};

Test(smtp, mail)
{
	TALK(25, false, mail, "EHLO 250 ok - 0 9/46\nMAIL 250 ok - 0 30/8\nRCPT 550 client_error MAILBOX_UNAVAILABLE 0 23/26\n"
			      "DATA 250 ok - 0 46/12\nRCPT 451 server_error LOCAL_ERROR 0 23/11\nQUIT 221 ok - 0 6/9\n");
}

Test(smtp, data_refused_auth_and_chunks)
{
	static const struct turn v[] = {
		T(S, "220-mx\r\n220 SMTP\r\n"), T(C, "HELO me\r\n"), T(S, "250 ok\r\n"), T(C, "AUTH LOGIN\r\n"), T(S, "334 VXNlcm5hbWU6\r\n"),
		T(C, "QUIT\r\n"), T(S, "334 UGFzc3dvcmQ6\r\n"), T(C, "s3cr3t\r\n"), T(S, "535 no\r\n"), T(C, "DATA\r\n"), T(S, "503 first RCPT\r\n"),
		T(C, "BDAT 6\r\nQUIT\r\nBDAT 2 LAST\r\n.\n"), T(S, "250 ok\r\n250 ok\r\n"), T(C, "XYZZY s3cr3t\r\n"), T(S, "500 what\r\n"),
	};

	TALK(25, false, v, "HELO 250 ok - 0 9/8\nAUTH LOGIN 535 client_error AUTH_FAILED 0 26/8\nDATA 503 client_error BAD_SEQUENCE 0 6/16\n"
			   "BDAT 250 ok - 0 14/8\nBDAT 250 ok - 0 15/8\n(unknown command) 500 client_error SYNTAX 0 14/10\n");
}

/* What follows of it is none of the commands; nor is it where the answer comes together with the leave to send. */
Test(smtp, a_message_is_answered_before_its_end)
{
	static const struct turn v[] = {
		T(C, "EHLO me\r\n"), T(S, "250 ok\r\n"), T(C, "DATA\r\n"), T(S, "354 go\r\n"), T(C, "half\r\n"), T(S, "552 too big\r\n"),
		T(C, "MAIL is what it says\r\n.\r\nNOOP\r\n"), T(S, "250 ok\r\n"), T(C, "DATA\r\nhalf\r\n"),
		T(S, "354 go\r\n451 not now\r\n"), T(C, "rest\r\n.\r\nQUIT\r\n"), T(S, "221 bye\r\n"),
	};

	TALK(25, false, v, "EHLO 250 ok - 0 9/8\nDATA 552 client_error TOO_BIG 0 12/13\nNOOP 250 ok - 0 6/8\n"
			   "DATA 451 server_error LOCAL_ERROR 0 12/13\nQUIT 221 ok - 0 6/9\n");
}

Test(smtp, starttls)
{
	static struct talk t;

	talk_init(&t, 25, false);
	talk_say(&t, S, "220 mx ESMTP\r\n", 14);
	talk_say(&t, C, "EHLO a\r\n", 8);
	talk_say(&t, S, "250 STARTTLS\r\n", 14);
	talk_say(&t, C, "STARTTLS\r\n", 10);
	talk_say(&t, S, "220 go\r\n", 8);
	talk_say(&t, C, "\x16\3\1\0\5\1\0\0\1\3", 10);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
	talk_expect(&t, "EHLO 250 ok - 0 8/14\nSTARTTLS 220 ok - 0 10/8\n", "starttls");
}

/* Of a long message the middle is not seen. */
Test(smtp, long_message)
{
	static char text[20000];
	static struct talk t;

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 5, "\r\n.\r\n", 5);
	talk_init(&t, 25, false);
	for (size_t i = 0; i < 3; i++)
		talk_say(&t, mail[i].dir, mail[i].p, mail[i].n);
	talk_say(&t, C, "DATA\r\n", 6);
	talk_say(&t, S, "354 go\r\n", 8);
	talk_cut(&t, C, text, sizeof(text), 1000, 64);
	talk_say(&t, S, "250 ok\r\n", 8);
	talk_say(&t, C, "QUIT\r\n", 6);
	talk_say(&t, S, "221 bye\r\n", 9);
	talk_end(&t);
	talk_expect(&t, "EHLO 250 ok - 0 9/46\nDATA 250 ok - 0 20006/8\nQUIT 221 ok - 0 6/9\n", "long");
}

Test(smtp, ftp_is_not)
{
	static struct talk t;

	talk_init(&t, 25, false);
	talk_say(&t, S, "220 ready\r\n", 11);
	talk_say(&t, C, "USER anonymous\r\n", 16);
	talk_say(&t, S, "331 password\r\n", 14);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
	talk_end(&t);
	cr_assert_eq(t.len, 0, "%s", t.log);
}
