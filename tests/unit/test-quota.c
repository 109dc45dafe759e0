/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-quota.c - appending extents, and the first promise: for every file each
 * brick's share of the blocks written while the brick set is unchanged is
 * within one block of its quota, over all its extents.
 *
 * A set here is bricks with their weights and a block size. The pieces that a
 * file has on one set are counted over all its extents, in the order of the
 * file, and every prefix is compared with the quota. A head belongs to the set
 * of the first later extent that has its brick (docs: "the head was slot 0").
 */
#include "allot-test.h"

/* ---- appending, by example ----------------------------------------------- */

static struct allot_layout *
unspread(uint32_t inline_limit)
{
    struct allot_layout *layout;

    assert_int_equal(allot_layout_new(inline_limit, NULL, 0, &layout), 0);
    return layout;
}

/* Appends, frees the old one, returns the new one. */
static struct allot_layout *
append(struct allot_layout *layout, uint64_t start, uint8_t shift,
       const struct allot_member *members, uint8_t count)
{
    struct allot_layout *longer = NULL;

    assert_int_equal(
        allot_layout_append(layout, start, shift, members, count, &longer), 0);
    allot_layout_free(layout);
    return longer;
}

static void
assert_members(const struct allot_layout *layout, uint32_t no,
               const char *bricks)
{
    const struct allot_extent *ext = &layout->extents[no];

    assert_int_equal(ext->member_count, strlen(bricks));
    for (uint32_t m = 0; m < ext->member_count; m++)
        assert_int_equal(ext->members[m].brick_idx, bricks[m] - 'A');
}

static const struct allot_member A = {0, 1}, B = {1, 1}, C = {2, 1};

/*      |base|A   |B   |C   |A   |          head, then {A,B,C} from slot 1   */
static void
test_head_is_slot_0(void **state)
{
    const struct allot_member in_order[3] = {A, B, C};
    const struct allot_member behind[3] = {C, B, A};
    struct allot_layout *layout = unspread(4096);

    (void)state;
    layout = append(layout, 4096, 14, &A, 1);
    assert_int_equal(layout->extents[0].phase, 0);
    layout = append(layout, 16384, 14, in_order, 3);
    assert_members(layout, 1, "ABC");
    assert_int_equal(layout->extents[1].phase, 1);
    allot_layout_free(layout);

    /* named last: moved to the front, the others keep their order */
    layout = append(unspread(4096), 4096, 14, &A, 1);
    layout = append(layout, 16384, 14, behind, 3);
    assert_members(layout, 1, "ACB");
    assert_int_equal(layout->extents[1].phase, 1);
    allot_layout_free(layout);

    /* the head failed in the middle of its block: the rest is slot 1 */
    layout = append(unspread(4096), 4096, 14, &A, 1);
    layout = append(layout, 5000, 14, in_order, 3);
    assert_int_equal(layout->extents[1].phase, 1);
    allot_layout_free(layout);
}

static void
test_head_is_not_slot_0(void **state)
{
    const struct allot_member all[3] = {C, A, B};
    const struct allot_member others[2] = {C, B};
    struct allot_layout *layout;

    (void)state;
    /* another block size */
    layout = append(unspread(4096), 4096, 14, &A, 1);
    layout = append(layout, 16384, 13, all, 3);
    assert_members(layout, 1, "CAB");
    assert_int_equal(layout->extents[1].phase, 0);
    allot_layout_free(layout);

    /* more than one block on it */
    layout = append(unspread(4096), 4096, 14, &A, 1);
    layout = append(layout, 2 * 16384, 14, all, 3);
    assert_members(layout, 1, "CAB");
    assert_int_equal(layout->extents[1].phase, 0);
    allot_layout_free(layout);

    /* not a member; but the extent after has it, and once is enough */
    layout = append(unspread(4096), 4096, 14, &A, 1);
    layout = append(layout, 16384, 14, others, 2);
    assert_members(layout, 1, "CB");
    assert_int_equal(layout->extents[1].phase, 0);
    layout = append(layout, 20 * 16384, 14, all, 3);
    assert_members(layout, 2, "ACB");
    assert_int_equal(layout->extents[2].phase, 1);
    layout = append(layout, 30 * 16384, 14, (struct allot_member[]){B, A}, 2);
    assert_members(layout, 3, "BA");
    assert_int_equal(layout->extents[3].phase, 0);
    allot_layout_free(layout);
}

