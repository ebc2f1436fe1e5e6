/* SPDX-License-Identifier: MIT */
/* Figures of classes and of entities, against counts made by hand. */
#include "testing.h"

#include <math.h>

#include "unroll/metric.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-12)

static void classes__of_a_table_made_by_hand(void **state)
{
    (void)state;
    /* Of class 0 two of three right, class 1 one of two, class 2 never told or found; the last
     * one, 3, is found once and never there. */
    const int32_t truth[] = {0, 0, 0, 1, 1, -1}, guess[] = {0, 0, 1, 1, 3, 9};
    double table[16] = {0}, parts[16] = {0};
    ur_metrics m;
    ur_metrics_init(&m);
    assert_ok(ur_confusion_count(table, 4, 6, truth, guess));
    assert_ok(ur_confusion_count(parts, 4, 2, truth, guess));       /* two shards add up */
    assert_ok(ur_confusion_count(parts, 4, 4, truth + 2, guess + 2));
    assert_memory_equal(table, parts, sizeof table);
    assert_true(table[0] == 2 && table[1] == 1 && table[5] == 1 && table[7] == 1);
    ur_class_score one = ur_class_score_of(table, 4, 1);
    assert_true(one.n == 2 && one.found == 2);
    NEAR(one.precision, 0.5);
    NEAR(one.recall, 0.5);
    NEAR(ur_class_score_of(table, 4, 0).f1, 0.8);
    assert_true(ur_class_score_of(table, 4, 2).f1 == 0 && ur_class_score_of(table, 4, 7).n == 0);
    ur_class_figures(table, 4, &m);
    NEAR(ur_metrics_get(&m, "accuracy"), 0.6);
    NEAR(ur_metrics_get(&m, "f1"), (0.8 + 0.5 + 0) / 3);
    NEAR(ur_metrics_get(&m, "precision"), (1 + 0.5 + 0) / 3);
    NEAR(ur_metrics_get(&m, "recall"), (2.0 / 3 + 0.5 + 0) / 3);

    const int32_t wide[] = {4}, wrong[] = {-2};
    assert_int_equal(ur_confusion_count(table, 4, 1, wide, guess), UR_EINVAL);
    assert_string_equal(ur_errmsg(), "prediction 0 is 0 of class 4, not 0 to 3");
    assert_int_equal(ur_confusion_count(table, 4, 1, truth, wrong), UR_EINVAL);
    assert_memory_equal(table, parts, sizeof table);
    const double empty[4] = {0};
    m.n = 0;
    ur_class_figures(empty, 2, &m);
    assert_true(isnan(ur_metrics_get(&m, "accuracy")) && isnan(ur_metrics_get(&m, "f1")));
}

struct sentence {
    const char *truth, *guess;
    int right, found, present;
};

/* Each counted by hand, by the rules that conlleval publishes. */
static const struct sentence sentences[] = {
    {"", "", 0, 0, 0},
    {"O O", "O O", 0, 0, 0},
    {"B-PER I-PER O", "B-PER I-PER O", 1, 1, 1},
    {"B-PER I-PER O", "B-PER O O", 0, 1, 1},
    {"B-PER I-PER O", "B-LOC I-LOC O", 0, 1, 1},
    {"B-PER B-PER", "B-PER I-PER", 0, 1, 2},
    /* IOB1: B- only between neighbours of one type */
    {"I-PER I-PER B-PER O I-LOC", "B-PER I-PER B-PER O B-LOC", 3, 3, 3},
    {"I-PER I-LOC", "B-PER B-LOC", 2, 2, 2},
    /* broken: an I- after O or after another type begins an entity */
    {"O I-PER I-PER", "O B-PER I-PER", 1, 1, 1},
    {"B-PER I-LOC", "B-PER B-LOC", 2, 2, 2},
    {"B-PER I-LOC I-LOC", "B-PER I-PER I-LOC", 0, 2, 2},
    /* a boundary in one of them alone */
    {"B-A I-A I-A", "B-A I-A B-A", 0, 2, 1},
    {"B-A O B-A", "B-A I-A I-A", 0, 1, 2},
    /* one ends where the other goes on */
    {"B-A I-A O", "B-A I-A I-A", 0, 1, 1},
    {"B-A B-B I-B", "O B-B I-B", 1, 1, 2},
    /* IOE1, IOE2 */
    {"I-A E-A I-A", "I-A E-A O", 1, 1, 2},
    {"I-A E-A E-A", "B-A I-A B-A", 2, 2, 2},
    {"O E-A O", "O B-A O", 1, 1, 1},
    /* IOBES, BILOU */
    {"S-A B-A I-A E-A S-B", "B-A B-A I-A I-A B-B", 3, 3, 3},
    {"S-A S-A", "B-A I-A", 0, 1, 2},
    {"U-A B-A L-A O", "S-A B-A E-A O", 2, 2, 2},
    {"S-A I-A", "B-A B-A", 2, 2, 2},
    {"B-A E-A I-A", "B-A I-A B-A", 2, 2, 2},
    /* types with a dash; labels without a prefix or a type */
    {"B-A-B I-A-B", "B-A-B I-A-C", 0, 2, 1},
    {"PER PER LOC", "I-PER I-PER I-LOC", 2, 2, 2},
    {"B I O", "B B O", 0, 2, 1},
    {"O-X B-A", "O B-A", 1, 1, 1},
};

/* Parts text at its spaces. */
static size_t part(char *text, const char **labels)
{
    size_t n = 0;
    for (char *p = text; *p; p += strcspn(p, " ")) {
        p += *p == ' ';
        labels[n++] = p;
    }
    for (char *p = strchr(text, ' '); p; p = strchr(p, ' '))
        *p++ = '\0';
    return n;
}

