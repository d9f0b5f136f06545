/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server PORT CERTIFICATE KEY: answers GET over TLS with the library that it is linked with: OpenSSL of any age, BoringSSL.
 * test_tls.py builds it; a thread for each connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define BODY "hello\n"

static SSL_CTX *context;

/* Until the empty line; false where the client is done. */
static int request_read(SSL *ssl, char *buf, size_t cap)
{
	size_t n = 0;
	int r;

	while (n < cap - 1 && (r = SSL_read(ssl, buf + n, (int)(cap - 1 - n))) > 0) {
		n += (size_t)r;
		buf[n] = '\0';
		if (strstr(buf, "\r\n\r\n"))
			return 1;
	}
	return 0;
}

static void *serve(void *arg)
{
	int fd = (int)(long)arg, keep = 1, n;
	SSL *ssl = SSL_new(context);
	char request[4096], answer[256];

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &keep, sizeof(keep));
	SSL_set_fd(ssl, fd);
	SSL_set_accept_state(ssl);      /* SSL_read() shakes hands */
	while (keep && request_read(ssl, request, sizeof(request))) {
		keep = strcasestr(request, "connection: keep-alive") != NULL;
		n = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: %zu\r\n\r\n" BODY,
			     keep ? "keep-alive" : "close", sizeof(BODY) - 1);
		if (SSL_write(ssl, answer, n) != n)
			break;
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static int listening(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 128) ? -1 : fd;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int fd, one;

	context = argc == 4 ? SSL_CTX_new(TLS_method()) : NULL;
	if (!context || SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	fd = listening(atoi(argv[1]));
	if (fd < 0)
		return 1;
	while ((one = accept(fd, NULL, NULL)) >= 0)
		if (pthread_create(&thread, NULL, serve, (void *)(long)one) == 0)
			pthread_detach(thread);
	return 0;
}
