/* SPDX-License-Identifier: MIT */
/* How a training run is reported: the live line or plain lines on stderr, the log as JSON
 * lines, the result at its end. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/train_log.h"
#include "cli/ui.h"
#include "unroll.h"

struct report {
    struct ui *ui;
    struct train_log log;
    int code;               /* of a failure here, else 0 */
    double loss, speed;     /* smoothed */
    int64_t smoothed;       /* how many steps are in them */
    double told;            /* when the last plain line was written */
    double best;            /* validation loss */
    ur_report last;         /* without its text */
    ur_report start;        /* sizes */
};

void report_init(struct report *r, struct ui *ui);
/* A ur_on_report whose user is a struct report. */
bool report_see(void *user, const ur_report *seen);
/* Erases the live line and closes the log. Returns the code of a failure to report, or 0. */
int report_end(struct report *r);
/* The figure of the best model as people read it: "2.478 bits/char", "perplexity 164.2",
 * "accuracy 0.913". Returns to. */
char *report_best(const struct report *r, double figure, char to[UI_NUMBER]);
/* Did the run go to its end? Not if it was stopped, or was over before it began. */
bool report_ended(const struct report *r);
/* The run's last figures as one JSON object on stdout. */
int report_json(const struct report *r, const char *model);

#endif
