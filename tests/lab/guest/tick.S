/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that is its own firmware (64 KiB, for a machine without local APIC): sleeps, wakes four times
 * a second and writes a dot to its serial port. It costs the host next to nothing, so hundreds may run. */
	.code16
	.globl start
start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$0x7000, %sp
	movw	$tick, 0x70 * 4		/* the handler of IRQ 8 */
	movw	$0xf000, 0x70 * 4 + 2
	movw	$table, %si
1:	movw	%cs:(%si), %dx
	movb	%cs:2(%si), %al
	addw	$3, %si
	testw	%dx, %dx
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	sti
	hlt
	jmp	2b

tick:
	pushw	%ax
	pushw	%dx
	movb	$0x0c, %al		/* the clock wants to be asked why */
	outb	%al, $0x70
	inb	$0x71, %al
	movw	$0x3f8, %dx
	movb	$'.', %al
	outb	%al, %dx
	movb	$0x20, %al		/* end of interrupt */
	outb	%al, $0xa0
	outb	%al, $0x20
	popw	%dx
	popw	%ax
	iret

	.macro	port number, value
	.word	\number
	.byte	\value
	.endm
table:	/* interrupt controllers: vectors 0x08 and 0x70, IRQ 2 (cascade) and 8 (clock) only */
	port	0x20, 0x11
	port	0xa0, 0x11
	port	0x21, 0x08
	port	0xa1, 0x70
	port	0x21, 0x04
	port	0xa1, 0x02
	port	0x21, 0x01
	port	0xa1, 0x01
	port	0x21, 0xfb
	port	0xa1, 0xfe
	/* clock: periodic interrupt, 4 Hz */
	port	0x70, 0x0a
	port	0x71, 0x2e
	port	0x70, 0x0b
	port	0x71, 0x42
	port	0x70, 0x0c
	.word	0

	.org	0xfff0			/* where an x86 begins */
	ljmp	$0xf000, $start
	.org	0x10000
