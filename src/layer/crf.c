/* SPDX-License-Identifier: MIT */
/* The scores of a linear-chain CRF as parameters; docs/MATH.md, section Linear-chain CRF. */
#include "base/sized.h"
#include "base/status.h"
#include "layer/params.h"
#include "tape/tape.h"

/* The bound of the initial values: small beside the scores of the steps. */
#define SPREAD 0.1

static ur_status declare(ur_crf_layer *layer, const char *prefix)
{
    struct ur__param_new p = {.prefix = prefix, .name = "transitions", .rank = 2,
                              .dim = {layer->K, layer->K}, .init = UR_INIT_UNIFORM,
        .scale = SPREAD};
    UR__TRY(ur__params_declare(layer->params, &p, &layer->transitions));
    p.rank = 1;
    p.name = "start";
    UR__TRY(ur__params_declare(layer->params, &p, &layer->start));
    p.name = "end";
    return ur__params_declare(layer->params, &p, &layer->end);
}

ur_status ur_crf_init(ur_crf_layer *layer, ur_params *params, const char *prefix, int K)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_crf_layer){.params = params, .K = K};
    if (K < 1)
        return ur__fail(UR_EINVAL, "%s: a CRF cannot have %d labels", prefix, K);
    int declared = ur_params_count(params);
    ur_status status = declare(layer, prefix);
    if (status != UR_OK)
        ur__params_truncate(params, declared);
    return status;
}

ur_tensor *ur_crf(ur_tape *tape, const ur_crf_layer *layer, ur_tensor *scores, ur_ids labels,
                  const int *lengths)
{
    if (!scores)
        return NULL;
    if (!layer || !layer->end)
        return ur__tape_fail(tape, UR_EINVAL, "crf: the layer is NULL or was not initialised");
    return ur_crf_loss(scores, ur_param_tensor(tape, layer->params, layer->transitions),
                       ur_param_tensor(tape, layer->params, layer->start),
                       ur_param_tensor(tape, layer->params, layer->end), labels, lengths);
}

ur_status ur_crf_decode(const ur_crf_layer *layer, const ur_chain *chain, int32_t *labels,
                        double *best)
{
    UR__NEED(layer, "layer");
    UR__NEED(chain, "chain");
    if (!layer->end)
        return ur__fail(UR_EINVAL, "crf: the layer was not initialised");
    ur_chain whole, none;
    ur_chain_init(&none);
    UR__TRY(ur__sized_read(&whole, chain, &none, sizeof none, "ur_chain_init"));
    if (whole.K != layer->K)
        return ur__fail(UR_ESHAPE, "crf: scores are of %d labels, the layer has %d", whole.K,
                        layer->K);
    whole.transitions = ur_param_data(layer->params, layer->transitions);
    whole.start = ur_param_data(layer->params, layer->start);
    whole.end = ur_param_data(layer->params, layer->end);
    return ur_viterbi(&whole, labels, best);
}