/*      |A B C A B|A C A C|C A B C ...      {A,B,C} goes on where it stopped  */
static void
test_same_set_goes_on(void **state)
{
    const struct allot_member all[3] = {A, B, C};
    const struct allot_member shuffled[3] = {B, C, A};
    const struct allot_member two[2] = {A, C};
    const struct allot_member heavier[3] = {{0, 2}, {1, 1}, {2, 1}};
    struct allot_layout *layout = unspread(0);

    (void)state;
    layout = append(layout, 0, 12, all, 3);
    layout = append(layout, 5 * 4096, 12, two, 2);
    layout = append(layout, 9 * 4096, 12, shuffled, 3);
    assert_members(layout, 2, "ABC");
    assert_int_equal(layout->extents[2].phase, 2);
    /* cut in the middle of a block: both parts are pieces */
    layout = append(layout, 10 * 4096 + 1, 12, two, 2);
    assert_int_equal(layout->extents[3].phase, 0);
    layout = append(layout, 10 * 4096 + 2, 12, shuffled, 3);
    assert_int_equal(layout->extents[4].phase, (2 + 2) % 3);
    /* other weights or another block size: another set */
    layout = append(layout, 11 * 4096, 12, heavier, 3);
    assert_int_equal(layout->extents[5].phase, 0);
    layout = append(layout, 12 * 4096, 13, shuffled, 3);
    assert_members(layout, 6, "BCA");
    assert_int_equal(layout->extents[6].phase, 0);
    allot_layout_free(layout);
}

static void
test_extents_past_the_start_are_dropped(void **state)
{
    const struct allot_member all[3] = {A, B, C};
    const struct allot_member two[2] = {A, C};
    struct allot_layout *layout = unspread(4096);
    struct allot_layout *before;
    struct allot_layout *after;

    (void)state;
    layout = append(layout, 4096, 12, all, 3);
    layout = append(layout, 40960, 12, two, 2);
    layout = append(layout, 81920, 12, all, 3);
    before = layout;

    /* in the middle of extent 1: extent 2 goes */
    assert_int_equal(allot_layout_append(before, 50000, 12, all, 3, &after), 0);
    assert_int_equal(after->extent_count, 3);
    assert_true(after->extents[2].start_byte == 50000);
    assert_int_equal(after->extents[2].phase, 9 % 3);
    allot_layout_free(after);

    /* at the start of extent 1: it goes too */
    assert_int_equal(allot_layout_append(before, 40960, 12, all, 3, &after), 0);
    assert_int_equal(after->extent_count, 2);
    allot_layout_free(after);

    /* at the very beginning: everything goes */
    assert_int_equal(allot_layout_append(before, 4096, 12, two, 2, &after), 0);
    assert_int_equal(after->extent_count, 1);
    assert_int_equal(after->extents[0].phase, 0);
    allot_layout_free(after);

    /* the old layout is untouched by all that */
    assert_int_equal(before->extent_count, 3);
    assert_true(before->extents[2].start_byte == 81920);
    allot_layout_free(before);
}