static void entities__as_counted_by_hand(void **state)
{
    (void)state;
    ur_entity_counts all = {0};
    ur_entity_counts sum = {0};
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        const struct sentence *s = &sentences[i];
        char truth[64], guess[64];
        const char *t[16], *g[16];
        ur_entity_counts own = {0};
        snprintf(truth, sizeof truth, "%s", s->truth);
        snprintf(guess, sizeof guess, "%s", s->guess);
        size_t n = part(truth, t);
        assert_int_equal(part(guess, g), n);
        ur_entities_count(&own, n, t, g);
        ur_entities_count(&all, n, t, g);
        if (own.right != s->right || own.found != s->found || own.present != s->present)
            fail_msg("\"%s\" beside \"%s\": %g right of %g found and %g present", s->truth,
                     s->guess, own.right, own.found, own.present);
        ur_entities_count(&own, n, g, t);       /* the other way about */
        assert_true(own.right == 2 * s->right && own.found == own.present);
        sum.right += s->right;
        sum.found += s->found;
        sum.present += s->present;
    }
    assert_memory_equal(&all, &sum, sizeof all);
}

static void entities__figures(void **state)
{
    (void)state;
    ur_metrics m;
    ur_metrics_init(&m);
    ur_entity_figures(&(ur_entity_counts){.right = 3, .found = 4, .present = 6}, &m);
    NEAR(ur_metrics_get(&m, "f1"), 0.6);
    NEAR(ur_metrics_get(&m, "precision"), 0.75);
    NEAR(ur_metrics_get(&m, "recall"), 0.5);
    m.n = 0;
    ur_entity_figures(&(ur_entity_counts){.present = 2}, &m);
    assert_true(ur_metrics_get(&m, "f1") == 0 && ur_metrics_get(&m, "precision") == 0);
    m.n = 0;
    ur_entity_figures(&(ur_entity_counts){0}, &m);
    assert_true(isnan(ur_metrics_get(&m, "f1")));
}

/* Truths 10, 20, missing, 0, 5; forecasts 12, 16, 3, 0, 10. Errors 2, 4, 0, 5. */
static void forecasts__as_counted_by_hand(void **state)
{
    (void)state;
    const double truth[] = {10, 20, (double)NAN, 0, 5}, point[] = {12, 16, 3, 0, 10};
    const double lower[] = {10, 10, 0, 1, (double)NAN}, upper[] = {13, 19, 9, 0, 6};
    const ur_forecast_sums none = {.n = 0};
    ur_forecast_sums all = none, parts[2] = {none, none};
    ur_metrics m;
    ur_metrics_init(&m);
    for (int i = 0; i < 5; i++) {
        ur_forecast_add(&all, truth[i], point[i], lower[i], upper[i]);
        ur_forecast_add(&parts[i % 2], truth[i], point[i], lower[i], upper[i]);
    }
    assert_true(all.n == 4 && parts[0].n + parts[1].n == 4 && all.intervals == 2);
    NEAR(parts[0].squared + parts[1].squared, all.squared);
    ur_forecast_figures(&all, 5.5, &m);
    NEAR(ur_metrics_get(&m, "mae"), 11.0 / 4);
    NEAR(ur_metrics_get(&m, "rmse"), sqrt(45.0 / 4));
    NEAR(ur_metrics_get(&m, "mase"), 0.5);
    NEAR(ur_metrics_get(&m, "smape"), (2 * 2 / 22.0 + 2 * 4 / 36.0 + 0 + 2 * 5 / 15.0) / 4);
    NEAR(ur_metrics_get(&m, "coverage"), 0.5);      /* its bound holds 10; 20 is above */
    NEAR(ur_metrics_get(&m, "width"), 6);
    m.n = 0;
    ur_forecast_figures(&all, 0, &m);
    assert_true(isnan(ur_metrics_get(&m, "mase")) && ur_metrics_get(&m, "mae") > 2);
    m.n = 0;
    ur_forecast_figures(&none, 1, &m);
    assert_true(isnan(ur_metrics_get(&m, "mae")) && isnan(ur_metrics_get(&m, "coverage")));
    ur_forecast_add(&all, (double)INFINITY, 1, 0, 2);
    assert_true(all.n == 4);
    ur_forecast_add(&all, 1, (double)NAN, 0, 2);    /* no forecast is as bad as can be */
    m.n = 0;
    ur_forecast_figures(&all, 1, &m);
    assert_true(isnan(ur_metrics_get(&m, "mae")));
}

static void seasonal_error__of_pairs_that_are_there(void **state)
{
    (void)state;
    const double x[] = {1, 5, 2, 9, (double)NAN, 8, 4};
    NEAR(ur_seasonal_error(4, x, 1), (4 + 3 + 7) / 3.0);
    NEAR(ur_seasonal_error(7, x, 2), (1 + 4 + 1) / 3.0);
    NEAR(ur_seasonal_error(7, x, 6), 3);
    assert_true(isnan(ur_seasonal_error(7, x, 7)) && isnan(ur_seasonal_error(7, x, 0)));
    assert_true(isnan(ur_seasonal_error(7, x, -3)) && isnan(ur_seasonal_error(0, NULL, 1)));
    NEAR(ur_seasonal_error(3, x + 4, 1), 4);
    assert_true(isnan(ur_seasonal_error(2, x + 3, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecasts__as_counted_by_hand),
        cmocka_unit_test(seasonal_error__of_pairs_that_are_there),
        cmocka_unit_test(classes__of_a_table_made_by_hand),
        cmocka_unit_test(entities__as_counted_by_hand),
        cmocka_unit_test(entities__figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
