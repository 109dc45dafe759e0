# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A guest in one sector. It reads COUNT sectors behind itself through the BIOS,
# GROUP at a time; each begins with its own number and ends in the complement of
# it, else the guest says BAD. It inverts all bits and writes the group COUNT
# sectors further on. It says OK on the serial port and switches the machine off.
# prog-qemu.sh assembles it and checks what it has written.
        .code16
        .set    COUNT, 8192
        .set    GROUP, 32
        .set    SEGMENT, 0x1000
        .globl  _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cld
        mov     %dl, drive
next:
        mov     $0x42, %ah
        call    disk
        mov     $SEGMENT, %ax
        mov     %ax, %es
        xor     %di, %di
        mov     $GROUP, %cx
        mov     lba, %eax
check:
        cmp     %eax, %es:(%di)
        jne     bad
        mov     %eax, %ebx
        not     %ebx
        cmp     %ebx, %es:508(%di)
        jne     bad
        inc     %eax
        add     $512, %di
        loop    check

        xor     %di, %di
        mov     $(GROUP * 128), %cx
invert:
        notl    %es:(%di)
        add     $4, %di
        loop    invert

        addl    $COUNT, lba
        mov     $0x43, %ah
        call    disk
        subl    $(COUNT - GROUP), lba
        cmpl    $(COUNT + 1), lba
        jb      next
        mov     $good, %si
        jmp     say

disk:                                   # %ah: the BIOS's function
        xor     %al, %al
        mov     drive, %dl
        mov     $packet, %si
        int     $0x13
        jc      bad
        ret

bad:
        mov     $wrong, %si
say:
        lodsb
        test    %al, %al
        jz      off
        mov     %al, %ah
wait:
        mov     $0x3fd, %dx
        in      %dx, %al
        test    $0x20, %al
        jz      wait
        mov     $0x3f8, %dx
        mov     %ah, %al
        out     %al, %dx
        jmp     say
off:
        mov     $0x604, %dx             # the PM control register of "pc"
        mov     $0x2000, %ax
        out     %ax, %dx
stop:
        hlt
        jmp     stop

good:   .asciz  "OK\n"
wrong:  .asciz  "BAD\n"
drive:  .byte   0
        .align  4
packet: .byte   16, 0
        .word   GROUP, 0, SEGMENT
lba:    .long   1, 0
        .org    510
        .word   0xaa55
