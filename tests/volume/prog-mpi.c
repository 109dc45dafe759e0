/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * prog-mpi.c - the ranks of an MPI program write and read one shared file.
 *
 *     mpirun -n P prog-mpi RECORDS FILE...
 *
 * Each rank writes so many RECORDS. The FILEs are one file as different mounts
 * show it; rank r uses the one with number r modulo their count. Records of a
 * length that no block size divides are dealt out to the ranks in turn, so that
 * every block of the volume has bytes of several ranks:
 *
 *     offset 0   5003   10006  15009  20012 ...
 *            r0  r1     r2     r3     r0    ...
 *
 * first each by a call of its own, then all by a collective call through a
 * strided view. After each, the file is closed and opened again, and each rank
 * reads all of it. It prints one line, and exits 1 if a byte is wrong.
 *
 * Deliberately not here: ranks that write the same bytes at a time (MPI leaves
 * the result open) and shared file pointers (Open MPI keeps them elsewhere).
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORD 5003
static int rank, ranks;
static int rounds; /* records of each rank */

static void
must(int err, const char *what)
{
    char text[MPI_MAX_ERROR_STRING];
    int len;

    if (err == MPI_SUCCESS)
        return;
    MPI_Error_string(err, text, &len);
    fprintf(stderr, "rank %d: %s: %s\n", rank, what, text);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* The byte at @at after writing number @pass. */
static unsigned char
byte_of(int pass, MPI_Offset at)
{
    unsigned long long x = (at + 1) * 0x9E3779B97F4A7C15ull + pass * 77;

    return x >> 40;
}

static void
fill(unsigned char *record, int pass, int round)
{
    MPI_Offset start = ((MPI_Offset)round * ranks + rank) * RECORD;
    int i;

    for (i = 0; i < RECORD; i++)
        record[i] = byte_of(pass, start + i);
}

static MPI_File
open_file(char *path, int mode)
{
    MPI_File file;

    must(MPI_File_open(MPI_COMM_WORLD, path, mode, MPI_INFO_NULL, &file),
         "open");
    return file;
}

/* All of the file, in pieces that begin elsewhere on each rank. */
static long long
wrong_bytes(char *path, int pass)
{
    MPI_File file = open_file(path, MPI_MODE_RDONLY);
    unsigned char *data = malloc(RECORD * ranks);
    MPI_Offset size;
    long long bad = 0;
    int i, k;

    must(MPI_File_get_size(file, &size), "size");
    if (!data || size != (MPI_Offset)RECORD * ranks * rounds) {
        fprintf(stderr, "rank %d: the size is %lld\n", rank, (long long)size);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (i = 0; i < rounds; i++) {
        MPI_Offset at = (MPI_Offset)((i + rank * 7) % rounds) * RECORD * ranks;
        MPI_Status status;
        int got;

        must(
            MPI_File_read_at(file, at, data, RECORD * ranks, MPI_BYTE, &status),
            "read");
        MPI_Get_count(&status, MPI_BYTE, &got);
        bad += RECORD * ranks - got;
        for (k = 0; k < got; k++)
            bad += data[k] != byte_of(pass, at + k);
    }
    free(data);
    must(MPI_File_close(&file), "close");
    return bad;
}

static void
write_each(char *path)
{
    MPI_File file = open_file(path, MPI_MODE_CREATE | MPI_MODE_RDWR);
    unsigned char record[RECORD];
    int i;

    for (i = 0; i < rounds; i++) {
        fill(record, 1, i);
        must(MPI_File_write_at(file, ((MPI_Offset)i * ranks + rank) * RECORD,
                               record, RECORD, MPI_BYTE, MPI_STATUS_IGNORE),
             "write");
    }
    must(MPI_File_sync(file), "sync");
    must(MPI_File_close(&file), "close");
}

static void
write_together(char *path)
{
    MPI_File file = open_file(path, MPI_MODE_RDWR);
    unsigned char *records = malloc((size_t)RECORD * rounds);
    MPI_Datatype mine;
    int i;

    if (!records)
        MPI_Abort(MPI_COMM_WORLD, 1);
    for (i = 0; i < rounds; i++)
        fill(records + (size_t)RECORD * i, 2, i);
    MPI_Type_vector(rounds, RECORD, RECORD * ranks, MPI_BYTE, &mine);
    MPI_Type_commit(&mine);
    must(MPI_File_set_view(file, (MPI_Offset)rank * RECORD, MPI_BYTE, mine,
                           "native", MPI_INFO_NULL),
         "view");
    must(MPI_File_write_all(file, records, RECORD * rounds, MPI_BYTE,
                            MPI_STATUS_IGNORE),
         "write together");
    must(MPI_File_close(&file), "close");
    MPI_Type_free(&mine);
    free(records);
}

int
main(int argc, char **argv)
{
    long long bad[2], sum[2];
    char *path;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    rounds = argc > 2 ? atoi(argv[1]) : 0;
    if (rounds <= 0) {
        fprintf(stderr, "usage: prog-mpi RECORDS FILE...\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    path = argv[2 + rank % (argc - 2)];
    write_each(path);
    bad[0] = wrong_bytes(path, 1);
    write_together(path);
    bad[1] = wrong_bytes(path, 2);
    MPI_Allreduce(bad, sum, 2, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d ranks, %d bytes, wrong: %lld %lld\n", ranks,
               RECORD * ranks * rounds, sum[0], sum[1]);
    MPI_Finalize();
    return sum[0] || sum[1] ? 1 : 0;
}