static void
test_append_refuses(void **state)
{
    const struct allot_member all[3] = {A, B, C};
    const struct allot_member twice[2] = {A, A};
    const struct allot_member weightless[1] = {{0, 0}};
    struct allot_layout *empty = unspread(4096);
    struct allot_layout *layout = append(unspread(4096), 4096, 12, all, 3);
    struct allot_layout *out = NULL;

    (void)state;
    assert_int_equal(allot_layout_append(empty, 4095, 12, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(empty, 4097, 12, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 4095, 12, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, OFFSET_END, 12, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 8192, 11, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 8192, 27, all, 3, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 8192, 12, all, 0, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 8192, 12, twice, 2, &out),
                     -EINVAL);
    assert_int_equal(allot_layout_append(layout, 8192, 12, weightless, 1, &out),
                     -EINVAL);
    assert_null(out);

    layout = append(layout, ALLOT_OFFSET_MAX, 26, all, 3);
    assert_int_equal(layout->extent_count, 2);
    allot_layout_free(layout);

    /* one extent too many; but not if it replaces the last one */
    layout = unspread(0);
    for (uint64_t e = 0; e < ALLOT_EXTENTS_MAX; e++)
        layout = append(layout, e * 4096, 12, all, 1 + e % 3);
    assert_int_equal(
        allot_layout_append(layout, ALLOT_EXTENTS_MAX * 4096, 12, all, 3, &out),
        -EFBIG);
    layout = append(layout, (ALLOT_EXTENTS_MAX - 1) * 4096, 12, all, 2);
    assert_int_equal(layout->extent_count, ALLOT_EXTENTS_MAX);
    allot_layout_free(layout);
    allot_layout_free(empty);
}

/* ---- the promise --------------------------------------------------------- */

#define BRICKS 12

/* What a file has on one set so far. Weight 0: not in the set. */
struct set {
    uint8_t weight[BRICKS];
    uint8_t shift;
    uint64_t pieces;
    uint64_t count[BRICKS];
};

struct sets {
    struct set list[ALLOT_EXTENTS_MAX + 1];
    uint32_t count;
};

static struct set *
set_of(struct sets *sets, const struct allot_extent *ext)
{
    struct set key = {.shift = ext->block_shift};
    struct set *set;

    for (uint32_t m = 0; m < ext->member_count; m++)
        key.weight[ext->members[m].brick_idx] = ext->members[m].weight;
    for (uint32_t s = 0; s < sets->count; s++) {
        set = &sets->list[s];
        if (set->shift == key.shift &&
            memcmp(set->weight, key.weight, sizeof(key.weight)) == 0)
            return set;
    }
    set = &sets->list[sets->count++];
    *set = key;
    return set;
}

/* Is every brick of the set within one block of its quota now? And within the
 * tighter floor and ceiling? */
static int
set_within(const struct set *set)
{
    uint64_t sum = 0;

    for (int b = 0; b < BRICKS; b++)
        sum += set->weight[b];
    for (int b = 0; b < BRICKS; b++) {
        uint64_t quota_times_sum = set->pieces * set->weight[b];

        if (set->count[b] < quota_times_sum / sum ||
            set->count[b] > (quota_times_sum + sum - 1) / sum)
            return 0;
    }
    return 1;
}

/* The extent that the head counts for, or 0: itself. */
static uint32_t
head_counts_for(const struct allot_layout *layout)
{
    const struct allot_extent *head = &layout->extents[0];

    if (head->member_count != 1)
        return 0;
    for (uint32_t e = 1; e < layout->extent_count; e++)
        for (uint32_t m = 0; m < layout->extents[e].member_count; m++)
            if (layout->extents[e].members[m].brick_idx ==
                head->members[0].brick_idx)
                return layout->extents[e].block_shift == head->block_shift ? e
                                                                           : 0;
    return 0;
}

/* Walks the pieces of [inline_limit, size) in order and compares after each
 * one. 1: within quota all the way. */
static int
file_within(const struct allot_layout *layout, uint64_t size)
{
    struct sets *sets = calloc(1, sizeof(*sets));
    uint32_t head_for = head_counts_for(layout);
    uint64_t byte = layout->inline_limit;
    int within = 1;

    assert_non_null(sets);
    while (byte < size && within) {
        struct allot_place place;
        struct set *set;

        allot_layout_place(layout, byte, &place);
        set = set_of(sets,
                     &layout->extents[place.extent_no == 0 ? head_for
                                                           : place.extent_no]);
        set->pieces++;
        set->count[place.brick_idx]++;
        within = set_within(set);
        byte = place.end_byte;
    }
    free(sets);
    return within;
}

struct volume {
    uint8_t weight[BRICKS]; /* 0: not there */
    uint8_t up[BRICKS];
    uint8_t shift;
};

/* The bricks that are up, in any order: the ledger's order changes all the
 * time. Returns how many. */
static uint8_t
choose_members(const struct volume *vol, struct allot_member *members)
{
    uint8_t count = 0;

    for (uint16_t b = 0; b < BRICKS; b++)
        if (vol->weight[b] && vol->up[b])
            members[count++] = (struct allot_member){b, vol->weight[b]};
    for (uint8_t i = 0; i + 1 < count; i++) {
        uint8_t pick = (uint8_t)test_between(i, count - 1u);
        struct allot_member member = members[i];

        members[i] = members[pick];
        members[pick] = member;
    }
    return count;
}

/* One file's life: a head, growth, bricks that go and come back, sometimes in
 * the middle of a block, a truncation now and then. */
static void
one_file(int equal)
{
    struct volume vol = {.shift = (uint8_t)test_between(12, 14)};
    uint64_t block = 1ull << vol.shift;
    uint32_t inline_limit = random_inline();
    struct allot_member members[BRICKS];
    struct allot_layout *layout = unspread(inline_limit);
    uint64_t size = inline_limit;
    uint8_t count;

    for (int b = 0; b < BRICKS; b++) {
        vol.weight[b] = (uint8_t)(equal ? 1 : test_between(0, 9));
        vol.up[b] = test_below(5) != 0;
    }
    vol.weight[0] = vol.weight[1] = 3; /* never nobody */
    vol.up[0] = 1;

    count = choose_members(&vol, members);
    if (test_below(3)) {
        layout = append(layout, size, vol.shift, members, 1);
        size = (inline_limit / block + 1) * block;
        if (test_below(4) == 0) /* it fails before its block is full */
            size = inline_limit + 1 + test_below(size - inline_limit);
    }
    for (int event = 0; event < 30; event++) {
        uint64_t b = test_between(1, BRICKS - 1);

        count = choose_members(&vol, members);
        if (layout->extent_count < ALLOT_EXTENTS_MAX - 1)
            layout = append(layout, size, vol.shift, members, count);
        size += test_below(60) * block;
        if (test_below(3) == 0)
            size += test_below(block);
        size++;
        assert_true(file_within(layout, size));
        if (test_below(8) == 0) {
            size = test_between(inline_limit, size);
            /* grows a bit again in the old extents */
            if (test_below(2))
                size += test_below(10 * block);
            if (layout->extents[0].member_count == 1 &&
                size < (inline_limit / block + 1) * block)
                size = (inline_limit / block + 1) * block;
            assert_true(file_within(layout, size));
        }
        /* a brick goes or comes back */
        vol.up[b] = !vol.up[b];
        if (test_below(3) == 0)
            vol.up[test_between(1, BRICKS - 1)] = 1;
    }
    allot_layout_free(layout);
}

static void
test_quota_over_all_extents_equal(void **state)
{
    (void)state;
    for (int round = 0; round < 250; round++)
        one_file(1);
}

static void
test_quota_over_all_extents_weighted(void **state)
{
    (void)state;
    for (int round = 0; round < 250; round++)
        one_file(0);
}

/* A brick that drops and returns twenty times, as close as can be. */
static void
test_quota_with_a_flapping_brick(void **state)
{
    const struct allot_member all[4] = {{0, 3}, {1, 2}, {2, 2}, {3, 1}};
    const struct allot_member without[3] = {{2, 2}, {0, 3}, {3, 1}};
    struct allot_layout *layout = append(unspread(4096), 4096, 12, all, 1);
    uint64_t size = 8192;

    (void)state;
    for (int flap = 0; flap < 20; flap++) {
        layout = append(layout, size, 12, all, 4);
        size += 1 + test_below(5 * 4096);
        layout = append(layout, size, 12, without, 3);
        size += 1 + test_below(5 * 4096);
        assert_true(file_within(layout, size));
    }
    allot_layout_free(layout);
}

/* Without the phase that goes on, the same life breaks the promise: every
 * short extent would begin with the same brick. */
static void
test_quota_check_can_fail(void **state)
{
    const struct allot_member all[3] = {A, B, C};
    const struct allot_member two[2] = {A, C};
    struct allot_layout *layout = append(unspread(0), 0, 12, all, 3);
    uint64_t size = 4096;

    (void)state;
    for (int flap = 0; flap < 4; flap++) {
        layout = append(layout, size, 12, two, 2);
        layout = append(layout, size + 4096, 12, all, 3);
        size += 2 * 4096;
    }
    assert_true(file_within(layout, size));
    for (uint32_t e = 0; e < layout->extent_count; e++)
        layout->extents[e].phase = 0;
    assert_false(file_within(layout, size));
    allot_layout_free(layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_is_slot_0),
        cmocka_unit_test(test_head_is_not_slot_0),
        cmocka_unit_test(test_same_set_goes_on),
        cmocka_unit_test(test_extents_past_the_start_are_dropped),
        cmocka_unit_test(test_append_refuses),
        cmocka_unit_test(test_quota_over_all_extents_equal),
        cmocka_unit_test(test_quota_over_all_extents_weighted),
        cmocka_unit_test(test_quota_with_a_flapping_brick),
        cmocka_unit_test(test_quota_check_can_fail),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
