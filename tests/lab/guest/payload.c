/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a lab guest lives for, as PID 1: five times a second it writes a number to its disk (if there is
 * one) and reads it back, does its work, and once a second it says on the console that it did.
 *
 * ticker, agent: no work. aes: AES instructions; where the CPU has none, PID 1 dies, and with it the
 * kernel. spin: the same, but there it runs in a circle instead, without a word. compute: never sleeps.
 * net: a datagram to the first host (which answers with ICMP: nobody listens there). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define OFFSET (1 << 20) /* behind what a boot loader or a partition table may be */
#define ROUNDS 5         /* a second */

static int disk_round(int fd, uint64_t round)
{
	static _Alignas(BLOCK) unsigned char out[BLOCK], in[BLOCK];

	for (size_t i = 0; i < BLOCK; i += sizeof(round))
		memcpy(out + i, &round, sizeof(round));
	return pwrite(fd, out, BLOCK, OFFSET) == BLOCK && pread(fd, in, BLOCK, OFFSET) == BLOCK &&
	       !memcmp(in, out, BLOCK);
}

__attribute__((target("aes,sse2"))) static void aes_round(void)
{
	static volatile uint64_t sink;
	__m128i x = _mm_set_epi64x(1, (long long)sink);

	for (int i = 0; i < 1000; i++)
		x = _mm_aesenc_si128(x, _mm_set1_epi32(i));
	sink = (uint64_t)_mm_cvtsi128_si64(x);
}

static int net_round(int fd, uint64_t round)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)round);

	inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
	return sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&to, sizeof(to)) == n;
}

static void spin(int signal)
{
	(void)signal;
	for (;;)
		__asm__ volatile("");
}

static void compute(void)
{
	for (clock_t until = clock() + CLOCKS_PER_SEC / ROUNDS; clock() < until;)
		continue;
}

int main(int argc, char **argv)
{
	const char *work = argc > 1 ? argv[1] : "ticker", *disk = "none", *net = "none";
	int fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC), sock = -1;

	if (!strcmp(work, "net"))
		sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!strcmp(work, "spin"))
		signal(SIGILL, spin);
	for (uint64_t round = 1;; round++) {
		if (!strcmp(work, "aes") || !strcmp(work, "spin"))
			aes_round();
		if (fd >= 0)
			disk = disk_round(fd, round) ? "ok" : "bad";
		if (sock >= 0)
			net = net_round(sock, round) ? "ok" : "bad";
		if (round % ROUNDS == 0) {
			printf("VWLAB tick=%llu payload=%s disk=%s net=%s\n",
			       (unsigned long long)(round / ROUNDS), work, disk, net);
			fflush(stdout);
		}
		if (!strcmp(work, "compute"))
			compute();
		else
			usleep(1000000 / ROUNDS);
	}
}
